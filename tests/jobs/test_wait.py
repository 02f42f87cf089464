"""Wait for a file: its outcomes, intervals, timeouts and grace periods."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from videosdk_transcripts import (
    AuthenticationError,
    Clock,
    CompletedWithoutFileError,
    ConfigurationError,
    ConnectionFailedError,
    NotFoundError,
    Page,
    RateLimitedError,
    RetryPolicy,
    Transcription,
    TranscriptionFailedError,
    TranscriptsClient,
    WaitTimedOutError,
)
from videosdk_transcripts._jobs.wait import Waiter
from videosdk_transcripts.testing import (
    Change,
    CutBody,
    Delay,
    Exchange,
    FakeVideoSDK,
    HtmlPage,
    Status,
)

from ..conftest import ManualClock
from .support import URL, add_file, add_running, count_requests, waiter_with


@pytest.fixture
async def client(fake: FakeVideoSDK, clock: ManualClock) -> AsyncIterator[TranscriptsClient]:
    """Open a client without retries, so that each failure reaches the waiter."""
    policy = RetryPolicy(attempts=1)
    async with fake.client(retry=policy, clock=clock.clock) as open_client:
        yield open_client


@pytest.fixture
def waiter(client: TranscriptsClient, clock: ManualClock) -> Waiter[Transcription]:
    """Return a waiter whose intervals are the longest that the jitter allows."""
    return waiter_with(client, clock.clock)


async def test_row_with_the_file_is_returned_without_a_request(
    fake: FakeVideoSDK, client: TranscriptsClient, waiter: Waiter[Transcription]
) -> None:
    """Its status does not matter; the summary is a separate file."""
    row = fake.add_transcription(status="running", summary=False)
    t = await client.get_transcription(row["id"])
    fake.requests.clear()
    assert await waiter.wait(t) is t
    assert fake.requests == []
    row["summarizedFilePaths"] = {"txt": URL}
    assert (await waiter.wait(t, summary=True)).summary_files == {"txt": URL}
    assert count_requests(fake) == (0, 1)


async def test_file_ends_the_wait_and_not_the_status(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], clock: ManualClock
) -> None:
    """The interval grows by half each time, to at most six times the first."""
    (row,) = add_running(fake)

    def grow(fake: FakeVideoSDK) -> None:
        if len(fake.requests) == 4:
            row["status"] = "completed"
        if len(fake.requests) == 9:
            add_file(row)

    fake.every(1, Change(grow))
    assert (await waiter.wait(row["id"], poll=4, grace=200)).files == {"txt": URL}
    assert clock.slept == pytest.approx([4, 6, 9, 13.5, 20.25, 24, 24, 24])
    assert count_requests(fake) == (0, 9)


async def test_documented_defaults(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], clock: ManualClock
) -> None:
    """The timeout is an hour, the second poll is after 5 s, and the grace period is 2 minutes."""
    (row,) = add_running(fake)
    with pytest.raises(WaitTimedOutError, match="no txt file after 3600 s"):
        await waiter.wait(row["id"])
    assert clock.slept[:2] == pytest.approx([5, 7.5])
    row["status"] = "completed"
    with pytest.raises(CompletedWithoutFileError, match="after a grace period of 120 s"):
        await waiter.wait(row["id"])


async def test_jitter_shortens_an_interval_by_half_at_most(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """A failure without Retry-After does not delay the next poll."""
    (row,) = add_running(fake)
    fake.fail_next(Status(503))
    fake.every(4, Change(lambda _: add_file(row)))
    await waiter_with(client, clock.clock, jitter=0).wait(row["id"], poll=1)
    assert clock.slept == pytest.approx([0.5, 0.75, 1.125])


async def test_failed_transcription_raises(
    fake: FakeVideoSDK, waiter: Waiter[Transcription]
) -> None:
    """It does not raise if the file exists anyway."""
    row = fake.add_transcription(status="FAILED", formats=())
    with pytest.raises(TranscriptionFailedError, match=r"failed \(status 'FAILED'\)") as raised:
        await waiter.wait(row["id"])
    assert raised.value.transcription_id == row["id"]
    add_file(row)
    assert (await waiter.wait(row["id"])).is_failed


async def test_completed_without_file_raises_after_grace(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], clock: ManualClock
) -> None:
    """Counted from the poll that found it completed; the error lists available formats."""
    row = fake.add_transcription(formats=("srt", "txt"), summary=False)
    with pytest.raises(CompletedWithoutFileError, match=r"no vtt file .*: srt, txt") as raised:
        await waiter.wait(row["id"], format="vtt", grace=60)
    assert raised.value.transcription_id == row["id"]
    assert 1060 <= clock.now < 1090
    with pytest.raises(CompletedWithoutFileError, match=r"no txt summary .*: none"):
        await waiter.wait(row["id"], summary=True, grace=0)
    assert clock.slept[-1] > 0
    assert clock.now < 1090


@pytest.mark.parametrize("status", ["stopped", "Stopped"])
async def test_stopped_transcription_ends_the_wait_after_grace(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], clock: ManualClock, status: str
) -> None:
    """It ends before the timeout, and a file that appears within the grace period is returned."""
    row = fake.add_transcription(status=status, formats=())
    with pytest.raises(CompletedWithoutFileError, match=f"status '{status}'"):
        await waiter.wait(row["id"], grace=60)
    assert clock.now < 1090
    fake.fail_next(Change(lambda _: None), Change(lambda _: add_file(row)))
    assert (await waiter.wait(row["id"], grace=60)).files == {"txt": URL}


@pytest.mark.parametrize("status", ["queued", "Stopping"])
async def test_status_of_an_active_job_starts_no_grace_period(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], status: str
) -> None:
    """The wait continues until its timeout."""
    row = fake.add_transcription(status=status, formats=())
    with pytest.raises(WaitTimedOutError):
        await waiter.wait(row["id"], grace=0, timeout=60)


async def test_grace_includes_its_last_moment(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], clock: ManualClock
) -> None:
    """A poll exactly at its end is the last one."""
    row = fake.add_transcription(formats=())
    with pytest.raises(CompletedWithoutFileError):
        await waiter.wait(row["id"], poll=10, grace=25)
    assert clock.slept == pytest.approx([10, 15])


async def test_grace_restarts_if_the_transcription_runs_again(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], clock: ManualClock
) -> None:
    """A status may be withdrawn."""
    row = fake.add_transcription(formats=())

    def flip(fake: FakeVideoSDK) -> None:
        row["status"] = "running" if len(fake.requests) == 3 else "completed"

    fake.every(1, Change(flip))
    with pytest.raises(CompletedWithoutFileError):
        await waiter.wait(row["id"], poll=10, grace=20)
    # Polls at 0, 10, 25 (running again), 47.5 and 81.25.
    assert len(fake.requests) == 5


async def test_timeout_raises_with_the_last_status(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], clock: ManualClock
) -> None:
    """It is raised on time, and has the id."""
    (row,) = add_running(fake)
    with pytest.raises(WaitTimedOutError, match="after 20 s: its status was 'running'") as raised:
        await waiter.wait(row["id"], timeout=20)
    assert isinstance(raised.value, TimeoutError)
    assert raised.value.transcription_id == row["id"]
    assert clock.now == pytest.approx(1020)


async def test_last_poll_is_made_shortly_before_the_timeout(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], clock: ManualClock
) -> None:
    """It finds a file that appeared during a long interval."""
    (row,) = add_running(fake)

    def late(_: FakeVideoSDK) -> None:
        if clock.now >= 1054:
            add_file(row)

    fake.every(1, Change(late))
    assert (await waiter.wait(row["id"], timeout=60)).files == {"txt": URL}
    # Polls at 0, 5, 12.5, 23.75 and 40.6; the next would be at 65.9.
    assert clock.slept == pytest.approx([5, 7.5, 11.25, 16.875, 14.375])


async def test_no_last_poll_within_retry_after(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], clock: ManualClock
) -> None:
    """This applies to a single wait and to several."""
    rows = add_running(fake, 3)
    fake.every(1, Status(429, {"Retry-After": "90"}))
    for some in (rows[:1], rows):
        fake.requests.clear()
        began = clock.now
        waits = (waiter.wait(row["id"], timeout=20) for row in some)
        ended = await asyncio.gather(*waits, return_exceptions=True)
        assert [type(error) for error in ended] == [WaitTimedOutError] * len(some)
        assert len(fake.requests) == 1
        assert clock.now == pytest.approx(began + 20)


async def test_truncated_response_does_not_end_the_wait(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], clock: ManualClock
) -> None:
    """A proxy's error page does not, either. This applies to a single wait and to several."""
    rows = fake.add_transcriptions(2)
    fake.fail_next(CutBody(), HtmlPage(), Status(408))
    await waiter.wait(rows[0]["id"])
    assert clock.slept == pytest.approx([5, 7.5, 11.25])
    fake.fail_next(CutBody())
    assert len(await asyncio.gather(*(waiter.wait(row["id"]) for row in rows))) == 2


