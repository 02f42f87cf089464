"""
Manage connections: one session for each event loop (P14).

A session passed by the caller is used, but never changed or closed. Otherwise a session is
created on first use in a loop, and closed once: by the client, or when the loop ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl as ssl_module
from collections.abc import AsyncGenerator, Sequence
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver
from attrs import field, frozen

from videosdk_transcripts._clock import Clock
from videosdk_transcripts._loops import PerLoop
from videosdk_transcripts._validation import check_instance
from videosdk_transcripts.errors import ClientClosedError, ConfigurationError, ConnectionFailedError

from .proxy import ProxySettings
from .rate_limit import Pace, RateLimiter
from .request_queue import RequestQueue
from .timeout import Timeout

NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, connect=None, sock_read=None)
"""Passed with each request, so that the timeouts of a session passed by the caller don't apply."""


@frozen
class ConnectionOptions:
    """How to connect. `trace_configs` can't be combined with a session passed by the caller."""

    session: aiohttp.ClientSession | None = None
    proxies: ProxySettings = field(factory=ProxySettings)
    ssl: ssl_module.SSLContext | aiohttp.Fingerprint | bool = True
    trace_configs: Sequence[aiohttp.TraceConfig] = ()
    max_in_flight: int = 16
    resolver: AbstractResolver | None = None
    """Resolves the host name for each connection; None for aiohttp's own with its cache."""

    def __attrs_post_init__(self) -> None:
        if self.session is not None:
            check_instance("session", self.session, aiohttp.ClientSession)
        check_instance("ssl", self.ssl, ssl_module.SSLContext, aiohttp.Fingerprint, bool)
        if self.session is not None and self.trace_configs:
            raise ConfigurationError("pass trace_configs to the session that you created")

    def proxy_advice(self, url: str) -> str:
        """Return advice for an unreachable URL, if the environment names an unused proxy."""
        # A session passed by the caller may use the proxy of the environment by itself.
        return "" if self.session is not None else self.proxies.advice_for(url)


@frozen
class LoopResources:
    """The resources of one event loop: a session, and the queue for its requests."""

    loop: asyncio.AbstractEventLoop
    session: aiohttp.ClientSession
    queue: RequestQueue
    closer: AsyncGenerator[None]


class Sessions:
    """
    Provide the session of the running loop, until closed.

    Args:
        connection: how to connect.
        rate_limiter: the pace of the requests of all loops; None for no limit.
    """

    def __init__(self, connection: ConnectionOptions, rate_limiter: Pace | None = None) -> None:
        self.is_closed = False
        self._connection = connection
        self._rate_limiter = rate_limiter or RateLimiter(None, clock=Clock())
        self._resources: PerLoop[LoopResources] = PerLoop()
        self._timeouts: set[Timeout] = set()

    async def open(self) -> LoopResources:
        """
        Return the resources of the running loop, created on first use.

        Raises:
            ClientClosedError: the client is closed, or the session passed to it.
        """
        if self._is_closed():
            raise self.closed_error()
        resources = self._resources.find()
        if resources is None or resources.session.closed:
            return await self._create()
        return resources

    async def aclose(self) -> None:
        """End the requests of the running loop, and close the session that the client created."""
        self.is_closed = True
        loop = asyncio.get_running_loop()
        for timeout in [timeout for timeout in self._timeouts if timeout.loop is loop]:
            timeout.expire_now()
        # The resources of another loop are closed when that loop ends.
        resources = self._resources.pop()
        if resources is not None:
            await resources.closer.aclose()
            if self._connection.session is None:
                await resources.session.close()

    def open_loops(self) -> list[asyncio.AbstractEventLoop]:
        """Return the event loops that have resources and are not closed."""
        return self._resources.open_loops()

    def limit(self, ends_at: float) -> Timeout:
        """
        Return a timeout that `aclose` expires early.

        Closing a session is not enough: it does not wake a task that reads a body, connects, or
        waits for something outside the session.

        Raises:
            ClientClosedError: the client is closed already.
        """
        if self.is_closed:
            raise self.closed_error()
        return Timeout(ends_at, self._timeouts)

    def closed_error(self) -> ClientClosedError:
        """Return the error for a call of a closed client."""
        what = "client" if self._connection.session is None else "client or its session"
        return ClientClosedError(
            f"the {what} is closed; use it inside 'async with', or reopen it with another one"
        )

    def error_if_closed(
        self, session: aiohttp.ClientSession
    ) -> ClientClosedError | ConnectionFailedError | None:
        """Return the error for a request through a closed session, or None if it is open."""
        if self._is_closed():
            return self.closed_error()
        if session.closed:
            # The client is open, so another attempt gets a new session.
            return ConnectionFailedError("the connections were closed by shutdown_asyncgens()")
        return None

    def _is_closed(self) -> bool:
        given = self._connection.session
        return self.is_closed or (given is not None and given.closed)

    async def _create(self) -> LoopResources:
        given = self._connection.session
        session = given or self._create_session()
        closer = _close_with_loop(None if given else session)
        # A loop warns about a new generator after `shutdown_asyncgens`.
        with contextlib.suppress(ResourceWarning):
            await anext(closer)
        queue = RequestQueue(self._slots(), self._rate_limiter)
        loop = asyncio.get_running_loop()
        return self._resources.add(LoopResources(loop, session, queue, closer))

    def _slots(self) -> int:
        """Return how many requests may be in flight: no more than a passed session can send."""
        given = self._connection.session
        # Otherwise requests would wait inside aiohttp, where their timeouts already run.
        connector = None if given is None else given.connector
        limits = () if connector is None else (connector.limit, connector.limit_per_host)
        return min([self._connection.max_in_flight, *(limit for limit in limits if limit)])

    def _create_session(self) -> aiohttp.ClientSession:
        options = self._connection
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=options.max_in_flight,
                resolver=options.resolver,
                use_dns_cache=options.resolver is None,
            ),
            # The API needs no cookies, and a cookie that is not stored can't leak to another host.
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=list(options.trace_configs),
        )


async def _close_with_loop(session: aiohttp.ClientSession | None) -> AsyncGenerator[None]:
    """
    Close a session when this generator is closed, at the latest when its event loop ends.

    `asyncio.run` closes asynchronous generators before the loop ends. That is the only time at
    which the session of a client that was never closed can be closed without a warning. A loop
    may continue after `loop.shutdown_asyncgens`: the next request then gets a new session.
    """
    try:
        yield
    finally:
        if session is not None:
            await session.close()
