"""P6 for start and stop: no duplicate requests, and the result states the outcome."""

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
    """Return the statuses of all jobs."""
    return [row["status"] for row in fake.rows]


def name_of(fault: Any) -> str:
    """Return a name that is the same in each process, unlike a function's repr."""
    return getattr(fault, "__name__", str(fault))


async def cut_and_not_applied(exchange: Exchange) -> web.StreamResponse:
    """Truncate the body of a response, without applying the request."""
    cut = web.StreamResponse()
    cut.content_length = 100
    await cut.prepare(exchange.request)
    await cut.write(b'{"id"')
    assert exchange.request.transport is not None
    exchange.request.transport.close()
    return cut


# Requests and results.


async def test_body_of_start(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """One JSON object of a known length, with the given options only."""
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
async def test_summary_without_prompt(
    fake: FakeVideoSDK, client: TranscriptsClient, summary: bool
) -> None:
    """True or False enables or disables it."""
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
async def test_invalid_argument_sends_nothing(
    fake: FakeVideoSDK, client: TranscriptsClient, options: dict[str, Any]
) -> None:
    """The error names the argument without showing a URL."""
    with pytest.raises(ConfigurationError, match=next(iter(options))) as caught:
        await start(client, **options)
    assert "s3cret" not in str(caught.value)
    assert not fake.requests


async def test_stop_requires_a_room(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Nothing is sent."""
    with pytest.raises(ConfigurationError, match="room_id"):
        await stop(client, "..")
    assert not fake.requests


async def test_start_and_stop_return_the_transcription(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The running one, and the stopped one."""
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


def test_result_is_frozen_and_picklable() -> None:
    """It can be sent to another process."""
    result = WriteResult(Transcription("a"), "found")
    assert pickle.loads(pickle.dumps(result)) == result
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        result.outcome = "answered"  # type: ignore[misc]


# Lost responses.

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
async def test_applied_start_is_found_and_not_sent_again(
    fake: FakeVideoSDK, client: TranscriptsClient, fault: Any
) -> None:
    """The service would start a second transcription."""
    fake.jobs.second_start = "another"
    fake.fail_next(fault)
    result = await start(client)
    assert (result.outcome, result.transcription.id) == ("found", fake.rows[0]["id"])
    assert sent(fake) == ["POST", "GET"]
    assert jobs(fake) == ["running"]


@pytest.mark.parametrize("fault", [*LOST, cut_and_not_applied], ids=name_of)
async def test_start_that_was_not_applied_is_sent_again(
    fake: FakeVideoSDK, client: TranscriptsClient, fault: Any
) -> None:
    """The list of the room is read before that."""
    fake.jobs.second_start = "another"
    fake.add_transcription(status="completed")
    fake.fail_next(fault)
    result = await start(client)
    assert (result.outcome, result.transcription.id) == ("sent again", fake.rows[0]["id"])
    assert sent(fake) == ["POST", "GET", "POST"]
    assert jobs(fake) == ["running", "completed"]


@pytest.mark.parametrize("fault", [*map(Applied, LOST), CutBody(0), Applied(CutBody())], ids=str)
async def test_applied_stop_is_found_and_not_sent_again(
    fake: FakeVideoSDK, client: TranscriptsClient, fault: Any
) -> None:
    """Nothing runs in the room any more; the newest transcription is the stopped one."""
    fake.add_transcription()
    begun = await start(client)
    fake.fail_next(fault)
    result = await stop(client)
    assert (result.outcome, result.transcription.id) == ("found", begun.transcription.id)
    assert sent(fake) == ["POST", "POST", "GET"]
    assert jobs(fake) == ["completed", "completed"]


@pytest.mark.parametrize("fault", [*LOST, cut_and_not_applied], ids=name_of)
async def test_stop_that_was_not_applied_is_sent_again(
    fake: FakeVideoSDK, client: TranscriptsClient, fault: Any
) -> None:
    """The transcription is still running."""
    begun = await start(client)
    fake.fail_next(fault)
    result = await stop(client)
    assert (result.outcome, result.transcription.id) == ("sent again", begun.transcription.id)
    assert sent(fake) == ["POST", "POST", "GET", "POST"]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [(Delay(60), "sent again"), (Applied(Delay(60)), "found")],
)
async def test_timed_out_start_is_found(fake: FakeVideoSDK, fault: Any, outcome: str) -> None:
    """The request was sent, so it may have been applied."""
    fake.jobs.second_start = "another"
    fake.fail_next(fault)
    policy = RetryPolicy(attempts=2, wait_initial=0, attempt_timeout=0.5)
    async with fake.client(retry=policy) as client:
        assert (await start(client)).outcome == outcome
    assert jobs(fake) == ["running"]


async def test_each_lost_attempt_is_looked_up(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """This includes the second one, whose result is found."""
    fake.jobs.second_start = "another"
    fake.fail_next(Status(500), Delay(0), Applied(Status(502)))
    assert (await start(client)).outcome == "found"
    assert sent(fake) == ["POST", "GET", "POST", "GET"]
    assert jobs(fake) == ["running"]


async def test_list_is_read_after_a_pause(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """It may take some time until a transcription is listed."""
    fake.fail_next(Status(500))
    await start(client)
    assert clock.slept[0] >= RetryPolicy().wait_initial


# Reconciliation.


async def test_newest_running_transcription_is_found(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Wherever it is listed: the order of the list is undocumented."""
    fake.add_transcriptions(25, status="running", duration=None)
    fake.rows.insert(3, fake.rows.pop())
    fake.add_transcription(status="running")["start"] = None
    fake.fail_next(Status(500))
    result = await start(client)
    assert (result.outcome, result.transcription.id) == ("found", fake.rows[3]["id"])


async def test_rows_of_other_rooms_are_ignored() -> None:
    """P2: a transcription of another room is not ours."""
    async with FakeVideoSDK(filters="ignored") as fake:
        fake.add_transcription(room_id="other", status="running")
        fake.fail_next(Status(500))
        async with fake.client(retry=RetryPolicy(wait_initial=0)) as client:
            result = await start(client)
    assert (result.outcome, result.transcription.room_id) == ("sent again", ROOM)


async def test_row_without_room_prevents_another_request() -> None:
    """It may be ours, so nothing is sent again."""
    async with FakeVideoSDK(filters="ignored") as fake:
        fake.add_transcription(room_id=None, status="running")
        fake.fail_next(Status(500))
        async with fake.client(retry=RetryPolicy(wait_initial=0)) as client:
            with pytest.raises(ServerError, match="unknown whether it was applied"):
                await start(client)
    assert sent(fake) == ["POST", "GET"]


async def test_stop_without_any_transcription_is_sent_again(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Nothing is found, and the second request is refused."""
    fake.fail_next(Status(500))
    with pytest.raises(NotFoundError) as caught:
        await stop(client)
    assert "unknown" not in str(caught.value)
    assert sent(fake) == ["POST", "GET", "POST", "GET"]


@pytest.mark.parametrize("write", [start, stop])
async def test_response_of_another_room_is_an_error(
    fake: FakeVideoSDK, client: TranscriptsClient, write: Write
) -> None:
    """P2: it is not ours."""
    row = fake.add_transcription(room_id="other", status="running")
    fake.fail_next(Body(json.dumps(row).encode()))
    with pytest.raises(InvalidResponseError, match="room abcd-efgh-ijkl.* of room other"):
        await write(client)
    assert sent(fake) == ["POST"]


async def test_response_without_room_is_accepted(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The missing room is not filled in."""
    fake.fail_next(Body(b'{"id": "a", "status": "running"}'))
    assert await start(client) == WriteResult(Transcription("a", "running"), "answered")


# Refused requests.


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
async def test_refusal_is_raised_immediately(
    fake: FakeVideoSDK, client: TranscriptsClient, write: Write, status: int, error: type
) -> None:
    """Nothing was applied, so the list is not read."""
    fake.fail_next(Status(status))
    with pytest.raises(VideoSDKTranscriptsError) as caught:
        await write(client)
    assert (type(caught.value), caught.value.attempts) == (error, 1)
    assert "applied" not in str(caught.value)
    assert sent(fake) == ["POST"]


async def test_second_start_is_rejected_or_accepted(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Both are possible; the fake service supports both."""
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


@pytest.mark.parametrize("second_start", ["bad request", "conflict"])
async def test_error_of_a_second_start_states_what_to_do(
    fake: FakeVideoSDK, client: TranscriptsClient, second_start: Any
) -> None:
    """A 400 and a 409 are the same error; its status is that of the response."""
    fake.jobs.second_start = second_start
    await start(client)
    with pytest.raises(ConflictError, match="already running; list the room .* stop it") as caught:
        await start(client)
    assert caught.value.status == {"bad request": 400, "conflict": 409}[second_start]
    assert sent(fake) == ["POST"] * 2


async def test_error_of_an_idle_stop_states_what_to_do(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """It does not mention the account's key."""
    with pytest.raises(NotFoundError) as caught:
        await stop(client)
    assert str(caught.value).endswith(
        "the service responded with 404, No transcription is running; either no "
        "transcription is running in the room, or the room id is wrong [attempts 1]"
    )


@pytest.mark.parametrize("fault", [Status(401), Status(400, code=4002), Status(400, code="4001")])
async def test_rejected_token_is_renewed_once(
    fake: FakeVideoSDK, client: TranscriptsClient, fault: Any
) -> None:
    """This is the same as for a read; the second refusal is raised."""
    fake.fail_next(fault)
    assert (await start(client)).outcome == "answered"
    fake.fail_next(fault, times=2)
    with pytest.raises(AuthenticationError):
        await stop(client)
    assert sent(fake) == ["POST"] * 4


@pytest.mark.parametrize("status", [200, 201])
async def test_any_success_status_is_accepted(
    fake: FakeVideoSDK, client: TranscriptsClient, status: Any
) -> None:
    """It is undocumented which one the service sends."""
    fake.jobs.status = status
    assert (await start(client)).outcome == "answered"
    assert (await stop(client)).outcome == "answered"


async def test_stopping_transcription_is_found_by_a_stop_and_not_by_a_start(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The status shows that a stop was applied."""
    row = fake.add_transcription(status="Stopping", duration=None)
    fake.fail_next(Status(500))
    stopped = await stop(client)
    assert (stopped.outcome, stopped.transcription.id) == ("found", row["id"])
    fake.fail_next(Status(500))
    started = await start(client)
    assert (started.outcome, started.transcription.id == row["id"]) == ("sent again", False)


async def test_queued_transcription_is_found_by_a_start(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """It is expected to run."""
    row = fake.add_transcription(status="queued", duration=None)
    fake.fail_next(Status(500))
    started = await start(client)
    assert (started.outcome, started.transcription.id) == ("found", row["id"])


@pytest.mark.parametrize("second_start", ["bad request", "conflict"])
async def test_late_first_start_is_found_after_rejected_second(
    fake: FakeVideoSDK, client: TranscriptsClient, second_start: Any
) -> None:
    """The first was applied after the list was read, so the second is refused."""

    async def started_meanwhile(exchange: Exchange) -> web.StreamResponse:
        fake.add_transcription(status="running", duration=None)
        return exchange.response()

    fake.jobs.second_start = second_start
    fake.fail_next(DropConnection(), Delay(0), started_meanwhile)
    result = await start(client)
    assert (result.outcome, result.transcription.id) == ("found", fake.rows[0]["id"])
    assert sent(fake) == ["POST", "GET", "POST", "GET"]


async def test_rejected_second_start_with_unreadable_list_is_unknown(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The error states that it is unknown."""
    fake.fail_next(DropConnection(), Delay(0), Status(409))
    fake.every(1, Status(500))
    with pytest.raises(ConflictError, match="unknown whether it was applied"):
        await start(client)


# Retries without reconciliation.


async def test_rate_limited_start_is_sent_again(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """After the required wait; the list is not read."""
    fake.fail_next(Status(429, {"Retry-After": "20"}))
    assert (await start(client)).outcome == "answered"
    assert clock.slept[0] >= 20
    assert sent(fake) == ["POST", "POST"]
    fake.fail_next(Status(429, {"Retry-After": "3600"}))
    with pytest.raises(RateLimitedError) as caught:
        await stop(client)
    assert caught.value.retry_after == 3600
    assert sent(fake) == ["POST"] * 3


async def test_rate_limit_with_broken_body_is_sent_again(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The status arrived, so nothing was applied."""

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


async def test_refused_connection_is_retried_without_reading_the_list(clock: ManualClock) -> None:
    """Nothing was sent."""
    async with tcp(_nothing) as endpoint:
        pass
    error = await unsent(clock, endpoint=endpoint)
    assert type(error) is ConnectionFailedError


async def test_start_succeeds_once_the_service_is_available() -> None:
    """The outcome is that of a first request."""
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


async def test_unresolvable_host_sends_nothing(clock: ManualClock) -> None:
    """The list is not read."""
    error = await unsent(clock, endpoint="http://nowhere.invalid")
    assert type(error) is ConnectionFailedError


async def test_server_without_tls_sends_nothing(clock: ManualClock) -> None:
    """The list is not read."""
    async with tcp(_garbage) as endpoint:
        error = await unsent(clock, endpoint=endpoint.replace("http:", "https:"))
    assert type(error) is ConnectionFailedError


async def test_refusing_proxy_sends_nothing(clock: ManualClock) -> None:
    """The list is not read."""
    async with tcp(_forbidden) as proxy:
        error = await unsent(clock, endpoint="https://api.videosdk.live", proxy=proxy)
    assert type(error) is ConnectionFailedError


async def test_timeout_while_connecting_sends_nothing(clock: ManualClock) -> None:
    """This differs from a timeout after the body was sent."""
    policy = RetryPolicy(attempts=3, attempt_timeout=0.1)
    async with tcp(_nothing) as proxy:
        error = await unsent(clock, endpoint="https://host.test", proxy=proxy, retry=policy)
    assert type(error) is TimedOutError


@pytest.mark.parametrize("write", [start, stop])
async def test_aiohttp_does_not_repeat_a_write(write: Write) -> None:
    """If a reused connection breaks, it repeats reads, but not writes."""
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


# Unknown outcomes.


@pytest.mark.parametrize("write", [start, stop])
async def test_unreadable_list_raises_the_failure_of_the_write(
    fake: FakeVideoSDK, client: TranscriptsClient, write: Write
) -> None:
    """The error states what to do; nothing is sent again."""
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


async def test_lost_last_attempt_is_looked_up(fake: FakeVideoSDK) -> None:
    """It is found, or the error states that it is not listed."""
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


async def test_timeout_before_the_list_is_read(fake: FakeVideoSDK) -> None:
    """One timeout applies to the request and the list."""
    fake.fail_next(Delay(60))
    async with fake.client(retry=RetryPolicy(page_timeout=0.6)) as client:
        with pytest.raises(TimedOutError, match=r"page_timeout on attempt.*unknown whether"):
            await start(client)


@pytest.mark.parametrize("write", [start, stop])
async def test_time_in_the_queue_does_not_count(fake: FakeVideoSDK, write: Write) -> None:
    """The list is still read after a lost response."""
    fake.add_transcription(status="running", room_id=ROOM)
    fake.fail_next(Applied(Status(503)))
    policy = RetryPolicy(wait_initial=0, page_timeout=0.8)
    async with fake.client(retry=policy, max_in_flight=1) as client:
        queue = (await client._transport.sessions.open()).queue
        assert queue.try_acquire()
        call = asyncio.create_task(write(client))
        await asyncio.sleep(0.9)
        assert sent(fake) == []
        queue.release()
        assert (await call).outcome == "found"
    assert sent(fake) == ["POST", "GET"]


async def test_timeout_while_the_list_is_read(fake: FakeVideoSDK) -> None:
    """One timeout applies to the request and the list."""
    fake.fail_next(Status(500), Delay(60))
    async with fake.client(retry=RetryPolicy(wait_initial=0, page_timeout=0.5)) as client:
        with pytest.raises(ServerError, match="unknown whether"):
            await start(client)
    assert sent(fake) == ["POST", "GET"]


async def test_errors_show_neither_webhook_nor_prompt(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """P8: nothing of the body is shown."""
    fake.every(1, Status(500))
    with pytest.raises(ServerError) as caught:
        await start(client, webhook_url="https://h.test/?key=s3cret", summary="s3cret")
    assert "s3cret" not in str(caught.value)
    request = writes.start_request(ROOM, webhook_url="https://h.test/?key=s3cret")
    assert "s3cret" not in repr(request)


# Cancellation and closing.

WAITS = [(Delay(60),), (Status(500), Delay(60)), (Status(500), Delay(0), Delay(60))]


@pytest.mark.parametrize("faults", WAITS, ids=["write", "look", "second write"])
async def test_cancellation_leaks_nothing(
    fake: FakeVideoSDK, client: TranscriptsClient, faults: Any
) -> None:
    """It ends immediately, wherever it waits."""
    fake.fail_next(*faults)
    task = asyncio.create_task(start(client))
    await _in_flight(fake, len(faults))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sent(fake) == ["POST", "GET", "POST"][: len(faults)]


@pytest.mark.parametrize("iterations", range(12))
async def test_cancellation_after_some_iterations(fake: FakeVideoSDK, iterations: int) -> None:
    """This includes a cancellation before a request is sent."""
    async with fake.client() as client:
        task = asyncio.create_task(start(client))
        for _ in range(iterations):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("faults", WAITS, ids=["write", "look", "second write"])
async def test_closing_the_client_ends_it(fake: FakeVideoSDK, faults: Any) -> None:
    """It ends immediately, with a ClientClosedError."""
    async with fake.client(retry=RetryPolicy(wait_initial=0)) as client:
        fake.fail_next(*faults)
        task = asyncio.create_task(start(client))
        await _in_flight(fake, len(faults))
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await task


async def test_closing_the_client_ends_the_last_lookup(fake: FakeVideoSDK) -> None:
    """It ends immediately, with a ClientClosedError."""
    async with fake.client(retry=RetryPolicy(attempts=1)) as client:
        fake.fail_next(Status(500), Delay(60))
        task = asyncio.create_task(start(client))
        await _in_flight(fake, 2)
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await task


# The fake.


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"roomId": 5}'])
async def test_fake_requires_a_room(fake: FakeVideoSDK, body: bytes) -> None:
    """It responds with 400 to a body without one."""
    async with fake.client() as client:
        request = attrs.evolve(writes.stop_request("r"), body=body)
        with pytest.raises(BadRequestError):
            await writes.stop(client._transport, client.iter_transcriptions, "r", request)  # type: ignore[arg-type]


async def _in_flight(fake: FakeVideoSDK, requests: int) -> None:
    while len(fake.requests) < requests:  # noqa: ASYNC110 - requests of another task signal no event
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
