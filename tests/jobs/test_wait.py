"""Waiting for files: three outcomes, one look at the list for many, and nothing left behind."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from attrs import evolve

from videosdk_transcripts import (
    AuthenticationError,
    ClientClosedError,
    Clock,
    CompletedWithoutFileError,
    ConfigurationError,
    ConnectionFailedError,
    NotFoundError,
    Page,
    RetryPolicy,
    Transcription,
    TranscriptionFailedError,
    TranscriptsClient,
    WaitTimedOutError,
)
from videosdk_transcripts._jobs.shared_polls import Rounds
from videosdk_transcripts._jobs.wait import Waiting
from videosdk_transcripts.testing import Change, CutBody, Delay, FakeVideoSDK, HtmlPage, Status

from ..conftest import ManualClock, until

URL = "https://cdn.videosdk.live/transcriptions/x/x.txt"
NAME = "videosdk-transcripts-waits"
Row = dict[str, Any]


def ready(row: Row) -> None:
    """Let the service have written the file."""
    row["transcriptionFilePaths"] = {"txt": URL}


def running(fake: FakeVideoSDK, count: int = 1, **fields: Any) -> list[Row]:
    """Add some that run and have no file."""
    return fake.add_transcriptions(count, status="running", formats=(), **fields)


def asked(fake: FakeVideoSDK) -> tuple[int, int]:
    """Return how many pages and how many single rows were asked for."""
    pages = sum(request.page is not None for request in fake.requests)
    return pages, len(fake.requests) - pages


class Held:
    """A sleep that ends when the test says so, or when it is cancelled."""

    def __init__(self) -> None:
        self.sleepers = 0
        self.lengths: list[float] = []
        self.go = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.sleepers += 1
        self.lengths.append(seconds)
        try:
            await self.go.wait()
        finally:
            self.sleepers -= 1


@pytest.fixture
async def client(fake: FakeVideoSDK, clock: ManualClock) -> AsyncIterator[TranscriptsClient]:
    """Give a client that tries once, so that each failure is seen."""
    policy = RetryPolicy(attempts=1)
    async with fake.client(retry=policy, clock=clock.clock) as open_client:
        yield open_client


def waiting_with(
    client: TranscriptsClient, clock: Clock, *, draw: float = 1.0, sleep: Any = None
) -> Waiting[Transcription]:
    """Make what the client has, with jitter that the test knows."""

    def pages() -> AsyncIterator[Page[Transcription]]:
        return client.iter_transcriptions(page_size=100, readahead=0, on_invalid="skip").by_page()

    return Waiting(
        client.get_transcription,
        pages,
        clock=evolve(clock, sleep=sleep) if sleep else clock,
        draw=lambda: draw,
    )


@pytest.fixture
def waiting(client: TranscriptsClient, clock: ManualClock) -> Waiting[Transcription]:
    """Give one whose waits are the longest that the jitter allows."""
    return waiting_with(client, clock.clock)


async def test_a_row_that_has_it_costs_nothing(
    fake: FakeVideoSDK, client: TranscriptsClient, waiting: Waiting[Transcription]
) -> None:
    """Whatever its status says; the summary is a file of its own."""
    row = fake.add_transcription(status="running", summary=False)
    t = await client.get_transcription(row["id"])
    fake.requests.clear()
    assert await waiting.wait(t) is t
    assert fake.requests == []
    row["summarizedFilePaths"] = {"txt": URL}
    assert (await waiting.wait(t, summary=True)).summary_files == {"txt": URL}
    assert asked(fake) == (0, 1)


async def test_it_waits_for_the_file_and_not_for_the_word(
    fake: FakeVideoSDK, waiting: Waiting[Transcription], clock: ManualClock
) -> None:
    """The gaps grow by half to six times the first, and the file is what ends it."""
    (row,) = running(fake)

    def grow(fake: FakeVideoSDK) -> None:
        if len(fake.requests) == 4:
            row["status"] = "completed"
        if len(fake.requests) == 9:
            ready(row)

    fake.every(1, Change(grow))
    assert (await waiting.wait(row["id"], poll=4, grace=200)).files == {"txt": URL}
    assert clock.slept == pytest.approx([4, 6, 9, 13.5, 20.25, 24, 24, 24])
    assert asked(fake) == (0, 9)


async def test_jitter_takes_off_half_at_most(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """No gap is below half of what it would be."""
    (row,) = running(fake)
    fake.every(4, Change(lambda _: ready(row)))
    await waiting_with(client, clock.clock, draw=0).wait(row["id"], poll=4)
    assert clock.slept == pytest.approx([2, 3, 4.5])


async def test_failed(fake: FakeVideoSDK, waiting: Waiting[Transcription]) -> None:
    """The service's word ends it, but for a file that is there all the same."""
    row = fake.add_transcription(status="FAILED", formats=())
    with pytest.raises(TranscriptionFailedError, match=r"failed \(status 'FAILED'\)") as raised:
        await waiting.wait(row["id"])
    assert raised.value.transcription_id == row["id"]
    ready(row)
    assert (await waiting.wait(row["id"])).is_failed