async def test_timeout_cancels_a_request_in_progress(fake: FakeVideoSDK) -> None:
    """The clock of the event loop counts."""
    (row,) = add_running(fake)
    fake.fail_next(Delay(30))
    loop = asyncio.get_running_loop()
    async with fake.client() as client:
        waiter = waiter_with(client, Clock(loop.time))
        with pytest.raises(WaitTimedOutError, match="there was no response yet") as raised:
            await waiter.wait(row["id"], timeout=0.05)
    assert raised.value.__cause__ is None


async def test_unknown_id_is_polled_during_grace(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], clock: ManualClock
) -> None:
    """A new transcription may not be readable yet."""
    (row,) = add_running(fake)
    fake.rows.clear()

    def appear(fake: FakeVideoSDK) -> None:
        if len(fake.requests) == 3:
            fake.rows.append(row)
            add_file(row)

    fake.every(1, Change(appear))
    assert (await waiter.wait(row["id"])).id == row["id"]
    fake.rows.clear()
    clock.slept.clear()
    with pytest.raises(NotFoundError):
        await waiter.wait(row["id"], grace=60)
    assert sum(clock.slept) >= 60
    with pytest.raises(
        WaitTimedOutError, match="found no transcription with this id; check"
    ) as raised:
        await waiter.wait(row["id"], timeout=30, grace=60)
    assert raised.value.transcription_id == row["id"]


