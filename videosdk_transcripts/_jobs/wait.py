"""Waiting for a file, and not for the word that says it is done. Knows no HTTP."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final, Generic, Protocol, TypeVar

from attrs import define

from videosdk_transcripts._clock import Clock
from videosdk_transcripts._validation import check_id, check_number
from videosdk_transcripts.errors import (
    CompletedWithoutFileError,
    ConfigurationError,
    NotFoundError,
    TranscriptionFailedError,
    VideoSDKTranscriptsError,
    WaitTimedOutError,
)
from videosdk_transcripts.models import Page

from .shared_polls import Rounds

_GROWTH: Final = 1.5
_LONGEST: Final = 6


class Awaited(Protocol):
    """A row whose files can be waited for."""

    @property
    def id(self) -> str: ...
    @property
    def status(self) -> str | None: ...
    @property
    def files(self) -> Mapping[str, str]: ...
    @property
    def summary_files(self) -> Mapping[str, str]: ...
    @property
    def is_failed(self) -> bool: ...
    @property
    def is_completed(self) -> bool: ...


AwaitedT = TypeVar("AwaitedT", bound=Awaited)


class Waiting(Generic[AwaitedT]):
    """
    Waits for files; one for a client and a kind of row, so that its waits share their looks.

    Args:
        get: reads one row by its id.
        pages: begins a walk over the list of all rows, in pages as large as can be; must
            hold nothing open between two pages, and be no generator.
        clock: the time, and how to wait.
        draw: gives a number from 0 to 1, for the jitter.
    """

    def __init__(
        self,
        get: Callable[[str], Awaitable[AwaitedT]],
        pages: Callable[[], AsyncIterator[Page[AwaitedT]]],
        *,
        clock: Clock,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._get = get
        self._rounds = Rounds(pages, clock=clock)
        self._clock = clock
        self._draw = draw

    async def wait(
        self,
        row_or_id: AwaitedT | str,
        *,
        format: str = "txt",  # noqa: A002 - the API's own word
        summary: bool = False,
        timeout: float | None = 3600.0,
        poll: float = 5.0,
        grace: float = 120.0,
    ) -> AwaitedT:
        """
        Return the row once it has the file, whatever its status says.

        Args:
            row_or_id: a row, which is returned without a request where it has the file
                already, or an id.
            format: of the file, as in ``files``.
            summary: wait for the file of the summary instead.
            timeout: seconds for all of it, above 0; None for no limit.
            poll: seconds to the second look, above 0. Later looks are 1.5 times as far
                apart each time, up to 6 times `poll`; each wait is drawn from half of that
                up to the whole. A last one comes `poll` before the time is up, where it is
                not closer to the one before it than that half.
            grace: seconds, 0 or more, for which a row may be completed without the file,
                from the look that first saw it so; and for which, from the beginning, an
                id may be unknown.

        Raises:
            ConfigurationError: an argument is out of its bounds. Nothing has been sent.
            TranscriptionFailedError: the service says that it failed.
            CompletedWithoutFileError: it completed, and the grace period passed.
            WaitTimedOutError: the time is up.
            NotFoundError: there is no such row, also after the grace period.
            VideoSDKTranscriptsError: any other error of a request, but for those that
                only say that the service is not well just now.
        """
        row_id = row_or_id if isinstance(row_or_id, str) else getattr(row_or_id, "id", None)
        check_id("transcription_id", row_id)
        _check_format(format)
        if timeout is not None:
            check_number("timeout", timeout, least=0, above=True)
        check_number("poll", poll, least=0, above=True)
        check_number("grace", grace, least=0)
        now = self._clock.monotonic()
        wait = _Wait(
            str(row_id),
            format,
            summary,
            began=now,
            ends_at=math.inf if timeout is None else now + timeout,
            grace=grace,
            gap=poll,
            longest_gap=_LONGEST * poll,
            last_call=poll,
        )
        if not isinstance(row_or_id, str) and wait.has_file(row_or_id):
            return row_or_id
        # By the loop's clock: what is under way when the time is up is ended as well.
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                return await self._until_ready(wait)
        except TimeoutError:
            if limit.expired():
                raise wait.timed_out() from None
            raise

    def end(self, make_error: Callable[[], VideoSDKTranscriptsError]) -> None:
        """End all waits of the running loop that no request is under way for."""
        self._rounds.end(make_error)

    async def _until_ready(self, wait: _Wait) -> AwaitedT:
        opens = due = wait.began
        while True:
            hold = 0.0
            try:
                row = await self._rounds.turn(wait.row_id, opens=opens, due=due)
                if row is None:
                    if self._clock.monotonic() >= wait.ends_at:
                        raise wait.timed_out()
                    row = await self._get(wait.row_id)
            except NotFoundError:
                # A list, and what answers for one id, may lag behind the start.
                if self._clock.monotonic() - wait.began >= wait.grace:
                    raise
                wait.last_seen = "there is no transcription of that id yet"
            except VideoSDKTranscriptsError as error:
                if not error.is_transient:
                    raise
                wait.last_seen = f"the last look failed with {type(error).__name__}"
                hold = error.retry_after or 0.0
            else:
                if wait.is_over(row, self._clock.monotonic()):
                    return row
            opens, due = wait.next_look(self._clock.monotonic(), hold, self._draw())


def _check_format(value: object) -> None:
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"format must name one, 'txt' for example, not {value!r}")


@define(eq=False)
class _Wait:
    """One wait: what for, until when, and what has been seen so far."""

    row_id: str
    format: str
    summary: bool
    began: float
    ends_at: float
    grace: float
    gap: float
    longest_gap: float
    last_call: float
    completed_since: float | None = None
    last_seen: str = "nothing has been seen of it"

    def has_file(self, row: Awaited) -> bool:
        return bool(self._files_of(row).get(self.format))

    def is_over(self, row: Awaited, now: float) -> bool:
        """Tell whether the file is there, and raise where it can't be expected any more."""
        if self.has_file(row):
            return True
        self.last_seen = f"its status was {row.status!r}"
        if row.is_failed:
            raise TranscriptionFailedError(
                f"the service says of transcription {row.id} that it failed (status "
                f"{row.status!r}); there will be no {self.words}",
                transcription_id=row.id,
            )
        if not row.is_completed:
            self.completed_since = None
            return False
        if self.completed_since is None:
            self.completed_since = now
        if now - self.completed_since >= self.grace:
            others = ", ".join(sorted(self._files_of(row))) or "none"
            raise CompletedWithoutFileError(
                f"transcription {row.id} completed, and has no {self.words} after a grace period "
                f"of {self.grace:g} s (there are: {others}); wait again with a longer grace, or "
                "ask for a format that there is",
                transcription_id=row.id,
            )
        return False

    def next_look(self, now: float, hold: float, drawn: float) -> tuple[float, float]:
        """
        Return from when on it may be looked at again, and when it must be.

        Args:
            now: the time of the last look.
            hold: seconds for which the service asked to be left alone.
            drawn: a number from 0 to 1.
        """
        half = self.gap / 2
        self.gap = min(self.gap * _GROWTH, self.longest_gap)
        opens = now + max(half, hold)
        # Not further from the end than need be: what came since the last look would be missed.
        last = max(opens, self.ends_at - self.last_call)
        return opens, min(opens + drawn * half, last, self.ends_at)

    def timed_out(self) -> WaitTimedOutError:
        return WaitTimedOutError(
            f"transcription {self.row_id} had no {self.words} after "
            f"{self.ends_at - self.began:g} s; {self.last_seen}. Wait again with its id",
            transcription_id=self.row_id,
        )

    @property
    def words(self) -> str:
        return f"{self.format} file{' of a summary' if self.summary else ''}"

    def _files_of(self, row: Awaited) -> Mapping[str, str]:
        return row.summary_files if self.summary else row.files