async def test_completed_without_the_file(
    fake: FakeVideoSDK, waiting: Waiting[Transcription], clock: ManualClock
) -> None:
    """The grace period counts from the look that saw it so, and the error names what there is."""
    row = fake.add_transcription(formats=("srt", "txt"), summary=False)
    with pytest.raises(CompletedWithoutFileError, match=r"no vtt file .*: srt, txt") as raised:
        await waiting.wait(row["id"], format="vtt", grace=60)
    assert raised.value.transcription_id == row["id"]
    assert 1060 <= clock.now < 1090
    with pytest.raises(CompletedWithoutFileError, match=r"no txt file of a summary .*: none"):
        await waiting.wait(row["id"], summary=True, grace=0)
    assert clock.slept[-1] > 0
    assert clock.now < 1090


async def test_the_grace_period_begins_anew_where_it_runs_again(
    fake: FakeVideoSDK, waiting: Waiting[Transcription], clock: ManualClock
) -> None:
    """The word may be taken back."""
    row = fake.add_transcription(formats=())

    def flip(fake: FakeVideoSDK) -> None:
        row["status"] = "running" if len(fake.requests) == 3 else "completed"

    fake.every(1, Change(flip))
    with pytest.raises(CompletedWithoutFileError):
        await waiting.wait(row["id"], poll=10, grace=20)
    # Looks at 0, 10, 25 (running again), 47.5 and 81.25.
    assert len(fake.requests) == 5


async def test_the_time_is_up(
    fake: FakeVideoSDK, waiting: Waiting[Transcription], clock: ManualClock
) -> None:
    """To the second, with the id and what was seen last."""
    (row,) = running(fake)
    with pytest.raises(WaitTimedOutError, match="after 20 s; its status was 'running'") as raised:
        await waiting.wait(row["id"], timeout=20)
    assert isinstance(raised.value, TimeoutError)
    assert raised.value.transcription_id == row["id"]
    assert clock.now == pytest.approx(1020)


async def test_the_last_look_comes_shortly_before_the_time_is_up(
    fake: FakeVideoSDK, waiting: Waiting[Transcription], clock: ManualClock
) -> None:
    """What the long gaps of a long wait would miss is found by it."""
    (row,) = running(fake)

    def late(_: FakeVideoSDK) -> None:
        if clock.now >= 1054:
            ready(row)

    fake.every(1, Change(late))
    assert (await waiting.wait(row["id"], timeout=60)).files == {"txt": URL}
    # Looks at 0, 5, 12.5, 23.75 and 40.6; the next would be at 65.9.
    assert clock.slept == pytest.approx([5, 7.5, 11.25, 16.875, 14.375])


