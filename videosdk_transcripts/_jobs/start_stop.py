"""
Start and stop a transcription; a request is sent again only if it was not applied (P6).

The service documents no idempotency key. So if a response is lost, the list of the room is read,
which shows whether the request was applied.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from attrs import frozen

from videosdk_transcripts._api.converter import structure_row
from videosdk_transcripts._api.protocol import REALTIME, Request, Response, decode_object
from videosdk_transcripts._http.retry import Attempts
from videosdk_transcripts._http.transport import Transport
from videosdk_transcripts._paging.pager import Pager
from videosdk_transcripts._redact import plain_text
from videosdk_transcripts._validation import check_id
from videosdk_transcripts.errors import (
    ClientClosedError,
    ConfigurationError,
    InvalidResponseError,
    StatusError,
    VideoSDKTranscriptsError,
)
from videosdk_transcripts.models import Transcription, WalkStats

Outcome = Literal["answered", "found", "sent again"]
ListRoom = Callable[[float], Pager[Transcription]]
"""Iterate over the transcriptions of the room, within a number of seconds."""


@frozen
class WriteResult:
    """
    The result of a start or a stop.

    Attributes:
        transcription: the transcription that was started or stopped, as it was at that time:
            without files.
        outcome: how the result is known. ``answered``: the service responded to the first
            request that it may have received. ``found``: the response was lost, but the list of
            the room shows the result. ``sent again``: the list did not show it, and the service
            responded to a later request.
    """

    transcription: Transcription
    outcome: Outcome


def start_request(
    room_id: str,
    *,
    webhook_url: str | None = None,
    language: str | None = None,
    model_id: str | None = None,
    summary: bool | str | None = None,
) -> Request:
    """
    Return the request that starts a transcription. Options that are None are not sent.

    Source: https://docs.videosdk.live/api-reference/realtime-communication/start-realtime-transcription
    """
    body: dict[str, Any] = {"roomId": check_id("room_id", room_id)}
    if webhook_url is not None:
        body["webhookUrl"] = _check_url(webhook_url)
    hint = "; None selects the service's default"
    if language is not None:
        body["language"] = check_id("language", language, hint)
    if model_id is not None:
        body["modelId"] = check_id("model_id", model_id, hint)
    if summary is not None:
        body["summary"] = _summary(summary)
    return _write("start", body, _START_ADVICE)


def stop_request(room_id: str) -> Request:
    """
    Return the request that stops the transcription of a room.

    Source: https://docs.videosdk.live/api-reference/realtime-communication/stop-realtime-transcription
    """
    return _write("end", {"roomId": check_id("room_id", room_id)}, _STOP_ADVICE)


_START_ADVICE: Final = {
    400: "check the room id and the options, and that the room has an active session",
    404: "check the room id, and that the room has an active session",
    409: "list the room to find the running transcription, or stop it first",
    422: "check the room id and the options",
}
_STOP_ADVICE: Final = {
    400: "check the room id, and that a transcription is running in the room",
    404: "either no transcription is running in the room, or the room id is wrong",
    409: "list the room to see whether a transcription is still running",
}


async def start(
    transport: Transport, list_room: ListRoom, room_id: str, request: Request
) -> WriteResult:
    """
    Send a `start_request`.

    Args:
        transport: sends it.
        list_room: iterates over the room's transcriptions if a response was lost.
        room_id: the room.
        request: what to send.

    Raises:
        VideoSDKTranscriptsError: the last failure. If it is unknown whether the request was
            applied, the message states that.
    """
    return await _Write(transport, list_room, room_id, request, is_start=True).send()


async def stop(
    transport: Transport, list_room: ListRoom, room_id: str, request: Request
) -> WriteResult:
    """Send a `stop_request`. Arguments and errors are those of `start`."""
    return await _Write(transport, list_room, room_id, request, is_start=False).send()


class _Write:
    """Send a start or stop, and after a lost response look for its effect in the room's list."""

    def __init__(
        self,
        transport: Transport,
        list_room: ListRoom,
        room_id: str,
        request: Request,
        *,
        is_start: bool,
    ) -> None:
        self._transport = transport
        self._list_room = list_room
        self._room_id = room_id
        self._request = request
        self._is_start = is_start
        self._attempts = Attempts()
        self._was_looked_up = False
        """Whether the list was read, and did not show the result."""
        self._unresolved: VideoSDKTranscriptsError | None = None
        """The failure after which the list could not be read."""

    async def send(self) -> WriteResult:
        """Send the request; after a lost response, find its result or send it again."""
        try:
            result = await self._transport.fetch(
                self._request,
                self._decode,
                stats=WalkStats(),
                reconcile=self._reconcile,
                attempts=self._attempts,
            )
        except ClientClosedError:
            raise
        except VideoSDKTranscriptsError as error:
            failure = self._unresolved or error
        else:
            return self._checked(result)
        # Outside the `except` block, so that one failure is not the context of another.
        found = await self._find_after(failure)
        if found is not None:
            return self._checked(found)
        failure.attempts = self._attempts.count
        raise failure

    async def _decode(self, response: Response) -> WriteResult:
        row = structure_row(decode_object(response, self._request), Transcription, path="$")
        return WriteResult(row, "sent again" if self._was_looked_up else "answered")

    async def _reconcile(self) -> WriteResult | None:
        """Return the result of an attempt whose response was lost; None if it was not applied."""
        lost = self._attempts.last_error
        try:
            found = await self._find()
        except VideoSDKTranscriptsError:
            self._unresolved = lost
            # This attempt sent nothing.
            self._attempts.count -= 1
            # The list has been retried already, and without it nothing may be sent again.
            self._attempts.deadline_passed = True
            raise
        self._was_looked_up = True
        return found

    async def _find(self) -> WriteResult | None:
        """
        Find the result in the list of the room; None if it is not there.

        The result of a start is the newest transcription that is running. The result of a stop is
        the newest of all, if none is running. One that is stopping does not count as running.
        """
        newest = running = None
        # The order of the list is undocumented, so all of it is read. If no time is left, the
        # walk raises an error.
        time_left = self._attempts.deadline - self._transport.clock.monotonic()
        async with self._list_room(time_left) as pager:
            async for row in pager:
                newest = _later(newest, row)
                running = _later(running, row) if _is_active(row) else running
        stopped = newest if running is None else None
        found = running if self._is_start else stopped
        return None if found is None else WriteResult(found, "found")

    async def _find_after(self, failure: VideoSDKTranscriptsError) -> WriteResult | None:
        """Find the result after the last failure, or add the findings to the failure."""
        in_doubt = self._attempts.in_doubt
        # A later request may have been rejected because the first one was applied late.
        if not in_doubt and not (self._was_looked_up and isinstance(failure, StatusError)):
            return None
        if self._unresolved is None:
            try:
                found = await self._find()
            except ClientClosedError:
                raise
            except VideoSDKTranscriptsError:
                pass
            else:
                if found is None and in_doubt:
                    _add(failure, "the list of the room does not show it as applied")
                return found
        _add(
            failure,
            "it is unknown whether it was applied, since the list of the room could not be read; "
            f"check with iter_transcriptions({self._room_id!r}) before you send it again",
        )
        return None

    def _checked(self, result: WriteResult) -> WriteResult:
        row = result.transcription
        if row.room_id not in (None, self._room_id):
            raise InvalidResponseError(
                f"{self._request.method} {self._request.subject}: the service returned "
                f"{row.id} of room {row.room_id}"
            )
        return result


