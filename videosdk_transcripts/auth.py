"""
Token sources: a key and its secret, a ready token, or an async callable.

The header holds the raw JWT, without ``Bearer`` or any other prefix.
Source: https://docs.videosdk.live/server-sdk/authentication-and-tokens
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from inspect import isawaitable
from typing import Any, Final, Protocol

import jwt

from ._clock import Clock
from ._loops import LoopLock
from ._redact import NotAString, Secret, TokenProvider, hidden_repr, mask, refuse_pickle
from .errors import ConfigurationError, CredentialsError

__all__ = ["TokenProvider", "mint_token"]

logger = logging.getLogger("videosdk_transcripts")

LIFETIME: Final = 600.0
"""Seconds that a minted token lives: long enough to be shared, short enough to lose."""
_LONGEST: Final = 365 * 86_400
"""Seconds that a minted token may live: it can't be called back."""
# No other words are documented.
_PERMISSIONS: Final = ("allow_join", "allow_mod", "ask_join")
_ROLES: Final = ("crawler", "rtc")
_LAST_SECOND: Final = datetime.max.replace(tzinfo=UTC).timestamp()
_SET_BACK: Final = 60
"""Seconds that a minted token is dated back, for a service whose clock is behind ours."""
_EARLY: Final = 60.0
"""Seconds before its end at which a token is renewed, at most a fifth of its life."""
_LEAST: Final = 10.0
"""Seconds that a token is used at least, so that a wrong clock does not renew it always."""


def mint_token(
    api_key: str,
    secret: str,
    *,
    lifetime: float = LIFETIME,
    room_id: str | None = None,
    participant_id: str | None = None,
    permissions: Sequence[str] = ("allow_join", "allow_mod"),
    roles: Sequence[str] = ("crawler",),
    now: float | None = None,
) -> Secret:
    """
    Sign a token; by default one for the server API, as the official server SDKs do.

    Args:
        api_key: the key of the VideoSDK project.
        secret: the secret that belongs to it.
        lifetime: seconds from now to its end, from 1 to a year of 365 days.
        room_id: the one room that it is for; None for all.
        participant_id: the one participant that it is for; None for all.
        permissions: ``allow_join`` and ``allow_mod``, one of them, or ``ask_join`` alone.
        roles: ``crawler`` for the server API, ``rtc`` for joining, both, or none, which is
            no restriction.
        now: seconds since the epoch; the machine's clock by default.

    Raises:
        CredentialsError: the key or the secret is missing, or can't sign a token.
        ConfigurationError: another argument is out of its bounds.
    """
    # Hidden first of all, as the frame of an error shows them.
    api_key, secret = mask(api_key), mask(secret)
    if any(type(text) is not Secret or not text for text in (api_key, secret)):
        raise CredentialsError("a token is signed with a key and its secret, and one is no text")
    _check_words("permissions", permissions, _PERMISSIONS)
    _check_words("roles", roles, _ROLES)
    if not permissions or ("ask_join" in permissions and len(set(permissions)) > 1):
        raise ConfigurationError("permissions are allow_join, allow_mod, both, or ask_join alone")
    if not 1 <= lifetime <= _LONGEST:
        raise ConfigurationError(f"a token lives from 1 s to 365 days, not {lifetime:.15g} s")
    if any(text is not None and text.split() != [text] for text in (room_id, participant_id)):
        raise ConfigurationError("room_id and participant_id are words without white space")
    moment = int(time.time() if now is None else now)
    claims = {
        "apikey": api_key,
        "permissions": list(permissions),
        "version": 2,
        "roles": list(roles) or None,
        "iat": moment - _SET_BACK,
        "exp": moment + int(lifetime),
        "roomId": room_id,
        "participantId": participant_id,
    }
    return _sign({name: value for name, value in claims.items() if value is not None}, secret)


def _check_words(name: str, words: Sequence[str], known: Sequence[str]) -> None:
    if isinstance(words, str) or any(word not in known for word in words):
        raise ConfigurationError(f"{name} must be a list of {', '.join(known)}")


def _sign(claims: Mapping[str, Any], secret: str) -> Secret:
    with warnings.catch_warnings():
        # The vendor hands out secrets that PyJWT finds short; the caller can't change that.
        warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
        try:
            return Secret(jwt.encode(dict(claims), secret, algorithm="HS256"))
        except (jwt.PyJWTError, UnicodeEncodeError):
            pass
    # Raised out here, since PyJWT's own error has frames that show the secret.
    raise CredentialsError(
        "the secret can't sign a token: it is a public key or a certificate, or has "
        "characters that no secret has"
    )


