"""
Follow a service of replicas and caches: random operations, without a socket.

Each response comes from one of the newest states of the list, and may be broken in itself. The
same rules over real sockets are in `test_follow`.
"""

from collections.abc import Sequence
from itertools import count
from typing import Literal, Self, get_args

from attrs import define, field, frozen
from hypothesis import example, given
from hypothesis import strategies as st

from videosdk_transcripts import Clock, NotFoundError, Page, ServerError, Transcription
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._jobs.follow import Follower, Since
from videosdk_transcripts._jobs.follow_state import FollowState

Response = Literal[
    "fresh", "one behind", "far behind", "empty", "unknown", "failed", "larger total", "no total"
]
Operation = tuple[str, int]
Changes = list[tuple[str, str]]

POLLS = ("poll", "save", "crash", "save and crash")
PAGE_SIZE = 3
BEHIND = {"one behind": 1, "far behind": 4}


class SleepingError(Exception):
    """An error that the sleep raises, so that the test controls the time between two polls."""


@define
class Row:
    """A transcription of the service."""

    id: str
    status: str = "running"
    is_hidden: bool = False


@define
class Service:
    """A list of rows, with its earlier states, and the responses to come."""

    rows: list[Row] = field(factory=list)
    states: list[tuple[Transcription, ...]] = field(factory=lambda: [()])
    responses: list[Response] = field(factory=list)
    added: int = 0

    def change(self, operation: str, number: int) -> None:
        """Change the list; `number` is taken modulo the number of its rows."""
        row = self.rows[number % len(self.rows)] if self.rows else None
        if operation == "add":
            self.added += 1
            self.rows.insert(number % (len(self.rows) + 1), Row(f"t-{self.added}"))
        elif row is None:
            return
        elif operation == "finish":
            row.status = "completed"
        elif operation == "hide":
            row.is_hidden = not row.is_hidden
        elif operation == "remove" and row.status == "running":
            self.rows.remove(row)
        self.publish()

    def publish(self) -> None:
        """Make the rows the newest state of the list."""
        visible = (row for row in self.rows if not row.is_hidden)
        self.states.append(tuple(Transcription(id=row.id, status=row.status) for row in visible))

    def next_response(self) -> tuple[Response, tuple[Transcription, ...]]:
        """Return what is wrong with the next response, and the state that it shows."""
        response = self.responses.pop(0) if self.responses else "fresh"
        if response == "failed":
            raise ServerError("made to fail", status=503)
        return response, self.states[-1 - min(BEHIND.get(response, 0), len(self.states) - 1)]

    async def get(self, row_id: str) -> Transcription:
        """Return one row by its id."""
        response, state = self.next_response()
        found = [row for row in state if row.id == row_id]
        if not found or response == "unknown":
            raise NotFoundError("no such row", status=404)
        return found[0]


