"""P5, P6, P10 and P14 over real sockets: one request, and what can happen to it."""

import asyncio
import contextlib
import gzip
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import jwt
import pytest
import uvloop

from videosdk_transcripts import (
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    Clock,
    ConfigurationError,
    ConnectionFailedError,
    InvalidResponseError,
    PermissionDeniedError,
    RateLimitedError,
    ResponseTooLargeError,
    RetryPolicy,
    ServerError,
    TimedOutError,
    TranscriptsClient,
    VideoSDKTranscriptsError,
)
from videosdk_transcripts.testing import (
    Body,
    CutBody,
    Delay,
    DropConnection,
    FakeVideoSDK,
    HtmlPage,
    Status,
)

from ..conftest import ManualClock, read_request, tcp, until

ONCE = RetryPolicy(attempts=1)


async def failure(endpoint: str, **options: Any) -> VideoSDKTranscriptsError:
    """Return the error of one call."""
    settings = {"token": "t", "retry": ONCE} | options
    async with TranscriptsClient(endpoint=endpoint, **settings) as client:
        with pytest.raises(VideoSDKTranscriptsError) as caught:
            await client.get_page()
    return caught.value


# Requests.


async def test_request_headers(fake: FakeVideoSDK) -> None:
    """They are the token without a prefix, JSON in Accept, and a User-Agent with versions."""
    token = jwt.encode({"apikey": fake.api_key, "version": 2, "exp": 4_000_000_000}, fake.secret)
    async with fake.client(token=token) as client:
        await client.get_page("r", "s")
    (seen,) = fake.requests
    assert (seen.method, seen.path) == ("GET", "/ai/v1/realtime-transcriptions/")
    assert seen.headers["Authorization"] == token
    assert seen.headers["Accept"] == "application/json"
    assert seen.headers["User-Agent"].startswith("videosdk-transcripts/0.1.0 aiohttp/3.")
    assert "Cookie" not in seen.headers
    # Cached pages of different ages would contradict each other.
    assert seen.headers["Cache-Control"] == "no-cache"


# Faults.


@pytest.mark.parametrize(
    "fault",
    [
        Status(408),
        Status(429, {"Retry-After": "1"}),
        Status(500),
        Status(502),
        Status(503),
        Status(504),
        CutBody(),
        CutBody(0),
        HtmlPage(),
        Body(b""),
        Body(b"{"),
        Body(b'{"pageInfo": {}}'),
        Body(b'{"success": false}'),
    ],
)
async def test_read_recovers_from_fault(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock, fault: Any
) -> None:
    """Two failures in a row; the third attempt returns the page."""
    fake.add_transcription()
    fake.fail_next(fault, times=2)
    assert len((await client.get_page()).items) == 1
    assert (len(fake.requests), len(clock.slept)) == (3, 2)


async def test_throttling_responses_are_counted(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Only 429 and 503 count, whether retried or raised."""
    fake.add_transcription()
    pager = client.iter_transcriptions()
    fake.fail_next(Status(429), Status(503), Status(500))
    with pytest.raises(ServerError):
        await anext(pager)
    assert (pager.stats.throttled, pager.stats.requests, pager.stats.retries) == (2, 3, 2)
    fake.fail_next(Status(503, {"Retry-After": "3600"}), Status(502), Status(429))
    with pytest.raises(ServerError):
        await anext(pager)
    await anext(pager)
    assert (pager.stats.throttled, pager.stats.requests, pager.stats.retries) == (4, 7, 4)


async def test_throttling_response_with_broken_body_is_counted() -> None:
    """The status arrived before the body was truncated."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 9\r\n\r\n{")

    async with tcp(talk) as url, TranscriptsClient(endpoint=url, token="t", retry=ONCE) as client:
        pager = client.iter_transcriptions()
        with pytest.raises(InvalidResponseError, match="truncated"):
            await anext(pager)
        assert pager.stats.throttled == 1