class TokenSource(Protocol):
    """Where the transport gets its token from."""

    async def get(self) -> Secret:
        """Return a token that is still good for a while."""
        ...

    def invalidate(self, token: Secret) -> bool:
        """Take note that the service refused a token, and tell whether another can be had."""
        ...

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Return what no error may quote, beside the token itself."""
        ...


class FixedToken:
    """A ready token. It is sent as long as it lasts, and can't be renewed."""

    secrets: tuple[Secret, ...] = ()

    def __init__(self, token: object) -> None:
        self._token = check_token(mask(token))

    async def get(self) -> Secret:
        """Return the token."""
        return self._token

    def invalidate(self, token: Secret) -> bool:
        """Tell that there is no other one."""
        return False

    __repr__ = hidden_repr
    __reduce__ = refuse_pickle


class RenewedToken:
    """
    Hands out one token to all tasks until it nears its end, and then gets the next one.

    Args:
        mint: gets a new token.
        clock: the time, and how to wait.
        secrets: what no error may quote, beside the token itself.
    """

    def __init__(
        self,
        mint: TokenProvider,
        *,
        clock: Clock,
        secrets: tuple[Secret, ...] = (),
    ) -> None:
        self.secrets = secrets
        self._mint = mint
        self._clock = clock
        self._token: Secret | None = None
        self._renew_at = 0.0
        self._lock = LoopLock()

    async def get(self) -> Secret:
        """
        Return the token, or a new one where it nears its end. Tasks share one renewal.

        Raises:
            CredentialsError: the callable gave something that is no token. What the
                callable itself raises is passed on as it is.
        """
        token = self._good_token()
        if token is None:
            async with self._lock.of_this_loop():
                token = self._good_token() or await self._renew()
        return token

    def invalidate(self, token: Secret) -> bool:
        """Forget the token, unless another task has renewed it in the meantime."""
        # The object and not its text: two tokens of one second are the same text.
        if self._token is token:
            self._token = None
        return True

    __repr__ = hidden_repr
    __reduce__ = refuse_pickle

    def _good_token(self) -> Secret | None:
        return self._token if self._clock.monotonic() < self._renew_at else None

    async def _renew(self) -> Secret:
        minting: object = self._mint()
        if not isawaitable(minting):
            raise CredentialsError("token= takes a token, or an async callable that returns one")
        token = check_token(mask(await minting))
        end = _end_of(token)
        if end is None:
            self._renew_at = float("inf")
        else:
            life = end - self._clock.time()
            self._renew_at = self._clock.monotonic() + max(_LEAST, life - min(_EARLY, life / 5))
        self._token = token
        return token


def signing_source(
    api_key: str,
    secret: str,
    *,
    clock: Clock,
) -> RenewedToken:
    """Make a source that signs its tokens with a key and its secret."""
    # Hidden first of all, as the frame of the error below shows them.
    api_key, secret = Secret(api_key), Secret(secret)
    _sign({}, secret)
    if len(secret.encode()) < 32:
        logger.info("The API secret is shorter than the 32 bytes that HS256 asks for.")

    async def mint() -> str:
        return mint_token(api_key, secret, now=clock.time())

    return RenewedToken(mint, clock=clock, secrets=(api_key, secret))


def check_token(token: object) -> Secret:
    """
    Refuse what the service would refuse, or what does not fit into a header.

    Raises:
        CredentialsError: with a hint, and without the token.
    """
    if not isinstance(token, str):
        kind = token.kind if isinstance(token, NotAString) else type(token).__name__
        raise CredentialsError(f"a token must be a string, not {kind}")
    if token.split(" ")[0].lower() in ("bearer", "basic"):
        raise CredentialsError(
            "the token starts with 'Bearer ' or 'Basic '; the service takes the raw token, so "
            "give what comes behind that word"
        )
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise CredentialsError("the token is empty, or has characters that no token has")
    return Secret(token)


def explain_refusal(token: Secret, now: float) -> str | None:
    """Say what is wrong with a refused token, as far as the token itself tells."""
    end = _end_of(token)
    if end is None or end > now:
        return None
    when = datetime.fromtimestamp(end, UTC).isoformat(timespec="seconds")
    return f"the token ended at {when}"


def _end_of(token: str) -> float | None:
    """Return when a token ends by its own word, in seconds since the epoch."""
    try:
        end = jwt.decode(token, options={"verify_signature": False, "verify_exp": False}).get("exp")
    except jwt.PyJWTError:
        return None
    # What lies beyond the calendar says nothing.
    return float(end) if isinstance(end, int | float) and 0 < end < _LAST_SECOND else None
