"""Following: nothing twice and nothing missed, whatever is done to it and to the list."""

import asyncio
import json
import logging
import pickle
import random
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
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
    RetryPolicy,
    Transcription,
    TranscriptsClient,
)
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._jobs.follow import Follower, TranscriptionChange
from videosdk_transcripts._jobs.follow_state import Followed
from videosdk_transcripts.testing import (
    CutBody,
    Delay,
    Envelope,
    Exchange,
    FakeVideoSDK,
    HtmlPage,
    Status,
)

from ..conftest import ManualClock, until

ROOM_ID = "abcd-efgh-ijkl"
Told = list[tuple[str, str]]


class QuietError(Exception):
    """Raised by the sleep, so that a test has its hand on the time between two polls."""


class Bot:
    """A consumer that keeps what it was told and the checkpoint together, and may die."""

    def __init__(self, client: TranscriptsClient, clock: ManualClock, **options: Any) -> None:
        self.client, self.clock, self.options = client, clock, options
        self.page_size = options.pop("page_size", 20)
        self.told: Told = []
        self.slept: list[float] = []
        self.follower = self.start()
        self.saved: tuple[str, Told] = (self.follower.checkpoint, [])

    def start(self, resume: str | None = None) -> Follower:
        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            raise QuietError

        def walk() -> AsyncIterator[Page[Transcription]]:
            pager = self.client.iter_transcriptions(ROOM_ID, page_size=self.page_size, readahead=0)
            return pager.by_page()

        options = {"draw": lambda: 0.5, **self.options}
        return Follower(
            walk,
            self.client.get_transcription,
            wanted=Filter(ROOM_ID),
            resume=resume,
            clock=Clock(lambda: self.clock.now, sleep=sleep),
            **options,
        )

    def restart(self) -> None:
        """Die, and come back with what was saved."""
        resume, told = self.saved
        self.told = list(told)
        self.follower = self.start(resume)

    def hear(self, change: TranscriptionChange) -> None:
        self.told.append((change.kind, change.transcription.id))

    def save(self) -> None:
        self.saved = (self.follower.checkpoint, list(self.told))

    async def poll(self) -> Told:
        """Let the time to the next poll pass, and return what is told until it is quiet."""
        self.clock.now += self.slept[-1] if self.slept else 0
        before = len(self.told)
        try:
            async for change in self.follower:
                self.hear(change)
        except QuietError:
            pass
        return self.told[before:]


@pytest.fixture
def bot(client: TranscriptsClient, clock: ManualClock) -> Callable[..., Bot]:
    """Give a maker of consumers."""
    return lambda **options: Bot(client, clock, **options)


@pytest.fixture
async def client(fake: FakeVideoSDK, clock: ManualClock) -> AsyncIterator[TranscriptsClient]:
    """Give a client that tries once, so that each failure is seen."""
    policy = RetryPolicy(attempts=1)
    async with fake.client(retry=policy, clock=clock.clock) as open_client:
        yield open_client


def asked(fake: FakeVideoSDK) -> list[int | None]:
    """Return the pages that were asked for since the last time, None for a single row."""
    pages = [request.page for request in fake.requests]
    fake.requests.clear()
    return pages


async def test_from_now_on(fake: FakeVideoSDK, bot: Callable[..., Bot]) -> None:
    """What there was is not told of, but for what finishes later."""
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


async def test_from_the_start(fake: FakeVideoSDK, bot: Callable[..., Bot]) -> None:
    """Everything there is, row by row, each new before it is finished."""
    rows = fake.add_transcriptions(45)
    rows[7]["status"] = "running"
    told = await bot(since="start").poll()
    expected = [(kind, row["id"]) for row in rows for kind in ("new", "finished")]
    expected.remove(("finished", rows[7]["id"]))
    assert told == expected


async def test_a_quiet_poll_costs_one_request(fake: FakeVideoSDK, bot: Callable[..., Bot]) -> None:
    """Where all on the first page is finished and the total has not grown."""
    fake.add_transcriptions(90)
    following = bot()
    await following.poll()
    assert asked(fake) == [1, 2, 3, 4, 5]
    await following.poll()
    assert asked(fake) == [1]
    # At the front: read on until nothing on a page is new.
    fake.add_transcription(at=0)
    await following.poll()
    assert asked(fake) == [1, 2]
    # Anywhere else, the total tells that there is more than was found.
    row = fake.add_transcription()
    assert await following.poll() == [("new", row["id"]), ("finished", row["id"])]
    assert asked(fake) == [1, 2, 3, 4, 5]
    assert following.slept == [30.0] * 4