@pytest.mark.parametrize(
    ("fault", "error_class", "text"),
    [
        (Status(400), "BadRequestError", "responded with 400, injected failure"),
        (Status(403), "PermissionDeniedError", "role crawler"),
        (Status(402), "NotFoundError", "check the room id"),
        (Status(404), "NotFoundError", "check the id"),
        (Status(406), "ServerError", "responded with 406"),
        (Status(409), "ConflictError", "responded with 409"),
        (Status(422), "BadRequestError", "responded with 422"),
        (Status(418), "StatusError", "responded with 418"),
        (Status(500), "ServerError", "responded with 500"),
        (Status(429), "RateLimitedError", "send fewer requests"),
        (CutBody(), "InvalidResponseError", "has a truncated body"),
        (HtmlPage(), "InvalidResponseError", "a proxy or a gateway"),
        (Body(b""), "InvalidResponseError", "and no body"),
    ],
)
async def test_persistent_fault_raises_typed_error(
    fake: FakeVideoSDK, client: TranscriptsClient, fault: Any, error_class: str, text: str
) -> None:
    """It names the request and the number of attempts."""
    fake.every(1, fault)
    with pytest.raises(VideoSDKTranscriptsError, match=text) as caught:
        await client.get_page("room-1")
    error = caught.value
    assert error_class == type(error).__name__
    assert "GET page 1 of the transcriptions of room room-1" in str(error)
    assert error.attempts == len(fake.requests)
    assert (error.__cause__, error.__context__) == (None, None)


