"""Choose the proxy of a request: the caller's, or one from the environment (P14)."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from typing import NamedTuple, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from attrs import field, frozen
from yarl import URL

from videosdk_transcripts._redact import Secret
from videosdk_transcripts._validation import check_flag
from videosdk_transcripts.errors import ConfigurationError

_EXAMPLE = "http://proxy.example:3128"


@frozen
class ProxySettings:
    """The proxy of the caller, or whether to read one from the environment."""

    given: str | None = field(default=None, repr=False)
    trust_env: bool = False

    def __attrs_post_init__(self) -> None:
        check_flag("trust_env", self.trust_env)

    def proxy_for(self, url: str) -> Proxy | None:
        """
        Return the proxy for a URL, or None for a direct connection.

        Raises:
            ConfigurationError: it is not an http or https URL.
        """
        if self.given is not None:
            return Proxy.parse(self.given, "proxy")
        found = _find_variable(url) if self.trust_env else None
        return None if found is None else Proxy.parse(found.value, found.name)

    def advice_for(self, url: str) -> str:
        """Return advice to use the proxy of the environment, if there is an unused one."""
        found = None if self.given is not None or self.trust_env else _find_variable(url)
        if found is None:
            return ""
        return f"{found.name} names a proxy, which is used with trust_env=True only"


@frozen
class Proxy:
    """A proxy. Its credentials are separate from its URL, because aiohttp's errors show the URL."""

    url: URL
    authorization: Mapping[str, Secret]
    """The header with the credentials; empty if there are none."""
    secrets: tuple[Secret, ...]
    """Values that no error may quote."""

    @classmethod
    def parse(cls, given: str, source: str) -> Self:
        """
        Return the proxy for a URL, with its credentials separate.

        Args:
            given: the URL.
            source: the argument or the variable that contains it, for errors.

        Raises:
            ConfigurationError: it is not an http or https URL.
        """
        proxy = cls._parse(given)
        # Raised here, where no frame holds the parts of the URL.
        if proxy is None:
            text = f"{source} must look like {_EXAMPLE}"
            if str(given).lower().startswith("socks"):
                text += "; SOCKS proxies are not supported, use an HTTP proxy"
            raise ConfigurationError(text)
        return proxy

    @classmethod
    def _parse(cls, given: str) -> Self | None:
        try:
            url = URL(given)
            user, password = url.user or "", url.password or ""
            login = base64.b64encode(f"{user}:{password}".encode()).decode()
        except (ValueError, TypeError):
            return None
        if url.scheme not in ("http", "https") or not url.host:
            return None
        if url.path not in ("", "/") or url.query_string or url.fragment:
            return None
        if not (user or password):
            return cls(url, {}, ())
        secrets = tuple(Secret(text) for text in (login, password) if text)
        header = {"Proxy-Authorization": Secret(f"Basic {login}")}
        return cls(url.with_user(None), header, secrets)


class _Variable(NamedTuple):
    """A proxy of the environment, and a description of its variable."""

    name: str
    value: Secret


def _find_variable(url: str) -> _Variable | None:
    """
    Return the proxy of the environment for a URL.

    aiohttp's own `trust_env` is not used: it also reads credentials from a netrc file, and then
    rejects every request that has a token.
    """
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    kind = next((kind for kind in (parts.scheme, "all") if getproxies().get(kind)), None)
    if kind is None:
        return None
    found = getproxies()[kind]
    # A lower-case variable takes precedence. If there is no variable, it is a system setting.
    names = sorted((name for name in os.environ if name.lower() == f"{kind}_proxy"), reverse=True)
    # A proxy without a scheme is an http proxy, as in other programs.
    value = Secret(found if "://" in found else f"http://{found}")
    return _Variable(f"the variable {names[0]}" if names else "the proxy of the system", value)
