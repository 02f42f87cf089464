"""
Send the requests of the API: token, pace, headers, size limit (P9, P10).

`retry.Runner` decides when a request is sent. This file sends it, and returns the result of the
caller's `decode` for the whole response. The token goes to the configured endpoint only, and no
redirect is followed.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from videosdk_transcripts._api.protocol import (
    JsonLoads,
    Request,
    Response,
    check_status,
    explain_clock,
    load_json,
    refuses_token,
)
from videosdk_transcripts._clock import Clock
from videosdk_transcripts._redact import Secret
from videosdk_transcripts._version import __version__
from videosdk_transcripts.auth import TokenSource, explain_refusal
from videosdk_transcripts.errors import (
    ConnectionFailedError,
    InvalidResponseError,
    ResponseTooLargeError,
)
from videosdk_transcripts.models import WalkStats

from .aiohttp_errors import Translation, proxy_refused
from .encoding import ACCEPTED, BodyDecoder
from .rate_limit import Pace
from .request_queue import Due
from .retry import THROTTLING_STATUSES, Attempt, Attempts, RetryPolicy, Runner, leaves_in_doubt
from .session import NO_TIMEOUT, ConnectionOptions, Sessions
from .throttle import Throttle

logger = logging.getLogger("videosdk_transcripts")

T = TypeVar("T")

_PROXY_REFUSED: Final = 407
_USER_AGENT: Final = f"videosdk-transcripts/{__version__} aiohttp/{aiohttp.__version__}"


class Transport:
    """
    Send requests of the API with as many attempts as the policy allows.

    Args:
        endpoint: the base URL of the API.
        tokens: provides the token.
        policy: attempts and time limits.
        connection: how to connect.
        max_response_bytes: maximum decoded size of one response.
        pace: the pace of all requests.
        clock: the source of time and waits.
        json_loads: decodes the body of a successful response.
    """

    def __init__(
        self,
        endpoint: str,
        tokens: TokenSource,
        policy: RetryPolicy,
        connection: ConnectionOptions,
        *,
        max_response_bytes: int,
        pace: Pace,
        clock: Clock,
        json_loads: JsonLoads = load_json,
    ) -> None:
        self.endpoint = endpoint
        self.policy = policy
        self.clock = clock
        throttle = Throttle(pace, policy.wait_initial, clock=clock)
        self.sessions = Sessions(connection, throttle)
        self._runner = Runner(self.sessions, policy, clock, throttle)
        self._tokens = tokens
        self._ssl = connection.ssl
        self._proxy = connection.proxies.proxy_for(endpoint)
        self._proxy_advice = connection.proxy_advice(endpoint)
        self._max_response_bytes = max_response_bytes
        self._json_loads = json_loads
        # The parts that all requests have in common.
        self._base = urlsplit(endpoint)
        self._headers: dict[str, str] = {
            "Accept": "application/json",
            "Accept-Encoding": ACCEPTED,
            "User-Agent": _USER_AGENT,
        }
        self._headers_for_proxy: Mapping[str, str] = {}
        if self._proxy is not None:
            self._headers_for_proxy = self._proxy.authorization
            if self._base.scheme != "https":
                # Added to each request, because aiohttp sends the headers for a proxy only when it
                # opens a tunnel.
                self._headers |= self._headers_for_proxy

    async def fetch(
        self,
        request: Request,
        decode: Callable[[Response], Awaitable[T]],
        *,
        stats: WalkStats,
        deadline: float | None = None,
        due: Due | None = None,
        reconcile: Callable[[], Awaitable[T | None]] | None = None,
        attempts: Attempts | None = None,
    ) -> T:
        """
        Send a request as often as the policy allows, until its response can be decoded.

        Args:
            request: what to send.
            decode: turns a successful response into data; its error may cause another attempt.
            stats: counts requests and retries.
            deadline: when the whole walk must have ended, by the client's clock.
            due: None if the result is due, otherwise resolved when it becomes due.
            reconcile: for a write: returns its result if it was applied, or None if it must be
                sent again. Called before each repetition of a write that is in doubt.
            attempts: records what was tried, for the caller of a write.

        Raises:
            VideoSDKTranscriptsError: the last failure.
        """

        async def send(attempt: Attempt) -> T:
            token, response = await self._send_with_token(request, attempt)
            attempt.response_received()
            if response.status != 200:
                hint = self._explain_refusal(response, token) if refuses_token(response) else ""
                check_status(response, request, now=self.clock.time(), hint=hint)
            return await decode(response)

        return await self._runner.run(
            f"{request.method} {request.subject}",
            send,
            stats=stats,
            attempts=attempts,
            deadline=deadline,
            due=due,
            reconcile=reconcile,
        )

    async def _send_with_token(self, request: Request, attempt: Attempt) -> tuple[Secret, Response]:
        """Send a request, and once more with a new token if the service refuses the first."""
        token = await self._token(attempt)
        response = await self._send(request, attempt, token)
        if refuses_token(response) and self._tokens.invalidate(token):
            attempt.call.stats.retries += 1
            logger.info(
                "%s: the token was rejected, retrying with a new one",
                attempt.call.what,
                extra={"status": response.status},
            )
            token = await self._token(attempt)
            response = await self._send(request, attempt, token)
        return token, response

    async def _token(self, attempt: Attempt) -> Secret:
        """Return the token as soon as the request may be sent."""
        # The token comes first: requests that wait for it after they got their turns would be
        # sent in a burst.
        token = await self._get_token(attempt)
        if await attempt.admit():
            # The token may have expired while the request waited.
            token = await self._get_token(attempt)
        return token

    async def _get_token(self, attempt: Attempt) -> Secret:
        attempt.call.attempts.waiting_for = "the token"
        token = await self._tokens.get()
        # The time is over even if the token callable swallowed the cancellation.
        attempt.timeout.raise_if_expired()
        attempt.call.attempts.waiting_for = ""
        return token

    async def _send(self, request: Request, attempt: Attempt, token: Secret) -> Response:
        """Send one request and read the whole response, whatever its status."""
        call, session, proxy = attempt.call, attempt.session, self._proxy
        closed = self.sessions.error_if_closed(session)
        if closed is not None:
            raise closed
        call.stats.requests += 1
        began = log_attempt(attempt)
        headers = {"Authorization": token, **self._headers, **request.headers}
        body = None
        if request.body is not None:
            body = _Body(request.body, call.attempts)
            headers |= body.headers
        with Translation(
            call.what,
            self._base.netloc,
            self.sessions,
            session,
            through_proxy=proxy is not None,
            advice=self._proxy_advice,
        ) as translation:
            async with session.request(
                request.method,
                self._url(request.target),
                headers=headers,
                data=body,
                allow_redirects=False,
                auto_decompress=False,
                raise_for_status=False,
                timeout=NO_TIMEOUT,
                proxy=None if proxy is None else proxy.url,
                proxy_headers=self._headers_for_proxy,
                ssl=self._ssl,
            ) as response:
                log_response(attempt, response.status, began)
                # Counted before the body is read, because reading it may fail.
                call.stats.throttled += response.status in THROTTLING_STATUSES
                if body is not None:
                    call.attempts.in_doubt = leaves_in_doubt(response.status)
                if response.status == _PROXY_REFUSED:
                    # The response of a proxy without a tunnel. With a tunnel, aiohttp raises an
                    # error.
                    raise ConnectionFailedError(f"{call.what}: {proxy_refused(_PROXY_REFUSED)}")
                secrets = (token, *self._tokens.secrets, *(proxy.secrets if proxy else ()))
                body_read = await self._read(response, call.what, secrets)
                return Response(
                    response.status, response.headers, body_read, secrets, self._json_loads
                )
        raise translation.error

    async def _read(
        self, response: aiohttp.ClientResponse, what: str, secrets: tuple[Secret, ...]
    ) -> bytes:
        """Read and decode a body, or return an empty one for an error that can't be decoded."""
        chunks: list[bytes] = []
        decoder: BodyDecoder | None = None
        try:
            if "Content-Encoding" in response.headers:
                decoder = BodyDecoder(
                    ", ".join(response.headers.getall("Content-Encoding")),
                    subject=f"{what}: the response of {self._base.netloc}",
                    status=response.status,
                    secrets=secrets,
                )
            await read_body(
                response,
                chunks.append,
                what=what,
                limit=self._max_response_bytes,
                advice="request smaller pages, or raise max_response_bytes",
                decode=decoder.decode if decoder else _not_encoded,
            )
            if decoder and chunks:
                decoder.check_end()
        except ResponseTooLargeError:
            raise
        except InvalidResponseError:
            # The status of an error is sufficient without its body.
            if 200 <= response.status < 300:
                raise
            return b""
        return b"".join(chunks)

    def _url(self, target: str) -> URL:
        # Built from parts, because yarl would parse a whole URL each time.
        base = self._base
        path, _, query = target.partition("?")
        return URL.build(
            scheme=base.scheme,
            authority=base.netloc,
            path=base.path + path,
            query_string=query,
            encoded=True,
        )

    def _explain_refusal(self, response: Response, token: Secret) -> str:
        now = self.clock.time()
        return explain_clock(response, now) or explain_refusal(token, now) or ""


