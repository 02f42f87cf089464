"""
Settings from arguments and environment variables: credentials, endpoint, file hosts.

The names of the variables and the defaults are defined here once; the command line reads
them from here. Secrets arrive masked (`_redact.mask`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from ._clock import Clock
from ._redact import NotAString, Secret, TokenProvider, strip
from .auth import FixedToken, RenewedToken, TokenSource, signing_source
from .errors import ConfigurationError, CredentialsError

DEFAULT_ENDPOINT: Final = "https://api.videosdk.live"

_VARIABLES: Final = {
    # The second names are those of the vendor's other Python packages.
    "api_key": ("VIDEOSDK_API_KEY",),
    "secret": ("VIDEOSDK_SECRET", "VIDEOSDK_SECRET_KEY"),
    "token": ("VIDEOSDK_TOKEN", "VIDEOSDK_AUTH_TOKEN"),
    "endpoint": ("VIDEOSDK_API_ENDPOINT", "VIDEOSDK_API_BASE"),
    "file_hosts": ("VIDEOSDK_FILE_HOSTS",),
}


class Variable(NamedTuple):
    """An environment variable that is set."""

    name: str
    value: Secret


def environment_settings() -> dict[str, Variable]:
    """
    Return the settings that the environment provides, by the names of the client's arguments.

    If a setting has two variables, the first one that is not blank counts.
    """
    found = {setting: _read_variable(setting) for setting in _VARIABLES}
    return {setting: variable for setting, variable in found.items() if variable is not None}


def ignored_variables() -> list[tuple[Variable, Variable]]:
    """
    Return each variable that is ignored, and the one that takes precedence over it.

    They are alternative names of one setting, with different values.
    """
    pairs: list[tuple[Variable, Variable]] = []
    for setting in _VARIABLES:
        found = _read_variables(setting)
        pairs.extend((other, found[0]) for other in found[1:] if other.value != found[0].value)
    return pairs


def resolve_tokens(
    *,
    api_key: str | NotAString | None,
    secret: str | NotAString | None,
    token: str | NotAString | TokenProvider | None,
    clock: Clock,
) -> TokenSource:
    """
    Return the token source for the arguments, or else for the environment.

    Explicit arguments take precedence over the environment; the two are never combined. In
    the environment, a key with its secret takes precedence over a token, because tokens expire.

    Raises:
        CredentialsError: credentials are missing, incomplete or contradictory, or one is not a
            string.
    """
    if api_key is None and secret is None and token is None:
        api_key, secret = _read("api_key"), _read("secret")
        if api_key is None or secret is None:
            token = _read("token")
            if token is None:
                raise CredentialsError(_what_is_missing(api_key, secret))
            api_key = secret = None
    elif token is not None and (api_key is not None or secret is not None):
        raise CredentialsError("pass either api_key and secret, or token, not both")
    if callable(token):
        return RenewedToken(token, clock=clock)
    if token is not None:
        return FixedToken(token)
    return signing_source(
        _half_of_pair("api_key", api_key), _half_of_pair("secret", secret), clock=clock
    )


def resolve_endpoint(endpoint: str | NotAString | None) -> str:
    """
    Return the base URL of the API, from the argument, the environment or the default.

    The vendor's server examples include ``/v2``, which is removed.

    Raises:
        ConfigurationError: it is not an http or https URL, or has more than a base.
    """
    variable = _read_variable("endpoint") if endpoint is None else None
    given = endpoint if variable is None else variable.value
    base, fault = _base_of(DEFAULT_ENDPOINT if given is None else given)
    # Raised here, where no frame holds the parts of the URL.
    if base is None:
        name = "the endpoint" if variable is None else variable.name
        raise ConfigurationError(f"{name} must look like {DEFAULT_ENDPOINT}, {fault}")
    return base


def resolve_file_hosts(file_hosts: Iterable[str] | None) -> Iterable[str]:
    """Return the file hosts from the argument, or the comma-separated ones of the environment."""
    if file_hosts is not None:
        return file_hosts
    hosts = _read("file_hosts") or ""
    return [Secret(entry.strip()) for entry in hosts.split(",") if entry.strip()]


def _base_of(endpoint: str | NotAString) -> tuple[str | None, str]:
    """Return the normalised URL, or None and what is wrong with it."""
    if isinstance(endpoint, NotAString):
        return None, "and is not a string"
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None, "and is not a URL"
    if parts.scheme not in ("http", "https") or not host:
        return None, "with its scheme and host"
    if parts.username is not None or parts.query or parts.fragment:
        return None, "without credentials, query or fragment"
    base = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}"
    path = parts.path.rstrip("/").removesuffix("/v2").rstrip("/")
    return f"{base if port is None else f'{base}:{port}'}{path}", ""


def _read(setting: str) -> Secret | None:
    """Return the value of the first variable of a setting that is not blank."""
    variable = _read_variable(setting)
    return None if variable is None else variable.value


def _read_variable(setting: str) -> Variable | None:
    return next(iter(_read_variables(setting)), None)


def _read_variables(setting: str) -> list[Variable]:
    # No local variable holds a value before it is masked: a traceback could show it.
    names = _VARIABLES[setting]
    return [Variable(n, Secret(v)) for n in names if (v := os.environ.get(n, "").strip())]


def _half_of_pair(name: str, value: str | NotAString | None) -> Secret:
    if isinstance(value, NotAString):
        raise CredentialsError(f"{name} must be a string, not {value.kind}")
    stripped = None if value is None else strip(value)
    if not stripped:
        raise CredentialsError(f"api_key and secret go together, and {name} is missing")
    return stripped


def _what_is_missing(api_key: str | None, secret: str | None) -> str:
    ways = (
        "set VIDEOSDK_API_KEY and VIDEOSDK_SECRET, or VIDEOSDK_TOKEN, in the environment, or "
        "pass api_key= and secret=, or token= (a token, or an async callable that returns one)"
    )
    if api_key is not None:
        return f"VIDEOSDK_API_KEY is set and VIDEOSDK_SECRET is not: {ways}"
    if secret is not None:
        return f"VIDEOSDK_SECRET is set and VIDEOSDK_API_KEY is not: {ways}"
    return f"no credentials: {ways}"
