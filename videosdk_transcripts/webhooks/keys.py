"""Fetch the service's public key to verify webhooks, and cache it for all tasks."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from videosdk_transcripts._api.protocol import Request
from videosdk_transcripts._clock import Clock
from videosdk_transcripts._loops import LoopLock
from videosdk_transcripts.errors import (
    ConfigurationError,
    InvalidResponseError,
    VideoSDKTranscriptsError,
    WebhookSignatureError,
)

from .events import WebhookEvent, read_event
from .signature import check_signature, decode_signature, load_key, require_cryptography

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

_REQUEST: Final = Request("/v2/public/rsa-public-key", "the public key of webhooks")
_LIFETIME: Final = 86_400.0
"""Seconds for which a fetched key is used."""
_MIN_INTERVAL: Final = 60.0
"""Seconds from the end of a fetch to the next one."""


def public_key_request() -> Request:
    """Return the request for the key."""
    return _REQUEST


def read_public_key(data: Mapping[str, Any]) -> str:
    """
    Return the key in PEM from a response.

    Raises:
        InvalidResponseError: the response has no key.
    """
    found = data.get("publicKey")
    if isinstance(found, str) and found:
        return found
    problem = "is empty" if found == "" else f"is of type {type(found).__name__}"
    raise _unusable(f"publicKey {problem}, not a non-empty string")


class PublicKeys:
    """
    Verify webhooks with a public key that is fetched for the first webhook.

    How the service rotates its key is undocumented. So the key is fetched again after a day, and
    when a signature does not match. Because anyone can send such a signature, at least a minute
    passes between two fetches. This includes failed fetches: until then, their error is raised
    again for all calls that need a key.

    Args:
        fetch: fetches the key in PEM.
        pinned: a key in PEM to use instead of fetching one.
        clock: the source of time.

    Raises:
        ConfigurationError: `pinned` is not a usable key, or cryptography is not installed.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[str]],
        *,
        pinned: str | bytes | None = None,
        clock: Clock,
    ) -> None:
        self._fetch = fetch
        self._pinned = None if pinned is None else _load_pinned(pinned)
        self._clock = clock
        self._key: RSAPublicKey | None = None
        self._expires_at = 0.0
        self._fetched_at = 0.0
        self._failure: VideoSDKTranscriptsError | None = None
        self._lock = LoopLock()

    async def verify(self, raw_body: bytes, signature: str | None) -> WebhookEvent:
        """
        Verify the signature of a webhook, and return its event. All tasks share a fetch.

        Raises:
            WebhookError, ConfigurationError: as for `verify_webhook`.
            InvalidResponseError: the service returned an unusable key.
            VideoSDKTranscriptsError: the key could not be fetched, now or less than a minute ago.
        """
        require_cryptography()
        # Decoded before any fetch, so that a malformed signature causes no request.
        decoded = decode_signature(raw_body, signature)
        if self._pinned is not None:
            check_signature(raw_body, decoded, self._pinned)
            return read_event(raw_body)
        key = await self._current_key()
        try:
            check_signature(raw_body, decoded, key)
        except WebhookSignatureError:
            pass
        else:
            return read_event(raw_body)
        check_signature(raw_body, decoded, await self._newer_key(key))
        return read_event(raw_body)

    async def _current_key(self) -> RSAPublicKey:
        """Return the key, and fetch it if there is none or it has expired."""
        key = self._unexpired_key()
        if key is None:
            async with self._lock.of_this_loop():
                # Another task may have fetched the key while this one waited for the lock.
                key = self._unexpired_key() or await self._renew()
        return key

    def _unexpired_key(self) -> RSAPublicKey | None:
        return self._key if self._clock.monotonic() < self._expires_at else None

    async def _newer_key(self, key: RSAPublicKey) -> RSAPublicKey:
        """Fetch the key again, unless another task has done so, or the last fetch is recent."""
        async with self._lock.of_this_loop():
            newer = self._key or key
            if newer is not key:
                return newer
            if self._failure is None and self._was_fetched_recently():
                return key
            return await self._renew()

    def _was_fetched_recently(self) -> bool:
        return self._clock.monotonic() < self._fetched_at + _MIN_INTERVAL

    async def _renew(self) -> RSAPublicKey:
        if self._failure is not None and self._was_fetched_recently():
            # A copy, because raising the same object again extends its traceback.
            raise copy.copy(self._failure)
        # A cancelled fetch changes nothing, so the next task that gets the lock fetches again.
        try:
            key = _load(await self._fetch())
        except VideoSDKTranscriptsError as error:
            self._failure, self._fetched_at = copy.copy(error), self._clock.monotonic()
            raise
        self._key, self._failure, self._fetched_at = key, None, self._clock.monotonic()
        self._expires_at = self._fetched_at + _LIFETIME
        return key


def _load_pinned(pem: str | bytes) -> RSAPublicKey:
    require_cryptography()
    return load_key(pem)


def _load(pem: str) -> RSAPublicKey:
    try:
        return load_key(pem)
    except ConfigurationError as error:
        problem = error.message.partition(";")[0]
    # Not a ConfigurationError, because the caller did not pass this key.
    raise _unusable(problem)


def _unusable(problem: str) -> InvalidResponseError:
    return InvalidResponseError(
        f"{_REQUEST.method} {_REQUEST.subject}: unusable response: {problem}; until the service "
        "returns its key again, pass the public key yourself"
    )