async def test_single_404_does_not_end_the_wait(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], clock: ManualClock
) -> None:
    """The grace period restarts with each response that has the row."""
    (row,) = add_running(fake)

    async def flicker(exchange: Exchange) -> web.StreamResponse:
        return await Status(404)(exchange) if len(fake.requests) % 3 else exchange.response()

    fake.every(1, flicker)
    with pytest.raises(WaitTimedOutError):
        await waiter.wait(row["id"], poll=10, grace=100, timeout=1000)
    fake.clear_faults()
    fake.every(1, Status(404))
    clock.slept.clear()
    with pytest.raises(NotFoundError):
        await waiter.wait(row["id"], poll=10, grace=25)
    assert clock.slept == pytest.approx([10, 15])
    with pytest.raises(NotFoundError):
        await waiter.wait(row["id"], poll=10, grace=0)
    assert len(clock.slept) == 2


async def test_transient_failure_does_not_end_the_wait(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], clock: ManualClock
) -> None:
    """Retry-After is honoured."""
    (row,) = add_running(fake)
    fake.fail_next(Status(503), Status(429, {"Retry-After": "90"}), Status(406))
    fake.every(4, Change(lambda _: add_file(row)))
    await waiter.wait(row["id"], poll=4)
    # 90 seconds and then up to half of the interval, which is 6 by then.
    assert clock.slept == pytest.approx([4, 93, 9])


