"""What the caller and the environment say: credentials and the endpoint."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from ._clock import Clock
from ._redact import NotAString, Secret, TokenProvider, mask
from .auth import FixedToken, RenewedToken, TokenSource, signing_source
from .errors import ConfigurationError, CredentialsError

DEFAULT_ENDPOINT: Final = "https://api.videosdk.live"

_API_KEY: Final = ("VIDEOSDK_API_KEY",)
# The second names are those of the vendor's Python agents.
_SECRET: Final = ("VIDEOSDK_SECRET", "VIDEOSDK_SECRET_KEY")
_TOKEN: Final = ("VIDEOSDK_TOKEN", "VIDEOSDK_AUTH_TOKEN")
_ENDPOINT: Final = ("VIDEOSDK_API_ENDPOINT",)
_FILE_HOSTS: Final = ("VIDEOSDK_FILE_HOSTS",)


class Variable(NamedTuple):
    """A variable of the environment that is set."""

    name: str
    value: Secret


def environment_settings() -> dict[str, Variable]:
    """
    Return the settings that the environment provides, by the names of the client's arguments.

    Of two variables for one setting, the first one that is not blank counts.
    """
    names = {
        "api_key": _API_KEY,
        "secret": _SECRET,
        "token": _TOKEN,
        "endpoint": _ENDPOINT,
        "file_hosts": _FILE_HOSTS,
    }
    found = {setting: _read_variable(variables) for setting, variables in names.items()}
    return {setting: variable for setting, variable in found.items() if variable is not None}


def resolve_tokens(
    *,
    api_key: str | None,
    secret: str | None,
    token: str | TokenProvider | None,
    clock: Clock,
) -> TokenSource:
    """
    Make the token source that the arguments name, or else the environment.

    Arguments win over the environment and are never mixed with it. In the environment
    a key with its secret wins over a token, because they can't run out.

    Raises:
        CredentialsError: nothing, half of it or too much was given.
    """
    api_key, secret = mask(api_key), mask(secret)
    if api_key is None and secret is None and token is None:
        api_key, secret = _read(_API_KEY), _read(_SECRET)
        if api_key is None or secret is None:
            token = _read(_TOKEN)
            if token is None:
                raise CredentialsError(_what_is_missing(api_key, secret))
            api_key = secret = None
    elif token is not None and (api_key is not None or secret is not None):
        raise CredentialsError("give either api_key and secret, or token, and not both")
    if callable(token):
        return RenewedToken(token, clock=clock)
    if token is not None:
        return FixedToken(token)
    _check_pair(api_key, secret)
    return signing_source(str(api_key), str(secret), clock=clock)


def resolve_endpoint(endpoint: str | None) -> str:
    """
    Return the base URL of the API, from the argument, the environment or the default.

    The vendor's server examples set it with ``/v2``, which is taken off.

    Raises:
        ConfigurationError: it is no http or https URL, or holds more than a base.
    """
    endpoint = mask(endpoint)
    base, fault = _base_of((_read(_ENDPOINT) or DEFAULT_ENDPOINT) if endpoint is None else endpoint)
    # Raised out here, where no frame holds the parts.
    if base is None:
        raise ConfigurationError(f"the endpoint must look like {DEFAULT_ENDPOINT}, {fault}")
    return base


def resolve_file_hosts(file_hosts: Iterable[str] | None) -> Iterable[str]:
    """Return the hosts for files, from the argument or the environment, which has commas."""
    if file_hosts is not None:
        return file_hosts
    named = _read(_FILE_HOSTS) or ""
    return [entry.strip() for entry in named.split(",") if entry.strip()]


def _base_of(endpoint: str) -> tuple[str | None, str]:
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except (ValueError, TypeError, AttributeError):
        return None, "and is no URL"
    if parts.scheme not in ("http", "https") or not host:
        return None, "with its scheme and host"
    if parts.username is not None or parts.query or parts.fragment:
        return None, "without credentials, query or fragment"
    base = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}"
    path = parts.path.rstrip("/").removesuffix("/v2").rstrip("/")
    return f"{base if port is None else f'{base}:{port}'}{path}", ""


def _read(names: tuple[str, ...]) -> Secret | None:
    """Return the value of the first variable that is not blank."""
    variable = _read_variable(names)
    return None if variable is None else variable.value


def _read_variable(names: tuple[str, ...]) -> Variable | None:
    # Not through a local name for the environment, which a traceback might show.
    found = (Variable(n, Secret(v)) for n in names if (v := os.environ.get(n, "").strip()))
    return next(found, None)


def _check_pair(api_key: object, secret: object) -> None:
    for name, value in (("api_key", api_key), ("secret", secret)):
        if value is None or value == "":
            raise CredentialsError(f"api_key and secret go together, and {name} is missing")
        if isinstance(value, NotAString):
            raise CredentialsError(f"{name} must be a string, not {value.kind}")


def _what_is_missing(api_key: str | None, secret: str | None) -> str:
    ways = (
        "set VIDEOSDK_API_KEY and VIDEOSDK_SECRET, or VIDEOSDK_TOKEN, in the environment, or "
        "give api_key= and secret=, or token= (a token, or an async callable that returns one)"
    )
    if api_key is not None:
        return f"VIDEOSDK_API_KEY is set and VIDEOSDK_SECRET is not: {ways}"
    if secret is not None:
        return f"VIDEOSDK_SECRET is set and VIDEOSDK_API_KEY is not: {ways}"
    return f"no credentials: {ways}"
