"""The account's public key, which webhooks are verified with: fetched, shared and kept."""

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

from .signature import load_key, read_signature, require_cryptography

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from .events import WebhookEvent

_REQUEST: Final = Request("/v2/public/rsa-public-key", "the public key of webhooks")


def public_key_request() -> Request:
    """Ask for the key. The page of the API names no other argument than the token."""
    return _REQUEST


def read_public_key(data: Mapping[str, Any]) -> str:
    """
    Return the key in PEM out of an answer.

    Raises:
        InvalidResponseError: there is none in it.
    """
    found = data.get("publicKey")
    if isinstance(found, str) and found:
        return found
    raise _unusable(f"has a publicKey of type {type(found).__name__}, or an empty one")


class PublicKeys:
    """
    Verifies webhooks with a key that is fetched when the first one comes.

    Nobody documents how the service changes its key. So the key is fetched again when its
    life is over, and when a signature does not fit; as anybody can send such a signature,
    no more than one request follows another within `least_gap`. A fetch that failed
    counts as well: whoever needs its key within that time gets its error again.

    Args:
        fetch: gets the key in PEM.
        pinned: a key in PEM to use for ever, so that none is fetched.
        life: seconds that a fetched key is used.
        least_gap: seconds from the end of a fetch until the next one, unless the key's
            life is over earlier.
        clock: the time, and how to wait.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[str]],
        *,
        pinned: str | bytes | None = None,
        life: float = 86_400,
        least_gap: float = 60,
        clock: Clock,
    ) -> None:
        self._fetch = fetch
        self._pinned = pinned
        self._life = life
        self._least_gap = least_gap
        self._clock = clock
        self._key: RSAPublicKey | None = None
        self._good_until = 0.0
        self._asked_at = 0.0
        self._failure: VideoSDKTranscriptsError | None = None
        self._lock = LoopLock()

    async def verify(self, raw_body: bytes, signature: str | None) -> WebhookEvent:
        """
        Check who sent a webhook, and read it. Tasks share one fetch of the key.

        Raises:
            WebhookError, ConfigurationError: as `verify_webhook` says.
            InvalidResponseError: what the service gave is no public key.
            VideoSDKTranscriptsError: the key could not be fetched, now or just before.
        """
        from .events import verify_signed

        require_cryptography()
        # What is no signature at all must not cost a request.
        decoded = read_signature(raw_body, signature)
        if self._pinned is not None:
            self._key = self._key or load_key(self._pinned)
            return verify_signed(raw_body, decoded, self._key)
        key = self._good_key()
        if key is None:
            async with self._lock.of_this_loop():
                key = self._good_key() or await self._renew()
        try:
            return verify_signed(raw_body, decoded, key)
        except WebhookSignatureError:
            pass
        async with self._lock.of_this_loop():
            key = await self._newest(key)
        return verify_signed(raw_body, decoded, key)

    def _good_key(self) -> RSAPublicKey | None:
        return self._key if self._clock.monotonic() < self._good_until else None

    async def _newest(self, key: RSAPublicKey) -> RSAPublicKey:
        """Return what another task has fetched by now, or fetch it if that is not too soon."""
        if (newer := self._key) is not None and newer is not key:
            return newer
        return key if self._failure is None and self._is_soon() else await self._renew()

    def _is_soon(self) -> bool:
        return self._clock.monotonic() < self._asked_at + self._least_gap

    async def _renew(self) -> RSAPublicKey:
        if self._failure is not None and self._is_soon():
            # A copy, as each raise of one object makes its traceback longer.
            raise copy.copy(self._failure)
        # Who is cancelled has fetched nothing, and the next one in the lock begins anew.
        try:
            key = _load(await self._fetch())
        except VideoSDKTranscriptsError as error:
            self._failure, self._asked_at = copy.copy(error), self._clock.monotonic()
            raise
        self._key, self._failure, self._asked_at = key, None, self._clock.monotonic()
        self._good_until = self._asked_at + self._life
        return key


def _load(pem: str) -> RSAPublicKey:
    try:
        return load_key(pem)
    except ConfigurationError as error:
        fault = error.message.partition(";")[0]
    # It is no fault of the caller.
    raise _unusable(f"can't be used: {fault}")


def _unusable(fault: str) -> InvalidResponseError:
    return InvalidResponseError(
        f"{_REQUEST.method} {_REQUEST.subject}: the answer {fault}; until the service gives out "
        "its key again, pass a key that you have"
    )
