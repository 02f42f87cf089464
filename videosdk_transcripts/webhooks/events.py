"""Verify the signature of a webhook's body, and convert the body to a typed event."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal, NoReturn, Protocol, get_args

from attrs import field, frozen

from videosdk_transcripts._api.protocol import MAX_DEPTH, is_too_deep
from videosdk_transcripts._redact import mask, mask_data
from videosdk_transcripts.errors import BadRequestError, NotFoundError, WebhookBodyError
from videosdk_transcripts.models import PostTranscription, Transcription

from .signature import check_signature, decode_signature, load_key, require_cryptography

TranscriptionEventType = Literal[
    "transcription-started",
    "transcription-stopped",
    "transcription-completed",
    "transcription-failed",
]

_TRANSCRIPTION_EVENTS: Final[Mapping[str, TranscriptionEventType]] = {
    word: word for word in get_args(TranscriptionEventType)
}
# The vendor's samples have neither word; public programs and API catalogues have both.
_KINDS: Final = {"post-call": "post"}


@frozen(kw_only=True)
class WebhookEvent:
    """
    An event of any type. Treat it as a hint, and fetch the object by its id.

    Events about transcriptions are of the subclass `TranscriptionEvent`. In all other events, an
    attribute is None if its value is absent or of an unexpected type; `data` has the value as
    sent.

    Attributes:
        type: the type as sent by the service, such as ``session-ended``; unknown types are
            kept. Empty if the body has none, as in some webhooks of the vendor's agents.
        id: the id of the object; None if the event has none.
        kind: the type within `data`; None if it has none. All samples of the vendor have
            ``realtime``. ``post`` is assumed to be a transcription of a recording, and
            ``post-call`` is converted to it. Unknown types are kept.
        room_id: the room, which webhooks call ``meetingId``; None if the event has none.
        session_id: the session; None if the event has none.
        data: all data of the event, as sent.
        extra: the fields of the body other than the type and the data; usually empty.
    """

    type: str
    id: str | None
    kind: str | None = None
    room_id: str | None = None
    session_id: str | None = None
    data: Mapping[str, Any] = field(factory=dict, repr=False)
    extra: Mapping[str, Any] = field(factory=dict, repr=False)

    def __hash__(self) -> int:
        return hash((self.type, self.id))

    @property
    def key(self) -> tuple[str, str]:
        """
        Return the type and the id, which are the same if an event is delivered again.

        Two events may have the same key: the vendor mentions a webhook after the summary, but not
        its type. If that is a second ``transcription-stopped``, a program that drops repeated keys
        drops it. For an event without an id, a digest of the data takes its place.
        """
        if self.id is not None:
            return self.type, self.id
        content = json.dumps([self.data, self.extra], sort_keys=True).encode()
        return self.type, hashlib.sha256(content).hexdigest()


class _Client(Protocol):
    """The part of `TranscriptsClient` that `TranscriptionEvent.fetch` requires."""

    async def get_transcription(self, transcription_id: str) -> Transcription: ...
    async def get_post_transcription(self, transcription_id: str) -> PostTranscription: ...


@frozen(kw_only=True)
class TranscriptionEvent(WebhookEvent):
    """
    An event about a transcription that was started, was stopped, completed or failed.

    The other attributes are those of `WebhookEvent`.

    Attributes:
        type: one of the four types. According to the documentation, the service sends
            ``transcription-completed`` to the webhook of a room, and the other three to the
            `webhook_url` of a transcription.
        id: the id of the transcription, for `fetch`; never None.
    """

    type: TranscriptionEventType
    id: str

    __hash__ = WebhookEvent.__hash__

    async def fetch(self, client: _Client) -> Transcription | PostTranscription:
        """
        Return the transcription that the event is about, whether realtime or of a recording.

        `kind` decides which kind is requested first. If that does not exist, the other kind is
        requested, because `kind` is undocumented for recordings, and may be absent.

        Args:
            client: a `TranscriptsClient`.

        Returns:
            The transcription as it is now, which may be later than the event.

        Raises:
            NotFoundError: this account has no such transcription of either kind.
            NoResponseError: every attempt failed without a response, or a timeout expired.
            StatusError: the service otherwise refused the request; one subclass per status.
            InvalidResponseError: the response can't be read, or has another id.
            ClientClosedError: the client is closed.
        """
        if self.kind == "post":
            return await _first_found(
                self.id, client.get_post_transcription, client.get_transcription
            )
        return await _first_found(self.id, client.get_transcription, client.get_post_transcription)

    @property
    def is_started(self) -> bool:
        """Return whether the transcription was started."""
        return self.type == "transcription-started"

    @property
    def is_stopped(self) -> bool:
        """Return whether the transcription was stopped. Its files may still appear later."""
        return self.type == "transcription-stopped"

    @property
    def is_completed(self) -> bool:
        """Return whether the transcription has completed. Its files may still appear later."""
        return self.type == "transcription-completed"

    @property
    def is_failed(self) -> bool:
        """Return whether the transcription failed. The service sends no reason."""
        return self.type == "transcription-failed"


async def _first_found(
    row_id: str,
    *gets: Callable[[str], Awaitable[Transcription | PostTranscription]],
) -> Transcription | PostTranscription:
    """Return the result of the first function that finds the id; raise its error if none does."""
    failures: list[BadRequestError | NotFoundError] = []
    for get in gets:
        try:
            return await get(row_id)
        # The status for an unknown id is undocumented.
        except (BadRequestError, NotFoundError) as error:
            failures.append(error)
    raise failures[0]


def verify_webhook(raw_body: bytes, signature: str | None, public_key: str | bytes) -> WebhookEvent:
    """
    Verify the signature of a webhook, and return its event.

    Args:
        raw_body: the body as received, before any parsing; 1 MiB at most.
        signature: the value of the header ``videosdk-signature``; None if it is missing.
        public_key: the service's public key in PEM, as returned by
            ``GET /v2/public/rsa-public-key``: RSA with 2048 bits or more. A backslash followed by
            ``n`` counts as a line break.

    Returns:
        The event; a `TranscriptionEvent` if it is about a transcription.

    Raises:
        WebhookSignatureError: the signature is absent, is not base64, or does not match the
            key and the body.
        WebhookBodyError: the body is too large; or the signature is valid, but the body is
            not a JSON object, its type is not a string, or it is a transcription event without
            an id or with a value of the wrong type.
        ConfigurationError: `raw_body` is not bytes, `signature` is not a string,
            `public_key` is not a usable key, or cryptography is not installed.
    """
    # Masked before anything can fail: a traceback with locals would show these names.
    raw_body, signature = mask_data(raw_body), mask(signature)
    public_key = mask_data(public_key)
    require_cryptography()
    decoded = decode_signature(raw_body, signature)
    check_signature(raw_body, decoded, load_key(public_key))
    return read_event(raw_body)


def read_event(raw_body: bytes) -> WebhookEvent:
    """
    Return the event in a body whose signature was checked.

    Raises:
        WebhookBodyError: as for `verify_webhook`.
    """
    body = _read_object(raw_body)
    event_type = _pop_type(body)
    known_type = _TRANSCRIPTION_EVENTS.get(event_type)
    if known_type and "data" not in body and "id" in body:
        # A draft of the vendor's documentation shows {id, roomId} without an object around it.
        body = {"data": body}
    # In other events, data that is not an object stays in the body and so in `extra`.
    data = body.pop("data", None) if known_type or isinstance(body.get("data"), dict) else {}
    if not isinstance(data, dict):
        raise _wrong_value("$.data", data, "an object")
    # Only transcription events are validated, because other events have no required values.
    values = {
        key: _string(data, key, is_strict=known_type is not None)
        for key in ("id", "type", "meetingId", "roomId", "sessionId")
    }
    kind = values["type"]
    common: dict[str, Any] = {
        "kind": kind if kind is None else _KINDS.get(kind, kind),
        "room_id": values["meetingId"] or values["roomId"],
        "session_id": values["sessionId"],
        "data": data,
        "extra": body,
    }
    if known_type is None:
        return WebhookEvent(type=event_type, id=values["id"], **common)
    if values["id"] is None:
        raise _wrong_value("$.data.id", data.get("id"), "the id of a transcription")
    return TranscriptionEvent(type=known_type, id=values["id"], **common)


def _pop_type(body: dict[str, Any]) -> str:
    """Remove the type from a body, and return it; empty if there is none."""
    event_type = body.pop("webhookType", None)
    # The vendor's Node SDK reads the older name as well.
    if event_type is None and isinstance(body.get("type"), str):
        event_type = body.pop("type")
    if not isinstance(event_type, str | None):
        raise _wrong_value("$.webhookType", event_type, "a string")
    return event_type or ""


def _read_object(raw_body: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw_body, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        pass
    else:
        if not isinstance(body, dict):
            raise _wrong_value("$", body, "an object")
        if is_too_deep(body):
            raise _body_error(f"its JSON is nested deeper than {MAX_DEPTH} levels")
        return body
    raise _body_error(f"its {len(raw_body)} bytes are not valid JSON")


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not valid JSON")


def _string(data: Mapping[str, Any], key: str, *, is_strict: bool) -> str | None:
    """Return a non-empty string, or None if there is none."""
    value = data.get(key)
    if is_strict and not isinstance(value, str | None):
        raise _wrong_value(f"$.data.{key}", value, "a string")
    return value if isinstance(value, str) and value else None


def _wrong_value(path: str, value: object, expected: str) -> WebhookBodyError:
    """Return the error for a value, which contains only the type of the value."""
    problem = "is absent or null" if value is None else f"is of type {type(value).__name__}"
    if value == "":
        problem = "is empty"
    return _body_error(f"{path} {problem}, not {expected}")


def _body_error(problem: str) -> WebhookBodyError:
    return WebhookBodyError(f"the signature of the webhook is valid, but {problem}")
