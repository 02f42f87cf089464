"""Follow: every change is yielded exactly once, across crashes and changes of the list."""

import asyncio
import copy
import json
import logging
import pickle
import random
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import web

from videosdk_transcripts import (
    AuthenticationError,
    ClientClosedError,
    Clock,
    ConfigurationError,
    InvalidRowError,
    Page,
    RateLimitedError,
    RetryPolicy,
    ServerError,
    Transcription,
    TranscriptsClient,
)
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._jobs.follow import Follower, TranscriptionChange
from videosdk_transcripts._jobs.follow_state import FollowState
from videosdk_transcripts.testing import (
    CutBody,
    Delay,
    DropConnection,
    Envelope,
    Exchange,
    FakeVideoSDK,
    HtmlPage,
    Status,
)

from ..conftest import ManualClock, until

ROOM_ID = "abcd-efgh-ijkl"
Changes = list[tuple[str, str]]


class SleepingError(Exception):
    """An error that the sleep raises, so that the test controls the time between two polls."""


class Bot:
    """A consumer that saves changes and checkpoint together, and may crash."""

    def __init__(self, client: TranscriptsClient, clock: ManualClock, **options: Any) -> None:
        self.client, self.clock, self.options = client, clock, options
        self.page_size = options.pop("page_size", 20)
        self.seen: Changes = []
        self.slept: list[float] = []
        self.follower = self.start(options.pop("resume", None))
        self.saved: tuple[str, Changes] = (self.follower.checkpoint, [])

    def start(self, resume: str | None = None) -> Follower:
        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            raise SleepingError

        def walk() -> AsyncIterator[Page[Transcription]]:
            pager = self.client.iter_transcriptions(ROOM_ID, page_size=self.page_size, readahead=0)
            return pager.by_page()

        options = {"jitter": lambda: 0.5, **self.options}
        return Follower(
            walk,
            self.client.get_transcription,
            wanted=Filter(ROOM_ID),
            resume=resume,
            clock=Clock(lambda: self.clock.now, sleep=sleep),
            **options,
        )

    def restart(self) -> None:
        """Crash, and resume from the saved state."""
        resume, seen = self.saved
        self.seen = list(seen)
        self.follower = self.start(resume)

    def receive(self, change: TranscriptionChange) -> None:
        self.seen.append((change.kind, change.transcription.id))

    def save(self) -> None:
        """Save after a change was handled."""
        self.follower.ack()
        self.saved = (self.follower.checkpoint, list(self.seen))

    async def poll(self) -> Changes:
        """Advance to the next poll, and return the changes until it sleeps."""
        self.clock.now += self.slept[-1] if self.slept else 0
        before = len(self.seen)
        try:
            async for change in self.follower:
                self.receive(change)
        except SleepingError:
            pass
        return self.seen[before:]


@pytest.fixture
def bot(client: TranscriptsClient, clock: ManualClock) -> Callable[..., Bot]:
    """Return a maker of consumers."""
    return lambda **options: Bot(client, clock, **options)


@pytest.fixture
async def client(fake: FakeVideoSDK, clock: ManualClock) -> AsyncIterator[TranscriptsClient]:
    """Open a client without retries, so that each failure reaches the follower."""
    policy = RetryPolicy(attempts=1)
    async with fake.client(retry=policy, clock=clock.clock) as open_client:
        yield open_client


def requested_pages(fake: FakeVideoSDK) -> list[int | None]:
    """Return the pages requested since the last call, None for a single row."""
    pages = [request.page for request in fake.requests]
    fake.requests.clear()
    return pages