async def test_no_last_look_where_the_service_wants_quiet(
    fake: FakeVideoSDK, waiting: Waiting[Transcription], clock: ManualClock
) -> None:
    """Neither by one alone nor by several together."""
    rows = running(fake, 3)
    fake.every(1, Status(429, {"Retry-After": "90"}))
    for some in (rows[:1], rows):
        fake.requests.clear()
        began = clock.now
        waits = (waiting.wait(row["id"], timeout=20) for row in some)
        ended = await asyncio.gather(*waits, return_exceptions=True)
        assert [type(error) for error in ended] == [WaitTimedOutError] * len(some)
        assert len(fake.requests) == 1
        assert clock.now == pytest.approx(began + 20)


async def test_an_answer_that_breaks_off_is_outlived(
    fake: FakeVideoSDK, waiting: Waiting[Transcription], clock: ManualClock
) -> None:
    """As is the page of a proxy in its place, alone and together."""
    rows = fake.add_transcriptions(2)
    fake.fail_next(CutBody(), HtmlPage(), Status(408))
    await waiting.wait(rows[0]["id"])
    assert clock.slept == pytest.approx([5, 7.5, 11.25])
    fake.fail_next(CutBody())
    assert len(await asyncio.gather(*(waiting.wait(row["id"]) for row in rows))) == 2


async def test_the_time_is_up_during_a_request(fake: FakeVideoSDK) -> None:
    """By the clock of the loop, whatever is under way."""
    (row,) = running(fake)
    fake.fail_next(Delay(30))
    loop = asyncio.get_running_loop()
    async with fake.client() as client:
        waiting = waiting_with(client, Clock(loop.time))
        with pytest.raises(WaitTimedOutError, match="nothing has been seen of it") as raised:
            await waiting.wait(row["id"], timeout=0.05)
    assert raised.value.__cause__ is None


async def test_an_unknown_id_is_given_some_time(
    fake: FakeVideoSDK, waiting: Waiting[Transcription], clock: ManualClock
) -> None:
    """A start may be ahead of what can be read."""
    (row,) = running(fake)
    fake.rows.clear()

    def appear(fake: FakeVideoSDK) -> None:
        if len(fake.requests) == 3:
            fake.rows.append(row)
            ready(row)

    fake.every(1, Change(appear))
    assert (await waiting.wait(row["id"])).id == row["id"]
    fake.rows.clear()
    clock.slept.clear()
    with pytest.raises(NotFoundError):
        await waiting.wait(row["id"], grace=60)
    assert sum(clock.slept) >= 60
    with pytest.raises(WaitTimedOutError, match="no transcription of that id yet") as raised:
        await waiting.wait(row["id"], timeout=30, grace=60)
    assert raised.value.transcription_id == row["id"]


async def test_single_failures_are_outlived(
    fake: FakeVideoSDK, waiting: Waiting[Transcription], clock: ManualClock
) -> None:
    """And the time that the service asked for is kept."""
    (row,) = running(fake)
    fake.fail_next(Status(503), Status(429, {"Retry-After": "90"}), Status(406))
    fake.every(4, Change(lambda _: ready(row)))
    await waiting.wait(row["id"], poll=4)
    # Ninety seconds and then up to half a gap; the gap is 6 by then.
    assert clock.slept == pytest.approx([4, 93, 9])


async def test_the_last_failure_is_named_when_the_time_is_up(
    fake: FakeVideoSDK, waiting: Waiting[Transcription]
) -> None:
    """Otherwise an outage would look like a slow transcription."""
    fake.every(1, Status(500))
    with pytest.raises(WaitTimedOutError, match="last look failed with ServerError"):
        await waiting.wait("some-id", timeout=10)


async def test_other_failures_end_it(fake: FakeVideoSDK, waiting: Waiting[Transcription]) -> None:
    """Waiting would not help."""
    fake.every(1, Status(401))
    with pytest.raises(AuthenticationError):
        await waiting.wait("some-id")