def log_attempt(attempt: Attempt) -> float:
    """Log that a request is sent, and return when, by the clock of the loop."""
    number = attempt.call.attempts.count
    logger.debug("%s: attempt %d", attempt.call.what, number, extra={"attempt": number})
    return attempt.timeout.loop.time()


def log_response(attempt: Attempt, status: int, began: float) -> None:
    """Log the status of a response before its body is read."""
    seconds = attempt.timeout.loop.time() - began
    logger.debug(
        "%s: status %d after %.2f s",
        attempt.call.what,
        status,
        seconds,
        extra={"status": status, "seconds": seconds},
    )


def _not_encoded(data: bytes) -> Iterable[bytes]:
    """Return a part of a body without a content encoding, as `BodyDecoder.decode` would."""
    return (data,)


class _Body:
    """
    Provide the body of a write, and record when it is sent.

    aiohttp reads it only once it has a connection. So a write whose body was never read can't have
    been applied, whatever failed.
    """

    def __init__(self, content: bytes, attempts: Attempts) -> None:
        self._content = [content]
        self._attempts = attempts
        self.headers = {
            "Content-Type": "application/json",
            # Without it, an iterable body is sent in chunks.
            "Content-Length": str(len(content)),
        }

    # Not a generator, because asyncio closes an unfinished generator in a separate task.
    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._content:
            raise StopAsyncIteration
        self._attempts.in_doubt = True
        return self._content.pop()


async def read_body(
    response: aiohttp.ClientResponse,
    take: Callable[[bytes], Awaitable[None] | None],
    *,
    what: str,
    limit: int,
    advice: str,
    decode: Callable[[bytes], Iterable[bytes]],
) -> None:
    """
    Read a body up to a limit.

    Args:
        response: the response, whose body has not been read.
        take: receives each chunk; may return an awaitable.
        what: what was requested, for errors.
        limit: the maximum decoded size in bytes.
        advice: what to do about a larger body, for the error.
        decode: decodes a part of the body in small chunks.

    Raises:
        ResponseTooLargeError: the decoded body is larger. Reading stops there.
    """
    content = response.content
    size = 0
    # Checked before each read: most bodies arrive at once, and a final empty read would cost time.
    while not content.at_eof():
        for chunk in decode(await content.readany()):
            size += len(chunk)
            if size > limit:
                raise ResponseTooLargeError(
                    f"{what}: the response is larger than {limit} bytes; {advice}",
                    status=response.status,
                )
            taken = take(chunk)
            if taken is not None:
                await taken