def own_records(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return the records of this package; asyncio logs slow callbacks on a busy machine."""
    return [record for record in caplog.records if record.name == "videosdk_transcripts"]


async def test_since_now_yields_only_later_changes(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """This includes the end of older transcriptions."""
    old, *_ = fake.add_transcriptions(45, status="running")
    following = bot()
    assert await following.poll() == []
    new = fake.add_transcription(at=0, status="running")
    done = fake.add_transcription(at=0)
    old["status"] = "failed"
    assert await following.poll() == [
        ("new", done["id"]),
        ("finished", done["id"]),
        ("new", new["id"]),
        ("finished", old["id"]),
    ]
    new["status"] = "completed"
    assert await following.poll() == [("finished", new["id"])]
    assert await following.poll() == []


async def test_since_start_yields_everything(fake: FakeVideoSDK, bot: Callable[..., Bot]) -> None:
    """For each row, `new` precedes `finished`."""
    rows = fake.add_transcriptions(45)
    rows[7]["status"] = "running"
    changes = await bot(since="start").poll()
    expected = [(kind, row["id"]) for row in rows for kind in ("new", "finished")]
    expected.remove(("finished", rows[7]["id"]))
    assert changes == expected


async def test_poll_without_changes_costs_one_request(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """If all rows on the first page are finished and the total has not grown."""
    fake.add_transcriptions(90)
    following = bot()
    await following.poll()
    assert requested_pages(fake) == [1, 2, 3, 4, 5]
    await following.poll()
    assert requested_pages(fake) == [1]
    # At the front: it reads on up to a page without new rows.
    fake.add_transcription(at=0)
    await following.poll()
    assert requested_pages(fake) == [1, 2]
    # Anywhere else: the total shows that there is more.
    row = fake.add_transcription()
    assert await following.poll() == [("new", row["id"]), ("finished", row["id"])]
    assert requested_pages(fake) == [1, 2, 3, 4, 5]
    assert following.slept == [30.0] * 4


async def test_full_scan_finds_what_the_total_hid(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """There is a full scan at each `full_scan_interval`."""
    fake.add_transcriptions(45)
    following = bot(poll=1000)
    await following.poll()
    del fake.rows[30]
    row = fake.add_transcription()
    assert [await following.poll() for _ in range(4)] == [
        [],
        [],
        [],
        [("new", row["id"]), ("finished", row["id"])],
    ]
    requested_pages(fake)
    always = bot(full_scan_interval=0)
    await always.poll()
    await always.poll()
    assert requested_pages(fake) == [1, 2, 3] * 2


async def test_row_added_during_a_walk_is_found_by_the_next(clock: ManualClock) -> None:
    """This applies even if the walk's total counted it already."""
    a, b, c = (Transcription(id=name, status="completed") for name in "abc")
    walks = [
        [Page(1, (a,), total=2), Page(2, (b,), total=3)],
        [Page(1, (a,), total=3), Page(2, (c,), total=3), Page(3, (b,), total=3)],
        [Page(1, (a,), total=3)],
    ]

    async def walk() -> AsyncIterator[Page[Transcription]]:
        for page in walks.pop(0):
            yield page

    async def get(row_id: str) -> Transcription:
        raise AssertionError(row_id)

    follower = Follower(walk, get, wanted=Filter(), clock=clock.clock)
    assert [await anext(follower), await anext(follower)] == [
        TranscriptionChange("new", c),
        TranscriptionChange("finished", c),
    ]


async def test_without_a_total_each_poll_is_a_full_scan(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """Nothing else shows that there is no more."""
    fake.add_transcriptions(45)
    fake.every(1, Envelope("page and totalPages"))
    following = bot()
    await following.poll()
    await following.poll()
    assert requested_pages(fake) == [1, 2, 3] * 2
    fake.clear_faults()
    for _ in range(2):
        await following.poll()
    assert requested_pages(fake) == [1, 2, 3, 1]
    fake.every(1, Envelope("page and totalPages"))
    await following.poll()
    assert requested_pages(fake) == [1, 2, 3]


async def test_empty_list_is_followed(fake: FakeVideoSDK, bot: Callable[..., Bot]) -> None:
    """Its total is 0, not unknown."""
    following = bot()
    assert await following.poll() == []
    row = fake.add_transcription(status="running")
    assert await following.poll() == [("new", row["id"])]
    assert await following.poll() == []


async def test_unfinished_rows_not_on_the_first_pages_are_read_by_id(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """Ten are read per poll, in rotation."""
    fake.add_transcriptions(20)
    rows = fake.add_transcriptions(12, status="running")
    following = bot()
    await following.poll()
    requested_pages(fake)
    seen = []
    for _ in range(6):
        await following.poll()
        seen += [r.path.rpartition("/")[2] for r in fake.requests if r.page is None]
        assert requested_pages(fake) == [1] + [None] * 10
    assert seen == [row["id"] for row in rows] * 5


async def test_removed_row_is_dropped_after_a_full_scan(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """It is never new again."""
    fake.add_transcriptions(20)
    row = fake.add_transcription(status="running")
    following = bot(poll=2000)
    await following.poll()
    fake.rows.remove(row)
    requested_pages(fake)
    assert await following.poll() == []
    assert requested_pages(fake) == [1, None]
    assert "1 unfinished" in repr(following.follower)
    assert await following.poll() == []
    assert requested_pages(fake) == [1, None]
    assert repr(following.follower) == f"<Follower of room {ROOM_ID}, 21 known, 0 unfinished>"
    fake.rows.insert(0, row)
    assert await following.poll() == []


def behind(fake: FakeVideoSDK) -> Callable[[Exchange], Awaitable[web.StreamResponse]]:
    """Return a fault that responds from the rows as they are now."""
    older = copy.deepcopy(fake.rows)

    async def respond(exchange: Exchange) -> web.StreamResponse:
        newest, fake.rows = fake.rows, older
        try:
            return exchange.response()
        finally:
            fake.rows = newest

    return respond


@pytest.mark.parametrize("scans", [1, 3])
@pytest.mark.parametrize("restart", [False, True])
async def test_row_that_was_missing_and_came_back_finishes_once(
    fake: FakeVideoSDK, bot: Callable[..., Bot], scans: int, restart: bool
) -> None:
    """Before, full scans and reads by id did not find it, and the follower may be restarted."""
    stale = behind(fake)
    row = fake.add_transcription(status="running")
    following = bot(since="start", full_scan_interval=0)
    assert await following.poll() == [("new", row["id"])]
    fake.every(1, stale)
    for _ in range(scans):
        assert await following.poll() == []
    assert requested_pages(fake) == [1, 1, None] + [1] * (scans - 1)
    fake.clear_faults()
    if restart:
        following.save()
        following.restart()
    row["status"] = "completed"
    assert await following.poll() == [("finished", row["id"])]
    assert await following.poll() == []


async def test_missing_row_that_runs_again_is_read_by_id_again(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """It explains the growth of the total, so there is no search for another new row."""
    fake.add_transcriptions(60)
    stale = behind(fake)
    row = fake.add_transcription(at=0, status="running")
    following = bot(poll=1500)
    await following.poll()
    fake.every(1, stale)
    for _ in range(3):
        await following.poll()
    assert "61 known, 0 unfinished" in repr(following.follower)
    fake.clear_faults()
    requested_pages(fake)
    assert await following.poll() == []
    assert requested_pages(fake) == [1, 2]
    assert "61 known, 1 unfinished" in repr(following.follower)
    fake.rows.append(fake.rows.pop(0))
    row["status"] = "failed"
    assert await following.poll() == [("finished", row["id"])]
    assert requested_pages(fake) == [1, None]


async def test_unknown_row_stays_unfinished_while_it_is_listed(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """A 404 alone proves nothing."""
    fake.add_transcriptions(20)
    row = fake.add_transcription(status="running")
    following = bot()
    await following.poll()
    for _ in range(3):
        fake.fail_next(Delay(0), Status(404))
        assert await following.poll() == []
    row["status"] = "completed"
    requested_pages(fake)
    assert await following.poll() == [("finished", row["id"])]
    assert requested_pages(fake) == [1, None]


@pytest.mark.parametrize("seen_again", ["listed", "read by id"])
async def test_row_seen_after_a_full_scan_is_not_dropped_by_a_404(
    fake: FakeVideoSDK, bot: Callable[..., Bot], seen_again: str
) -> None:
    """Only the first response after the scan that lacked it counts."""
    fake.add_transcriptions(60)
    stale = behind(fake)
    row = fake.add_transcription(status="running")
    following = bot()
    await following.poll()
    following.clock.now += 3600
    if seen_again == "listed":
        fake.fail_next(stale, stale, stale, Status(503))
        await following.poll()
        # Without a larger total, the poll ends before the end of the list.
        fake.rows[:] = [row, *fake.rows[:59]]
        await following.poll()
        fake.rows.append(fake.rows.pop(0))
        fake.fail_next(Delay(0), Status(404))
    else:
        fake.fail_next(stale, stale, stale, Delay(0))
        await following.poll()
        fake.fail_next(stale, Status(404))
    requested_pages(fake)
    await following.poll()
    assert None in requested_pages(fake)
    assert "61 known, 1 unfinished" in repr(following.follower)
    row["status"] = "completed"
    assert await following.poll() == [("finished", row["id"])]


async def test_many_removed_rows_are_dropped_ten_per_poll(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """Not ten per full scan, so that they do not delay others for long."""
    fake.add_transcriptions(20)
    removed = fake.add_transcriptions(25, status="running")
    following = bot()
    await following.poll()
    for row in removed:
        fake.rows.remove(row)
    following.clock.now += 3600
    requested_pages(fake)
    for _ in range(4):
        await following.poll()
    assert requested_pages(fake) == [1, *[None] * 10] * 2 + [1, *[None] * 5] + [1]
    assert repr(following.follower).endswith("45 known, 0 unfinished>")
    data = json.loads(following.follower.checkpoint)
    assert (len(data["known"]), len(data["removed"])) == (216, 268)


async def test_older_list_repeats_no_change(fake: FakeVideoSDK, bot: Callable[..., Bot]) -> None:
    """A cache serves a finished row as running, and lacks another."""
    row = fake.add_transcription(status="running")
    stale = behind(fake)
    following = bot(since="start", full_scan_interval=0)
    await following.poll()
    row["status"] = "completed"
    other = fake.add_transcription()
    assert len(await following.poll()) == 3
    fake.fail_next(stale, times=2)
    for _ in range(4):
        assert await following.poll() == []
    assert following.seen == [
        ("new", row["id"]),
        ("finished", row["id"]),
        ("new", other["id"]),
        ("finished", other["id"]),
    ]


async def test_lagging_page_does_not_hide_a_new_row(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """The total of the replica that knows the row counts, whichever page it came with."""
    fake.add_transcriptions(60)
    following = bot()
    await following.poll()
    stale = behind(fake)
    row = fake.add_transcription()
    fake.on_page(2, stale)
    assert await following.poll() == [("new", row["id"]), ("finished", row["id"])]


async def test_flickering_total_causes_three_searches(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """After that, only a larger total causes a search, until the next full scan or new row."""
    fake.add_transcriptions(60)
    following = bot()

    async def searches(*totals: int) -> list[bool]:
        """Poll once for each total, and return which polls read the last page."""
        found = []
        for total in totals:
            fake.clear_faults()
            fake.every(1, Envelope(info={"total": total}))
            await following.poll()
            found.append(3 in requested_pages(fake))
        return found

    assert await searches(60) == [True]
    assert await searches(61, 60, 61, 60, 61, 60) == [True, False] * 3
    assert await searches(61, 60, 61, 60) == [False] * 4
    assert await searches(63, 60, 63, 60) == [True, False, False, False]
    row = fake.add_transcription()
    assert await searches(64, 64) == [True, False]
    assert following.seen == [("new", row["id"]), ("finished", row["id"])]
    assert await searches(61, 65, 61) == [False, True, False]
    following.clock.now += 3600
    assert await searches(61, 65, 61, 65) == [True, True, False, True]


async def test_transient_failures_are_logged_once_per_kind_and_retried(
    fake: FakeVideoSDK, bot: Callable[..., Bot], caplog: pytest.LogCaptureFixture
) -> None:
    """The waits double up to five minutes, and honour Retry-After."""
    fake.add_transcriptions(45)
    following = bot()
    await following.poll()
    requested_pages(fake)
    fake.fail_next(Status(503), times=5)
    fake.fail_next(Status(429, {"Retry-After": "1000"}))
    with caplog.at_level(logging.WARNING, "videosdk_transcripts"):
        for _ in range(7):
            assert await following.poll() == []
    assert following.slept == [30, 30, 60, 120, 240, 300, 1000, 30]
    assert requested_pages(fake) == [1] * 7
    fields = [[vars(r)[name] for name in ("reason", "status", "wait")] for r in own_records(caplog)]
    assert fields == [["ServerError", 503, 30], ["RateLimitedError", 429, 1000]]
    assert f"follow(room={ROOM_ID}): ServerError 503, retrying in 30 s" in caplog.text
    assert f"follow(room={ROOM_ID}): RateLimitedError 429, retrying in 1000 s" in caplog.text
    fake.fail_next(Status(500))
    await following.poll()
    assert following.slept[-1] == 30
    assert len(own_records(caplog)) == 3
    await following.poll()
    fake.fail_next(Status(500))
    await following.poll()
    assert len(own_records(caplog)) == 4


@pytest.mark.parametrize("seconds", ["86401", "1795801234", "9" * 400])
async def test_retry_after_of_more_than_a_day_is_raised(
    fake: FakeVideoSDK, bot: Callable[..., Bot], seconds: str
) -> None:
    """The error has a checkpoint, and the next step continues."""
    following = bot()
    await following.poll()
    fake.add_transcription(row_id="new")
    fake.fail_next(Status(429, {"Retry-After": "86400"}), Status(429, {"Retry-After": seconds}))
    await following.poll()
    with pytest.raises(RateLimitedError) as caught:
        await following.poll()
    assert caught.value.checkpoint is not None
    assert following.slept[-1] == 86_400
    assert await following.poll() == [("new", "new"), ("finished", "new")]


async def test_row_that_fails_permanently_hides_no_others(
    fake: FakeVideoSDK, bot: Callable[..., Bot], caplog: pytest.LogCaptureFixture
) -> None:
    """The others are read before it, and the list is read on schedule."""
    fake.add_transcriptions(20)
    bad, good = fake.add_transcriptions(2, status="running")
    following = bot()
    await following.poll()

    async def fail(exchange: Exchange) -> web.StreamResponse:
        if exchange.request.path.endswith(bad["id"]):
            return await Status(503)(exchange)
        return exchange.response()

    fake.every(1, fail)
    assert await following.poll() == []
    good["status"] = "completed"
    new = fake.add_transcription(at=0, status="running")
    assert await following.poll() == [("new", new["id"]), ("finished", good["id"])]
    for _ in range(3):
        assert await following.poll() == []
    new["status"] = "completed"
    assert await following.poll() == [("finished", new["id"])]
    assert following.slept == [30] * 7
    assert len(own_records(caplog)) == 1


async def test_page_that_fails_permanently_hides_no_rows_before_it(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """A new walk starts once the waits have reached their maximum."""
    fake.add_transcriptions(45)
    following = bot(since="start")
    fake.on_page(3, Status(503), times=100)
    assert len(await following.poll()) == 80
    row = fake.add_transcription(at=0, status="running")
    changes = [await following.poll() for _ in range(5)]
    assert changes == [[]] * 4 + [[("new", row["id"])]]
    assert following.slept == [30, 60, 120, 240, 300, 30]


async def test_unreadable_row_is_raised_or_skipped(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """In both cases, the rows after it are read."""
    fake.add_transcriptions(20)
    bad, good = fake.add_transcriptions(2, status="running")
    raising, skipping = bot(), bot(skip_unreadable=True)
    await raising.poll()
    await skipping.poll()
    bad["start"] = 5
    good["status"] = "completed"
    assert await skipping.poll() == [("finished", good["id"])]
    with pytest.raises(InvalidRowError):
        await raising.poll()
    assert raising.seen == []
    with pytest.raises(InvalidRowError) as raised:
        await raising.poll()
    assert raising.seen == [("finished", good["id"])]
    assert raised.value.checkpoint == raising.follower.checkpoint
    assert await skipping.poll() == []
    bad.update(start=None, status="completed")
    assert await skipping.poll() == [("finished", bad["id"])]


async def test_truncated_response_is_retried(fake: FakeVideoSDK, bot: Callable[..., Bot]) -> None:
    """A proxy's error page is retried, too."""
    row = fake.add_transcription(status="running")
    following = bot()
    await following.poll()
    row["status"] = "completed"
    fake.fail_next(CutBody(), HtmlPage())
    assert [await following.poll() for _ in range(3)] == [[], [], [("finished", row["id"])]]


async def test_walk_continues_at_the_failed_page(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """A failed single row is read again after a new walk."""
    fake.add_transcriptions(60)
    fake.rows[-1]["status"] = "running"
    following = bot()
    fake.on_page(3, Status(503))
    await following.poll()
    await following.poll()
    await following.poll()
    assert requested_pages(fake) == [1, 2, 3, 3, 1, None]
    fake.rows[-1]["status"] = "completed"
    fake.fail_next(Delay(0), Status(503))
    assert await following.poll() == []
    assert await following.poll() == [("finished", fake.rows[-1]["id"])]
    assert requested_pages(fake) == [1, None, 1, None]


async def test_permanent_error_is_raised_with_the_checkpoint(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """The next step continues from the same state, after the usual interval."""
    fake.add_transcriptions(45)
    following = bot(since="start")
    fake.on_page(2, Status(401), Status(401))
    with pytest.raises(AuthenticationError) as raised:
        await following.poll()
    assert len(following.seen) == 40
    assert raised.value.checkpoint == following.follower.checkpoint
    assert await following.poll() == []
    assert following.slept == [30]
    assert len(await following.poll()) == 50


async def test_full_scan_is_due_exactly_after_its_interval(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """An hour by default, counted from the start of the last one."""
    fake.add_transcriptions(45)
    for poll, polls in ((900, 4), (901, 4), (899, 5)):
        following = bot(poll=poll)
        await following.poll()
        requested_pages(fake)
        for _ in range(polls - 1):
            await following.poll()
            assert requested_pages(fake) == [1]
        await following.poll()
        assert requested_pages(fake) == [1, 2, 3]


async def test_failures_are_retried_no_sooner_than_the_next_poll(
    fake: FakeVideoSDK, bot: Callable[..., Bot], caplog: pytest.LogCaptureFixture
) -> None:
    """The limit of five minutes is for shorter intervals only."""
    following = bot(poll=1000)
    fake.fail_next(DropConnection(), times=3)
    with caplog.at_level(logging.WARNING, "videosdk_transcripts"):
        for _ in range(4):
            await following.poll()
    assert following.slept == [1000] * 4
    assert f"follow(room={ROOM_ID}): ConnectionFailedError, retrying in 1000 s" in caplog.text


@pytest.mark.parametrize(
    ("ids", "call"),
    [((), "follow()"), (("r",), "follow(room=r)"), (("r", "s"), "follow(room=r, session=s)")],
)
async def test_log_names_the_call(
    clock: ManualClock, caplog: pytest.LogCaptureFixture, ids: tuple[str, ...], call: str
) -> None:
    """A program may have several followers."""

    async def walk() -> AsyncIterator[Page[Transcription]]:
        raise ServerError("made to fail", status=502)
        yield

    async def get(row_id: str) -> Transcription:
        raise AssertionError(row_id)

    async def sleep(_seconds: float) -> None:
        raise SleepingError

    stopped = Clock(lambda: clock.now, sleep=sleep)
    follower = Follower(walk, get, wanted=Filter(*ids), clock=stopped, jitter=lambda: 0.5)
    with caplog.at_level(logging.WARNING, "videosdk_transcripts"), pytest.raises(SleepingError):
        await anext(follower)
    messages = [record.getMessage() for record in own_records(caplog)]
    assert messages == [f"{call}: ServerError 502, retrying in 30 s"]


async def test_sleep_is_longer_than_the_resolution_of_a_clock(
    bot: Callable[..., Bot],
) -> None:
    """Otherwise it might not sleep at all."""
    following = bot(poll=1)
    await following.poll()
    following.clock.now += 1 - 1e-7
    with pytest.raises(SleepingError):
        await anext(following.follower)
    assert following.slept == [1, 0.001]


async def test_step_with_a_timeout_does_not_poll_more_often(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """The next poll is a point in time, not a duration."""
    following = Bot(client, clock)
    await following.poll()
    for _ in range(3):
        clock.now += 9
        with pytest.raises(SleepingError):
            await anext(following.follower)
    assert following.slept == [30, 21, 12, 3]
    assert requested_pages(fake) == [1]


async def test_interval_has_jitter_and_a_minimum_of_one_second(
    client: TranscriptsClient, clock: ManualClock
) -> None:
    """It is between 75 % and 125 % of `poll`."""
    for poll, drawn, expected in ((30, 0, 22.5), (30, 1, 37.5), (1, 0, 1), (1, 1, 1.25)):
        following = Bot(client, clock, poll=poll, jitter=lambda drawn=drawn: drawn)
        await following.poll()
        assert following.slept == [pytest.approx(expected)]


async def test_closing_ends_a_loop_in_another_task(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """During a sleep and during a request; closing twice does nothing."""
    fake.add_transcriptions(3)
    loop = asyncio.get_running_loop()
    for slow in (False, True):
        if slow:
            fake.fail_next(Delay(30))
        fake.requests.clear()
        follower = Follower(
            lambda: client.iter_transcriptions(readahead=0).by_page(),
            client.get_transcription,
            wanted=Filter(),
            since="start",
            clock=Clock(loop.time),
        )

        async def listen(follower: Follower) -> int:
            return len([change async for change in follower])

        async with follower:
            listening = asyncio.create_task(listen(follower))
            await until(lambda: fake.in_flight if slow else fake.requests)  # noqa: B023
            await asyncio.sleep(0 if slow else 0.05)
            with pytest.raises(RuntimeError, match="two tasks iterate over this follower"):
                await anext(follower)
        await asyncio.gather(follower.aclose(), follower.aclose())
        assert await listening == (0 if slow else 6)
        with pytest.raises(StopAsyncIteration):
            await anext(follower)
        await until(lambda: not fake.in_flight)


async def test_rows_read_and_not_yielded_are_yielded_after_restart(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """Closing discards them, the checkpoint does not contain them."""
    rows = fake.add_transcriptions(2)
    following = bot(since="start")
    async with following.follower as changes:
        async for change in changes:
            following.receive(change)
            break
    following.save()
    with pytest.raises(StopAsyncIteration):
        await anext(changes)
    assert requested_pages(fake) == [1]
    following.restart()
    await following.poll()
    expected = [(kind, row["id"]) for row in rows for kind in ("new", "finished")]
    assert following.seen == expected


async def test_closing_the_client_ends_the_follower(
    fake: FakeVideoSDK, client: TranscriptsClient, bot: Callable[..., Bot]
) -> None:
    """This applies even during a request."""
    fake.add_transcriptions(2)
    following = bot()
    fake.fail_next(Delay(30))
    step = asyncio.ensure_future(anext(following.follower))
    await until(lambda: fake.in_flight)
    await client.aclose()
    with pytest.raises(ClientClosedError) as raised:
        await step
    assert raised.value.checkpoint == following.follower.checkpoint
    following.clock.now += 40
    with pytest.raises(ClientClosedError):
        await following.poll()


async def test_foreign_timeout_error_is_passed_on(clock: ManualClock) -> None:
    """It is a TimeoutError that was not caused by closing."""

    def walk() -> AsyncIterator[Page[Transcription]]:
        raise TimeoutError("made to fail")

    async def get(row_id: str) -> Transcription:
        raise AssertionError(row_id)

    follower = Follower(walk, get, wanted=Filter(), clock=clock.clock)
    with pytest.raises(TimeoutError, match="made to fail"):
        await anext(follower)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"since": "ever"}, "since must be one of now, start"),
        ({"poll": 0.5}, "poll must be a number of 1 or more"),
        ({"full_scan_interval": -1}, "full_scan_interval must be a number of 0 or more"),
    ],
)
def test_bad_arguments_are_rejected(
    clock: ManualClock, options: dict[str, Any], reason: str
) -> None:
    """The error is raised immediately."""
    with pytest.raises(ConfigurationError, match=reason):
        Bot(TranscriptsClient(token="t"), clock, **options)


def test_change_is_a_picklable_value() -> None:
    """It has no __dict__."""
    change = TranscriptionChange("new", Transcription(id="a"))
    assert pickle.loads(pickle.dumps(change)) == change
    assert not hasattr(change, "__dict__")


# The checkpoint.


async def test_checkpoint_is_versioned_json_of_eleven_characters_per_row(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """The length is per row ever seen."""
    rows = fake.add_transcriptions(1000)
    rows[5]["status"] = "running"
    following = bot(page_size=500)
    await following.poll()
    data = json.loads(following.follower.checkpoint)
    known = data.pop("known")
    assert data == {
        "version": 1,
        "follow": "realtime-transcriptions",
        "room_id": ROOM_ID,
        "session_id": None,
        "primed": True,
        "unfinished": [rows[5]["id"]],
        "removed": "",
    }
    assert len(b64decode(known)) == 8000
    assert len(known) < 11_000
    state = FollowState.loads(following.follower.checkpoint, Filter(ROOM_ID))
    assert state.dumps() == following.follower.checkpoint


async def test_checkpoint_before_the_first_full_scan_is_not_primed(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """A follower resumed from it reports nothing older than itself either."""
    fake.add_transcriptions(45)
    following = bot()
    fake.on_page(2, Status(503))
    assert await following.poll() == []
    following.save()
    following.restart()
    assert await following.poll() == []
    assert "45 known" in repr(following.follower)


async def test_checkpoint_covers_only_handled_changes(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """It covers neither the one in progress, whose handler may never end, nor prefetched ones."""
    row = fake.add_transcription()
    new, finished = ("new", row["id"]), ("finished", row["id"])
    following = bot(since="start")

    async def resumed() -> Changes:
        other = bot(resume=following.follower.checkpoint)
        return await other.poll()

    assert await resumed() == [new, finished]
    await anext(following.follower)
    assert await resumed() == [new, finished]
    following.follower.ack()
    assert await resumed() == [finished]
    following.follower.ack()
    assert await resumed() == [finished]
    await anext(following.follower)
    assert await resumed() == [finished]
    assert await following.poll() == []
    assert await resumed() == []
    following.follower.ack()
    assert await resumed() == []


async def test_closing_keeps_the_change_in_progress(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """Until the loop asks for the next one, or the change is marked as handled."""
    row = fake.add_transcription(status="running")
    for end in ("next", "ack"):
        following = bot(since="start")
        following.receive(await anext(following.follower))
        await following.follower.aclose()
        assert await bot(resume=following.follower.checkpoint).poll() == [("new", row["id"])]
        if end == "next":
            with pytest.raises(StopAsyncIteration):
                await anext(following.follower)
        else:
            following.follower.ack()
        assert await bot(resume=following.follower.checkpoint).poll() == []


@pytest.mark.parametrize("error", [OSError, asyncio.CancelledError])
async def test_change_whose_handler_failed_is_yielded_after_a_restart(
    fake: FakeVideoSDK, bot: Callable[..., Bot], error: type[BaseException]
) -> None:
    """Leaving the loop is no sign that the change was handled."""
    rows = fake.add_transcriptions(2, status="running")
    following = bot(since="start")

    async def handle(change: TranscriptionChange) -> None:
        if change.transcription.id == rows[1]["id"]:
            raise error

    async def listen() -> None:
        async with following.follower as changes:
            async for change in changes:
                await handle(change)

    with pytest.raises(error):
        await listen()
    assert await bot(resume=following.follower.checkpoint).poll() == [("new", rows[1]["id"])]


async def test_raised_error_has_the_checkpoint_behind_all_handled_changes(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """The step that raised it has marked the last one."""
    fake.add_transcriptions(45, status="running")
    following = bot(since="start")
    fake.on_page(2, Status(401), Status(401))
    with pytest.raises(AuthenticationError) as raised:
        await following.poll()
    assert len(following.seen) == 20
    assert len(await bot(resume=raised.value.checkpoint).poll()) == 25


# Everything together.


async def step_with_disturbances(following: Bot, chance: random.Random) -> None:
    """Step until it sleeps, with cancellations, crashes and unsaved checkpoints."""
    while True:
        step = asyncio.ensure_future(anext(following.follower))
        if chance.random() < 0.2:
            for _ in range(chance.randrange(12)):
                await asyncio.sleep(0)
            step.cancel()
        await asyncio.wait({step})
        if step.cancelled():
            continue
        if step.exception() is not None:
            assert isinstance(step.exception(), SleepingError)
            return
        if chance.random() < 0.2:
            # Another task saves while the change is handled.
            following.saved = (following.follower.checkpoint, list(following.seen))
        following.receive(step.result())
        if chance.random() < 0.6:
            following.save()
        if chance.random() < 0.1:
            following.restart()


def change_something(fake: FakeVideoSDK, chance: random.Random, newest_at: str) -> None:
    """Add, finish or move rows."""
    what = chance.random()
    if what < 0.5:
        at = {"front": 0, "end": None, "anywhere": chance.randint(0, len(fake.rows))}[newest_at]
        status = chance.choice(["running", "running", "completed"])
        fake.add_transcription(at=at, status=status)
    elif what < 0.8 and fake.rows:
        chance.choice(fake.rows)["status"] = chance.choice(["completed", "failed"])
    elif newest_at == "anywhere":
        chance.shuffle(fake.rows)


@pytest.mark.parametrize("newest_at", ["front", "end", "anywhere"])
@pytest.mark.parametrize("seed", range(4))
async def test_every_change_is_yielded_exactly_once(
    fake: FakeVideoSDK, bot: Callable[..., Bot], seed: int, newest_at: str
) -> None:
    """Across restarts, cancellations and failures, while rows appear, finish and move."""
    chance = random.Random(seed)  # noqa: S311 - a test
    since = chance.choice(["now", "start"])
    fake.add_transcriptions(12, status="running")
    following = bot(since=since, page_size=4)
    before: set[str] = set()
    if since == "now":
        await following.poll()
        following.save()
        before = {row["id"] for row in fake.rows}

    is_calm = False

    async def trouble(exchange: Exchange) -> web.StreamResponse:
        if is_calm:
            return exchange.response()
        if chance.random() < 0.1:
            return await Status(503)(exchange)
        if chance.random() < 0.2:
            change_something(fake, chance, newest_at)
        return exchange.response()

    fake.every(1, trouble)
    for _ in range(12):
        change_something(fake, chance, newest_at)
        following.clock.now += 400
        await step_with_disturbances(following, chance)
    is_calm = True
    for _ in range(3):
        following.clock.now += 3600
        await following.poll()
    expected = [("new", row["id"]) for row in fake.rows if row["id"] not in before]
    expected += [("finished", row["id"]) for row in fake.rows if row["status"] != "running"]
    assert sorted(following.seen) == sorted(expected)
    place = {event: number for number, event in enumerate(following.seen)}
    for kind, row_id in following.seen:
        assert kind == "new" or place.get(("new", row_id), -1) < place[kind, row_id]
    assert all(first != second for first, second in pairwise(sorted(following.seen)))


# One poll.


async def test_once_yields_each_change_of_the_list_and_ends(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """There is no wait, and the checkpoint covers everything: a run without news is empty."""
    fake.add_transcriptions(145, status="completed")
    running = fake.add_transcription(status="running")

    async def run(resume: str | None, since: Any = "now") -> tuple[Changes, str]:
        follower = client.follow(ROOM_ID, resume=resume, since=since, once=True)
        found = [(one.kind, one.transcription.id) async for one in follower]
        assert [one async for one in follower] == []
        return found, follower.checkpoint

    fake.requests.clear()
    found, started = await run(None, since="start")
    assert len(found) == 2 * 145 + 1
    assert len(fake.requests) == 2
    found, saved = await run(None)
    assert found == []
    assert FollowState.loads(saved, Filter(ROOM_ID)).unfinished == {running["id"]: None}
    for checkpoint in (started, saved):
        found, again = await run(checkpoint)
        assert (found, again) == ([], checkpoint)
    running["status"] = "completed"
    new = fake.add_transcription(status="running")
    found, saved = await run(saved)
    assert sorted(found) == [("finished", running["id"]), ("new", new["id"])]
    assert await run(saved) == ([], saved)
    assert clock.slept == []


async def test_once_covers_the_last_change_only_when_it_has_ended(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """A program that crashes while it handles the last change receives it again."""
    row = fake.add_transcription(status="running")
    follower = client.follow(ROOM_ID, since="start", once=True)
    assert (await anext(follower)).transcription.id == row["id"]
    before = follower.checkpoint
    with pytest.raises(StopAsyncIteration):
        await anext(follower)
    for checkpoint, count in ((before, 1), (follower.checkpoint, 0)):
        async with client.follow(ROOM_ID, resume=checkpoint, once=True) as resumed:
            assert len([one async for one in resumed]) == count


async def test_once_reads_all_unfinished_rows_that_are_not_listed(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """No later poll could read the others."""
    rows = fake.add_transcriptions(25, status="running")
    follower = client.follow(ROOM_ID, once=True)
    assert [one async for one in follower] == []
    fake.rows.clear()
    resumed = client.follow(ROOM_ID, resume=follower.checkpoint, once=True)
    assert [one async for one in resumed] == []
    state = FollowState.loads(resumed.checkpoint, Filter(ROOM_ID))
    assert (len(state), state.unfinished) == (len(rows), {})


async def test_once_raises_transient_errors_and_can_be_tried_again(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """A job that never ends would overlap with the next one."""
    fake.add_transcriptions(145, status="completed")
    fake.on_page(2, Status(503))
    follower = client.follow(ROOM_ID, since="start", once=True)
    seen: Changes = []

    async def run() -> None:
        async for one in follower:
            seen.append((one.kind, one.transcription.id))

    with pytest.raises(ServerError) as caught:
        await run()
    assert len(seen) == 200
    resumed = client.follow(ROOM_ID, resume=caught.value.checkpoint, once=True)
    assert len([one async for one in resumed]) == 90
    waited = len(clock.slept)
    await run()
    assert len(set(seen)) == len(seen) == 290
    assert len(clock.slept) == waited