async def test_dropped_connection_is_retried(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """If it persists, it is a ConnectionFailedError."""
    fake.fail_next(DropConnection())
    assert (await client.get_page()).items == ()
    fake.every(1, DropConnection())
    with pytest.raises(ConnectionFailedError, match="was lost before a response arrived"):
        await client.get_page()


async def test_refused_connection() -> None:
    """Nothing listens on the port."""
    async with tcp(lambda _r, _w: asyncio.sleep(0)) as url:
        pass
    error = await failure(url)
    assert isinstance(error, ConnectionFailedError)
    assert f"can't connect to {url.removeprefix('http://')}" in str(error)


async def test_unresolvable_host() -> None:
    """The error names the host."""
    error = await failure("http://no-such-host.invalid")
    assert isinstance(error, ConnectionFailedError)
    assert "no-such-host.invalid can't be resolved" in str(error)


@pytest.mark.parametrize("name", ["api..videosdk.live", f"{'a' * 64}.videosdk.live"])
async def test_invalid_host_name(name: str) -> None:
    """No attempt can succeed; the name is that of the endpoint or of the proxy."""
    for endpoint, options, text in (
        (f"https://{name}", {}, f"the name of {name} is invalid"),
        ("http://api.videosdk.live", {"proxy": f"http://{name}"}, "the name of the proxy is inv"),
    ):
        error = await failure(endpoint, **options)
        assert isinstance(error, ConfigurationError)
        assert text in str(error)


async def test_server_without_tls() -> None:
    """An https endpoint that does not speak TLS."""

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")

    async with tcp(talk) as url:
        error = await failure(url.replace("http:", "https:"))
    assert isinstance(error, ConnectionFailedError)
    assert "verify the TLS certificate" in str(error)


@pytest.mark.parametrize(
    ("response", "flaw"),
    [
        (b"\x00\x01garbage\r\n\r\n", "is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX-A: %b\r\n\r\n" % (b"q" * 9000), "has a header of more than 8190"),
        (b"HTTP/1.1 200 OK\r\nX-%b: 1\r\n\r\n" % (b"q" * 9000), "has a header of more than 8190"),
        (b"HTTP/1.1 200 OK\r\n%b\r\n" % (b"X-A: 1\r\n" * 500), "has too many headers"),
    ],
    ids=["garbage", "long value", "long name", "many"],
)
async def test_response_that_the_parser_refuses(response: bytes, flaw: str) -> None:
    """A 400 of aiohttp's parser is not a status of the service; no part of a header is shown."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(response)

    async with tcp(talk) as url:
        error = await failure(url)
    assert isinstance(error, InvalidResponseError)
    assert error.status is None
    assert flaw in str(error)
    assert "qqq" not in str(error)


async def test_refusing_proxy_is_named_as_cause() -> None:
    """The error names the proxy, not the service."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    async with tcp(talk) as url:
        error = await failure("https://api.videosdk.live", proxy=url)
    assert isinstance(error, ConnectionFailedError)
    assert "the proxy responded with 407" in str(error)


async def test_missing_proxy_is_named_as_cause() -> None:
    """The error names the proxy, not the service."""
    async with tcp(lambda _r, _w: asyncio.sleep(0)) as url:
        pass
    for proxy, text in (
        (url, "can't connect to the proxy"),
        ("http://no-such-host.invalid:1", "the name of the proxy can't be resolved"),
    ):
        error = await failure("http://api.videosdk.live", proxy=proxy)
        assert isinstance(error, ConnectionFailedError)
        assert text in str(error)


@pytest.mark.parametrize("proxy", ["localhost:3128", "socks5://127.0.0.1:1", "http://", ""])
def test_invalid_proxy_is_rejected_by_constructor(proxy: str) -> None:
    """Nothing has been sent by then."""
    with pytest.raises(ConfigurationError, match=r"proxy must look like http://proxy\.example"):
        TranscriptsClient(token="t", proxy=proxy)


# Timeouts and caps.


async def test_attempt_timeout_includes_body() -> None:
    """A body that arrives byte by byte does not extend the timeout."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    loop = asyncio.get_running_loop()
    async with tcp(talk) as url:
        began = loop.time()
        error = await failure(
            url, retry=RetryPolicy(attempts=2, attempt_timeout=0.1, wait_initial=0)
        )
        took = loop.time() - began
    assert isinstance(error, TimedOutError)
    assert "timed out: attempt_timeout of 0.1 s while waiting for the whole response" in str(error)
    assert error.attempts == 2
    assert 0.2 <= took < 10


async def test_page_timeout_includes_all_attempts(fake: FakeVideoSDK) -> None:
    """The error names the timeout, the attempt and the last failure."""
    fake.fail_next(Status(503), Delay(30))
    async with fake.client(retry=RetryPolicy(page_timeout=0.5, wait_initial=0)) as client:
        with pytest.raises(TimedOutError) as caught:
            await client.get_page()
    text = "timed out: page_timeout on attempt 2 (last error: the service responded with 503"
    assert text in str(caught.value)
    assert caught.value.attempts == 2
    assert caught.value.__context__ is None


async def test_attempt_timeout_excludes_waiting_for_slot(fake: FakeVideoSDK) -> None:
    """With one slot, requests are late, but none fails."""
    fake.every(1, Delay(0.4))
    policy = RetryPolicy(attempts=1, attempt_timeout=1.6)
    async with fake.client(max_in_flight=1, retry=policy) as client:
        await asyncio.gather(*(client.count() for _ in range(5)))
    assert (len(fake.requests), fake.most_in_flight) == (5, 1)


async def test_max_in_flight_is_shared_by_all_walks(fake: FakeVideoSDK) -> None:
    """Many walks of one client never exceed the cap, and use it fully."""
    fake.add_transcriptions(30)
    fake.every(1, Delay(0.01))

    async def walk(client: TranscriptsClient) -> int:
        return len([t async for t in client.iter_transcriptions(page_size=10)])

    async with fake.client(max_in_flight=3) as client:
        assert await asyncio.gather(*(walk(client) for _ in range(10))) == [30] * 10
    assert fake.most_in_flight == 3


@pytest.mark.parametrize("zipped", [True, False])
async def test_size_cap_applies_to_decoded_body(zipped: bool) -> None:
    """A small gzip body that decodes to a large one is refused."""
    body = b" " * 5_000_000
    packed = gzip.compress(body) if zipped else body

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        encoding = b"Content-Encoding: gzip\r\n" if zipped else b""
        head = b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n"
        writer.write(head % (encoding, len(packed)) + packed)

    async with tcp(talk) as url:
        error = await failure(url, max_response_bytes=1_000_000, retry=RetryPolicy())
    assert isinstance(error, ResponseTooLargeError)
    assert (error.attempts, error.status) == (1, 200)
    assert "larger than 1000000 bytes" in str(error)


# Tokens.


class Tokens:
    """Return these tokens one after another, and then always the last one."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.asked = 0

    async def __call__(self) -> str:
        self.asked += 1
        return self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]


def good(fake: FakeVideoSDK) -> str:
    """Return a token that the fake accepts."""
    claims = {"apikey": fake.api_key, "version": 2, "exp": 4_000_000_000}
    return jwt.encode(claims, fake.secret)


@pytest.mark.parametrize("status", [400, 401])
async def test_rejected_token_is_renewed_once(
    fake: FakeVideoSDK, clock: ManualClock, status: Any
) -> None:
    """The request is sent again immediately, and is counted."""
    fake.token_status = status
    tokens = Tokens("stale", good(fake))
    fake.add_transcription()
    async with fake.client(token=tokens, clock=Clock(sleep=clock.sleep)) as client:
        pager = client.iter_transcriptions()
        assert len([t async for t in pager]) == 1
    assert (tokens.asked, len(fake.requests), clock.slept) == (2, 2, [])
    assert (pager.stats.requests, pager.stats.retries) == (2, 1)


