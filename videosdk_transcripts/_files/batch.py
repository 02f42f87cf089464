"""Fetch the files of many rows, concurrently and in order. No HTTP and no file system."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from attrs import define, frozen

from videosdk_transcripts._paging.pager import Pager, expected_rows, take_checkpoint
from videosdk_transcripts._validation import check_count
from videosdk_transcripts.errors import ConfigurationError

T = TypeVar("T")
ResultT = TypeVar("ResultT")
Checkpoint = Callable[[], str | None]
"""Return the text of a checkpoint taken earlier; None if the source of rows has none."""


@define(eq=False)
class _Entry(Generic[ResultT]):
    """A row that was read from the source, and whose result has not been yielded yet."""

    row: Any
    checkpoint: Checkpoint
    """The checkpoint of the source after the row."""
    task: asyncio.Task[ResultT | Exception] | None = None


@frozen
class _End:
    """The end of the source."""

    error: Exception | None
    """The error that ended it, if any."""


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
        self._is_closed = False
        self._source: AsyncIterator[Any] | None = None
        self._next_row: asyncio.Task[_Entry[ResultT] | _End] | None = None
        """Reads the next row."""
        self._end: _End | None = None
        self._entries: deque[_Entry[ResultT]] = deque()
        self._done = 0
        self._checkpoint: Checkpoint | None = None
        """The checkpoint after the last yielded result; None before the first row."""
        self._concurrency = concurrency

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
        self._source = None  # a pager without references cancels its read-ahead
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
        loop = asyncio.get_running_loop()
        here = [task for task in self._tasks() if task.get_loop() is loop]
        await asyncio.gather(*here, return_exceptions=True)

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
            self._take_row()
            self._start_tasks()
            head = self._entries[0].task if self._entries else None
            if head is not None and head.done():
                return self._take_result(head.result())
            pending = [task for task in (head, self._next_row) if task is not None]
            if not pending:
                raise self._take_end()
            await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)

    def _tasks(self) -> list[asyncio.Task[Any]]:
        tasks = [*(entry.task for entry in self._entries), self._next_row]
        return [task for task in tasks if task is not None]

    def _take_row(self) -> None:
        """Take the next row, or the end of the source, if it has been read."""
        if self._next_row is None or not self._next_row.done():
            return
        task, self._next_row = self._next_row, None
        if task.cancelled():
            return
        result = task.result()
        if isinstance(result, _End):
            self._end = result
            self._source = None
        else:
            self._entries.append(result)

    def _start_tasks(self) -> None:
        """Start to fetch all rows taken, and to read one more if there is room."""
        for entry in self._entries:
            if entry.task is None or entry.task.cancelled():
                entry.task = asyncio.create_task(_fetch_row(self._fetch, entry.row))
        has_room = len(self._entries) < self._concurrency
        if self._next_row is None and self._end is None and has_room:
            if self._checkpoint is None:
                self._checkpoint = _take_checkpoint(self._rows)
            self._source = self._source or aiter(self._rows)
            self._next_row = asyncio.create_task(_read_row(self._rows, self._source))

    def _take_result(self, result: ResultT | Exception) -> ResultT:
        if isinstance(result, Exception):
            # The row did not cause the error, so the next step tries it again.
            self._entries[0].task = None
            raise result
        self._checkpoint = self._entries.popleft().checkpoint
        self._done += 1
        self._start_tasks()
        return result

    def _take_end(self) -> Exception:
        """Return the exception to raise at the end. After an error, the next step reads on."""
        if self._end is None or self._end.error is None:
            return StopAsyncIteration()
        error, self._end = self._end.error, None
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
        # Converted to text only when it is read, because that costs more than the row itself.
        return take_checkpoint(rows).dumps
    found: str | None = getattr(rows, "checkpoint", None)
    return lambda: found


# Errors are returned, because asyncio logs the exception of a task if it is never retrieved.


async def _read_row(rows: object, source: AsyncIterator[Any]) -> _Entry[Any] | _End:
    try:
        row = await anext(source)
        return _Entry(row, _take_checkpoint(rows))
    except StopAsyncIteration:
        return _End(None)
    except Exception as error:  # noqa: BLE001 - raised by the iterator
        return _End(error)


async def _fetch_row(fetch: Callable[[Any], Awaitable[ResultT]], row: Any) -> ResultT | Exception:
    try:
        return await fetch(row)
    except Exception as error:  # noqa: BLE001 - raised by the iterator
        return error
