"""P6 for start and stop: never sent twice unseen, and the answer says what happened."""

import asyncio
import contextlib
import json
import pickle
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
from aiohttp import web

from videosdk_transcripts import (
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    Clock,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    InvalidResponseError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    RedirectError,
    RetryPolicy,
    ServerError,
    StatusError,
    TimedOutError,
    Transcription,
    TranscriptsClient,
    VideoSDKTranscriptsError,
    WriteResult,
)
from videosdk_transcripts._jobs import start_stop as writes
from videosdk_transcripts.testing import (
    Applied,
    Body,
    CutBody,
    Delay,
    DropConnection,
    Exchange,
    FakeVideoSDK,
    HtmlPage,
    Status,
)

from ..conftest import ManualClock, tcp

ROOM = "abcd-efgh-ijkl"
Write = Callable[[TranscriptsClient], Awaitable[WriteResult]]


async def start(client: TranscriptsClient, room_id: str = ROOM, **options: Any) -> WriteResult:
    """Start as the client does."""
    request = writes.start_request(room_id, **options)
    return await writes.start(
        client._transport,
        lambda left: client.iter_transcriptions(room_id, walk_timeout=left),
        room_id,
        request,
    )


async def stop(client: TranscriptsClient, room_id: str = ROOM) -> WriteResult:
    """Stop as the client does."""
    request = writes.stop_request(room_id)
    return await writes.stop(
        client._transport,
        lambda left: client.iter_transcriptions(room_id, walk_timeout=left),
        room_id,
        request,
    )


def sent(fake: FakeVideoSDK) -> list[str]:
    """Return the methods of the requests so far."""
    return [seen.method for seen in fake.requests]


def jobs(fake: FakeVideoSDK) -> list[str]:
    """Return the words of all jobs."""
    return [row["status"] for row in fake.rows]


def name_of(fault: Any) -> str:
    """Return the same name in each process, which a function's repr is not."""
    return getattr(fault, "__name__", str(fault))


async def cut_and_not_applied(exchange: Exchange) -> web.StreamResponse:
    """Promise a body and break off, without doing what was asked."""
    cut = web.StreamResponse()
    cut.content_length = 100
    await cut.prepare(exchange.request)
    await cut.write(b'{"id"')
    assert exchange.request.transport is not None
    exchange.request.transport.close()
    return cut


# What is sent, and what comes.