@pytest.mark.parametrize("shape", ["message", "nested"])
@pytest.mark.parametrize("status", [400, 401])
async def test_token_rejected_twice_raises(fake: FakeVideoSDK, status: Any, shape: Any) -> None:
    """There is no third request."""
    fake.token_status, fake.error_shape = status, shape
    tokens = Tokens("stale")
    async with fake.client(token=tokens) as client:
        with pytest.raises(AuthenticationError, match="check the key and the secret, or the token"):
            await client.get_page()
    assert (tokens.asked, len(fake.requests)) == (2, 2)


@pytest.mark.parametrize("status", [400, 401])
async def test_expired_ready_token_is_named_as_cause(fake: FakeVideoSDK, status: Any) -> None:
    """The token can't be renewed, so there is only one request."""
    fake.token_status = status
    old = jwt.encode({"apikey": fake.api_key, "exp": 1_600_000_000}, fake.secret)
    async with fake.client(token=old) as client:
        with pytest.raises(AuthenticationError, match="the token expired at 2020-09-13T12:26:40"):
            await client.get_page()
    assert len(fake.requests) == 1


@pytest.mark.parametrize(("ahead", "where"), [(7200, "ahead of"), (-7200, "behind")])
@pytest.mark.parametrize("status", [400, 401])
async def test_clock_skew_is_named_as_cause(
    fake: FakeVideoSDK, ahead: float, where: str, status: Any
) -> None:
    """The service's Date header shows the skew."""
    fake.token_status = status
    shifted = (datetime.now(UTC) + timedelta(seconds=ahead)).timestamp()
    token = Tokens("stale")
    async with fake.client(token=token, clock=Clock(time=lambda: shifted)) as client:
        with pytest.raises(AuthenticationError, match=rf"clock is 7\d\d\d s {where}"):
            await client.get_page()


async def test_other_400_renews_no_token(fake: FakeVideoSDK) -> None:
    """4003 is an invalid meeting id."""
    fake.every(1, Status(400, message="meetingId is invalid", code=4003))
    tokens = Tokens(good(fake))
    async with fake.client(token=tokens) as client:
        with pytest.raises(BadRequestError, match="meetingId is invalid"):
            await client.get_page()
    assert (tokens.asked, len(fake.requests)) == (1, 1)


async def test_forbidden_role_renews_no_token(fake: FakeVideoSDK) -> None:
    """After a 403, the token is kept, because it is genuine."""
    claims = {"apikey": fake.api_key, "version": 2, "roles": ["rtc"], "exp": 4_000_000_000}
    tokens = Tokens(jwt.encode(claims, fake.secret))
    async with fake.client(token=tokens) as client:
        with pytest.raises(PermissionDeniedError, match="Role of the token is not crawler"):
            await client.get_page()
    assert tokens.asked == 1


async def test_error_of_token_callable_is_passed_on(fake: FakeVideoSDK) -> None:
    """This includes a TimeoutError, which is not one of our timeouts."""

    async def provider() -> str:
        raise TimeoutError("vault")

    async with fake.client(token=provider) as client:
        with pytest.raises(TimeoutError, match="vault") as caught:
            await client.get_page()
    assert not isinstance(caught.value, VideoSDKTranscriptsError)
    assert fake.requests == []


# Sessions.


async def test_given_session_is_used_and_never_closed(fake: FakeVideoSDK) -> None:
    """The session's own timeout and raise_for_status do not apply."""
    async with aiohttp.ClientSession(
        raise_for_status=True, timeout=aiohttp.ClientTimeout(total=0.05)
    ) as session:
        async with fake.client(session=session) as client:
            fake.fail_next(Delay(0.1))
            await client.get_page()
            fake.fail_next(Status(404))
            with pytest.raises(VideoSDKTranscriptsError, match="404, injected failure"):
                await client.get_page()
        assert not session.closed
    async with fake.client(session=session) as client:
        with pytest.raises(ClientClosedError, match="client or its session is closed"):
            await client.get_page()


@pytest.mark.parametrize("limit", ["limit", "limit_per_host"])
async def test_connections_of_a_given_session_bound_what_is_in_flight(
    fake: FakeVideoSDK, limit: str
) -> None:
    """Requests wait in the client's queue, without a timeout, and not in aiohttp."""
    fake.every(1, Delay(0.1))
    policy = RetryPolicy(attempts=1, page_timeout=0.8)
    connector = aiohttp.TCPConnector(**{limit: 1})
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        fake.client(session=session, retry=policy) as client,
    ):
        assert await asyncio.gather(*(client.count() for _ in range(10))) == [0] * 10
    assert fake.most_in_flight == 1


