"""Fetch the files of many rows, concurrently and in order. No HTTP and no file system."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from attrs import define

from videosdk_transcripts._paging.pager import Pager, expected_rows, take_checkpoint
from videosdk_transcripts._validation import check_count
from videosdk_transcripts.errors import ConfigurationError

T = TypeVar("T")
ResultT = TypeVar("ResultT")
AnyT = TypeVar("AnyT")
Checkpoint = Callable[[], str | None]
"""Return the text of a checkpoint taken earlier; None if the source of rows has none."""


@define(eq=False)
class _Entry(Generic[ResultT]):
    """A row that was read from the source, and whose result has not been yielded yet."""

    row: Any
    checkpoint: Checkpoint
    """The checkpoint of the source after the row."""
    task: asyncio.Task[ResultT | Exception] | None
    """Fetches the result; None if it has to start again with the next loop."""


class _Run(Generic[ResultT]):
    """
    The tasks of one loop over results.

    They have no reference to the results, which can thus be collected, and end them, at any time.
    """

    def __init__(
        self,
        fetch: Callable[[Any], Awaitable[ResultT]],
        entries: deque[_Entry[ResultT]],
        concurrency: int,
    ) -> None:
        self._fetch = fetch
        self._entries = entries
        self.room = asyncio.Semaphore(concurrency - len(entries))
        """How many more rows may be read."""
        self.changed = asyncio.Event()
        """Set when a task has ended."""
        self.is_stopped = False

    async def read(self, rows: AsyncIterable[Any]) -> Exception | None:
        """Read rows while there is room. Return the error of the source, or None at its end."""
        try:
            # A new iterator for each loop: without references to it, a pager ends its read-ahead.
            source = aiter(rows)
            while True:
                await self.room.acquire()
                row = await anext(source)
                task = None if self.is_stopped else self.fetch(row)
                self._entries.append(_Entry(row, _take_checkpoint(rows), task))
        except StopAsyncIteration:
            return None
        except Exception as error:  # noqa: BLE001 - raised by the iterator
            return error

    def fetch(self, row: Any) -> asyncio.Task[ResultT | Exception]:
        """Start to fetch the result of a row."""
        return self.start(_fetch_row(self._fetch, row))

    def start(self, coroutine: Coroutine[Any, Any, AnyT]) -> asyncio.Task[AnyT]:
        """Start a task."""
        task = asyncio.create_task(coroutine)
        task.add_done_callback(self._wake)
        return task

    def _wake(self, _: object) -> None:
        self.changed.set()


class Results(Generic[ResultT]):
    """
    Iterate over the results of many rows, fetched concurrently, in the order of the rows.

    If a file can't be fetched, the result of its row has the error, and the others continue. An
    error of the source of rows is raised after the results of the rows before it.

    Leaving the loop cancels requests in progress, as for a pager. Another loop continues with the
    first row whose result was not yielded; ``async with`` waits until everything has ended.
    Created by `TranscriptsClient.download_all` and `TranscriptsClient.fetch_texts`.

    ::

        results = client.fetch_texts(client.iter_transcriptions(room_id))
        async for one in results:
            print(one.transcription.id, one.text if one.error is None else one.error)

    Raises:
        VideoSDKTranscriptsError: the source of rows failed; the error is raised by a step.
    """

    def __init__(
        self,
        rows: AsyncIterable[T],
        fetch: Callable[[T], Awaitable[ResultT]],
        *,
        concurrency: int,
        caller: str,
        prepare: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """
        Create the iterator without starting anything.

        Args:
            rows: the rows, usually a pager.
            fetch: returns the result of one row.
            concurrency: maximum number of rows that are read, but not yielded yet; 1 or more.
            caller: the method of the client, for errors.
            prepare: called once, before the first row.

        Raises:
            ConfigurationError: `concurrency` is not a whole number of 1 or more, or `rows` is not
                an async iterable.
        """
        check_count("concurrency", concurrency)
        if not isinstance(rows, AsyncIterable):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(
                f"{caller} requires an async iterable of rows, such as "
                "client.iter_transcriptions(room_id)"
            )
        self._rows = rows
        self._fetch: Callable[[Any], Awaitable[ResultT]] = fetch
        self._prepare = prepare
        self._concurrency = concurrency
        self._is_closed = False
        self._entries: deque[_Entry[ResultT]] = deque()
        self._reader: asyncio.Task[Exception | None] | None = None
        """Reads the rows; returns the error that ended the source, or None at its end."""
        self._run: _Run[ResultT] | None = None
        """The tasks of the loop in progress; None after they were cancelled."""
        self._done = 0
        self._checkpoint: Checkpoint | None = None
        """The checkpoint after the last yielded result; None before the first row."""

    @property
    def checkpoint(self) -> str | None:
        """
        Return where the source of rows can be resumed, as JSON text.

        It covers exactly the rows whose results were yielded, even if more have been read. Pass
        it to ``iter_transcriptions(..., resume=checkpoint)``, and the new pager to the same
        method. None if the source of rows is not a pager, and has no attribute `checkpoint`.
        """
        return (self._checkpoint or _take_checkpoint(self._rows))()

    @property
    def done(self) -> int:
        """Return how many results were yielded, including those with an error."""
        return self._done

    @property
    def total(self) -> int | None:
        """
        Return how many results there will be, as far as this is known.

        This is the service's total, or the limit of the walk if that is lower, minus the rows
        that were left out. It may change during the walk, and is exact at its end. None until
        the first page was read, or if the source of rows is not a pager.
        """
        return expected_rows(self._rows) if isinstance(self._rows, Pager) else None

    def __aiter__(self) -> AsyncIterator[ResultT]:
        return _Loop(self)

    async def __anext__(self) -> ResultT:
        if self._is_closed:
            raise StopAsyncIteration
        try:
            return await self._next_result()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Cancel requests in progress. The next step continues with the same rows."""
        if self._run is not None:
            self._run.is_stopped = True
            self._run = None
        for task in self._tasks():
            # This may run in another thread (garbage collection), or after the loop was closed.
            with contextlib.suppress(RuntimeError):
                task.get_loop().call_soon_threadsafe(task.cancel)

    async def aclose(self) -> None:
        """
        Cancel requests in progress, and wait until they have ended. No more rows are yielded.

        May be called more than once.
        """
        self._is_closed = True
        self.stop()
        await self._wait_until_ended()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if hasattr(self, "_entries"):
            self.stop()

    async def _next_result(self) -> ResultT:
        if self._prepare is not None:
            await self._prepare()
            self._prepare = None
        while True:
            if self._run is None:
                await self._wait_until_ended()
            if self._is_closed:
                raise StopAsyncIteration
            run = self._run or self._start()
            if self._entries:
                fetched = await self._wait_for(self._entries[0].task, run)
                if fetched is not None:
                    return self._take_result(fetched.result(), run)
            else:
                reader = await self._wait_for(self._reader, run)
                if reader is not None:
                    raise self._take_end(reader.result())

    async def _wait_for(
        self, task: asyncio.Task[AnyT] | None, run: _Run[ResultT]
    ) -> asyncio.Task[AnyT] | None:
        """Return a task that has ended; otherwise wait until any task ends, and return None."""
        if task is None or task.cancelled():
            self.stop()  # so that all tasks start again
            return None
        if not task.done():
            run.changed.clear()
            await run.changed.wait()
            return None
        return task

    def _tasks(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that have not ended."""
        # A copy, because garbage collection may stop this in another thread.
        tasks = [self._reader, *(entry.task for entry in tuple(self._entries))]
        return [task for task in tasks if task is not None and not task.done()]

    async def _wait_until_ended(self) -> None:
        """Wait until the tasks that were cancelled have ended."""
        loop = asyncio.get_running_loop()
        # Tasks of another loop ended with it.
        here = [task for task in self._tasks() if task.get_loop() is loop]
        await asyncio.gather(*here, return_exceptions=True)

    def _start(self) -> _Run[ResultT]:
        """Start to fetch all rows taken, and to read more."""
        if self._checkpoint is None:
            self._checkpoint = _take_checkpoint(self._rows)
        self._run = run = _Run(self._fetch, self._entries, self._concurrency)
        for entry in self._entries:
            if not _has_ended(entry.task):
                entry.task = run.fetch(entry.row)
        if not _has_ended(self._reader):
            self._reader = run.start(run.read(self._rows))
        return run

    def _take_result(self, result: ResultT | Exception, run: _Run[ResultT]) -> ResultT:
        if isinstance(result, Exception):
            # The row did not cause the error, so the next step tries it again.
            self._entries[0].task = None
            raise result
        self._checkpoint = self._entries.popleft().checkpoint
        self._done += 1
        run.room.release()
        return result

    def _take_end(self, error: Exception | None) -> Exception:
        """Return the exception to raise at the end. After an error, the next step reads on."""
        if error is None:
            return StopAsyncIteration()
        self._reader = None
        return error


class _Loop(Generic[ResultT]):
    """One loop over results. Its end cancels requests in progress."""

    def __init__(self, results: Results[ResultT]) -> None:
        self._results = results

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ResultT:
        return await self._results.__anext__()

    def __del__(self) -> None:
        self._results.stop()


def _take_checkpoint(rows: object) -> Checkpoint:
    if isinstance(rows, Pager):
        return take_checkpoint(rows)
    found: str | None = getattr(rows, "checkpoint", None)
    return lambda: found


def _has_ended(task: asyncio.Task[Any] | None) -> bool:
    return task is not None and task.done() and not task.cancelled()


# Errors are returned, because asyncio logs the exception of a task if it is never retrieved.


async def _fetch_row(fetch: Callable[[Any], Awaitable[ResultT]], row: Any) -> ResultT | Exception:
    try:
        return await fetch(row)
    except Exception as error:  # noqa: BLE001 - raised by the iterator
        return error
