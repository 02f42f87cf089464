"""
Wait until a file exists. No HTTP.

The existence of the file ends a wait, and not the status: in the vendor's sample of a stop, the
transcription is completed and has no file.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final, Generic, Protocol, TypeVar

from attrs import define

from videosdk_transcripts._clock import Clock
from videosdk_transcripts._files.fetch import HasFiles
from videosdk_transcripts._validation import check_flag, check_id, check_number, check_text
from videosdk_transcripts.errors import (
    CompletedWithoutFileError,
    NotFoundError,
    TranscriptionFailedError,
    VideoSDKTranscriptsError,
    WaitTimedOutError,
)
from videosdk_transcripts.models import Page

from .failed_polls import log_failed_poll, may_poll_again
from .shared_polls import SharedPolls

_UNKNOWN: Final = "the service found no transcription with this id"
_GROWTH: Final = 1.5
_MAX_INTERVALS: Final = 6


class HasStatus(HasFiles, Protocol):
    """A row that has files and a status: both kinds of transcriptions."""

    @property
    def status(self) -> str | None: ...
    @property
    def is_failed(self) -> bool: ...
    @property
    def is_finished(self) -> bool: ...


HasStatusT = TypeVar("HasStatusT", bound=HasStatus)


class Waiter(Generic[HasStatusT]):
    """
    Wait for files. A client has one waiter for each kind of row, so that its waits share polls.

    Args:
        get: returns one row by its id.
        pages: starts a walk over the list of all rows, in large pages; must keep nothing open
            between two pages, and must not be a generator.
        clock: the source of time and waits.
        jitter: returns a random number from 0 to 1.
    """

    def __init__(
        self,
        get: Callable[[str], Awaitable[HasStatusT]],
        pages: Callable[[], AsyncIterator[Page[HasStatusT]]],
        *,
        clock: Clock,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._get = get
        self._polls = SharedPolls(pages, clock=clock)
        self._clock = clock
        self._jitter = jitter
        self._logged: type[VideoSDKTranscriptsError] | None = None
        """The kind of the last failure; None after a success."""

    async def wait(
        self,
        row_or_id: HasStatusT | str,
        *,
        format: str = "txt",  # noqa: A002 - the API's own word
        summary: bool = False,
        timeout: float | None = 3600.0,
        poll: float = 5.0,
        grace: float = 120.0,
    ) -> HasStatusT:
        """
        Return the row once it has the file, whatever its status.

        Args:
            row_or_id: a row, which is returned without a request if it has the file, or an id.
            format: the format of the file, as in ``files``.
            summary: wait for the file of the summary instead.
            timeout: seconds for the whole wait, above 0; None for no limit.
            poll: seconds from the first to the second poll, above 0. The interval then grows
                by half each time, to at most 6 times `poll`; the actual wait is a random value
                between half of the interval and all of it. A last poll is made `poll` before the
                timeout, unless the previous one was less than half an interval earlier.
            grace: seconds, 0 or more, for which a row may be completed or stopped without the
                file, or its id may be unknown; counted from the first poll that finds this.

        Raises:
            ConfigurationError: an argument is out of bounds. Nothing has been sent.
            TranscriptionFailedError: the transcription failed.
            CompletedWithoutFileError: it completed or was stopped, and the grace period is over.
            WaitTimedOutError: the timeout expired.
            NotFoundError: there was no such row during the grace period.
            VideoSDKTranscriptsError: any other error of a request that is not transient, or
                has a ``Retry-After`` of more than a day.
        """
        hint = "; pass a transcription or its id"
        row_id = check_id("transcription", getattr(row_or_id, "id", row_or_id), hint)
        format = check_text("format", format)  # noqa: A001
        check_flag("summary", summary)
        if timeout is not None:
            check_number("timeout", timeout, least=0, above=True)
        check_number("poll", poll, least=0, above=True)
        check_number("grace", grace, least=0)
        now = self._clock.monotonic()
        wait = _Wait(
            row_id,
            format,
            summary,
            started_at=now,
            ends_at=math.inf if timeout is None else now + timeout,
            grace=grace,
            interval=poll,
            max_interval=_MAX_INTERVALS * poll,
            last_poll_before_end=poll,
        )
        if not isinstance(row_or_id, str) and wait.has_file(row_or_id):
            return row_or_id
        # A timeout of the event loop, so that it also cancels a request in progress.
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                return await self._poll_until_ready(wait)
        except TimeoutError:
            if limit.expired():
                raise wait.timeout_error() from None
            raise

    def end(self, make_error: Callable[[], VideoSDKTranscriptsError]) -> None:
        """End all waits of the running loop that are between two requests."""
        self._polls.end(make_error)

    async def _poll_until_ready(self, wait: _Wait) -> HasStatusT:
        not_before = due = wait.started_at
        while True:
            retry_after = 0.0
            failure: VideoSDKTranscriptsError | None = None
            try:
                row = await self._poll(wait, not_before, due)
            except NotFoundError:
                # A new transcription may not be available yet, and a replica may lag behind.
                if wait.is_gone(self._clock.monotonic()):
                    raise
                wait.last_result = _UNKNOWN
            except VideoSDKTranscriptsError as error:
                if not may_poll_again(error):
                    raise
                failure = error
                wait.last_result = f"the last poll failed with {type(error).__name__}"
                retry_after = error.retry_after or 0.0
            else:
                self._logged = wait.logged = None
                if wait.is_ready(row, self._clock.monotonic()):
                    return row
            now = self._clock.monotonic()
            not_before, due = wait.next_poll(now, retry_after, self._jitter())
            if failure is not None:
                self._log(wait, failure, due - now)

    async def _poll(self, wait: _Wait, not_before: float, due: float) -> HasStatusT:
        row = await self._polls.poll(wait.row_id, not_before=not_before, due=due)
        if row is not None:
            return row
        if self._clock.monotonic() >= wait.ends_at:
            raise wait.timeout_error()
        return await self._get(wait.row_id)

    def _log(self, wait: _Wait, error: VideoSDKTranscriptsError, seconds: float) -> None:
        """Log a failed poll, as a warning only once for all waits, which usually fail together."""
        kind = type(error)
        is_new = kind not in (self._logged, wait.logged)
        self._logged = wait.logged = kind
        log_failed_poll(f"wait_until_ready({wait.row_id})", error, seconds, is_new=is_new)


@define(eq=False)
class _Wait:
    """The state of one wait. Times are by the clock, and durations are in seconds."""

    row_id: str
    format: str
    summary: bool
    started_at: float
    ends_at: float
    grace: float
    interval: float
    max_interval: float
    last_poll_before_end: float
    finished_since: float | None = None
    unknown_since: float | None = None
    last_result: str = "there was no response yet"
    logged: type[VideoSDKTranscriptsError] | None = None
    """The kind of the last failure; None after a success."""

    def has_file(self, row: HasFiles) -> bool:
        return bool(self._files_of(row).get(self.format))

    def is_ready(self, row: HasStatus, now: float) -> bool:
        """Return whether the file exists, and raise an error if it is no longer expected."""
        self.unknown_since = None
        if self.has_file(row):
            return True
        self.last_result = f"its status was {row.status!r}"
        if row.is_failed:
            raise TranscriptionFailedError(
                f"transcription {row.id} failed (status {row.status!r}); it will have no "
                f"{self._label}",
                transcription_id=row.id,
            )
        if not row.is_finished:
            self.finished_since = None
            return False
        if self.finished_since is None:
            self.finished_since = now
        if now - self.finished_since >= self.grace:
            available = ", ".join(sorted(self._files_of(row))) or "none"
            raise CompletedWithoutFileError(
                f"transcription {row.id} has ended (status {row.status!r}), but has no "
                f"{self._label} after a grace period of {self.grace:g} s (available: "
                f"{available}); wait again with a longer grace, or request an available format",
                transcription_id=row.id,
            )
        return False

    def is_gone(self, now: float) -> bool:
        """Return whether the id has been unknown for the grace period."""
        if self.unknown_since is None:
            self.unknown_since = now
        return now - self.unknown_since >= self.grace

    def next_poll(self, now: float, retry_after: float, jitter: float) -> tuple[float, float]:
        """
        Return when the row may be polled again, and when it must be.

        Args:
            now: the time of the last poll.
            retry_after: how many seconds to wait, according to the service.
            jitter: a random number from 0 to 1.
        """
        half = self.interval / 2
        self.interval = min(self.interval * _GROWTH, self.max_interval)
        not_before = now + max(half, retry_after)
        # A last poll shortly before the end finds a file that appeared in a long interval.
        last = max(not_before, self.ends_at - self.last_poll_before_end)
        return not_before, min(not_before + jitter * half, last, self.ends_at)

    def timeout_error(self) -> WaitTimedOutError:
        advice = "the file may still appear, so wait again with the id"
        if self.last_result == _UNKNOWN:
            advice = "check the id; if it is new, wait again"
        return WaitTimedOutError(
            f"transcription {self.row_id} had no {self._label} after "
            f"{self.ends_at - self.started_at:g} s: {self.last_result}; {advice}",
            transcription_id=self.row_id,
        )

    @property
    def _label(self) -> str:
        return f"{self.format} {'summary' if self.summary else 'file'}"

    def _files_of(self, row: HasFiles) -> Mapping[str, str]:
        return row.summary_files if self.summary else row.files
