"""
Sessions: a given one is used and left, an own one lives as long as its event loop.

A client may be made outside of any loop and used in one after another, so that what
belongs to a loop is made on first use in it.
"""

from __future__ import annotations

import asyncio
import base64
import ssl as ssl_module
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from attrs import field, frozen
from yarl import URL

from videosdk_transcripts._redact import Secret
from videosdk_transcripts.errors import ClientClosedError, ConfigurationError

from .timeout import Timeout


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


@frozen
class ConnectionOptions:
    """How to connect. What belongs to a session can't be set beside a given one."""

    session: aiohttp.ClientSession | None = None
    proxy: str | None = field(default=None, repr=False)
    ssl: ssl_module.SSLContext | aiohttp.Fingerprint | bool = True
    trust_env: bool = False
    trace_configs: Sequence[aiohttp.TraceConfig] = ()
    max_in_flight: int = 16

    def __attrs_post_init__(self) -> None:
        if self.session is not None and self.trace_configs:
            raise ConfigurationError("give trace_configs to the session that you made")

    def proxy_for(self, url: str) -> Proxy | None:
        """
        Return the proxy for a URL.

        Raises:
            ConfigurationError: it is no http or https URL.
        """
        given = self.proxy
        if given is None and self.trust_env:
            given = proxy_of_the_environment(url)
        return None if given is None else Proxy.of(given)


@frozen
class LoopResources:
    """What belongs to one event loop: a session, and the slots for requests in flight."""

    loop: asyncio.AbstractEventLoop
    session: aiohttp.ClientSession
    semaphore: asyncio.Semaphore
    closer: AsyncGenerator[None]


class Sessions:
    """Gives out the session of the running loop until it is closed."""

    def __init__(self, connection: ConnectionOptions) -> None:
        self.is_closed = False
        self._connection = connection
        self._wires: dict[asyncio.AbstractEventLoop, LoopResources] = {}
        self._limits: set[Timeout] = set()

    async def open(self) -> LoopResources:
        """
        Return what belongs to the running loop, made on first use.

        Raises:
            ClientClosedError: it was closed, or the given session was.
        """
        given = self._connection.session
        if self.is_closed or (given is not None and given.closed):
            raise self.closed_error()
        loop = asyncio.get_running_loop()
        resources = self._wires.get(loop)
        if resources is None:
            self._wires = {
                old: resources for old, resources in self._wires.items() if not old.is_closed()
            }
            session = given or self._make_session()
            closer = _close_with_the_loop(None if given else session)
            await anext(closer)
            semaphore = asyncio.Semaphore(self._connection.max_in_flight)
            resources = self._wires[loop] = LoopResources(loop, session, semaphore, closer)
        return resources

    async def aclose(self) -> None:
        """Close the session that was made here. A given one is left as it is."""
        self.is_closed = True
        loop = asyncio.get_running_loop()
        for limit in [limit for limit in tuple(self._limits) if limit.loop is loop]:
            limit.expire_now()
        # What belongs to other loops is closed by them, when they end.
        resources = self._wires.pop(loop, None)
        if resources is not None:
            await resources.closer.aclose()

    def limit(self, ends_at: float) -> Timeout:
        """
        Make a limit by which `aclose` ends a call at once.

        Closing a session does not wake whoever reads a body, connects, or waits for
        something that is not the session's.

        Raises:
            ClientClosedError: that has happened already.
        """
        if self.is_closed:
            raise self.closed_error()
        return Timeout(ends_at, self._limits)

    def closed_error(self) -> ClientClosedError:
        """Make the error for whoever comes too late."""
        what = "client" if self._connection.session is None else "client or its session"
        return ClientClosedError(
            f"the {what} is closed; use it within 'async with', or open it again with another one"
        )

    def _make_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connection.max_in_flight),
            # The API needs no cookies, and what is not kept can't go to the wrong place.
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=list(self._connection.trace_configs),
        )


async def _close_with_the_loop(session: aiohttp.ClientSession | None) -> AsyncGenerator[None]:
    """
    Close a session when the generator is closed, or else when its event loop ends.

    A loop closes its asynchronous generators before it ends (`asyncio.run` does), and
    that is the one place where a forgotten client can still be closed without a warning.
    """
    try:
        yield
    finally:
        if session is not None:
            await session.close()
