"""
Provide tokens (P7) from a key and its secret, a token, or an async callable.

The requirements of the service for a token:

- it is a JSON Web Token signed with HS256, and is sent without ``Bearer`` or any other prefix;
- its claims are ``apikey``, ``version`` (2), ``permissions``, ``roles``, ``iat`` and ``exp``, and
  ``roomId`` and ``participantId`` to restrict it to one room or participant;
- the role ``crawler`` is for the server API, and ``rtc`` is for joining a room; without roles,
  both are allowed.

Source: https://docs.videosdk.live/server-sdk/authentication-and-tokens
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from inspect import isawaitable
from typing import Any, Final, Protocol

from ._clock import Clock
from ._loops import LoopLock
from ._redact import (
    NotAString,
    Secret,
    TokenProvider,
    hidden_repr,
    kind_of,
    mask,
    plain_text,
    refuse_pickle,
    strip,
)
from ._validation import check_id, check_number
from .errors import ConfigurationError, CredentialsError

__all__ = ["TokenProvider", "mint_token"]

logger = logging.getLogger("videosdk_transcripts")

MAX_LIFETIME: Final = 365 * 86_400
"""Maximum lifetime of a minted token in seconds."""
# No other values are documented.
PERMISSIONS: Final = ("allow_join", "allow_mod", "ask_join")
ROLES: Final = ("crawler", "rtc")
_LAST_SECOND: Final = datetime.max.replace(tzinfo=UTC).timestamp()
_BACKDATED: Final = 60
"""How many seconds a minted token is backdated, in case the service's clock is behind."""
_EARLY: Final = 60.0
"""How many seconds before its end a token is renewed; at most a fifth of its lifetime."""
_MIN_USE: Final = 10.0
"""Minimum seconds of use, so that a wrong clock does not cause a renewal for each request."""


# Minting.


def mint_token(
    api_key: str,
    secret: str,
    *,
    # Short, because a token can't be revoked.
    lifetime: float = 600.0,
    room_id: str | None = None,
    participant_id: str | None = None,
    permissions: Sequence[str] = ("allow_join", "allow_mod"),
    roles: Sequence[str] = ("crawler",),
    now: float | None = None,
) -> str:
    """
    Sign a token; by default one for the server API, as the official server SDKs do.

    Args:
        api_key: the key of the VideoSDK project.
        secret: the secret that belongs to it.
        lifetime: seconds from now to its end, from 1 to a year of 365 days; ten minutes by default.
        room_id: the only room for which the token is valid; None for all.
        participant_id: the only participant for whom the token is valid; None for all.
        permissions: ``allow_join`` and ``allow_mod``, one of them, or ``ask_join`` alone.
        roles: ``crawler`` for the server API, ``rtc`` for joining, or both; empty for no
            restriction.
        now: seconds since the epoch; by default the system's clock.

    Returns:
        The token, a string whose repr is masked, for ``TranscriptsClient(token=...)`` or for a
        program that joins a room.

    Raises:
        CredentialsError: the key or the secret is missing, or can't sign a token.
        ConfigurationError: another argument is out of bounds.
    """
    # Masked before anything can fail: a traceback with locals would show these names.
    api_key, secret = mask(api_key), mask(secret)
    room_id, participant_id = mask(room_id), mask(participant_id)
    if not all(isinstance(text, Secret) and text.strip() for text in (api_key, secret)):
        raise CredentialsError("api_key and secret must be non-empty strings")
    api_key, secret = strip(api_key), strip(secret)
    permissions = _check_words("permissions", permissions, PERMISSIONS)
    roles = _check_words("roles", roles, ROLES)
    if not permissions or ("ask_join" in permissions and len(set(permissions)) > 1):
        raise ConfigurationError(
            "permissions must be allow_join, allow_mod, both, or ask_join alone"
        )
    check_number("lifetime", lifetime, least=0)
    if not 1 <= lifetime <= MAX_LIFETIME:
        raise ConfigurationError(f"lifetime must be from 1 s to 365 days, not {lifetime:.15g} s")
    if now is not None:
        check_number("now", now, least=0)
    moment = int(time.time() if now is None else now)
    claims = {
        "apikey": api_key,
        "permissions": permissions,
        "version": 2,
        "roles": roles or None,
        "iat": moment - _BACKDATED,
        "exp": moment + int(lifetime),
        "roomId": None if room_id is None else check_id("room_id", room_id),
        "participantId": None
        if participant_id is None
        else check_id("participant_id", participant_id),
    }
    return _sign({name: value for name, value in claims.items() if value is not None}, secret)


def _check_words(name: str, words: object, known: Sequence[str]) -> list[str]:
    # Converted to a list first, because an iterator can be read only once.
    found = None if isinstance(words, str) or not isinstance(words, Iterable) else list(words)
    if found is None or not all(isinstance(word, str) and word in known for word in found):
        raise ConfigurationError(f"{name} must be a list of {', '.join(known)}")
    return [plain_text(word) for word in found]