async def test_session_options_with_given_session_are_rejected() -> None:
    """An option without effect is an error."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ConfigurationError, match="pass trace_configs to the session"):
            TranscriptsClient(token="t", session=session, trace_configs=[aiohttp.TraceConfig()])


async def test_trace_configs_pass_through(fake: FakeVideoSDK) -> None:
    """The hooks of aiohttp are called for each attempt."""
    seen = []

    async def note(_session: object, _context: object, params: Any) -> None:
        seen.append(str(params.url))

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(note)
    fake.fail_next(Status(503))
    async with fake.client(trace_configs=[trace], retry=RetryPolicy(wait_initial=0)) as client:
        await client.get_page()
    assert len(seen) == 2


async def test_ssl_context_passes_through(fake: FakeVideoSDK) -> None:
    """The caller's context is used."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_3

    hello: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        hello.append(await reader.read(2000))

    async with tcp(talk) as url:
        await failure(url.replace("http:", "https:"), ssl=context)
    # A client that offers only TLS 1.3 lists no other version in supported_versions.
    assert b"\x00\x2b\x00\x03\x02\x03\x04" in hello[0]


def test_client_works_in_consecutive_loops() -> None:
    """It is created outside any loop and never closed, and no loop ends with a warning."""
    client: list[TranscriptsClient] = []

    async def use() -> int:
        async with FakeVideoSDK() as fake:
            fake.add_transcriptions(3)
            if not client:
                client.append(fake.client())
            client[0]._transport._base = urlsplit(fake.url)
            return len([t async for t in client[0].iter_transcriptions()])

    assert [asyncio.run(use(), debug=True) for _ in range(2)] == [3, 3]


