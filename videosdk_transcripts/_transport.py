"""
One request with its attempts: token, limits, cap on the size; a whole answer out.

No exception of aiohttp leaves this file, not even as a cause; `_failure` says why.
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

from ._failure import translate
from ._pace import Pace
from ._protocol import Answer, Request, check_status, http_date
from ._retry import THROTTLING_STATUSES, Attempts, RetryPolicy, with_retries
from ._session import Connection, Sessions
from .auth import Secret, TokenSource, explain_refusal
from .errors import ResponseTooLargeError, TimedOutError, VideoSDKTranscriptsError
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
        decode: Callable[[Answer], Awaitable[T]],
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
                    with self.sessions.end_on_close(limit):
                        return await _without_locals(
                            with_retries(
                                lambda: self._attempt(request, decode, stats, attempts),
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
        if self.sessions.is_closed and limit.expired():
            error = self.sessions.closed_error()
            error.attempts = attempts.begun
            raise error
        raise TimedOutError(
            f"{request.method} {request.subject}: the {name} passed {attempts}; allow more "
            "time, or go on later",
            attempts=attempts.begun,
        )

    async def _attempt(
        self,
        request: Request,
        decode: Callable[[Answer], Awaitable[T]],
        stats: WalkStats,
        attempts: Attempts,
    ) -> T:
        wire = await self.sessions.open()
        attempts.waits_for = "a slot (max_in_flight)"
        # Waiting for a slot is no part of the attempt: the service is not to blame for it.
        async with wire.slots:
            limit = asyncio.timeout(self._policy.attempt_timeout)
            try:
                async with limit:
                    answer, hint = await self._ask(wire.session, request, stats, attempts, limit)
            except TimeoutError:
                if not limit.expired():
                    raise
                answer, hint = None, ""
        if answer is None:
            missing = attempts.waits_for or "whole answer"
            raise TimedOutError(
                f"{request.method} {request.subject}: no {missing} within the attempt_timeout "
                f"of {self._policy.attempt_timeout:g} s"
            )
        check_status(answer, request, now=self._moment(), hint=hint)
        return await decode(answer)

    async def _ask(
        self,
        session: aiohttp.ClientSession,
        request: Request,
        stats: WalkStats,
        attempts: Attempts,
        limit: asyncio.Timeout,
    ) -> tuple[Answer, str]:
        token = await self._token_and_turn(attempts, limit)
        answer = await self._send(session, request, token, stats)
        if answer.status == 401 and self._tokens.reject(token):
            stats.retries += 1
            token = await self._token_and_turn(attempts, limit)
            answer = await self._send(session, request, token, stats)
        return answer, self._explain_refusal(answer, token)

    async def _token_and_turn(self, attempts: Attempts, limit: asyncio.Timeout) -> Secret:
        """Get the token first: turns that were taken before it would leave in a burst."""
        attempts.waits_for = "token"
        token = await self._tokens.get()
        left = _seconds_left(limit)
        attempts.waits_for = "its turn (requests_per_second)"
        # Waiting for a turn is no part of the attempt either.
        limit.reschedule(None)
        await self._pace.turn()
        limit.reschedule(asyncio.get_running_loop().time() + left)
        attempts.waits_for = ""
        return token

    async def _send(
        self, session: aiohttp.ClientSession, request: Request, token: Secret, stats: WalkStats
    ) -> Answer:
        if self._is_closed(session):
            raise self.sessions.closed_error()
        stats.requests += 1
        before = _cancellations()
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
                self._url(request.target),
                headers=headers,
                allow_redirects=False,
                raise_for_status=False,
                timeout=_NO_TIMEOUT,
                proxy=None if proxy is None else proxy.url,
                proxy_headers=to_proxy,
                ssl=self._connection.ssl,
            ) as response:
                # Counted before its body is read, which may break off.
                stats.throttled += response.status in THROTTLING_STATUSES
                return Answer(
                    response.status,
                    response.headers,
                    await self._read(response, request),
                    (token, *self._tokens.secrets, *(proxy.secrets if proxy else ())),
                )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure: VideoSDKTranscriptsError
            if self._is_closed(session):
                failure = self.sessions.closed_error()
            else:
                failure = self._translated(error, request)
        except (RuntimeError, asyncio.CancelledError) as error:
            # Where its session is closed, aiohttp has a RuntimeError for whoever begins to read
            # a body, and cancels whoever waits for a connection.
            was_asked = isinstance(error, asyncio.CancelledError) and _cancellations() > before
            if was_asked or not self._is_closed(session):
                raise
            failure = self.sessions.closed_error()
        # Raised out here, so that aiohttp's exception is not in its context.
        raise failure

    def _url(self, target: str) -> URL:
        # Half as dear as to take a whole URL apart again for each request.
        base = urlsplit(self.endpoint)
        path, _, query = target.partition("?")
        return URL.build(
            scheme=base.scheme,
            authority=base.netloc,
            path=base.path + path,
            query_string=query,
            encoded=True,
        )

    def _translated(self, error: Exception, request: Request) -> VideoSDKTranscriptsError:
        return translate(
            error,
            tried=f"{request.method} {request.subject}",
            host=urlsplit(self.endpoint).netloc,
            through_proxy=self._proxy is not None,
        )

    def _is_closed(self, session: aiohttp.ClientSession) -> bool:
        return self.sessions.is_closed or session.closed

    async def _read(self, response: aiohttp.ClientResponse, request: Request) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while chunk := await response.content.readany():
            chunks.append(chunk)
            size += len(chunk)
            if size > self._max_response_bytes:
                raise ResponseTooLargeError(
                    f"{request.method} {request.subject}: the answer is larger than "
                    f"{self._max_response_bytes} bytes; ask for smaller pages, or raise "
                    "max_response_bytes",
                    status=response.status,
                )
        return b"".join(chunks)

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


def _seconds_left(limit: asyncio.Timeout) -> float:
    ends_at = limit.when()
    # A token callable that swallowed its cancellation has had its time all the same.
    if limit.expired() or ends_at is None:
        raise TimeoutError
    return ends_at - asyncio.get_running_loop().time()


def _cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0


@cache
def _user_agent() -> str:
    return f"videosdk-transcripts/{version('videosdk-transcripts')} aiohttp/{aiohttp.__version__}"