async def test_the_whole_list_comes_round(fake: FakeVideoSDK, bot: Callable[..., Bot]) -> None:
    """What a total that stayed the same hid is found then."""
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
    asked(fake)
    always = bot(full_scan_interval=0)
    await always.poll()
    await always.poll()
    assert asked(fake) == [1, 2, 3] * 2


async def test_what_comes_during_a_walk_is_found_by_the_next(clock: ManualClock) -> None:
    """Also where the total of the walk has counted it already."""
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


async def test_without_a_total_each_walk_is_a_whole_one(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """Nothing tells then that there is no more."""
    fake.add_transcriptions(45)
    fake.every(1, Envelope("page and totalPages"))
    following = bot()
    await following.poll()
    await following.poll()
    assert asked(fake) == [1, 2, 3] * 2


async def test_an_empty_list_is_one_to_begin_with(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """Its total is none, and not unknown."""
    following = bot()
    assert await following.poll() == []
    row = fake.add_transcription(status="running")
    assert await following.poll() == [("new", row["id"])]
    assert await following.poll() == []


async def test_unfinished_rows_that_a_poll_does_not_meet(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """Are asked for by id, ten in a poll, each in its turn."""
    fake.add_transcriptions(20)
    rows = fake.add_transcriptions(12, status="running")
    following = bot()
    await following.poll()
    asked(fake)
    seen = []
    for _ in range(6):
        await following.poll()
        seen += [r.path.rpartition("/")[2] for r in fake.requests if r.page is None]
        assert asked(fake) == [1] + [None] * 10
    assert seen == [row["id"] for row in rows] * 5


async def test_one_that_vanished_is_looked_for_until_the_list_is_walked(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """And is never new again."""
    fake.add_transcriptions(20)
    row = fake.add_transcription(status="running")
    following = bot(poll=2000)
    await following.poll()
    fake.rows.remove(row)
    asked(fake)
    assert await following.poll() == []
    assert asked(fake) == [1, None]
    assert "1 unfinished" in repr(following.follower)
    assert await following.poll() == []
    assert asked(fake) == [1, None]
    assert repr(following.follower) == f"<Follower of room {ROOM_ID}, 21 known, 0 unfinished>"
    fake.rows.insert(0, row)
    assert await following.poll() == []


async def test_a_failure_of_a_kind_is_logged_once_and_waited_out(
    fake: FakeVideoSDK, bot: Callable[..., Bot], caplog: pytest.LogCaptureFixture
) -> None:
    """The waits double up to five minutes, and keep what the service asks for."""
    fake.add_transcriptions(45)
    following = bot()
    await following.poll()
    asked(fake)
    fake.fail_next(Status(503), times=5)
    fake.fail_next(Status(429, {"Retry-After": "1000"}))
    with caplog.at_level(logging.WARNING, "videosdk_transcripts"):
        for _ in range(7):
            assert await following.poll() == []
    assert following.slept == [30, 30, 60, 120, 240, 300, 1000, 30]
    assert asked(fake) == [1] * 7
    assert len(caplog.records) == 2
    assert "met a ServerError, and goes on trying" in caplog.text
    assert "met a RateLimitedError, and goes on trying" in caplog.text
    fake.fail_next(Status(500))
    await following.poll()
    assert following.slept[-1] == 30
    assert len(caplog.records) == 3


async def test_a_row_that_fails_for_ever_hides_nothing(
    fake: FakeVideoSDK, bot: Callable[..., Bot], caplog: pytest.LogCaptureFixture
) -> None:
    """Others are asked for before it, and the list is read at the usual times."""
    fake.add_transcriptions(20)
    bad, good = fake.add_transcriptions(2, status="running")
    following = bot()
    await following.poll()

    async def fail(exchange: Exchange) -> web.StreamResponse:
        if exchange.request.path.endswith(bad["id"]):
            return await Status(503)(exchange)
        return exchange.answer()

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
    assert len(caplog.records) == 1


async def test_a_page_that_fails_for_ever_hides_no_new_rows_before_it(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """The walk is begun again when the waits have become as long as they get."""
    fake.add_transcriptions(45)
    following = bot(since="start")
    fake.on_page(3, Status(503), times=100)
    assert len(await following.poll()) == 80
    row = fake.add_transcription(at=0, status="running")
    told = [await following.poll() for _ in range(5)]
    assert told == [[]] * 4 + [[("new", row["id"])]]
    assert following.slept == [30, 60, 120, 240, 300, 30]


async def test_a_single_row_that_can_not_be_read(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """It is raised, or left for later; those behind it get their turn either way."""
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
    assert raising.told == []
    with pytest.raises(InvalidRowError) as raised:
        await raising.poll()
    assert raising.told == [("finished", good["id"])]
    assert raised.value.checkpoint == raising.follower.checkpoint
    assert await skipping.poll() == []
    bad.update(start=None, status="completed")
    assert await skipping.poll() == [("finished", bad["id"])]


async def test_an_answer_that_breaks_off_is_waited_out(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """As is the page of a proxy in its place."""
    row = fake.add_transcription(status="running")
    following = bot()
    await following.poll()
    row["status"] = "completed"
    fake.fail_next(CutBody(), HtmlPage())
    assert [await following.poll() for _ in range(3)] == [[], [], [("finished", row["id"])]]


async def test_a_walk_goes_on_at_the_page_that_failed(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """A long list is not begun again for each failure; a single row is, behind the list."""
    fake.add_transcriptions(60)
    fake.rows[-1]["status"] = "running"
    following = bot()
    fake.on_page(3, Status(503))
    await following.poll()
    await following.poll()
    await following.poll()
    assert asked(fake) == [1, 2, 3, 3, 1, None]
    fake.rows[-1]["status"] = "completed"
    fake.fail_next(Delay(0), Status(503))
    assert await following.poll() == []
    assert await following.poll() == [("finished", fake.rows[-1]["id"])]
    assert asked(fake) == [1, None, 1, None]


async def test_other_errors_are_raised_with_the_checkpoint(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """The next step goes on from the same state, after the usual time."""
    fake.add_transcriptions(45)
    following = bot(since="start")
    fake.on_page(2, Status(401), Status(401))
    with pytest.raises(AuthenticationError) as raised:
        await following.poll()
    assert len(following.told) == 40
    assert raised.value.checkpoint == following.follower.checkpoint
    assert await following.poll() == []
    assert following.slept == [30]
    assert len(await following.poll()) == 50


async def test_a_step_with_a_time_limit_does_not_poll_more_often(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """The time of the next poll is kept, not the length of the wait."""
    following = Bot(client, clock)
    await following.poll()
    for _ in range(3):
        clock.now += 9
        with pytest.raises(QuietError):
            await anext(following.follower)
    assert following.slept == [30, 21, 12, 3]
    assert asked(fake) == [1]


async def test_polls_are_spread_and_never_closer_than_a_second(
    client: TranscriptsClient, clock: ManualClock
) -> None:
    """From three quarters to five quarters of what was asked for."""
    for poll, drawn, expected in ((30, 0, 22.5), (30, 1, 37.5), (1, 0, 1), (1, 1, 1.25)):
        following = Bot(client, clock, poll=poll, draw=lambda drawn=drawn: drawn)
        await following.poll()
        assert following.slept == [pytest.approx(expected)]


async def test_closing_ends_a_loop(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """While it waits and while it asks; a second time does nothing."""
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
            with pytest.raises(RuntimeError, match="two tasks step this follower at once"):
                await anext(follower)
        await asyncio.gather(follower.aclose(), follower.aclose())
        assert await listening == (0 if slow else 6)
        with pytest.raises(StopAsyncIteration):
            await anext(follower)
        await until(lambda: not fake.in_flight)


async def test_leaving_a_loop_leaves_nothing(fake: FakeVideoSDK, bot: Callable[..., Bot]) -> None:
    """What was read and not told of is told by the next one."""
    rows = fake.add_transcriptions(2)
    following = bot(since="start")
    async with following.follower as changes:
        async for change in changes:
            following.hear(change)
            break
    following.save()
    with pytest.raises(StopAsyncIteration):
        await anext(changes)
    assert asked(fake) == [1]
    following.restart()
    await following.poll()
    expected = [(kind, row["id"]) for row in rows for kind in ("new", "finished")]
    assert following.told == expected


async def test_a_closed_client_ends_it(
    fake: FakeVideoSDK, client: TranscriptsClient, bot: Callable[..., Bot]
) -> None:
    """It is not waited for, in the middle of a request either."""
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


async def test_a_callers_time_out_is_passed_on(clock: ManualClock) -> None:
    """A TimeoutError that no closing made."""

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
def test_bad_arguments(clock: ManualClock, options: dict[str, Any], reason: str) -> None:
    """Each is refused at once."""
    with pytest.raises(ConfigurationError, match=reason):
        Bot(TranscriptsClient(token="t"), clock, **options)


def test_a_change_is_a_value() -> None:
    """It can be compared, and sent to another process."""
    change = TranscriptionChange("new", Transcription(id="a"))
    assert pickle.loads(pickle.dumps(change)) == change
    assert not hasattr(change, "__dict__")


# The checkpoint.


async def test_the_checkpoint_is_plain_and_small(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """JSON with a version; eleven characters for each row that was ever seen."""
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
    }
    assert len(b64decode(known)) == 8000
    assert len(known) < 11_000
    state = Followed.loads(following.follower.checkpoint, Filter(ROOM_ID))
    assert state.dumps() == following.follower.checkpoint


async def test_before_the_first_walk_has_ended_now_is_not_yet(
    fake: FakeVideoSDK, bot: Callable[..., Bot]
) -> None:
    """A checkpoint of a half walked list is taken up as one that has not begun."""
    fake.add_transcriptions(45)
    following = bot()
    fake.on_page(2, Status(503))
    assert await following.poll() == []
    following.save()
    following.restart()
    assert await following.poll() == []
    assert "45 known" in repr(following.follower)


def test_an_id_may_be_any_text() -> None:
    """As JSON can hold it."""
    state = Followed(Filter(), primed=True)
    odd = Transcription(id="\ud800", status="running")
    assert [state.take(odd), state.take(odd)] == ["new", None]
    assert Followed.loads(state.dumps(), Filter()).take(odd) is None


GOOD = json.loads(Followed(Filter("a"), primed=True).dumps())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (5, "must be a text that a follower gave"),
        ("x", "must be a text that a follower gave"),
        ("[" * 100_000, "must be a text that a follower gave"),
        ("[]", "must be a text that a follower gave"),
        (json.dumps({"version": 1, "list": "realtime-transcriptions"}), "that a follower gave"),
        (json.dumps(GOOD | {"version": 2}), "this release reads version 1"),
        (json.dumps(GOOD | {"room_id": 5}), "damaged"),
        (json.dumps(GOOD | {"primed": 1}), "damaged"),
        (json.dumps(GOOD | {"unfinished": [1]}), "damaged"),
        (json.dumps(GOOD | {"known": "AAAA"}), "damaged"),
        (json.dumps(GOOD | {"known": "!"}), "damaged"),
        (json.dumps({key: GOOD[key] for key in list(GOOD)[:-1]}), "damaged"),
        (json.dumps(GOOD | {"room_id": "b"}), "of a follower of room b, this one follows room a"),
    ],
)
def test_what_is_no_checkpoint_of_it(text: Any, reason: str) -> None:
    """Refused before anything is sent."""
    with pytest.raises(ConfigurationError, match=reason):
        Followed.loads(text, Filter("a"))


# Everything at once.


async def disturbed(following: Bot, chance: random.Random) -> None:
    """Step it until it is quiet, now and then cancelled, dead, or with a save forgotten."""
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
            assert isinstance(step.exception(), QuietError)
            return
        following.hear(step.result())
        if chance.random() < 0.6:
            following.save()
        if chance.random() < 0.1:
            following.restart()


def change_something(fake: FakeVideoSDK, chance: random.Random, newest_at: str) -> None:
    """Let rows appear, finish and move."""
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
async def test_nothing_twice_and_nothing_missed(
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
            return exchange.answer()
        if chance.random() < 0.1:
            return await Status(503)(exchange)
        if chance.random() < 0.2:
            change_something(fake, chance, newest_at)
        return exchange.answer()

    fake.every(1, trouble)
    for _ in range(12):
        change_something(fake, chance, newest_at)
        following.clock.now += 400
        await disturbed(following, chance)
    is_calm = True
    for _ in range(3):
        following.clock.now += 3600
        await following.poll()
    expected = [("new", row["id"]) for row in fake.rows if row["id"] not in before]
    expected += [("finished", row["id"]) for row in fake.rows if row["status"] != "running"]
    assert sorted(following.told) == sorted(expected)
    place = {event: number for number, event in enumerate(following.told)}
    for kind, row_id in following.told:
        assert kind == "new" or place.get(("new", row_id), -1) < place[kind, row_id]
    assert all(first != second for first, second in pairwise(sorted(following.told)))
