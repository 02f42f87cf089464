"""
Following a list: what is new and what has finished, as it happens. Knows no HTTP.

The order of the list is not documented, so that no place in it is where new rows must be.
A poll stops early only where the server's own total says that nothing is new elsewhere, and
a walk over the whole list comes round from time to time.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Final, Literal, Self, get_args

from attrs import define, field, frozen

from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._clock import Clock
from videosdk_transcripts._validation import check_number, check_word
from videosdk_transcripts.errors import InvalidRowError, NotFoundError, VideoSDKTranscriptsError
from videosdk_transcripts.models import Page, Transcription

from .follow_state import Followed, Kind

logger = logging.getLogger("videosdk_transcripts")

Since = Literal["now", "start"]

_LEAST_POLL: Final = 1.0
_LONGEST_GAP: Final = 300.0
_MOST_ASKED: Final = 10
# Less than a clock can tell apart would be no wait at all.
_LEAST_NAP: Final = 0.001


@frozen(weakref_slot=False)
class TranscriptionChange:
    """What happened to a transcription. Made by `Follower`."""

    kind: Kind
    """
    ``new``, once for each transcription, and after that ``finished``, once for each that
    completes or fails. One that is found finished gives both, one after the other.
    """
    transcription: Transcription
    """The transcription as it was listed. Finished does not promise that its files are there."""


@define(eq=False)
class _Poll:
    """One poll: a walk, and then the unfinished rows that it did not meet, one by one."""

    pages: AsyncIterator[Page[Transcription]]
    began: float
    must_be_whole: bool
    missing: dict[str, None]
    new_rows: int = 0
    least_total: int | None = None
    is_walking: bool = True
    is_whole: bool = False
    to_ask: deque[str] = field(factory=deque)


class Follower:
    """
    Iterate over what happens to transcriptions, without an end.

    Made by `TranscriptsClient.follow`; nothing is sent until the first step, and nothing
    runs between two steps::

        async with client.follow(room_id, resume=saved) as changes:
            async for change in changes:
                await handle(change)
                save(changes.checkpoint)

    After any error or cancellation the next step goes on from the same state. Failures that
    may be gone the next time are logged once and waited out.

    Args:
        walk: begins a walk over the list, page by page. After an error its next step must
            ask for the same page again, and it must hold nothing open between two pages.
        get: reads one row by its id.
        wanted: whose rows these are.
        resume: an earlier `checkpoint` of the same room and session.
        since: without a checkpoint, ``now`` for what changes after the first whole walk, or
            ``start`` for everything there is as well.
        poll: seconds between two polls, 1 or more; each wait is drawn from three quarters
            up to five quarters of it.
        full_scan_interval: seconds from one walk over the whole list to the next; 0 for each.
        skip_unreadable: leave a single row that can't be read for the next poll, where it
            would be raised otherwise.
        clock: the time, and how to wait.
        draw: gives a number from 0 to 1, for the jitter.

    Raises:
        ConfigurationError: an argument is out of its bounds, or the checkpoint is none, or
            is of another room or session.
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
        skip_unreadable: bool = False,
        clock: Clock,
        draw: Callable[[], float] = random.random,
    ) -> None:
        check_word("since", since, get_args(Since))
        check_number("poll", poll, least=_LEAST_POLL)
        check_number("full_scan_interval", full_scan_interval, least=0)
        if resume is None:
            self._state = Followed(wanted, primed=since == "start")
        else:
            self._state = Followed.loads(resume, wanted)
        self._walk = walk
        self._get = get
        self._between_polls = poll
        self._between_whole_walks = full_scan_interval
        self._skips_unreadable = skip_unreadable
        self._clock = clock
        self._draw = draw
        self._rows: deque[Transcription] = deque()
        self._poll: _Poll | None = None
        # Of the list when it was last walked to where nothing was new.
        self._total: int | None = None
        self._next_poll = self._next_whole_walk = clock.monotonic()
        self._gap = poll
        self._trouble: type[VideoSDKTranscriptsError] | None = None
        self._step = asyncio.Lock()
        self._limit: asyncio.Timeout | None = None
        self._closed = False

    @property
    def checkpoint(self) -> str:
        """
        Return where to take this up again, exact to the change, as JSON text.

        What was handed out before it was taken is never handed out again by
        ``follow(..., resume=checkpoint)``, and what was handed out after it is.
        """
        return self._state.dumps()

    async def aclose(self) -> None:
        """
        End it, and wait until nothing that it asked for is on its way.

        A loop over it in another task ends as if there were no more. May be called at any
        time, and more than once.
        """
        if not self._closed:
            self._closed = True
            if self._step.locked() and self._limit is not None:
                self._limit.reschedule(0)
        async with self._step:
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
        if self._step.locked() and not self._closed:
            raise RuntimeError(
                "two tasks step this follower at once; let one of them hand the changes over "
                "through an asyncio.Queue"
            )
        async with self._step:
            while not self._closed:
                # The state moves and the change is returned without a wait in between, so that
                # a cancellation finds either both done or neither.
                while self._rows:
                    kind = self._state.take(self._rows[0])
                    if kind is not None:
                        return TranscriptionChange(kind, self._rows[0])
                    self._rows.popleft()
                await self._advance_until_closed()
            raise StopAsyncIteration

    def __repr__(self) -> str:
        state = self._state
        return (
            f"<Follower of {state.wanted}, {len(state)} known, {len(state.unfinished)} unfinished>"
        )

    async def _advance_until_closed(self) -> None:
        try:
            async with asyncio.timeout(None) as self._limit:
                await self._advance()
        except TimeoutError:
            if not self._closed:
                raise

    async def _advance(self) -> None:
        """Do one thing that takes time: wait, read a page, or read a row."""
        wait = self._next_poll - self._clock.monotonic()
        if wait > 0:
            # Kept as a moment and not as a length: whoever steps with a limit of a second
            # would otherwise poll each second.
            await self._clock.sleep(max(wait, _LEAST_NAP))
            return
        try:
            await self._look()
        except VideoSDKTranscriptsError as error:
            if error.is_transient:
                self._hold_back(error)
                return
            self._end_poll()
            error.checkpoint = self.checkpoint
            raise
        self._gap = self._between_polls

    async def _look(self) -> None:
        poll = self._poll
        if poll is None:
            now = self._clock.monotonic()
            poll = self._poll = _Poll(
                self._walk(),
                now,
                must_be_whole=now >= self._next_whole_walk,
                missing=dict(self._state.unfinished),
            )
        if poll.is_walking:
            await self._read_page(poll)
        else:
            await self._ask(poll, poll.to_ask[0])
        if not poll.is_walking and not poll.to_ask:
            self._trouble = None
            self._end_poll()

    async def _read_page(self, poll: _Poll) -> None:
        try:
            page = await anext(poll.pages)
        except StopAsyncIteration:
            poll.is_whole = True
            self._state.primed = True
            self._next_whole_walk = poll.began + self._between_whole_walks
            self._end_walk(poll)
            return
        new_rows = self._state.count_new(page)
        is_quiet = not new_rows and not any(r.id in self._state.unfinished for r in page.items)
        for row in page.items:
            poll.missing.pop(row.id, None)
        poll.new_rows += new_rows
        if page.total is not None:
            # What was added while the walk lasted may stand where it had been: it must count as
            # growth the next time.
            least = poll.least_total
            poll.least_total = page.total if least is None else min(least, page.total)
        self._rows.extend(page.items)
        if is_quiet and not poll.must_be_whole and self._tells_of_no_more(page, poll):
            self._end_walk(poll)

    def _tells_of_no_more(self, page: Page[Transcription], poll: _Poll) -> bool:
        if page.total is None or self._total is None:
            return False
        return page.total - self._total <= poll.new_rows

    def _end_walk(self, poll: _Poll) -> None:
        self._total = poll.least_total
        poll.is_walking = False
        poll.to_ask.extend(list(poll.missing)[:_MOST_ASKED])

    async def _ask(self, poll: _Poll, row_id: str) -> None:
        try:
            row = await self._get(row_id)
        except NotFoundError:
            self._state.ask_last(row_id)
            if poll.is_whole:
                # Neither listed nor to be had: nobody will hear of its end.
                del self._state.unfinished[row_id]
        except VideoSDKTranscriptsError as error:
            # It may be this row alone that fails, and that for ever: the others come first.
            self._state.ask_last(row_id)
            if not (self._skips_unreadable and isinstance(error, InvalidRowError)):
                self._poll = None
                raise
        else:
            self._state.ask_last(row_id)
            self._rows.append(row)
        poll.to_ask.popleft()

    def _end_poll(self) -> None:
        self._poll = None
        self._next_poll = self._clock.monotonic() + self._spread(self._between_polls)

    def _hold_back(self, error: VideoSDKTranscriptsError) -> None:
        if self._trouble is not type(error):
            self._trouble = type(error)
            logger.warning(
                "Following %s met a %s, and goes on trying.",
                self._state.wanted,
                type(error).__name__,
            )
        wait = max(self._spread(self._gap), error.retry_after or 0.0)
        self._next_poll = self._clock.monotonic() + wait
        longest = max(self._between_polls, _LONGEST_GAP)
        if self._gap >= longest:
            # A page that fails for ever must not hide what is new on those before it.
            self._poll = None
        self._gap = min(2 * self._gap, longest)

    def _spread(self, seconds: float) -> float:
        return max(_LEAST_POLL, seconds * (0.75 + self._draw() / 2))
