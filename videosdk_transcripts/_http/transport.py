"""
One request with its attempts: token, limits, cap on the size; a whole answer out.

No exception of aiohttp leaves this file, not even as a cause; `_failure` says why.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Final, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
from attrs import define
from yarl import URL

from videosdk_transcripts._api.protocol import Request, Response, check_status, explain_clock
from videosdk_transcripts._clock import Clock
from videosdk_transcripts._redact import Secret
from videosdk_transcripts.auth import TokenSource, explain_refusal
from videosdk_transcripts.errors import (
    ResponseTooLargeError,
    TimedOutError,
    VideoSDKTranscriptsError,
)
from videosdk_transcripts.models import WalkStats

from .aiohttp_errors import translate
from .rate_limit import RateLimiter
from .retry import THROTTLING_STATUSES, Attempts, RetryPolicy, is_refusal, with_retries
from .session import ConnectionOptions, Sessions
from .timeout import Timeout


class Body:
    """
    Give out some bytes once, to whoever sends them.

    aiohttp asks for them when it has a connection and not before, so that a write whose
    body nobody has asked for can't have been applied, whatever failed.

    Args:
        content: the bytes.
        attempts: where it is noted.
    """

    def __init__(self, content: bytes, attempts: Attempts) -> None:
        self._content = [content]
        self._attempts = attempts
        self.headers = {
            "Content-Type": "application/json",
            # Without it a body that is asked for piece by piece is sent in chunks.
            "Content-Length": str(len(content)),
        }

    # No generator: one that is left half-way is closed by a task of its own.
    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._content:
            raise StopAsyncIteration
        self._attempts.in_doubt = True
        return self._content.pop()

    def answered(self, status: int) -> None:
        """Take note of an answer: a refusal settles that the write was not applied."""
        self._attempts.in_doubt = not is_refusal(status)


T = TypeVar("T")

# Our own limits hold for the whole attempt; none is inherited from a given session.
_NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, connect=None, sock_read=None)


@define
class _Call:
    """One call of `fetch`: what it asks for, and what its attempts have in common."""

    request: Request
    stats: WalkStats
    deadline: str
    """The name of the limit that all attempts have together."""
    ends_at: float
    """When that is over, by the clock of the event loop."""
    attempts: Attempts

    @property
    def tried(self) -> str:
        """Return what was tried, for an error."""
        return f"{self.request.method} {self.request.subject}"


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
        clock: the time, and how to wait.
    """

    def __init__(
        self,
        endpoint: str,
        tokens: TokenSource,
        policy: RetryPolicy,
        connection: ConnectionOptions,
        *,
        max_response_bytes: int,
        requests_per_second: float | None,
        clock: Clock,
    ) -> None:
        self.endpoint = endpoint
        self._tokens = tokens
        self.policy = policy
        self._connection = connection
        self._proxy = connection.proxy_for(endpoint)
        self._max_response_bytes = max_response_bytes
        self.clock = clock
        self._pace = RateLimiter(requests_per_second, clock=clock)
        self.sessions = Sessions(connection)

    async def fetch(
        self,
        request: Request,
        decode: Callable[[Response], Awaitable[T]],
        *,
        stats: WalkStats,
        deadline: float | None = None,
        reconcile: Callable[[], Awaitable[T | None]] | None = None,
        attempts: Attempts | None = None,
    ) -> T:
        """
        Send a request as often as the policy allows, until its answer can be decoded.

        Args:
            request: what to ask for.
            decode: turns a success into data; its error may cause another attempt.
            stats: counts requests and retries.
            deadline: where the clock stands when the whole walk must have ended.
            reconcile: for a write: finds what became of one that may have been applied, or None
                if it was not and is to be sent again. Called before that happens.
            attempts: takes note of what was tried; read by whoever waits for a write.

        Raises:
            VideoSDKTranscriptsError: the last failure.
        """
        now = self.clock.monotonic()
        name, ends_at = "page_timeout", now + self.policy.page_timeout
        if deadline is not None and deadline < ends_at:
            name, ends_at = "page_timeout" if reconcile else "walk_timeout", deadline
        left = ends_at - now
        attempts = attempts or Attempts()
        call = _Call(request, stats, name, asyncio.get_running_loop().time() + left, attempts)
        # Without time left nothing is sent; the limit itself would act a request later.
        if left <= 0:
            raise self._over(call)
        try:
            return await with_retries(
                lambda: self._attempt(call, decode, reconcile),
                self.policy,
                subject=request.subject,
                attempts=attempts,
                stats=stats,
                time_left=lambda: ends_at - self.clock.monotonic(),
                sleep=lambda seconds: self._back_off(call, seconds),
                is_write=reconcile is not None,
            )
        except (VideoSDKTranscriptsError, asyncio.CancelledError) as error:
            # What the frames held is forgotten: those of aiohttp hold headers and the proxy, and
            # ours rows, which a traceback with locals shows. Where it happened is kept. What a
            # caller's own function raises is left whole.
            traceback.clear_frames(error.__traceback__)
            raise

    async def _attempt(
        self,
        call: _Call,
        decode: Callable[[Response], Awaitable[T]],
        reconcile: Callable[[], Awaitable[T | None]] | None,
    ) -> T:
        if reconcile is not None and call.attempts.in_doubt:
            found = await reconcile()
            if found is not None:
                return found
            call.attempts.in_doubt = False
        resources = await self.sessions.open()
        patience = self.policy.attempt_timeout
        # One timer for both limits, which begins with the sooner one: later is for nothing.
        with self.sessions.limit(min(call.ends_at, resources.loop.time() + patience)) as limit:
            # Waiting for a slot is no part of the attempt: the service is not to blame for it.
            limit.reschedule(call.ends_at)
            call.attempts.waiting_for = "a slot (max_in_flight)"
            # Not `async with`, whose two coroutines would do no more than these two calls.
            await resources.semaphore.acquire()
            try:
                limit.reschedule(min(call.ends_at, resources.loop.time() + patience))
                answer, hint = await self._ask(resources.session, call, limit)
            finally:
                resources.semaphore.release()
            limit.reschedule(call.ends_at)
            check_status(answer, call.request, now=self.clock.time(), hint=hint)
            return await decode(answer)
        raise self._ended(call, limit)

    async def _back_off(self, call: _Call, seconds: float) -> None:
        with self.sessions.limit(call.ends_at) as limit:
            return await self.clock.sleep(seconds)
        raise self._ended(call, limit)

    def _ended(self, call: _Call, limit: Timeout) -> VideoSDKTranscriptsError:
        """Tell which of its ends a limit has come to."""
        if limit.aborted:
            return self.sessions.closed_error()
        if limit.ends_at >= call.ends_at:
            return self._over(call)
        missing = call.attempts.waiting_for or "whole answer"
        return TimedOutError(
            f"{call.tried}: no {missing} within the attempt_timeout of "
            f"{self.policy.attempt_timeout:g} s"
        )

    def _over(self, call: _Call) -> TimedOutError:
        attempts = call.attempts
        attempts.deadline_passed = True
        return TimedOutError(
            f"{call.tried}: the {call.deadline} passed {attempts}; allow more time, or go on later",
            attempts=attempts.count,
        )

    async def _ask(
        self, session: aiohttp.ClientSession, call: _Call, limit: Timeout
    ) -> tuple[Response, str]:
        token = await self._token_and_turn(call, limit)
        answer = await self._send(session, call, token)
        if answer.status == 401 and self._tokens.invalidate(token):
            call.stats.retries += 1
            token = await self._token_and_turn(call, limit)
            answer = await self._send(session, call, token)
        return answer, self._explain_refusal(answer, token) if answer.status == 401 else ""

    async def _token_and_turn(self, call: _Call, limit: Timeout) -> Secret:
        """Get the token first: turns that were taken before it would leave in a burst."""
        attempts = call.attempts
        attempts.waiting_for = "token"
        token = await self._tokens.get()
        # A token callable that swallowed its cancellation has had its time all the same.
        limit.raise_if_expired()
        if self._pace.is_set:
            attempts.waiting_for = "its turn (requests_per_second)"
            # Waiting for a turn is no part of the attempt either.
            left = limit.ends_at - limit.loop.time()
            limit.reschedule(call.ends_at)
            await self._pace.acquire()
            limit.reschedule(min(call.ends_at, limit.loop.time() + left))
        attempts.waiting_for = ""
        return token

    async def _send(self, session: aiohttp.ClientSession, call: _Call, token: Secret) -> Response:
        if self._is_closed(session):
            raise self.sessions.closed_error()
        call.stats.requests += 1
        before = _cancellations()
        headers = {
            "Authorization": token,
            "Accept": "application/json",
            "User-Agent": _user_agent(),
        }
        body = None
        if call.request.body is not None:
            body = Body(call.request.body, call.attempts)
            headers |= body.headers
        proxy = self._proxy
        to_proxy: Mapping[str, str] = {} if proxy is None else proxy.authorization
        if not self.endpoint.startswith("https:"):
            # Without a tunnel the proxy reads the request itself. aiohttp sends the headers
            # for a proxy to open a tunnel, and only then.
            headers |= to_proxy
        try:
            async with session.request(
                call.request.method,
                self._url(call.request.target),
                headers=headers,
                data=body,
                allow_redirects=False,
                raise_for_status=False,
                timeout=_NO_TIMEOUT,
                proxy=None if proxy is None else proxy.url,
                proxy_headers=to_proxy,
                ssl=self._connection.ssl,
            ) as response:
                # Counted before its body is read, which may break off.
                call.stats.throttled += response.status in THROTTLING_STATUSES
                if body is not None:
                    body.answered(response.status)
                return Response(
                    response.status,
                    response.headers,
                    await self._read(response, call),
                    (token, *self._tokens.secrets, *(proxy.secrets if proxy else ())),
                )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure: VideoSDKTranscriptsError
            if self._is_closed(session):
                failure = self.sessions.closed_error()
            else:
                failure = self._translated(error, call)
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
        # `urlsplit` remembers the endpoint; yarl would take a whole URL apart each time.
        base = urlsplit(self.endpoint)
        path, _, query = target.partition("?")
        return URL.build(
            scheme=base.scheme,
            authority=base.netloc,
            path=base.path + path,
            query_string=query,
            encoded=True,
        )

    def _translated(self, error: Exception, call: _Call) -> VideoSDKTranscriptsError:
        return translate(
            error,
            tried=call.tried,
            host=urlsplit(self.endpoint).netloc,
            through_proxy=self._proxy is not None,
        )

    def _is_closed(self, session: aiohttp.ClientSession) -> bool:
        return self.sessions.is_closed or session.closed

    async def _read(self, response: aiohttp.ClientResponse, call: _Call) -> bytes:
        chunks: list[bytes] = []
        size = 0
        content = response.content
        # Asked first: most bodies come whole, and a last read that waits for nothing costs one.
        while not content.at_eof():
            chunk = await content.readany()
            chunks.append(chunk)
            size += len(chunk)
            if size > self._max_response_bytes:
                raise ResponseTooLargeError(
                    f"{call.tried}: the answer is larger than "
                    f"{self._max_response_bytes} bytes; ask for smaller pages, or raise "
                    "max_response_bytes",
                    status=response.status,
                )
        return b"".join(chunks)

    def _explain_refusal(self, answer: Response, token: Secret) -> str:
        now = self.clock.time()
        return explain_clock(answer, now) or explain_refusal(token, now) or ""


def _cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0


@cache
def _user_agent() -> str:
    # Imported here, since it is the slowest of all that this package would add to its libraries.
    from importlib.metadata import version

    return f"videosdk-transcripts/{version('videosdk-transcripts')} aiohttp/{aiohttp.__version__}"
