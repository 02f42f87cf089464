"""
P9 and P10 for files: one link with its attempts and redirects, without credentials.

The session is never the caller's: it may add headers, and a connection of it can't be held
to the address that was judged. No proxy is used, which would look up the name once more.
No exception of aiohttp leaves this file, not even as a cause; `_failure` says why.
"""

from __future__ import annotations

import asyncio
import socket
import ssl as ssl_module
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final, Protocol

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from attrs import define, field
from yarl import URL

from videosdk_transcripts._api.protocol import retry_after, status_error
from videosdk_transcripts._clock import Clock
from videosdk_transcripts._http.aiohttp_errors import translate
from videosdk_transcripts._http.retry import Attempts, RetryPolicy, with_retries
from videosdk_transcripts._http.session import ConnectionOptions, Sessions
from videosdk_transcripts._http.timeout import Timeout
from videosdk_transcripts.errors import (
    FileError,
    InvalidResponseError,
    ResponseTooLargeError,
    TimedOutError,
    VideoSDKTranscriptsError,
)
from videosdk_transcripts.models import WalkStats

from .hosts import FileHosts, Place

_NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, connect=None, sock_read=None)
_MOST_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_DEAD: Final = frozenset({403, 404, 410})

LookUp = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the addresses of a host and port."""


class Sink(Protocol):
    """Receives a file. Each attempt begins it anew."""

    async def begin(self) -> None: ...
    async def write(self, chunk: bytes) -> None: ...


@define
class _Call:
    """A link with all its attempts."""

    url: str = field(repr=False)
    sink: Sink
    what: str
    ends_at: float
    """When all of them must be over, by the clock of the event loop."""
    attempts: Attempts = field(factory=Attempts)


async def look_up(host: str, port: int) -> list[str]:
    """Ask the system for the addresses of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class _Pinned(AbstractResolver):
    """Looks a name up once for a connection, and gives the addresses that were judged."""

    def __init__(self, hosts: FileHosts, find: LookUp) -> None:
        self._hosts = hosts
        self._find = find

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = await self._find(host, port)
        self._hosts.check_addresses(host, port, addresses)
        if not addresses:
            raise OSError(f"{host} has no address")
        return [_resolved(host, port, address) for address in addresses]

    async def close(self) -> None:
        """Do nothing: there is nothing held."""


class _FileSessions(Sessions):
    """The sessions for files, one for each event loop as those for the API."""

    def __init__(self, connection: ConnectionOptions, resolver: AbstractResolver) -> None:
        super().__init__(connection)
        self._most = connection.max_in_flight
        self._resolver = resolver

    def _make_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._most, resolver=self._resolver, use_dns_cache=False
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )


class FileTransport:
    """
    Fetches links.

    Args:
        hosts: where they may come from.
        policy: attempts and time limits; a page stands for a link there.
        ssl: a TLS context, where the machine's own trust is not enough.
        max_in_flight: files on their way at once.
        max_file_bytes: decoded bytes of one file.
        clock: the time, and how to wait.
        find: looks up the addresses of a host.
    """

    def __init__(
        self,
        hosts: FileHosts,
        policy: RetryPolicy,
        *,
        ssl: ssl_module.SSLContext | aiohttp.Fingerprint | bool,
        max_in_flight: int,
        max_file_bytes: int,
        clock: Clock,
        find: LookUp = look_up,
    ) -> None:
        self._hosts = hosts
        self._policy = policy
        self._ssl = ssl
        self._max_file_bytes = max_file_bytes
        self._clock = clock
        self.sessions: Sessions = _FileSessions(
            ConnectionOptions(max_in_flight=max_in_flight), _Pinned(hosts, find)
        )

    async def aclose(self) -> None:
        """End what is under way in this loop, and close its session."""
        await self.sessions.aclose()

    async def fetch(self, url: str, sink: Sink, what: str) -> int | None:
        """
        Fetch a link as often as the policy allows.

        Args:
            url: the link.
            sink: receives the file.
            what: what is fetched, for an error.

        Returns:
            None, or the status of a dead link: 403, 404 or 410.

        Raises:
            FileHostRefusedError: it is not where files may come from, or redirects to there.
            ResponseTooLargeError: the file is larger than the cap.
            VideoSDKTranscriptsError: the last failure, or an error of the sink.
        """
        ends_at = self._clock.monotonic() + self._policy.page_timeout
        loop = asyncio.get_running_loop()
        call = _Call(url, sink, what, loop.time() + self._policy.page_timeout)
        return await with_retries(
            lambda: self._attempt(call),
            self._policy,
            subject=what,
            attempts=call.attempts,
            stats=WalkStats(),
            time_left=lambda: ends_at - self._clock.monotonic(),
            sleep=lambda seconds: self._back_off(call, seconds),
        )

    async def _attempt(self, call: _Call) -> int | None:
        resources = await self.sessions.open()
        patience = self._policy.attempt_timeout
        with self.sessions.limit(call.ends_at) as limit:
            call.attempts.waiting_for = "a slot (max_in_flight)"
            async with resources.semaphore:
                call.attempts.waiting_for = ""
                limit.reschedule(min(call.ends_at, resources.loop.time() + patience))
                return await self._follow(resources.session, call)
        raise self._ended(call, limit)

    async def _back_off(self, call: _Call, seconds: float) -> None:
        with self.sessions.limit(call.ends_at) as limit:
            return await self._clock.sleep(seconds)
        raise self._ended(call, limit)

    def _ended(self, call: _Call, limit: Timeout) -> VideoSDKTranscriptsError:
        if limit.aborted:
            return self.sessions.closed_error()
        if limit.ends_at >= call.ends_at:
            call.attempts.deadline_passed = True
            return TimedOutError(
                f"{call.what}: the page_timeout passed {call.attempts}; allow more time",
                attempts=call.attempts.count,
            )
        return TimedOutError(
            f"{call.what}: no whole file within the attempt_timeout of "
            f"{self._policy.attempt_timeout:g} s"
        )

    async def _follow(self, session: aiohttp.ClientSession, call: _Call) -> int | None:
        place = self._hosts.check(call.url)
        for _ in range(_MOST_REDIRECTS + 1):
            await call.sink.begin()
            found = await self._send(session, call, place)
            if not isinstance(found, str):
                return found
            # Each hop is judged as the first link is.
            place = self._hosts.check(found, base=place)
        raise FileError(f"{call.what}: it is redirected more than {_MOST_REDIRECTS} times")

    async def _send(
        self, session: aiohttp.ClientSession, call: _Call, place: Place
    ) -> str | int | None:
        """Send one request. Returns where it redirects to, or the status of a dead link."""
        failure: VideoSDKTranscriptsError
        try:
            async with session.get(
                URL(place.url, encoded=True),
                allow_redirects=False,
                raise_for_status=False,
                timeout=_NO_TIMEOUT,
                ssl=self._ssl,
            ) as response:
                if response.status in _REDIRECTS and "Location" in response.headers:
                    return response.headers["Location"]
                if response.status in _DEAD:
                    return response.status
                if response.status != 200:
                    raise self._refusal(response, call, place)
                await self._read(response, call)
                return None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = translate(error, tried=call.what, host=place.host, through_proxy=False)
        except RuntimeError:
            # Where its session is closed, aiohttp has one for whoever begins to use it.
            if not self.sessions.is_closed:
                raise
            failure = self.sessions.closed_error()
        # Raised out here, so that aiohttp's exception is not in its context.
        raise failure

    async def _read(self, response: aiohttp.ClientResponse, call: _Call) -> None:
        size = 0
        while chunk := await response.content.readany():
            size += len(chunk)
            if size > self._max_file_bytes:
                raise ResponseTooLargeError(
                    f"{call.what}: it is larger than {self._max_file_bytes} bytes; raise "
                    "max_file_bytes if that is meant",
                    status=response.status,
                )
            await call.sink.write(chunk)

    def _refusal(
        self, response: aiohttp.ClientResponse, call: _Call, place: Place
    ) -> VideoSDKTranscriptsError:
        status = response.status
        text = f"{call.what}: the file host {place.host} answered {status}"
        if 200 <= status < 300:
            return InvalidResponseError(f"{text}, which is no whole file", status=status)
        wait = retry_after(response.headers, datetime.fromtimestamp(self._clock.time(), UTC))
        return status_error(status)(text, status=status, retry_after=wait)


def _resolved(host: str, port: int, address: str) -> ResolveResult:
    is_new = ip_address(address).version == 6
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if is_new else socket.AF_INET,
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