def _is_active(row: Transcription) -> bool:
    return row.is_running and (row.status or "").lower() != "stopping"


def _later(one: Transcription | None, other: Transcription) -> Transcription:
    # If several have the same start, or none, the first one.
    return max(one or other, other, key=lambda row: row.start or _LONG_AGO)


_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


def _add(error: VideoSDKTranscriptsError, text: str) -> None:
    error.message += f"; {text}"
    error.args = (error.message,)


def _write(action: str, body: Mapping[str, Any], advice: Mapping[int, str]) -> Request:
    subject = f"the {action} of the transcription of room {body['roomId']}"
    return Request(
        REALTIME.path + action, subject, "POST", json.dumps(body).encode(), advice=advice
    )


def _check_url(url: object) -> str:
    # The query may contain a secret, so neither the error nor a frame shows the URL.
    if not isinstance(url, str) or not _is_absolute(url):
        raise ConfigurationError("webhook_url must be an http or https URL with a host")
    return plain_text(url)


def _is_absolute(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_plain = not any(c.isspace() or not c.isprintable() for c in url)
    return is_plain and parts.scheme in ("http", "https") and bool(parts.hostname)


def _summary(summary: object) -> dict[str, Any]:
    if isinstance(summary, bool):
        return {"enabled": summary}
    if isinstance(summary, str) and summary.strip():
        return {"enabled": True, "prompt": plain_text(summary)}
    raise ConfigurationError(
        "summary must be True, False, or a non-empty prompt, which also enables it"
    )