@pytest.mark.parametrize(
    ("row", "options", "reason"),
    [
        ("", {}, "transcription_id must be a non-empty id"),
        (None, {}, "transcription_id must be a string, not NoneType"),
        ("a", {"format": ""}, "format must name one"),
        ("a", {"format": None}, "format must name one"),
        ("a", {"timeout": 0}, "timeout must be a number above 0"),
        ("a", {"poll": 0}, "poll must be a number above 0"),
        ("a", {"grace": -1}, "grace must be a number of 0 or more"),
    ],
)
async def test_bad_arguments(
    fake: FakeVideoSDK,
    waiting: Waiting[Transcription],
    row: Any,
    options: dict[str, Any],
    reason: str,
) -> None:
    """Nothing is sent."""
    with pytest.raises(ConfigurationError, match=reason):
        await waiting.wait(row, **options)
    assert fake.requests == []


async def test_fifty_waits_cost_one_request_a_round(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """One walk over the front of the list answers them all, and the gaps keep in step."""
    rows = running(fake, 50)
    fake.add_transcriptions(250)

    def grow(fake: FakeVideoSDK) -> None:
        if len(fake.requests) == 10:
            for row in rows:
                ready(row)

    fake.every(1, Change(grow))
    waiting = waiting_with(client, clock.clock, draw=0.5)
    found = await asyncio.gather(*(waiting.wait(row["id"], timeout=None) for row in rows))
    assert [t.id for t in found] == [row["id"] for row in rows]
    assert asked(fake) == (10, 0)
    assert {request.query["perPage"] for request in fake.requests} == {"100"}


async def test_waits_that_began_apart_come_together(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """Whoever may be looked at goes with those that must be, and nobody else does."""
    rows = running(fake, 4)
    held = Held()
    waiting = waiting_with(client, clock.clock, sleep=held)
    waits = []
    for row, poll in ((rows[0], 5), (rows[1], 100)):
        waits.append(asyncio.create_task(waiting.wait(row["id"], poll=poll)))
        await until(lambda: len(fake.requests) == len(waits) and held.sleepers)
    for row in rows:
        ready(row)
    clock.now += 3
    waits += [asyncio.create_task(waiting.wait(row["id"])) for row in rows[2:]]
    await asyncio.gather(waits[0], *waits[2:])
    assert asked(fake) == (1, 2)
    assert not waits[1].done()
    waits[1].cancel()
    await asyncio.wait({waits[1]})


async def test_what_the_front_does_not_show_is_asked_for_by_id(
    fake: FakeVideoSDK, waiting: Waiting[Transcription]
) -> None:
    """Six waits walk three pages at most."""
    old = running(fake, 4)
    new = [fake.add_transcription(at=0) for _ in range(2)]
    fake.rows[2:2] = [fake.add_transcription() for _ in range(300)]
    del fake.rows[306:]
    for row in old:
        ready(row)
    found = await asyncio.gather(*(waiting.wait(row["id"]) for row in old + new))
    assert len(found) == 6
    assert asked(fake) == (3, 4)


async def test_a_list_may_end_before_all_were_met(
    fake: FakeVideoSDK, waiting: Waiting[Transcription], clock: ManualClock
) -> None:
    """A list that lags behind is read to its end, and then they ask for themselves."""
    rows = fake.add_transcriptions(2)
    unknown = asyncio.gather(*(waiting.wait(i, grace=0) for i in "ab"), return_exceptions=True)
    assert len(await asyncio.gather(*(waiting.wait(row["id"]) for row in rows))) == 2
    assert [type(error) for error in await unknown] == [NotFoundError] * 2
    assert asked(fake) == (1, 2)


async def test_a_list_that_can_not_be_read_is_no_reason_to_stop(
    fake: FakeVideoSDK, waiting: Waiting[Transcription]
) -> None:
    """A size that is refused, or somebody else's broken row."""
    rows = fake.add_transcriptions(3)
    fake.on_page(1, Status(400))
    assert len(await asyncio.gather(*(waiting.wait(row["id"]) for row in rows))) == 3
    assert asked(fake) == (1, 3)


async def test_a_sweep_that_fails_holds_all_back(
    fake: FakeVideoSDK, waiting: Waiting[Transcription], clock: ManualClock
) -> None:
    """None of them asks for itself in an outage."""
    rows = fake.add_transcriptions(3)
    fake.fail_next(Status(503, {"Retry-After": "40"}))
    assert len(await asyncio.gather(*(waiting.wait(row["id"]) for row in rows))) == 3
    assert asked(fake) == (2, 0)
    assert clock.now >= 1040


async def test_one_that_leaves_disturbs_no_other(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """Between two looks and during one; with the last one the shared task goes."""
    rows = running(fake, 3)
    held = Held()
    waiting = waiting_with(client, clock.clock, sleep=held)
    waits = [asyncio.create_task(waiting.wait(row["id"])) for row in rows]
    await until(lambda: held.sleepers)
    waits[0].cancel()
    await asyncio.wait({waits[0]})
    assert held.sleepers == 1
    fake.fail_next(Delay(0.05))
    for row in rows:
        ready(row)
    clock.now += 60
    held.go.set()
    await until(lambda: fake.in_flight)
    waits[1].cancel()
    assert (await waits[2]).id == rows[2]["id"]
    assert waits[0].cancelled()
    assert waits[1].cancelled()
    assert asked(fake) == (2, 0)


async def test_the_last_one_leaves_nothing(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """Not the nap, and not the walk."""
    rows = running(fake, 2)
    held = Held()
    waiting = waiting_with(client, clock.clock, sleep=held)
    for during_walk in (True, False):
        if during_walk:
            fake.fail_next(Delay(30))
        waits = [asyncio.create_task(waiting.wait(row["id"])) for row in rows]
        await until(lambda: fake.in_flight if during_walk else held.sleepers)  # noqa: B023
        for wait in waits:
            wait.cancel()
        await asyncio.wait(waits)
        assert not [t for t in asyncio.all_tasks() if t.get_name() == NAME]
        assert held.sleepers == 0
        await until(lambda: not fake.in_flight)


class Reluctant:
    """A walk, and a sleep, that take their time to end when they are cancelled."""

    def __init__(self) -> None:
        self.is_held = True
        self.begun = 0

    async def __call__(self, _: float = 0) -> None:
        self.begun += 1
        try:
            if self.is_held:
                await asyncio.sleep(30)
        finally:
            self.is_held = False
            for _turn in range(5):
                await asyncio.sleep(0)

    def __aiter__(self) -> AsyncIterator[Page[Transcription]]:
        return self

    async def __anext__(self) -> Page[Transcription]:
        await self()
        raise StopAsyncIteration


@pytest.mark.parametrize("time", [0.0, 5.0])
async def test_whoever_comes_while_the_last_one_leaves(time: float) -> None:
    """It does not count on the task that is about to end, in a nap and during a walk."""
    reluctant = Reluctant()

    async def sleep(seconds: float) -> None:
        await reluctant()
        clock.now += seconds

    clock = ManualClock()
    clock.now = time
    rounds = Rounds[Transcription](lambda: reluctant, clock=Clock(lambda: clock.now, sleep=sleep))
    first = [asyncio.create_task(rounds.turn(i, opens=5, due=5)) for i in "ab"]
    await until(lambda: reluctant.begun)
    for turn in first:
        turn.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        assert await rounds.turn("c", opens=6, due=6) is None
    await asyncio.wait(first)
    assert all(turn.cancelled() for turn in first)
    assert not [t for t in asyncio.all_tasks() if t.get_name() == NAME]


async def test_what_cancels_itself_in_a_sweep_leaves_nobody_waiting(
    fake: FakeVideoSDK, clock: ManualClock
) -> None:
    """A token callable that waits for a task which is cancelled meanwhile, for one."""

    async def token() -> str:
        raise asyncio.CancelledError

    rows = fake.add_transcriptions(2)
    async with fake.client(token=token, clock=clock.clock) as client:
        waiting = waiting_with(client, clock.clock)
        waits = [asyncio.create_task(waiting.wait(row["id"])) for row in rows]
        done, _ = await asyncio.wait(waits, timeout=5)
    assert len(done) == 2
    assert all(wait.cancelled() for wait in waits)


async def test_a_newcomer_does_not_wait_for_the_nap_of_others(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """It is looked at once, alone, where the others were looked at just now."""
    (row,) = running(fake)
    held = Held()
    waiting = waiting_with(client, clock.clock, sleep=held)
    other = asyncio.create_task(waiting.wait(row["id"]))
    await until(lambda: held.sleepers)
    there = fake.add_transcription()
    assert (await waiting.wait(there["id"])).id == there["id"]
    late = fake.add_transcription()
    fake.rows.remove(late)
    third = asyncio.create_task(waiting.wait(late["id"], poll=100))
    await until(lambda: len(fake.requests) == 3 and held.sleepers)
    await asyncio.sleep(0.01)
    # A nap that ends before the newcomer is due goes on as it was.
    assert held.lengths[-1] == pytest.approx(5)
    for wait in (other, third):
        wait.cancel()
    await asyncio.wait({other, third})


async def test_closing_ends_all_waits(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """At once where it is told, and with the next request anyway."""
    rows = running(fake, 2)
    held = Held()
    waiting = waiting_with(client, clock.clock, sleep=held)
    waiting.end(lambda: ClientClosedError("closed"))
    waits = [asyncio.create_task(waiting.wait(row["id"])) for row in rows]
    await until(lambda: held.sleepers)
    await client.aclose()
    waits[0].cancel()
    waiting.end(lambda: ClientClosedError("closed"))
    ended = await asyncio.gather(*waits, return_exceptions=True)
    assert [type(error) for error in ended] == [asyncio.CancelledError, ClientClosedError]
    assert held.sleepers == 0
    with pytest.raises(ClientClosedError):
        await waiting.wait(rows[0]["id"])


async def test_closing_during_a_sweep(
    fake: FakeVideoSDK, client: TranscriptsClient, waiting: Waiting[Transcription]
) -> None:
    """What ends the sweep ends the waits."""
    rows = running(fake, 2)
    fake.fail_next(Delay(30))
    waits = [asyncio.create_task(waiting.wait(row["id"])) for row in rows]
    await until(lambda: fake.in_flight)
    await client.aclose()
    ended = await asyncio.gather(*waits, return_exceptions=True)
    assert [type(error) for error in ended] == [ClientClosedError] * 2


async def test_what_a_callers_function_raises_reaches_all(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """Nobody waits for a task that has died."""

    async def broken(seconds: float) -> None:
        raise LookupError("made to fail")

    rows = running(fake, 2)
    waiting = waiting_with(client, clock.clock, sleep=broken)
    ended = await asyncio.gather(*(waiting.wait(r["id"]) for r in rows), return_exceptions=True)
    assert [type(error) for error in ended] == [LookupError] * 2


async def test_a_callers_time_out_is_not_ours() -> None:
    """A TimeoutError that comes from elsewhere is passed on."""

    async def get(row_id: str) -> Transcription:
        raise TimeoutError("made to fail")

    def pages() -> AsyncIterator[Page[Transcription]]:
        raise ConnectionFailedError("not asked")

    waiting = Waiting(get, pages, clock=ManualClock().clock)
    with pytest.raises(TimeoutError, match="made to fail"):
        await waiting.wait("some-id")


def test_one_loop_after_another(clock: ManualClock) -> None:
    """What belongs to a loop ends with it."""

    async def get(row_id: str) -> Transcription:
        return Transcription(id=row_id, files={"txt": URL})

    def pages() -> AsyncIterator[Page[Transcription]]:
        raise ConnectionFailedError("not asked")

    waiting = Waiting(get, pages, clock=clock.clock)
    for _ in range(3):
        assert asyncio.run(waiting.wait("some-id")).id == "some-id"
    assert len(waiting._rounds._of_loops) == 1