@define
class Walk:
    """A walk over the pages; after an error its next step requests the same page again."""

    service: Service
    next_page: int | None = 1

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[Transcription]:
        if self.next_page is None:
            raise StopAsyncIteration
        number = self.next_page
        response, rows = self.service.next_response()
        items = () if response == "empty" else rows[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
        total = None if response == "no total" else len(rows) + (response == "larger total")
        last_page = -(-len(rows) // PAGE_SIZE)
        self.next_page = number + 1 if number < last_page else None
        return Page(number, items, last_page=last_page, total=total)


@frozen
class Saved:
    """A checkpoint, and the changes that had been handled when it was saved."""

    checkpoint: str
    handled: Changes


@define
class Consumer:
    """A program that handles changes, saves its progress, and may crash."""

    service: Service
    since: Since
    now: float = 0.0
    handled: Changes = field(factory=list)
    """The changes handled so far, without those that a crash has undone."""
    in_process: Changes = field(factory=list)
    """The changes received since the process was started."""
    follower: Follower = field(init=False)
    saved: Saved = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.start(None)
        self.save()

    def start(self, resume: str | None) -> None:
        """Start a process."""

        async def sleep(_seconds: float) -> None:
            raise SleepingError

        self.in_process = []
        self.follower = Follower(
            lambda: Walk(self.service),
            self.service.get,
            wanted=Filter(),
            resume=resume,
            since=self.since,
            clock=Clock(lambda: self.now, sleep=sleep),
        )

    def save(self) -> None:
        """Save a checkpoint, possibly while a change is in progress."""
        self.saved = Saved(self.follower.checkpoint, list(self.handled))

    async def crash(self) -> None:
        """Crash, and resume from the saved state."""
        await self.follower.aclose()
        self.handled = list(self.saved.handled)
        self.start(self.saved.checkpoint)

    async def poll(self, seconds: float, *, save_at: int = -1, crash_at: int = -1) -> None:
        """
        Handle the changes until the follower sleeps.

        Args:
            seconds: the time since the last poll.
            save_at: the number of the change, during which another task saves a checkpoint.
            crash_at: the number of the change, during which the process dies.
        """
        self.now += seconds
        for number in count():
            try:
                change = await anext(self.follower)
            except SleepingError:
                return
            received = (change.kind, change.transcription.id)
            assert received not in self.in_process
            self.in_process.append(received)
            if number == save_at:
                self.save()
            if number == crash_at:
                await self.crash()
            else:
                self.handled.append(received)
                if number % 2:
                    self.follower.ack()
                    self.save()


responses = st.lists(st.sampled_from(get_args(Response)), max_size=6)
operations = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["add", "finish", "hide", "remove"]), st.integers(0, 9)),
        st.tuples(st.just("poll"), st.sampled_from([60, 400, 4000])),
        st.tuples(st.sampled_from(["save", "crash", "save and crash"]), st.integers(0, 2)),
        st.tuples(st.just("restart"), st.just(0)),
    ),
    max_size=25,
)


@given(
    since=st.sampled_from(["now", "start"]),
    operations=operations,
    schedule=st.lists(responses, max_size=12),
)
# Unlisted and unknown at once: in one poll, and in several.
@example(
    since="start",
    operations=[("add", 0), ("poll", 60), ("poll", 4000), ("finish", 0)],
    schedule=[[], ["empty", "unknown"]],
)
@example(
    since="now",
    operations=[("hide", 0), *[("poll", 4000)] * 5, ("finish", 0), ("hide", 0), ("poll", 4000)],
    schedule=[],
)
# The same sequence across a restart.
@example(
    since="start",
    operations=[("hide", 0), ("poll", 4000), ("restart", 0), ("finish", 0), ("hide", 0)],
    schedule=[],
)
# Saved by another task while a change is in progress, which is lost with the process.
@example(since="start", operations=[("add", 0), ("save and crash", 0)], schedule=[])
# The list of a cache: a finished row is running again.
@example(
    since="start",
    operations=[("add", 0), ("poll", 60), ("finish", 0), ("poll", 60), ("poll", 4000)],
    schedule=[[], [], ["one behind"]],
)
async def test_replicas_and_crashes_lose_no_change(
    since: Since, operations: Sequence[Operation], schedule: list[list[Response]]
) -> None:
    """Each row has one `new` and one `finished`; after a crash at least those not yet saved."""
    service = Service()
    for number in range(4):
        service.change("add", number)
    consumer = Consumer(service, since)
    # With since="now", this poll determines the starting point.
    await consumer.poll(0)
    consumer.save()
    old = {row.id for row in service.rows} if since == "now" else set()
    to_come = iter(schedule)
    for operation, number in operations:
        service.responses = list(next(to_come, [])) if operation in POLLS else []
        if operation == "poll":
            await consumer.poll(number)
        elif operation in POLLS:
            save_at = number if "save" in operation else -1
            crash_at = number if "crash" in operation else -1
            await consumer.poll(400, save_at=save_at, crash_at=crash_at)
        elif operation == "restart":
            consumer.save()
            await consumer.crash()
        else:
            service.change(operation, number)

    for row in service.rows:
        row.is_hidden = False
    service.publish()
    service.responses = []
    for _ in range(3):
        await consumer.poll(4000)
    for row in service.rows:
        if row.id not in old:
            assert consumer.handled.count(("new", row.id)) == 1
        expected = 1 if row.status == "completed" else 0
        assert consumer.handled.count(("finished", row.id)) == expected
    assert len(set(consumer.handled)) == len(consumer.handled)
    # Rows that were removed are not polled anymore, and cost no more memory than others.
    state = FollowState.loads(consumer.follower.checkpoint, Filter())
    assert set(state.unfinished) == {row.id for row in service.rows if row.status == "running"}