async def test_failed_polls_are_logged_once_per_kind(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], caplog: pytest.LogCaptureFixture
) -> None:
    """Repeated failures have a lower level, until a poll succeeds."""
    (row,) = add_running(fake)
    failed, refused = Status(503), Status(429, {"Retry-After": "90"})
    fake.fail_next(failed, failed, refused, failed, Delay(0), failed)
    fake.every(7, Change(lambda _: add_file(row)))
    with caplog.at_level(logging.INFO, "videosdk_transcripts"):
        await waiter.wait(row["id"], poll=4, timeout=600)
    records = [r for r in caplog.records if "wait_until_ready" in r.getMessage()]
    found = [(r.levelname, vars(r)["status"]) for r in records]
    assert found == [
        ("WARNING", 503),
        ("INFO", 503),
        ("WARNING", 429),
        ("WARNING", 503),
        ("WARNING", 503),
    ]
    assert vars(records[2])["wait"] > 90
    call = f"wait_until_ready({row['id']})"
    assert records[0].getMessage() == f"{call}: ServerError 503, retrying in 4 s"


async def test_outage_of_many_waits_is_logged_once(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], caplog: pytest.LogCaptureFixture
) -> None:
    """All waits fail together."""
    rows = add_running(fake, 20)
    fake.every(1, Status(503))
    with caplog.at_level(logging.WARNING, "videosdk_transcripts"):
        waits = (waiter.wait(row["id"], timeout=30) for row in rows)
        await asyncio.gather(*waits, return_exceptions=True)
    assert len([r for r in caplog.records if r.levelno == logging.WARNING]) == 1


@pytest.mark.parametrize("seconds", ["86401", "1795801234", "1795801234567", "9" * 400])
@pytest.mark.parametrize("timeout", [None, 3600])
async def test_retry_after_of_more_than_a_day_is_raised(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], seconds: str, timeout: float | None
) -> None:
    """An example is the time since the epoch, in seconds or milliseconds."""
    (row,) = add_running(fake)
    fake.fail_next(Status(429, {"Retry-After": seconds}))
    with pytest.raises(RateLimitedError) as caught:
        await waiter.wait(row["id"], timeout=timeout)
    assert (caught.value.retry_after or 0) > 86_400


async def test_timeout_names_the_last_failure(
    fake: FakeVideoSDK, waiter: Waiter[Transcription]
) -> None:
    """Otherwise an outage would look like a slow transcription."""
    fake.every(1, Status(500))
    with pytest.raises(WaitTimedOutError, match="last poll failed with ServerError"):
        await waiter.wait("some-id", timeout=10)


async def test_permanent_failure_ends_the_wait(
    fake: FakeVideoSDK, waiter: Waiter[Transcription]
) -> None:
    """Waiting would not help."""
    fake.every(1, Status(401))
    with pytest.raises(AuthenticationError):
        await waiter.wait("some-id")


@pytest.mark.parametrize(
    ("row", "options", "reason"),
    [
        ("", {}, "transcription must be a non-empty id"),
        (None, {}, "transcription must be .* NoneType; pass a transcription or its id"),
        ("a", {"format": ""}, "format must be a non-empty string"),
        ("a", {"format": None}, "format must be a non-empty string"),
        ("a", {"timeout": 0}, "timeout must be a number above 0"),
        ("a", {"poll": 0}, "poll must be a number above 0"),
        ("a", {"grace": -1}, "grace must be a number of 0 or more"),
    ],
)
async def test_bad_arguments_are_rejected(
    fake: FakeVideoSDK,
    waiter: Waiter[Transcription],
    row: Any,
    options: dict[str, Any],
    reason: str,
) -> None:
    """Nothing is sent."""
    with pytest.raises(ConfigurationError, match=reason):
        await waiter.wait(row, **options)
    assert fake.requests == []


async def test_foreign_timeout_error_is_passed_on() -> None:
    """Only the wait's own timeout becomes a WaitTimedOutError."""

    async def get(row_id: str) -> Transcription:
        raise TimeoutError("made to fail")

    def pages() -> AsyncIterator[Page[Transcription]]:
        raise ConnectionFailedError("not asked")

    waiter = Waiter(get, pages, clock=ManualClock().clock)
    with pytest.raises(TimeoutError, match="made to fail"):
        await waiter.wait("some-id")
