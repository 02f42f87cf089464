"""The checks of `doctor` that send nothing: the environment, the proxy and the token."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final, Literal, NamedTuple
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from videosdk_transcripts import ConfigurationError, CredentialsError, TranscriptsClient

from ._exit import ExitCode
from ._text import plain
from ._token import API_KEY, SECRET, TOKEN, is_set
from ._token_claims import explain_token, moment, when

ENDPOINT: Final = "VIDEOSDK_API_ENDPOINT"
FILE_HOSTS: Final = "VIDEOSDK_FILE_HOSTS"
DEFAULT_ENDPOINT: Final = "https://api.videosdk.live"
_PORTS: Final = {"http": 80, "https": 443}


class Check(NamedTuple):
    """What one check found."""

    name: str
    state: Literal["ok", "warn", "FAIL", "skipped"]
    detail: str
    advice: str = ""
    code: ExitCode = ExitCode.DONE
    """The exit code of a failure."""

    def __str__(self) -> str:
        line = f"{self.state:7}  {self.name:11}  {self.detail}"
        return plain(f"{line}: {self.advice}" if self.advice else line)


class Place(NamedTuple):
    """Where to connect to."""

    host: str
    port: int
    has_tls: bool

    @classmethod
    def of(cls, url: str) -> Place:
        """Return the place of a URL that was found good."""
        parts = urlsplit(url)
        return cls(
            parts.hostname or "", parts.port or _PORTS[parts.scheme], parts.scheme == "https"
        )

    @property
    def authority(self) -> str:
        """Return host and port, as a URL has them."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def skip(name: str, why: str) -> Check:
    """Return the check that was not made."""
    return Check(name, "skipped", why)


def check_environment(source: str, *, trust_env: bool) -> tuple[Check, str | None]:
    """
    Look at the variables; return the endpoint too, unless it is none.

    Args:
        source: where they are from, or nothing for the environment itself.
        trust_env: use the proxy that the environment names.
    """
    names = sorted(name for name in os.environ if name.startswith("VIDEOSDK_"))
    where = f"from {source}, in place of the environment; " if source else ""
    detail = f"{where}set: {', '.join(names)}" if names else f"{where}no VIDEOSDK_ variable is set"
    odd = [*_oddities(names), *_conflicts()]

    def failed(error: ConfigurationError, code: ExitCode) -> Check:
        return Check("environment", "FAIL", detail, "; ".join([error.message, *odd]), code)

    try:
        # The client's own word on the endpoint, and then on the credentials.
        TranscriptsClient(token="none", trust_env=trust_env)  # noqa: S106
    except ConfigurationError as error:
        return failed(error, ExitCode.USAGE), None
    endpoint = os.environ.get(ENDPOINT, "").strip() or DEFAULT_ENDPOINT
    odd += _oddities_of(endpoint)
    try:
        TranscriptsClient(trust_env=trust_env)
    except CredentialsError as error:
        return failed(error, ExitCode.AUTH), endpoint
    return Check("environment", "warn" if odd else "ok", detail, "; ".join(odd)), endpoint


def _oddities(names: list[str]) -> list[str]:
    found = []
    for name in names:
        value = os.environ[name]
        text = value.strip()
        if not text:
            found.append(f"{name} is empty, which counts as not set")
        elif {text[0], text[-1]} & {"'", '"'}:
            found.append(f"{name} has quotes in its value; take them off")
        elif len(text.split()) > 1 and name != FILE_HOSTS:
            found.append(f"{name} has a space or a line break within its value; take it out")
        elif text != value:
            found.append(f"{name} has white space around its value, which is ignored")
    return found


def _conflicts() -> list[str]:
    found = []
    key, secret, token = is_set(API_KEY), is_set(SECRET), is_set(TOKEN)
    if key and secret and token:
        found.append("there is a token beside the key and the secret; it is not used")
    elif (key or secret) and token:
        half = API_KEY[0] if key else SECRET[0]
        found.append(f"{half} is set without its other half; the token is used")
    for first, second in (SECRET, TOKEN):
        if is_set((first,)) and is_set((second,)):
            found.append(f"{first} and {second} are both set; the first is used")
    return found


def _oddities_of(endpoint: str) -> list[str]:
    parts = urlsplit(endpoint)
    found = []
    if parts.path.rstrip("/").endswith("/v2"):
        found.append(f"{ENDPOINT} ends in /v2, which is taken off")
    if parts.scheme == "http" and not _is_loopback(parts):
        found.append(f"{ENDPOINT} is http: tokens can be read on the way; use https")
    return found


def _is_loopback(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def proxy_of(endpoint: str) -> tuple[str, bool]:
    """Return the proxy that the environment names, or nothing, and whether it is bypassed."""
    proxies = getproxies()
    parts = urlsplit(endpoint)
    found = proxies.get(parts.scheme) or proxies.get("all") or ""
    if found and "://" not in found:
        found = f"http://{found}"
    return found, bool(found) and bool(proxy_bypass(parts.hostname or ""))


def check_proxy(endpoint: str, *, trust_env: bool, is_reached: bool) -> Check:
    """Say whether a proxy is named, and whether it is used. Its credentials are not shown."""
    proxy, is_bypassed = proxy_of(endpoint)
    if not proxy:
        return Check("proxy", "ok", "the environment names none")
    if is_bypassed:
        return Check("proxy", "ok", "the environment names one, and leaves this host out")
    shown = _without_login(proxy)
    if trust_env:
        return Check("proxy", "ok", f"{shown} of the environment is used (--trust-env)")
    if is_reached:
        detail = f"{shown} of the environment is not used, and not needed"
        return Check("proxy", "ok", detail)
    return Check(
        "proxy",
        "warn",
        f"{shown} of the environment is not used",
        "if only it leads out, try --trust-env, and in a program "
        "TranscriptsClient(trust_env=True) or proxy=",
    )


def _without_login(proxy: str) -> str:
    return proxy.partition("://")[2].rpartition("@")[2].partition("/")[0]


def check_token(get: Callable[[], str], how: str) -> Check:
    """
    Look at the token that requests have.

    Args:
        get: signs it, or reads it.
        how: where it comes from.
    """
    try:
        token = get()
    except CredentialsError as error:
        return Check("token", "FAIL", "none can be signed", error.message, ExitCode.AUTH)
    now = time.time()
    explained = explain_token(token, now)
    end = moment((explained.claims or {}).get("exp"))
    detail = how if end is None else f"{how}; its end is {when(end, now)}"
    faults = "; ".join(str(fault) for fault in explained.faults)
    if explained.is_refused:
        return Check("token", "FAIL", detail, faults, ExitCode.AUTH)
    return Check("token", "warn" if faults else "ok", detail, faults)
