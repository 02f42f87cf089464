"""A proxy: its URL and, apart from that, what it asks for."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from attrs import frozen
from yarl import URL

from .auth import Secret
from .errors import ConfigurationError

__all__ = ["Proxy", "proxy_of_the_environment"]


@frozen
class Proxy:
    """A proxy, with its credentials apart from its URL, which aiohttp shows wherever it goes."""

    url: URL
    authorization: Mapping[str, Secret]
    """The header that it asks for, where there are credentials."""
    secrets: tuple[Secret, ...]
    """What no error may quote."""

    @classmethod
    def of(cls, given: str) -> Self:
        """
        Take a URL of the caller or of the environment apart.

        Raises:
            ConfigurationError: it is no http or https URL.
        """
        proxy = cls._read(given)
        # Raised out here, where no frame holds the parts.
        if proxy is None:
            raise ConfigurationError("proxy must look like http://proxy.example:3128")
        return proxy

    @classmethod
    def _read(cls, given: str) -> Self | None:
        try:
            url = URL(given)
            user, password = url.user or "", url.password or ""
            login = base64.b64encode(f"{user}:{password}".encode()).decode()
        except (ValueError, TypeError):
            return None
        if url.scheme not in ("http", "https") or not url.host:
            return None
        if not (user or password):
            return cls(url, {}, ())
        secrets = tuple(Secret(text) for text in (login, password) if text)
        header = {"Proxy-Authorization": Secret(f"Basic {login}")}
        return cls(url.with_user(None), header, secrets)


def proxy_of_the_environment(url: str) -> Secret | None:
    """
    Return the proxy that the environment names for a URL.

    aiohttp's own `trust_env` is not used, because it takes credentials from a netrc
    file as well, and then refuses the request that has a token already.
    """
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    # Without a scheme it is one of http, as other programs take it.
    return Secret(found if "://" in found else f"http://{found}") if found else None
