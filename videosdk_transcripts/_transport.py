"""
One request with its attempts: token, limits, cap on the size; a whole answer out.

No exception of aiohttp leaves this file, not even as a cause: the repr of some shows
the request's headers, and with them the token. Their text is taken over instead.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from typing import Final, TypeVar
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from ._pace import Pace
from ._protocol import Answer, Request, check_status, http_date
from ._retry import Attempts, RetryPolicy, with_retries
from ._session import Connection, Sessions
from .auth import Secret, TokenSource, explain_refusal
from .errors import (
    ConfigurationError,
    ConnectionFailedError,
    InvalidResponseError,
    ResponseTooLargeError,
    TimedOutError,
    VideoSDKTranscriptsError,
)
from .models import WalkStats

__all__ = ["Transport"]

T = TypeVar("T")

# Our own limits hold for the whole attempt; none is inherited from a given session.
_NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, connect=None, sock_read=None)
_SKEW: Final = 60.0


class Transport:
    """
    Sends requests and gives back what `decode` makes of the answers.

    Args:
        endpoint: the base URL of the API.
        tokens: where the token comes from.
        policy: attempts and time limits.
        connection: how to connect.
        max_response_bytes: decoded bytes of one answer.
        requests_per_second: an even pace for all requests; None for no limit.
        clock: seconds of a clock that only goes forward.
        now: seconds since the epoch.
        sleep: waits that many seconds.
    """

    def __init__(
        self,
        endpoint: str,
        tokens: TokenSource,
        policy: RetryPolicy,
        connection: Connection,
        *,
        max_response_bytes: int,
        requests_per_second: float | None,
        clock: Callable[[], float],
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.endpoint = endpoint
        self._tokens = tokens
        self._policy = policy
        self._connection = connection
        self._proxy = connection.proxy_for(endpoint)
        self._max_response_bytes = max_response_bytes
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._pace = Pace(requests_per_second, clock=clock, sleep=sleep)
        self.sessions = Sessions(connection)

    async def fetch(
        self,
        request: Request,
        decode: Callable[[Answer], T],
        *,
        stats: WalkStats,
        deadline: float | None = None,
    ) -> T:
        """
        Send a request as often as the policy allows, until its answer can be decoded.

        Args:
            request: what to ask for.
            decode: turns a success into data; its error may cause another attempt.
            stats: counts requests and retries.
            deadline: where the clock stands when the whole walk must have ended.

        Raises:
            VideoSDKTranscriptsError: the last failure.
        """
        name, ends_at = "page_deadline", self._clock() + self._policy.page_deadline
        if deadline is not None and deadline < ends_at:
            name, ends_at = "walk_deadline", deadline
        attempts = Attempts()
        left = ends_at - self._clock()
        limit = asyncio.timeout(left)
        try:
            # Without time left nothing is sent; the limit itself would act a request later.
            if left > 0:
                async with limit:
                    return await _without_locals(
                        with_retries(
                            lambda: self._attempt(request, decode, stats),
                            self._policy,
                            subject=request.subject,
                            attempts=attempts,
                            stats=stats,
                            time_left=lambda: ends_at - self._clock(),
                            sleep=self._sleep,
                        )
                    )
        except TimeoutError:
            if not limit.expired():
                raise
        raise TimedOutError(
            f"{request.method} {request.subject}: the {name} passed {attempts}; allow more "
            "time, or go on later",
            attempts=attempts.sent,
        )

    async def _attempt(
        self, request: Request, decode: Callable[[Answer], T], stats: WalkStats
    ) -> T:
        wire = await self.sessions.open()
        # Waiting for a slot is no part of the attempt: the service is not to blame for it.
        async with wire.slots:
            await self._pace.turn()
            limit = asyncio.timeout(self._policy.attempt_timeout)
            try:
                async with limit:
                    answer, hint = await self._ask(wire.session, request, stats)
            except TimeoutError:
                if not limit.expired():
                    raise
                answer, hint = None, ""
        if answer is None:
            raise TimedOutError(
                f"{request.method} {request.subject}: no whole answer within the attempt_timeout "
                f"of {self._policy.attempt_timeout:g} s"
            )
        check_status(answer, request, now=self._moment(), hint=hint)
        return decode(answer)

    async def _ask(
        self, session: aiohttp.ClientSession, request: Request, stats: WalkStats
    ) -> tuple[Answer, str]:
        token = await self._tokens.get()
        answer = await self._send(session, request, token, stats)
        if answer.status == 401 and self._tokens.reject(token):
            stats.retries += 1
            token = await self._tokens.get()
            await self._pace.turn()
            answer = await self._send(session, request, token, stats)
        return answer, self._explain_refusal(answer, token)

    async def _send(
        self, session: aiohttp.ClientSession, request: Request, token: Secret, stats: WalkStats
    ) -> Answer:
        if session.closed:
            raise self.sessions.closed_error()
        stats.requests += 1
        headers = {
            "Authorization": token,
            "Accept": "application/json",
            "User-Agent": _user_agent(),
        }
        proxy = self._proxy
        to_proxy: Mapping[str, str] = {} if proxy is None else proxy.authorization
        if not self.endpoint.startswith("https:"):
            # Without a tunnel the proxy reads the request itself. aiohttp sends the headers
            # for a proxy to open a tunnel, and only then.
            headers |= to_proxy
        try:
            async with session.request(
                request.method,
                URL(self.endpoint + request.target, encoded=True),
                headers=headers,
                allow_redirects=False,
                raise_for_status=False,
                timeout=_NO_TIMEOUT,
                proxy=None if proxy is None else proxy.url,
                proxy_headers=to_proxy,
                ssl=self._connection.ssl,
            ) as response:
                return Answer(
                    response.status,
                    {name.lower(): value for name, value in response.headers.items()},
                    await self._read(response, request),
                    (token, *self._tokens.secrets, *(proxy.secrets if proxy else ())),
                )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = self._translate(error, request)
        # Raised out here, so that aiohttp's exception is not in its context.
        raise failure

    async def _read(self, response: aiohttp.ClientResponse, request: Request) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._max_response_bytes:
                raise ResponseTooLargeError(
                    f"{request.method} {request.subject}: the answer is larger than "
                    f"{self._max_response_bytes} bytes; ask for smaller pages, or raise "
                    "max_response_bytes",
                    status=response.status,
                )
        return bytes(body)

    def _explain_refusal(self, answer: Answer, token: Secret) -> str:
        if answer.status != 401:
            return ""
        date = http_date(answer.headers.get("date", ""))
        ahead = (self._moment() - date).total_seconds() if date else 0.0
        if abs(ahead) >= _SKEW:
            where = "ahead of" if ahead > 0 else "behind"
            return (
                f"this machine's clock is {abs(ahead):.0f} s {where} the service's, so that its "
                "tokens are not valid yet or no longer; set the clock"
            )
        return explain_refusal(token, self._now()) or ""

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)

    def _translate(self, error: Exception, request: Request) -> VideoSDKTranscriptsError:
        """Turn a failure of the connection into our own, by its text alone."""
        if self.sessions.is_closed:
            return self.sessions.closed_error()
        tried = f"{request.method} {request.subject}"
        host = urlsplit(self.endpoint).netloc
        match error:
            case aiohttp.ClientPayloadError():
                return InvalidResponseError(f"{tried}: the answer of {host} broke off in its body")
            case aiohttp.ClientResponseError() if type(error) is aiohttp.ClientResponseError:
                # A parser's own 400 and no answer of the service.
                return InvalidResponseError(f"{tried}: the answer of {host} is no HTTP")
            case ValueError() if not isinstance(error, aiohttp.ClientError):
                return ConfigurationError(
                    f"{tried}: the request can't be sent; if the session was given, it must not "
                    "add credentials of its own (auth=, or trust_env with a netrc file)"
                )
            case _:
                pass
        why = _why_not_connected(error, host, through_proxy=self._proxy is not None)
        return ConnectionFailedError(f"{tried}: {why}")


async def _without_locals(trying: Awaitable[T]) -> T:
    """
    Let an error of ours or a cancellation through, with what its frames held forgotten.

    Those of aiohttp hold headers and the proxy, and ours rows, which a traceback with locals
    shows. Where it happened is kept. What a caller's own function raises is left whole.
    """
    try:
        return await trying
    except (VideoSDKTranscriptsError, asyncio.CancelledError) as error:
        traceback.clear_frames(error.__traceback__)
        raise


def _why_not_connected(error: Exception, host: str, *, through_proxy: bool) -> str:
    match error:
        case aiohttp.ClientHttpProxyError():
            return f"the proxy refused with {error.status}; check its address and credentials"
        case aiohttp.ClientConnectorDNSError():
            name = "the proxy" if through_proxy else host
            return f"the name of {name} can't be resolved; check its address and the network"
        case aiohttp.ClientProxyConnectionError():
            return "can't connect to the proxy; check its address"
        case aiohttp.ClientSSLError():
            return f"no trusted TLS connection to {host}; check its certificate, or pass ssl="
        case aiohttp.ClientConnectorError():
            return f"can't connect to {host}: {error.os_error.strerror or 'refused'}"
        case _:
            return f"the connection to {host} broke before an answer came"


@cache
def _user_agent() -> str:
    return f"videosdk-transcripts/{version('videosdk-transcripts')} aiohttp/{aiohttp.__version__}"
