"""
Follow a list: stream new and finished transcriptions. No HTTP.

The order of the list is undocumented, so new rows may appear anywhere. A poll ends early only if
the server's total shows that there are no new rows elsewhere, and a full scan is made regularly.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Final, Literal, Self, get_args

from attrs import define, field, frozen

from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._clock import Clock
from videosdk_transcripts._validation import check_flag, check_number, check_word
from videosdk_transcripts.errors import InvalidRowError, NotFoundError, VideoSDKTranscriptsError
from videosdk_transcripts.models import Page, Transcription

from .failed_polls import log_failed_poll, may_poll_again
from .follow_state import FollowState, Kind

Since = Literal["now", "start"]

_MIN_INTERVAL: Final = 1.0
_MAX_RETRY_INTERVAL: Final = 300.0
_MAX_READS: Final = 10
"""Maximum number of rows that one poll reads by id."""
_MAX_EMPTY_SEARCHES: Final = 3
"""Consecutive walks to the end of the list that found no new row, although the total grew."""
# A sleep below the resolution of the clock would return immediately, and the loop would spin.
_MIN_SLEEP: Final = 0.001


@frozen(weakref_slot=False)
class TranscriptionChange:
    """
    A change of a transcription. Created by `Follower`.

    Attributes:
        kind: ``new``, once for each transcription; then ``finished``, once for each that
            completes, fails or is stopped. A transcription that is finished when it is found
            yields both, in this order.
        transcription: the transcription as listed. A finished one may not have its files yet.
    """

    kind: Kind
    transcription: Transcription


@define(eq=False)
class _Poll:
    """One poll: a walk over the list, then the unfinished rows that it did not contain."""

    pages: AsyncIterator[Page[Transcription]]
    started_at: float
    is_full_scan: bool
    """Whether the walk must reach the end of the list."""
    missing: dict[str, None]
    """The ids of unfinished rows that the walk has not found yet."""
    new_rows: int = 0
    min_total: int | None = None
    max_total: int | None = None
    is_walking: bool = True
    to_read: deque[str] = field(factory=deque)
    """The ids to read after the walk."""


class Follower:
    """
    Iterate over the changes of transcriptions: indefinitely, or for one complete poll.

    Created by `TranscriptsClient.follow`. Nothing is sent before the first step, and nothing runs
    in the background between two steps::

        async with client.follow(room_id, resume=saved) as changes:
            async for change in changes:
                await handle(change)
                changes.ack()
                save(changes.checkpoint)

    A change is in progress until the next step, or until `ack`, and a checkpoint covers only the
    changes before it: a program that crashes while it handles a change receives it again.

    After an error or a cancellation, the next step continues from the same state. Transient
    errors are logged, as a warning once per kind, and retried. An error with a ``Retry-After`` of
    more than a day is raised.

    Raises:
        VideoSDKTranscriptsError: a step failed, as described in `TranscriptsClient.follow`.
        RuntimeError: two tasks step it at the same time.
    """

    def __init__(
        self,
        walk: Callable[[], AsyncIterator[Page[Transcription]]],
        get: Callable[[str], Awaitable[Transcription]],
        *,
        wanted: Filter,
        resume: str | None = None,
        since: Since = "now",
        poll: float = 30.0,
        full_scan_interval: float = 3600.0,
        once: bool = False,
        skip_unreadable: bool = False,
        clock: Clock,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """
        Create the follower without sending anything.

        Args:
            walk: starts a walk over the list, page by page. After an error, its next step must
                request the same page again, and it must keep nothing open between two pages.
            get: returns one row by its id.
            wanted: the room and session.
            resume: an earlier `checkpoint` of the same room and session.
            since: without a checkpoint: ``now`` for changes after the first full scan, or
                ``start`` for everything that exists as well.
            poll: seconds between two polls, 1 or more; each interval is a random value between
                75 % and 125 % of it.
            full_scan_interval: seconds from one full scan of the list to the next; 0 to make each
                poll a full scan.
            once: end after the first poll, which is a full scan and reads all unfinished rows, and
                raise transient errors.
            skip_unreadable: leave an unreadable row for the next poll, instead of raising an
                error.
            clock: the source of time and waits.
            jitter: returns a random number from 0 to 1.

        Raises:
            ConfigurationError: an argument is out of bounds, or the checkpoint is invalid or
                belongs to another room or session.
        """
        check_word("since", since, get_args(Since))
        check_flag("once", once)
        check_number("poll", poll, least=_MIN_INTERVAL)
        check_number("full_scan_interval", full_scan_interval, least=0)
        if resume is None:
            self._state = FollowState(wanted, primed=since == "start")
        else:
            self._state = FollowState.loads(resume, wanted)
        self._walk = walk
        self._get = get
        self._interval = poll
        self._full_scan_interval = full_scan_interval
        self._once = once
        self._has_polled = False
        self._skip_unreadable = skip_unreadable
        self._clock = clock
        self._jitter = jitter
        self._rows: deque[Transcription] = deque()
        """Rows that were read, and whose changes have not all been yielded yet."""
        self._in_progress: Transcription | None = None
        """The row of the change in progress."""
        self._poll: _Poll | None = None
        self._unlisted: set[str] = set()
        """Unfinished rows that neither the last complete walk nor a later request has found."""
        self._total: int | None = None
        """The total of the list when a walk last reached a page without new rows."""
        self._empty_searches = 0
        self._searched_total = 0
        """The largest total that starts no search, because earlier searches found nothing."""
        self._next_poll = self._next_full_scan = clock.monotonic()
        self._retry_interval = poll
        self._logged: type[VideoSDKTranscriptsError] | None = None
        self._stepping = asyncio.Lock()
        self._timeout: asyncio.Timeout | None = None
        self._closed = False

    @property
    def checkpoint(self) -> str:
        """
        Return where to resume, exact to the change, as JSON text.

        ``follow(..., resume=checkpoint)`` yields the change in progress again, then all later
        ones, and none of the earlier ones. It can be read at any time, even by another task or
        after `aclose`.
        """
        return self._state.dumps()

    def ack(self) -> None:
        """
        Mark the change in progress as handled, so that `checkpoint` covers it.

        The next step does the same; leaving the loop does not. It can also be called after
        `aclose`, and does nothing if no change is in progress.
        """
        if self._in_progress is not None:
            self._state.record(self._in_progress)
            self._in_progress = None

    async def aclose(self) -> None:
        """
        Close the follower, and wait until its request in progress has ended.

        A loop over it in another task ends normally. A change in progress is not marked as
        handled. It can be called at any time, and more than once.
        """
        if not self._closed:
            self._closed = True
            if self._stepping.locked() and self._timeout is not None:
                self._timeout.reschedule(0)
        async with self._stepping:
            self._rows.clear()
            self._poll = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> TranscriptionChange:
        if self._stepping.locked() and not self._closed:
            raise RuntimeError(
                "two tasks iterate over this follower; iterate in one task and pass the changes "
                "to others through an asyncio.Queue"
            )
        async with self._stepping:
            self.ack()
            while not self._closed:
                while self._rows:
                    row = self._rows[0]
                    kind = self._state.next_change(row)
                    if kind is not None:
                        # The row stays in the queue, because it may have another change.
                        self._in_progress = row
                        return TranscriptionChange(kind, row)
                    self._state.record(row)
                    self._rows.popleft()
                if self._once and self._has_polled:
                    break
                await self._advance_until_closed()
            raise StopAsyncIteration

    def __repr__(self) -> str:
        # A traceback with locals may show a follower whose `__init__` has raised an error.
        state: FollowState | None = getattr(self, "_state", None)
        if state is None:
            return "<Follower>"
        return (
            f"<Follower of {state.wanted}, {len(state)} known, {len(state.unfinished)} unfinished>"
        )

    async def _advance_until_closed(self) -> None:
        try:
            async with asyncio.timeout(None) as self._timeout:
                await self._advance()
        except TimeoutError:
            if not self._closed:
                raise

    async def _advance(self) -> None:
        """Sleep, read a page, or read a row, so that rows can be yielded in between."""
        wait = self._next_poll - self._clock.monotonic()
        if wait > 0:
            # The next poll is a point in time: with a duration, a caller that applies a timeout of
            # a second to each step would poll every second.
            await self._clock.sleep(max(wait, _MIN_SLEEP))
            return
        try:
            await self._continue_poll()
        except VideoSDKTranscriptsError as error:
            if may_poll_again(error) and not self._once:
                self._back_off(error)
                return
            self._end_poll()
            if self._once:
                # The caller decides when to try again, so the next step does not wait.
                self._next_poll = self._clock.monotonic()
            error.checkpoint = self.checkpoint
            raise
        self._retry_interval = self._interval

    async def _continue_poll(self) -> None:
        poll = self._poll
        if poll is None:
            now = self._clock.monotonic()
            poll = self._poll = _Poll(
                self._walk(),
                now,
                is_full_scan=now >= self._next_full_scan,
                missing=dict(self._state.unfinished),
            )
        if poll.is_walking:
            await self._read_page(poll)
        else:
            await self._read_row(poll, poll.to_read[0])
        if not poll.is_walking and not poll.to_read:
            self._logged = None
            self._has_polled = True
            self._end_poll()

    async def _read_page(self, poll: _Poll) -> None:
        try:
            page = await anext(poll.pages)
        except StopAsyncIteration:
            self._state.primed = True
            self._next_full_scan = poll.started_at + self._full_scan_interval
            self._unlisted = set(poll.missing)
            self._count_search(poll)
            self._end_walk(poll)
            return
        new_rows = self._state.count_new(page)
        has_changes = new_rows or any(r.id in self._state.unfinished for r in page.items)
        for row in page.items:
            poll.missing.pop(row.id, None)
            self._unlisted.discard(row.id)
        poll.new_rows += new_rows
        if page.total is not None:
            least, most = poll.min_total, poll.max_total
            poll.min_total = page.total if least is None else min(least, page.total)
            poll.max_total = page.total if most is None else max(most, page.total)
        self._rows.extend(page.items)
        if not has_changes and not poll.is_full_scan and self._found_all_new_rows(poll):
            self._end_walk(poll)

    def _found_all_new_rows(self, poll: _Poll) -> bool:
        """Return whether the total has grown by no more than the new rows found so far."""
        if poll.max_total is None or self._total is None:
            return False
        # The maximum, because one replica of the service may lag behind another.
        return poll.max_total - max(self._total, self._searched_total) <= poll.new_rows

    def _count_search(self, poll: _Poll) -> None:
        """Count a walk to the end. After several that found no new row, the total is wrong."""
        if poll.new_rows or poll.is_full_scan:
            self._empty_searches = self._searched_total = 0
        elif poll.max_total is not None and not self._found_all_new_rows(poll):
            self._empty_searches += 1
            if self._empty_searches >= _MAX_EMPTY_SEARCHES:
                self._searched_total = poll.max_total

    def _end_walk(self, poll: _Poll) -> None:
        # The minimum, because a row that was added during the walk, to a page already read, must
        # count as growth in the next poll.
        self._total = poll.min_total
        poll.is_walking = False
        # With `once`, this poll has to read all of them.
        poll.to_read.extend(list(poll.missing)[: None if self._once else _MAX_READS])

    async def _read_row(self, poll: _Poll, row_id: str) -> None:
        try:
            row = await self._get(row_id)
        except NotFoundError:
            self._state.move_to_end(row_id)
            if row_id in self._unlisted:
                # Neither listed nor found by its id: most likely it was removed. If not, the list
                # will contain it again.
                self._unlisted.discard(row_id)
                self._state.mark_removed(row_id)
        except VideoSDKTranscriptsError as error:
            # This row may fail permanently, so the next poll reads the others before it.
            self._state.move_to_end(row_id)
            if not (self._skip_unreadable and isinstance(error, InvalidRowError)):
                self._poll = None
                raise
        else:
            self._state.move_to_end(row_id)
            self._unlisted.discard(row_id)
            self._rows.append(row)
        poll.to_read.popleft()

    def _end_poll(self) -> None:
        self._poll = None
        self._next_poll = self._clock.monotonic() + self._with_jitter(self._interval)

    def _back_off(self, error: VideoSDKTranscriptsError) -> None:
        """Schedule the next attempt after a transient error."""
        wait = max(self._with_jitter(self._retry_interval), error.retry_after or 0.0)
        is_new = self._logged is not type(error)
        self._logged = type(error)
        log_failed_poll(_describe(self._state.wanted), error, wait, is_new=is_new)
        self._next_poll = self._clock.monotonic() + wait
        longest = max(self._interval, _MAX_RETRY_INTERVAL)
        if self._retry_interval >= longest:
            # Start a new walk, because a page that fails permanently must not hide new rows that
            # appear before it.
            self._poll = None
        self._retry_interval = min(2 * self._retry_interval, longest)

    def _with_jitter(self, seconds: float) -> float:
        return max(_MIN_INTERVAL, seconds * (0.75 + self._jitter() / 2))


def _describe(wanted: Filter) -> str:
    """Return a description of the call, for the log."""
    ids = {"room": wanted.room_id, "session": wanted.session_id}
    return f"follow({', '.join(f'{name}={id_}' for name, id_ in ids.items() if id_)})"
