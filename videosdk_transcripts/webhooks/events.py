"""
Webhooks: whether one is genuine, and what it says.

The service signs the bytes of the body with RSA and SHA-256 (PKCS#1 v1.5), and sends the
signature in base64 in the header ``videosdk-signature``.
Source: https://docs.videosdk.live/api-reference/realtime-communication/webhook-verification
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, get_args

from attrs import field, frozen

from videosdk_transcripts._api.protocol import MAX_DEPTH, is_too_deep
from videosdk_transcripts.errors import WebhookBodyError

from .signature import check_signature, load_key, read_signature, require_cryptography

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

TranscriptionEventType = Literal[
    "transcription-started", "transcription-stopped", "transcription-failed"
]

_TRANSCRIPTION: Final[Mapping[str, TranscriptionEventType]] = {
    word: word for word in get_args(TranscriptionEventType)
}
# The vendor's pages use both words for a transcription of a recording.
_KINDS: Final = {"post-call": "post"}


@frozen(kw_only=True)
class WebhookEvent:
    """
    What a webhook says. It is a hint: fetch what it is about by its id.

    One about a transcription is a `TranscriptionEvent`. In all others a value that is
    absent, or of another type than here, is None, and stands in `data` as it was sent.
    """

    type: str
    """The service's own word, ``session-ended`` for one; words to come are handed out too."""
    id: str | None
    """The id of what it is about."""
    kind: str | None = None
    """
    The type within `data`: ``realtime``, or ``post`` for a transcription of a recording,
    for which the service has also ``post-call``. Any other word survives.
    """
    room_id: str | None = None
    """The room, which webhooks call ``meetingId``."""
    session_id: str | None = None
    """The session."""
    data: Mapping[str, Any] = field(factory=dict, repr=False)
    """The event's own data, all of it and as it was sent."""
    extra: Mapping[str, Any] = field(factory=dict, repr=False)
    """What the service sent beside the type and the data."""

    def __hash__(self) -> int:
        return hash((self.type, self.id))

    @property
    def key(self) -> tuple[str, str]:
        """
        Return what is the same for a webhook that comes again: the type, and the id.

        In place of an id that is absent stands a digest of the data, so that two events
        are not taken for one.
        """
        if self.id is not None:
            return self.type, self.id
        said = json.dumps([self.data, self.extra], sort_keys=True).encode()
        return self.type, hashlib.sha256(said).hexdigest()


@frozen(kw_only=True)
class TranscriptionEvent(WebhookEvent):
    """A transcription was started, was stopped, or failed."""

    type: TranscriptionEventType
    """Which of the three happened."""
    id: str
    """
    The transcription's id: for `get_transcription`, or `get_post_transcription` where
    `kind` is ``post``.
    """

    __hash__ = WebhookEvent.__hash__

    @property
    def is_started(self) -> bool:
        """Tell whether the transcription was started."""
        return self.type == "transcription-started"

    @property
    def is_stopped(self) -> bool:
        """Tell whether it was stopped. Its files may be there later only."""
        return self.type == "transcription-stopped"

    @property
    def is_failed(self) -> bool:
        """Tell whether it failed. The service does not say why."""
        return self.type == "transcription-failed"


def verify_webhook(raw_body: bytes, signature: str | None, public_key: str | bytes) -> WebhookEvent:
    """
    Check who sent a webhook, and read it.

    Args:
        raw_body: the body as it came, before anything decoded it; 1 MiB at most.
        signature: the value of the header ``videosdk-signature``, or None where it is absent.
        public_key: the account's key in PEM, as the service gives it out
            (``GET /v2/public/rsa-public-key``): RSA of 2048 bits or more.

    Returns:
        The event; a `TranscriptionEvent` where it is about a transcription.

    Raises:
        WebhookSignatureError: there is no signature, it is no base64, or it is not of this
            key and these bytes.
        WebhookBodyError: the body is too large; or it is signed, and no JSON object with a
            type, or one about a transcription that lacks its id or has a value of a wrong
            type.
        ConfigurationError: `raw_body` is not bytes, `signature` is not a string,
            `public_key` is no such key, or cryptography is not installed.
    """
    require_cryptography()
    decoded = read_signature(raw_body, signature)
    return verify_signed(raw_body, decoded, load_key(public_key))


def verify_signed(raw_body: bytes, signature: bytes, key: RSAPublicKey) -> WebhookEvent:
    """
    Read a body that a key has signed.

    Args:
        raw_body: the body.
        signature: what `read_signature` made of the header.
        key: the public key.

    Raises:
        WebhookSignatureError: another key signed it, or other bytes.
        WebhookBodyError: as `verify_webhook` says.
    """
    check_signature(raw_body, signature, key)
    return _read_event(raw_body)


def _read_event(raw_body: bytes) -> WebhookEvent:
    body = _read_object(raw_body)
    name = "type" if body.get("webhookType") is None else "webhookType"
    event_type = body.pop(name, None)
    if not isinstance(event_type, str) or not event_type:
        raise _wrong("$.webhookType" if event_type is None else f"$.{name}", event_type, "a word")
    known = _TRANSCRIPTION.get(event_type)
    # In another event what is no object stays where it is, and so comes into `extra`.
    data = body.pop("data", None) if known or isinstance(body.get("data"), dict) else {}
    if not isinstance(data, dict):
        raise _wrong("$.data", data, "an object")
    # None of the rest is worth an error in an event that is not ours.
    values = {
        key: _text(data, key, is_strict=known is not None)
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
    if known is None:
        return WebhookEvent(type=event_type, id=values["id"], **common)
    if values["id"] is None:
        raise _wrong("$.data.id", data.get("id"), "the id of a transcription")
    return TranscriptionEvent(type=known, id=values["id"], **common)


def _read_object(raw_body: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw_body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        pass
    else:
        if not isinstance(body, dict):
            raise _wrong("$", body, "an object")
        if is_too_deep(body):
            raise WebhookBodyError(
                f"the webhook is signed, but its JSON is nested deeper than {MAX_DEPTH} levels"
            )
        return body
    raise WebhookBodyError(f"the webhook is signed, but its {len(raw_body)} bytes are no JSON")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _text(data: Mapping[str, Any], key: str, *, is_strict: bool) -> str | None:
    """Return a text that is not empty, or None where there is none."""
    value = data.get(key)
    if is_strict and not isinstance(value, str | None):
        raise _wrong(f"$.data.{key}", value, "a string")
    return value if isinstance(value, str) and value else None


def _wrong(path: str, value: object, wanted: str) -> WebhookBodyError:
    """Make the error for a value, of which it tells the type alone."""
    found = "is absent or null" if value is None else f"is of type {type(value).__name__}"
    if value == "":
        found = "is empty"
    return WebhookBodyError(f"the webhook is signed, but {path} {found}, and not {wanted}")