async def test_closed_client_raises_and_can_be_reopened(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Closing twice is harmless."""
    await client.get_page()
    await client.aclose()
    await client.aclose()
    assert "closed" in repr(client)
    with pytest.raises(ClientClosedError, match="the client is closed"):
        await client.get_page()
    async with client:
        assert (await client.get_page()).items == ()
        assert repr(client) == f"<TranscriptsClient {fake.url} open>"


async def test_client_is_closed_when_the_last_task_leaves_it(fake: FakeVideoSDK) -> None:
    """Tasks that enter one client do not close it for each other."""
    fake.add_transcriptions(60)
    client = fake.client()

    async def work(rows: int) -> int:
        async with client:
            return len([t async for t in client.iter_transcriptions(limit=rows)])

    assert await asyncio.gather(work(1), work(60), work(30)) == [1, 60, 30]
    assert "closed" in repr(client)
    async with client:
        assert await work(2) == 2
        assert await client.count() == 60
    with pytest.raises(ClientClosedError):
        await client.count()


async def test_aclose_closes_a_client_that_tasks_have_entered(fake: FakeVideoSDK) -> None:
    """Leaving it afterwards does not close it for those that have entered it since."""
    client = fake.client()
    async with contextlib.AsyncExitStack() as later:
        async with client:
            await client.aclose()
            with pytest.raises(ClientClosedError):
                await client.count()
            await later.enter_async_context(client)
        assert await client.count() == 0
    assert "closed" in repr(client)


async def test_client_on_an_exit_stack_is_closed_without_being_entered(fake: FakeVideoSDK) -> None:
    """Two tasks can enter it afterwards."""
    async with contextlib.AsyncExitStack() as stack:
        client = fake.client()
        stack.push_async_exit(client)
        assert await client.count() == 0
    assert "closed" in repr(client)
    async with client:
        async with client:
            pass
        assert await client.count() == 0


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_client_stays_open_after_shutdown_of_asynchronous_generators(
    factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """This applies to a loop that continues, to a request in flight, and to files."""

    async def use() -> None:
        async with FakeVideoSDK() as fake:
            row = fake.add_transcription()
            fake.files.put(row, "txt", b"hello")
            async with fake.client(retry=RetryPolicy(wait_initial=0)) as client:
                for _ in range(3):
                    t = await client.get_transcription(row["id"])
                    fake.fail_next(Delay(0.2))
                    flying = asyncio.create_task(client.count())
                    await until(lambda: fake.in_flight)
                    await asyncio.get_running_loop().shutdown_asyncgens()
                    assert await flying == 1
                    assert await client.fetch_text(t) == "hello"
                    assert "open" in repr(client)
            with pytest.raises(ClientClosedError):
                await client.count()
            unclosed = fake.client()
            await unclosed.count()
            await unclosed.aclose()

    with asyncio.Runner(debug=True, loop_factory=factory) as runner:
        runner.run(use())


async def test_closing_ends_waiting_requests(fake: FakeVideoSDK) -> None:
    """A wait for a slot or a token ends with the same error as a request in flight."""
    fake.every(1, Delay(30))
    client = fake.client(max_in_flight=1)
    calls = [asyncio.ensure_future(client.count()) for _ in range(2)]
    await until(lambda: fake.requests)
    await client.aclose()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(result) for result in results] == [ClientClosedError, ClientClosedError]

    async def provider() -> str:
        await slow.aclose()
        return "token"

    slow = fake.client(token=provider)
    with pytest.raises(ClientClosedError):
        await slow.count()


async def test_session_closed_during_token_renewal_sends_nothing(fake: FakeVideoSDK) -> None:
    """The error names the session as a possible cause."""

    async def provider() -> str:
        await session.close()
        return good(fake)

    async with (
        aiohttp.ClientSession() as session,
        fake.client(session=session, token=provider) as client,
    ):
        with pytest.raises(ClientClosedError, match="client or its session is closed"):
            await client.count()
    assert fake.requests == []


def test_alternating_loops_keep_their_resources() -> None:
    """Each loop has its own session until it ends."""
    client = TranscriptsClient(token="t")
    with asyncio.Runner(debug=True) as first, asyncio.Runner(debug=True) as second:
        sessions = client._transport.sessions
        wires = [runner.run(sessions.open()) for runner in (first, second, first, second)]
        assert wires[0] is wires[2]
        assert wires[1] is wires[3]
        assert wires[0] is not wires[1]
    with asyncio.Runner(debug=True) as third:
        third.run(sessions.open())
        assert len(sessions._resources) == 1
    assert all(wire.session.closed for wire in wires)


async def test_walk_of_closed_client_can_be_resumed(fake: FakeVideoSDK, clock: ManualClock) -> None:
    """The error has a checkpoint for another client."""
    fake.add_transcriptions(45)
    fake.on_page(2, Delay(30))
    client = fake.client(clock=Clock(sleep=clock.sleep))
    pager = client.iter_transcriptions()
    for _ in range(20):
        await anext(pager)
    step = asyncio.ensure_future(anext(pager))
    await until(lambda: len(fake.requests) == 2)
    await client.aclose()
    with pytest.raises(ClientClosedError) as caught:
        await step
    async with fake.client() as other:
        rest = [t async for t in other.iter_transcriptions(resume=caught.value.checkpoint)]
    assert len(rest) == 25


async def test_closing_in_another_loop() -> None:
    """The session was closed by the loop it was used in."""

    async def use() -> TranscriptsClient:
        async with FakeVideoSDK() as fake:
            client = fake.client()
            await client.get_page()
            return client

    client = await asyncio.to_thread(asyncio.run, use())
    await client.aclose()


@pytest.mark.parametrize("name", ["max_in_flight", "max_response_bytes"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, None])
def test_limits_out_of_bounds_are_rejected_by_name(name: str, value: Any) -> None:
    """The constructor raises the error."""
    with pytest.raises(ConfigurationError, match=f"{name} must be a whole number, 1 or more"):
        TranscriptsClient(token="t", **{name: value})


# Errors.


async def test_retry_after_is_waited_for_up_to_the_cap(
    fake: FakeVideoSDK, clock: ManualClock
) -> None:
    """A longer one is raised immediately, with its value."""
    fake.fail_next(Status(429, {"Retry-After": "7"}), Status(429, {"Retry-After": "3600"}))
    async with fake.client(clock=clock.clock) as client:
        with pytest.raises(RateLimitedError) as caught:
            await client.get_page()
    assert caught.value.retry_after == 3600
    assert 7 <= clock.slept[0] <= 8


async def test_error_has_request_id(fake: FakeVideoSDK) -> None:
    """The vendor's support needs the request id."""
    fake.fail_next(Status(500, {"X-Request-Id": "r-7"}))
    async with fake.client(retry=ONCE) as client:
        with pytest.raises(ServerError, match="request id r-7") as caught:
            await client.get_page()
    assert caught.value.request_id == "r-7"