async def test_a_start_on_the_wire(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """One JSON object of a known length, with what was given and nothing else."""
    await start(client)
    await start(
        client,
        "r-2",
        webhook_url="https://example.com/hook?key=k",
        language="en-US",
        model_id="m",
        summary="Three lines.",
    )
    plain, full = fake.requests
    assert (plain.method, plain.path) == ("POST", "/ai/v1/realtime-transcriptions/start")
    assert plain.headers["Content-Type"] == "application/json"
    assert plain.headers["Content-Length"] == str(len(plain.body))
    assert "Transfer-Encoding" not in plain.headers
    assert json.loads(plain.body) == {"roomId": ROOM}
    assert json.loads(full.body) == {
        "roomId": "r-2",
        "webhookUrl": "https://example.com/hook?key=k",
        "language": "en-US",
        "modelId": "m",
        "summary": {"enabled": True, "prompt": "Three lines."},
    }


@pytest.mark.parametrize("summary", [True, False])
async def test_a_summary_without_a_prompt(
    fake: FakeVideoSDK, client: TranscriptsClient, summary: bool
) -> None:
    """It is switched on or off."""
    await start(client, summary=summary)
    assert json.loads(fake.requests[0].body)["summary"] == {"enabled": summary}


@pytest.mark.parametrize(
    "options",
    [
        {"room_id": ""},
        {"room_id": None},
        {"webhook_url": ""},
        {"webhook_url": "ftp://s3cret"},
        {"webhook_url": "https:///s3cret"},
        {"webhook_url": "https://[s3cret"},
        {"webhook_url": "https://host/s3cret here"},
        {"webhook_url": 5},
        {"language": ""},
        {"model_id": 5},
        {"summary": " "},
        {"summary": 1},
    ],
)
async def test_bad_arguments(
    fake: FakeVideoSDK, client: TranscriptsClient, options: dict[str, Any]
) -> None:
    """Nothing is sent, and the error names the argument without a URL's text."""
    with pytest.raises(ConfigurationError, match=next(iter(options))) as caught:
        await start(client, **options)
    assert "s3cret" not in str(caught.value)
    assert not fake.requests


async def test_a_stop_of_no_room(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Likewise."""
    with pytest.raises(ConfigurationError, match="room_id"):
        await stop(client, "..")
    assert not fake.requests


async def test_started_and_stopped(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """The answers are the transcription as it runs and as it has ended."""
    begun = await start(client, webhook_url="https://example.com/hook")
    assert begun.outcome == "answered"
    assert begun.transcription.is_running
    assert begun.transcription.webhook_url == "https://example.com/hook"
    assert begun.transcription.end is None
    assert begun.transcription.room_id == ROOM
    ended = await stop(client)
    assert ended.outcome == "answered"
    assert ended.transcription.id == begun.transcription.id
    assert ended.transcription.is_completed
    assert ended.transcription.duration is not None
    assert not ended.transcription.files
    (seen,) = fake.requests[1:]
    assert (seen.path, json.loads(seen.body)) == (
        "/ai/v1/realtime-transcriptions/end",
        {"roomId": ROOM},
    )


def test_a_result_is_a_plain_value() -> None:
    """Frozen, and fit for another process."""
    result = WriteResult(Transcription("a"), "found")
    assert pickle.loads(pickle.dumps(result)) == result
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        result.outcome = "answered"  # type: ignore[misc]


# An answer that is lost.

LOST: list[Any] = [
    *(Status(status) for status in (406, 408, 500, 501, 502, 503, 504, 520)),
    DropConnection(),
    HtmlPage(),
    HtmlPage(502),
    Body(b""),
    Body(b"{"),
    Body(b"[]"),
    Body(b'{"status": "running"}'),
    Body(b'{"success": false}'),
]


@pytest.mark.parametrize("fault", [*map(Applied, LOST), CutBody(0), Applied(CutBody())], ids=str)
async def test_a_start_that_was_applied(
    fake: FakeVideoSDK, client: TranscriptsClient, fault: Any
) -> None:
    """It is found, and not sent again, where the service would start a second one."""
    fake.jobs.second_start = "another"
    fake.fail_next(fault)
    result = await start(client)
    assert (result.outcome, result.transcription.id) == ("found", fake.rows[0]["id"])
    assert sent(fake) == ["POST", "GET"]
    assert jobs(fake) == ["running"]


@pytest.mark.parametrize("fault", [*LOST, cut_and_not_applied], ids=name_of)
async def test_a_start_that_was_not_applied(
    fake: FakeVideoSDK, client: TranscriptsClient, fault: Any
) -> None:
    """It is looked for, and sent again."""
    fake.jobs.second_start = "another"
    fake.add_transcription(status="completed")
    fake.fail_next(fault)
    result = await start(client)
    assert (result.outcome, result.transcription.id) == ("sent again", fake.rows[0]["id"])
    assert sent(fake) == ["POST", "GET", "POST"]
    assert jobs(fake) == ["running", "completed"]


@pytest.mark.parametrize("fault", [*map(Applied, LOST), CutBody(0), Applied(CutBody())], ids=str)
async def test_a_stop_that_was_applied(
    fake: FakeVideoSDK, client: TranscriptsClient, fault: Any
) -> None:
    """No job of the room runs any more, and the newest one is what was stopped."""
    fake.add_transcription()
    begun = await start(client)
    fake.fail_next(fault)
    result = await stop(client)
    assert (result.outcome, result.transcription.id) == ("found", begun.transcription.id)
    assert sent(fake) == ["POST", "POST", "GET"]
    assert jobs(fake) == ["completed", "completed"]


@pytest.mark.parametrize("fault", [*LOST, cut_and_not_applied], ids=name_of)
async def test_a_stop_that_was_not_applied(
    fake: FakeVideoSDK, client: TranscriptsClient, fault: Any
) -> None:
    """The job runs still, and the stop is sent again."""
    begun = await start(client)
    fake.fail_next(fault)
    result = await stop(client)
    assert (result.outcome, result.transcription.id) == ("sent again", begun.transcription.id)
    assert sent(fake) == ["POST", "POST", "GET", "POST"]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [(Delay(60), "sent again"), (Applied(Delay(60)), "found")],
)
async def test_a_start_that_timed_out(fake: FakeVideoSDK, fault: Any, outcome: str) -> None:
    """After it was sent, it may have been applied."""
    fake.jobs.second_start = "another"
    fake.fail_next(fault)
    policy = RetryPolicy(attempts=2, wait_initial=0, attempt_timeout=0.15)
    async with fake.client(retry=policy) as client:
        assert (await start(client)).outcome == outcome
    assert jobs(fake) == ["running"]


async def test_each_attempt_that_is_lost_is_looked_for(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Also the second one, and what it did is found."""
    fake.jobs.second_start = "another"
    fake.fail_next(Status(500), Delay(0), Applied(Status(502)))
    assert (await start(client)).outcome == "found"
    assert sent(fake) == ["POST", "GET", "POST", "GET"]
    assert jobs(fake) == ["running"]


async def test_there_is_time_before_the_look(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """What the service has begun may take a moment to be listed."""
    fake.fail_next(Status(500))
    await start(client)
    assert clock.slept[0] >= RetryPolicy().wait_initial


# Which one is found.


async def test_the_newest_that_runs_is_found(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Wherever it stands: the order of the list is not documented."""
    fake.add_transcriptions(25, status="running", duration=None)
    fake.rows.insert(3, fake.rows.pop())
    fake.add_transcription(status="running")["start"] = None
    fake.fail_next(Status(500))
    result = await start(client)
    assert (result.outcome, result.transcription.id) == ("found", fake.rows[3]["id"])


async def test_rows_of_others_are_not_found() -> None:
    """P2: a job that runs in another room says nothing of ours."""
    async with FakeVideoSDK(filters="ignored") as fake:
        fake.add_transcription(room_id="other", status="running")
        fake.fail_next(Status(500))
        async with fake.client(retry=RetryPolicy(wait_initial=0)) as client:
            result = await start(client)
    assert (result.outcome, result.transcription.room_id) == ("sent again", ROOM)


async def test_a_row_that_does_not_say_whose_it_is() -> None:
    """It may be ours, so that nothing is sent again."""
    async with FakeVideoSDK(filters="ignored") as fake:
        fake.add_transcription(room_id=None, status="running")
        fake.fail_next(Status(500))
        async with fake.client(retry=RetryPolicy(wait_initial=0)) as client:
            with pytest.raises(ServerError, match="unknown whether it was applied"):
                await start(client)
    assert sent(fake) == ["POST", "GET"]


async def test_a_stop_where_there_never_was_one(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Nothing can be found, and the second request is refused as the first one was to be."""
    fake.fail_next(Status(500))
    with pytest.raises(NotFoundError) as caught:
        await stop(client)
    assert "unknown" not in str(caught.value)
    assert sent(fake) == ["POST", "GET", "POST", "GET"]


@pytest.mark.parametrize("write", [start, stop])
async def test_an_answer_of_another_room(
    fake: FakeVideoSDK, client: TranscriptsClient, write: Write
) -> None:
    """It is none of ours."""
    row = fake.add_transcription(room_id="other", status="running")
    fake.fail_next(Body(json.dumps(row).encode()))
    with pytest.raises(InvalidResponseError, match="room abcd-efgh-ijkl.* of room other"):
        await write(client)
    assert sent(fake) == ["POST"]


async def test_an_answer_that_names_no_room(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """It is taken, and the room is not made up."""
    fake.fail_next(Body(b'{"id": "a", "status": "running"}'))
    assert await start(client) == WriteResult(Transcription("a", "running"), "answered")


# What is refused.


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (307, RedirectError),
        (400, BadRequestError),
        (402, NotFoundError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (409, ConflictError),
        (418, StatusError),
        (422, BadRequestError),
    ],
)
@pytest.mark.parametrize("write", [start, stop])
async def test_a_refusal_is_raised(
    fake: FakeVideoSDK, client: TranscriptsClient, write: Write, status: int, error: type
) -> None:
    """At once: nothing was applied, nothing is looked for."""
    fake.fail_next(Status(status))
    with pytest.raises(VideoSDKTranscriptsError) as caught:
        await write(client)
    assert (type(caught.value), caught.value.attempts) == (error, 1)
    assert "applied" not in str(caught.value)
    assert sent(fake) == ["POST"]


async def test_a_second_start_is_refused_or_answered(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """As the service likes; the fake does either."""
    begun = await start(client)
    with pytest.raises(ConflictError):
        await start(client)
    fake.jobs.second_start = "running row"
    assert (await start(client)).transcription == begun.transcription
    fake.jobs.second_start = "another"
    assert (await start(client)).transcription != begun.transcription
    fake.jobs.idle_stop = 409
    with pytest.raises(ConflictError):
        await stop(client, "other")


async def test_a_refused_token_is_minted_anew_once(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """As for a read; the second refusal is raised."""
    fake.fail_next(Status(401))
    assert (await start(client)).outcome == "answered"
    fake.fail_next(Status(401), times=2)
    with pytest.raises(AuthenticationError):
        await stop(client)
    assert sent(fake) == ["POST"] * 4


async def test_a_refusal_that_comes_of_a_slow_first_one(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The first start was applied after the look: the second one is refused, and it is found."""

    async def begun_meanwhile(exchange: Exchange) -> web.StreamResponse:
        fake.add_transcription(status="running", duration=None)
        return exchange.answer()

    fake.fail_next(DropConnection(), Delay(0), begun_meanwhile)
    result = await start(client)
    assert (result.outcome, result.transcription.id) == ("found", fake.rows[0]["id"])
    assert sent(fake) == ["POST", "GET", "POST", "GET"]


async def test_a_refusal_of_a_second_one_that_nobody_can_look_at(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Then it is unknown, and the refusal says so."""
    fake.fail_next(DropConnection(), Delay(0), Status(409))
    fake.every(1, Status(500))
    with pytest.raises(ConflictError, match="unknown whether it was applied"):
        await start(client)


# What is tried again without a look.


async def test_a_rate_limit_is_waited_for(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """As long as the service asks, and the request is the first that it took."""
    fake.fail_next(Status(429, {"Retry-After": "20"}))
    assert (await start(client)).outcome == "answered"
    assert clock.slept[0] >= 20
    assert sent(fake) == ["POST", "POST"]
    fake.fail_next(Status(429, {"Retry-After": "3600"}))
    with pytest.raises(RateLimitedError) as caught:
        await stop(client)
    assert caught.value.retry_after == 3600
    assert sent(fake) == ["POST"] * 3


async def test_a_rate_limit_whose_body_breaks_off(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Its status was there, and says that nothing was applied."""

    async def cut(exchange: Exchange) -> web.StreamResponse:
        refusal = web.StreamResponse(status=429)
        refusal.content_length = 100
        await refusal.prepare(exchange.request)
        assert exchange.request.transport is not None
        exchange.request.transport.close()
        return refusal

    fake.fail_next(cut)
    assert (await start(client)).outcome == "answered"
    assert sent(fake) == ["POST", "POST"]


async def unsent(clock: ManualClock, **options: Any) -> VideoSDKTranscriptsError:
    """Return the error of a start that could not be sent in three attempts."""
    settings: dict[str, Any] = {"token": "t", "retry": RetryPolicy(attempts=3)} | options
    async with TranscriptsClient(clock=clock.clock, **settings) as client:
        with pytest.raises(VideoSDKTranscriptsError) as caught:
            await start(client)
    assert caught.value.attempts == 3
    assert "applied" not in str(caught.value)
    return caught.value


async def test_connection_refused(clock: ManualClock) -> None:
    """It is tried again without a look, since nothing was sent."""
    async with tcp(_nothing) as endpoint:
        pass
    error = await unsent(clock, endpoint=endpoint)
    assert type(error) is ConnectionFailedError


async def test_a_service_that_comes_up() -> None:
    """The first request that it can have received is answered."""
    async with tcp(_nothing) as endpoint:
        pass
    host, port = endpoint.removeprefix("http://").split(":")
    async with contextlib.AsyncExitStack() as stack:

        async def sleep(seconds: float) -> None:
            server = await asyncio.start_server(_one_row, host, int(port))
            await stack.enter_async_context(server)

        async with TranscriptsClient(
            endpoint=endpoint, token="t", clock=Clock(sleep=sleep)
        ) as client:
            assert (await start(client)).outcome == "answered"


async def test_a_name_that_does_not_resolve(clock: ManualClock) -> None:
    """Nor was it sent there."""
    error = await unsent(clock, endpoint="http://nowhere.invalid")
    assert type(error) is ConnectionFailedError


async def test_a_server_without_tls(clock: ManualClock) -> None:
    """Nor without a trusted connection."""
    async with tcp(_garbage) as endpoint:
        error = await unsent(clock, endpoint=endpoint.replace("http:", "https:"))
    assert type(error) is ConnectionFailedError


async def test_a_proxy_that_refuses(clock: ManualClock) -> None:
    """Nor through a tunnel that was not opened."""
    async with tcp(_forbidden) as proxy:
        error = await unsent(clock, endpoint="https://api.videosdk.live", proxy=proxy)
    assert type(error) is ConnectionFailedError


async def test_a_time_out_while_connecting(clock: ManualClock) -> None:
    """A time-out in which nothing was sent is told from one in which it was."""
    policy = RetryPolicy(attempts=3, attempt_timeout=0.1)
    async with tcp(_nothing) as proxy:
        error = await unsent(clock, endpoint="https://host.test", proxy=proxy, retry=policy)
    assert type(error) is TimedOutError


@pytest.mark.parametrize("write", [start, stop])
async def test_aiohttp_does_not_send_a_write_again(write: Write) -> None:
    """On a kept connection that breaks it repeats a read by itself, and not these."""
    heads: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            heads.append(head.split(b" ")[0])
            if head.startswith(b"POST"):
                await reader.readuntil(b"}")
                return
            _respond(writer, b'{"pageInfo": {"lastPage": 1}, "transcriptions": []}')

    async with (
        tcp(talk) as endpoint,
        TranscriptsClient(endpoint=endpoint, token="t", retry=RetryPolicy(attempts=1)) as client,
    ):
        await client.get_page()
        with pytest.raises(ConnectionFailedError, match="does not show it as applied"):
            await write(client)
    assert heads == [b"GET", b"POST", b"GET"]


# What can't be settled.


@pytest.mark.parametrize("write", [start, stop])
async def test_a_look_that_fails(
    fake: FakeVideoSDK, client: TranscriptsClient, write: Write
) -> None:
    """The failure of the write is raised, with what to do; nothing is sent again."""
    fake.fail_next(Applied(DropConnection()))
    fake.every(1, Status(500))
    fake.add_transcription(status="running")
    with pytest.raises(ConnectionFailedError) as caught:
        await write(client)
    assert "unknown whether it was applied" in str(caught.value)
    assert f"iter_transcriptions({ROOM!r})" in caught.value.message
    assert caught.value.attempts == 1
    assert pickle.loads(pickle.dumps(caught.value)).message == caught.value.message
    assert sent(fake) == ["POST", "GET", "GET", "GET"]


async def test_a_last_attempt_that_is_lost(fake: FakeVideoSDK) -> None:
    """It is looked for too: found, or else the error says that it is not there."""
    async with fake.client(retry=RetryPolicy(attempts=1)) as client:
        fake.fail_next(Status(503))
        with pytest.raises(ServerError, match="does not show it as applied"):
            await start(client)
        fake.fail_next(Applied(Status(503)))
        assert (await start(client)).outcome == "found"
        fake.fail_next(Status(503), Status(500))
        with pytest.raises(ServerError, match="unknown whether it was applied") as caught:
            await stop(client)
    assert caught.value.status == 503
    assert jobs(fake) == ["running"]


async def test_no_time_is_left_to_look(fake: FakeVideoSDK) -> None:
    """The one limit holds for all of it."""
    fake.fail_next(Delay(60))
    async with fake.client(retry=RetryPolicy(page_timeout=0.15)) as client:
        with pytest.raises(TimedOutError, match=r"page_timeout on attempt.*unknown whether"):
            await start(client)


async def test_the_time_is_over_while_it_looks(fake: FakeVideoSDK) -> None:
    """Likewise."""
    fake.fail_next(Status(500), Delay(60))
    async with fake.client(retry=RetryPolicy(wait_initial=0, page_timeout=0.15)) as client:
        with pytest.raises(ServerError, match="unknown whether"):
            await start(client)
    assert sent(fake) == ["POST", "GET"]


async def test_errors_show_neither_webhook_nor_prompt(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """P8: what is in the body stays there."""
    fake.every(1, Status(500))
    with pytest.raises(ServerError) as caught:
        await start(client, webhook_url="https://h.test/?key=s3cret", summary="s3cret")
    assert "s3cret" not in str(caught.value)
    request = writes.start_request(ROOM, webhook_url="https://h.test/?key=s3cret")
    assert "s3cret" not in repr(request)


# How it is left.

WAITS = [(Delay(60),), (Status(500), Delay(60)), (Status(500), Delay(0), Delay(60))]


@pytest.mark.parametrize("faults", WAITS, ids=["write", "look", "second write"])
async def test_cancelled(fake: FakeVideoSDK, client: TranscriptsClient, faults: Any) -> None:
    """Wherever it waits, it ends at once and leaves nothing."""
    fake.fail_next(*faults)
    task = asyncio.create_task(start(client))
    await _under_way(fake, len(faults))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sent(fake) == ["POST", "GET", "POST"][: len(faults)]


@pytest.mark.parametrize("turns", range(12))
async def test_cancelled_after_some_turns(fake: FakeVideoSDK, turns: int) -> None:
    """Also before a request is there."""
    async with fake.client() as client:
        task = asyncio.create_task(start(client))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("faults", WAITS, ids=["write", "look", "second write"])
async def test_the_client_is_closed(fake: FakeVideoSDK, faults: Any) -> None:
    """It ends at once, as what it is."""
    async with fake.client(retry=RetryPolicy(wait_initial=0)) as client:
        fake.fail_next(*faults)
        task = asyncio.create_task(start(client))
        await _under_way(fake, len(faults))
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await task


async def test_the_client_is_closed_in_a_last_look(fake: FakeVideoSDK) -> None:
    """Likewise."""
    async with fake.client(retry=RetryPolicy(attempts=1)) as client:
        fake.fail_next(Status(500), Delay(60))
        task = asyncio.create_task(start(client))
        await _under_way(fake, 2)
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await task


# The fake.


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"roomId": 5}'])
async def test_the_fake_wants_a_room(fake: FakeVideoSDK, body: bytes) -> None:
    """400 for a body that names none."""
    async with fake.client() as client:
        request = attrs.evolve(writes.stop_request("r"), body=body)
        with pytest.raises(BadRequestError):
            await writes.stop(client._transport, client.iter_transcriptions, "r", request)  # type: ignore[arg-type]


async def _under_way(fake: FakeVideoSDK, requests: int) -> None:
    while len(fake.requests) < requests:  # noqa: ASYNC110 - of another task, with no event
        await asyncio.sleep(0.001)


def _respond(writer: asyncio.StreamWriter, body: bytes) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


async def _nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"this is no TLS\r\n\r\n")
    await writer.drain()


async def _forbidden(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


async def _one_row(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"}")
    _respond(writer, b'{"id": "a"}')
    await writer.drain()
    writer.close()