def _sign(claims: Mapping[str, Any], secret: str) -> Secret:
    # Imported on first use, because PyJWT imports cryptography where that is installed, which
    # takes nearly as long as importing this whole package. A ready token needs neither.
    import jwt

    with warnings.catch_warnings():
        # PyJWT warns about the length of the secrets that the vendor issues, which callers can't
        # change.
        warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
        try:
            return Secret(jwt.encode(dict(claims), secret, algorithm="HS256"))
        except (jwt.PyJWTError, UnicodeEncodeError):
            pass
    # Raised outside the `except` block, because the frames of PyJWT's exception hold the secret.
    raise CredentialsError(
        "the secret can't sign a token: it is a public key or a certificate, or has "
        "invalid characters"
    )


# Sources.


class TokenSource(Protocol):
    """Provide the token of each request."""

    async def get(self) -> Secret:
        """Return a token that is not known to have expired."""
        ...

    def invalidate(self, token: Secret) -> bool:
        """Drop a token that the service refused, and return whether `get` can renew it."""
        ...

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Return values that no error may quote, in addition to the token itself."""
        ...


class FixedToken:
    """Provide a fixed token, which can't be renewed."""

    secrets: tuple[Secret, ...] = ()

    def __init__(self, token: str | NotAString) -> None:
        self._token = check_token(token)

    async def get(self) -> Secret:
        """Return the token."""
        return self._token

    def invalidate(self, token: Secret) -> bool:
        """Return False: there is no other token."""
        return False

    __repr__ = hidden_repr
    __reduce__ = refuse_pickle


class RenewedToken:
    """
    Provide one token to all tasks, and renew it before it expires.

    Args:
        mint: returns a new token.
        clock: the source of time.
        secrets: values to redact in errors, in addition to the token itself.
    """

    def __init__(
        self, mint: TokenProvider, *, clock: Clock, secrets: tuple[Secret, ...] = ()
    ) -> None:
        # Now, rather than in the event loop with the first token.
        import_module("jwt")
        self.secrets = secrets
        self._mint = mint
        self._clock = clock
        self._token: Secret | None = None
        self._renew_at = 0.0
        self._lock = LoopLock()

    async def get(self) -> Secret:
        """
        Return the token, or a new one if it is about to expire. All tasks share a renewal.

        Raises:
            CredentialsError: the callable did not return a token. Its own exceptions propagate
                unchanged.
        """
        token = self._valid_token()
        if token is None:
            async with self._lock.of_this_loop():
                token = self._valid_token() or await self._renew()
        return token

    def invalidate(self, token: Secret) -> bool:
        """Drop the token, unless another task has renewed it in the meantime."""
        # Compares identity, because two tokens minted in the same second are equal.
        if self._token is token:
            self._token = None
        return True

    __repr__ = hidden_repr
    __reduce__ = refuse_pickle

    def _valid_token(self) -> Secret | None:
        return self._token if self._clock.monotonic() < self._renew_at else None

    async def _renew(self) -> Secret:
        minting: object = self._mint()
        if not isawaitable(minting):
            raise CredentialsError("token must be a token, or an async callable that returns one")
        token = check_token(mask(await minting))
        end = _end_of(token)
        if end is None:
            self._renew_at = float("inf")
        else:
            lifetime = end - self._clock.time()
            use = max(_MIN_USE, lifetime - min(_EARLY, lifetime / 5))
            self._renew_at = self._clock.monotonic() + use
        self._token = token
        return token


def signing_source(api_key: Secret, secret: Secret, *, clock: Clock) -> RenewedToken:
    """
    Return a source that signs its tokens with a key and its secret.

    Raises:
        CredentialsError: the secret can't sign a token.
    """
    _sign({}, secret)
    if len(secret.encode()) < 32:
        logger.info("The API secret is shorter than the 32 bytes that HS256 requires.")

    async def mint() -> str:
        return mint_token(api_key, secret, now=clock.time())

    return RenewedToken(mint, clock=clock, secrets=(api_key, secret))


# Reading tokens.


def check_token(token: str | NotAString | None) -> Secret:
    """
    Check that a token can be sent in a header, and return it.

    Raises:
        CredentialsError: the token is invalid. The message has a hint, but not the token.
    """
    if not isinstance(token, Secret):
        raise CredentialsError(f"a token must be a string, not {kind_of(token)}")
    if token.split(" ")[0].lower() in ("bearer", "basic"):
        raise CredentialsError(
            "the token starts with 'Bearer ' or 'Basic '; the service takes the raw token: "
            "pass only what follows that word"
        )
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise CredentialsError("the token is empty or has invalid characters")
    return token


def explain_refusal(token: Secret, now: float) -> str | None:
    """Return why a token was refused, or None if the token itself does not show it."""
    end = _end_of(token)
    if end is None or end > now:
        return None
    when = datetime.fromtimestamp(end, UTC).isoformat(timespec="seconds")
    return f"the token expired at {when}"


def _end_of(token: str) -> float | None:
    """Return when a token expires according to its claims, in seconds since the epoch."""
    import jwt

    try:
        end = jwt.decode(token, options={"verify_signature": False}).get("exp")
    except jwt.PyJWTError:
        return None
    # An end that `datetime` can't represent is ignored.
    return float(end) if isinstance(end, int | float) and 0 < end < _LAST_SECOND else None
