"""
Start and stop: sent once, and again only after a look at what became of the first one (P6).

The service documents no key by which it knows a repeated request. So where an answer is
lost, the list of the room tells whether the request was applied.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from attrs import frozen

from videosdk_transcripts._api.converter import read_transcription
from videosdk_transcripts._api.protocol import REALTIME, Request, Response, decode_object
from videosdk_transcripts._http.retry import Attempts
from videosdk_transcripts._http.transport import Transport
from videosdk_transcripts._paging.pager import Pager
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
"""Walks the transcriptions of the room, in so many seconds."""


@frozen
class WriteResult:
    """What became of a start or a stop."""

    transcription: Transcription
    """The transcription that was started or stopped, as it was then: without files yet."""
    outcome: Outcome
    """
    How that is known: ``answered``, the service answered the first request that it can have
    received; ``found``, its answer was lost, and the list of the room shows what was asked
    for; ``sent again``, the list did not show it, and the service answered a later request.
    """


def start_request(
    room_id: str,
    *,
    webhook_url: str | None = None,
    language: str | None = None,
    model_id: str | None = None,
    summary: bool | str | None = None,
) -> Request:
    """
    Ask for a transcription to start. What is None is left to the service.

    Source: https://docs.videosdk.live/api-reference/realtime-communication/start-realtime-transcription
    """
    check_id("room_id", room_id)
    _check_url(webhook_url)
    for name, value in (("language", language), ("model_id", model_id)):
        if value is not None:
            check_id(name, value, "; None leaves it to the service")
    options = {"webhookUrl": webhook_url, "language": language, "modelId": model_id}
    body: dict[str, Any] = {"roomId": room_id}
    body |= {key: value for key, value in options.items() if value is not None}
    if summary is not None:
        body["summary"] = _summary(summary)
    return _write("start", room_id, body)


def stop_request(room_id: str) -> Request:
    """
    Ask for the transcription of a room to end.

    Source: https://docs.videosdk.live/api-reference/realtime-communication/stop-realtime-transcription
    """
    check_id("room_id", room_id)
    return _write("end", room_id, {"roomId": room_id})


async def start(
    transport: Transport, list_room: ListRoom, room_id: str, request: Request
) -> WriteResult:
    """
    Send a `start_request`.

    Args:
        transport: sends it.
        list_room: walks the room's transcriptions, where an answer was lost.
        room_id: the room.
        request: what to send.

    Raises:
        VideoSDKTranscriptsError: the last failure. Where it is unknown whether it was
            applied, the text says so.
    """
    return await _Write(transport, list_room, room_id, request, is_start=True).send()


async def stop(
    transport: Transport, list_room: ListRoom, room_id: str, request: Request
) -> WriteResult:
    """Send a `stop_request`, as `start` does with its own."""
    return await _Write(transport, list_room, room_id, request, is_start=False).send()


class _Write:
    """One start or stop, with what is known of it."""

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
        self._ends_at = transport.clock.monotonic() + transport.policy.page_timeout
        self._looked = False
        self._lost: VideoSDKTranscriptsError | None = None
        """The failure that left it open, where nobody could look what became of it."""

    async def send(self) -> WriteResult:
        """Send it, look where its answer is lost, and send it again where it did nothing."""
        try:
            result = await self._transport.fetch(
                self._request,
                self._decode,
                stats=WalkStats(),
                deadline=self._ends_at,
                reconcile=self._settle,
                attempts=self._attempts,
            )
        except ClientClosedError:
            raise
        except VideoSDKTranscriptsError as error:
            failure = self._lost or error
        else:
            return self._checked(result)
        # Out here, so that one failure is no context of another one.
        found = await self._last_look(failure)
        if found is not None:
            return self._checked(found)
        failure.attempts = self._attempts.count
        raise failure

    async def _decode(self, answer: Response) -> WriteResult:
        row = read_transcription(decode_object(answer, self._request), path="$")
        return WriteResult(row, "sent again" if self._looked else "answered")

    async def _settle(self) -> WriteResult | None:
        """Find what an attempt did whose answer was lost, or None where it did nothing."""
        lost = self._attempts.last_error
        try:
            found = await self._look()
        except VideoSDKTranscriptsError:
            self._lost = lost
            # Nothing was sent in this one.
            self._attempts.count -= 1
            # The look has had attempts of its own, and nothing may be sent without it.
            self._attempts.deadline_passed = True
            raise
        self._looked = True
        return found

    async def _look(self) -> WriteResult | None:
        """Find the newest that runs, for a stop the newest where none runs."""
        newest = running = None
        # The order of the list is not documented, so that all of it has to be seen. Without
        # time left the walk is refused.
        async with self._list_room(self._ends_at - self._transport.clock.monotonic()) as pager:
            async for row in pager:
                newest = _later(newest, row)
                running = _later(running, row) if row.is_running else running
        stopped = newest if running is None else None
        found = running if self._is_start else stopped
        return None if found is None else WriteResult(found, "found")

    async def _last_look(self, failure: VideoSDKTranscriptsError) -> WriteResult | None:
        """Look where nothing is sent any more, and say in the failure what is known."""
        in_doubt = self._attempts.in_doubt
        # A refusal of a later request may come of the first one, which was slow.
        if not in_doubt and not (self._looked and isinstance(failure, StatusError)):
            return None
        if self._lost is None:
            try:
                found = await self._look()
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
            f"look with iter_transcriptions({self._room_id!r}) before you send it again",
        )
        return None

    def _checked(self, result: WriteResult) -> WriteResult:
        theirs = result.transcription.room_id
        if theirs not in (None, self._room_id):
            raise InvalidResponseError(
                f"asked for {self._request.subject}, the service answered with "
                f"{result.transcription.id} of room {theirs}"
            )
        return result


def _later(one: Transcription | None, other: Transcription) -> Transcription:
    # The first one of those that began at once, or that don't say when.
    return max(one or other, other, key=lambda row: row.start or _LONG_AGO)


_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


def _add(error: VideoSDKTranscriptsError, text: str) -> None:
    error.message += f"; {text}"
    error.args = (error.message,)


def _write(verb: str, room_id: str, body: Mapping[str, Any]) -> Request:
    subject = f"the {verb} of the transcription of room {room_id}"
    return Request(REALTIME.path + verb, subject, "POST", json.dumps(body).encode())


def _check_url(url: object) -> None:
    try:
        fits = url is None or (isinstance(url, str) and _is_absolute(url))
    except ValueError:
        fits = False
    if not fits:
        # Not shown: its query may hold a secret.
        raise ConfigurationError("webhook_url must be an http or https URL with a host")


def _is_absolute(url: str) -> bool:
    parts = urlsplit(url)
    is_plain = not any(c.isspace() or not c.isprintable() for c in url)
    return is_plain and parts.scheme in ("http", "https") and bool(parts.hostname)


def _summary(summary: object) -> dict[str, Any]:
    if isinstance(summary, bool):
        return {"enabled": summary}
    if isinstance(summary, str) and summary.strip():
        return {"enabled": True, "prompt": summary}
    raise ConfigurationError(
        "summary must be True, False, or the text of a prompt, which also enables it"
    )
