"""Save the files of many rows, concurrently and in order. No HTTP and no file system in here."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from attrs import define, frozen

from videosdk_transcripts._validation import check_count
from videosdk_transcripts.errors import ConfigurationError

from .download import Download

T = TypeVar("T")


@define(eq=False)
class _Entry(Generic[T]):
    """A row that was read from the source and whose download was not yielded yet."""

    row: T
    task: asyncio.Task[Download[T] | Exception] | None = None


@frozen
class _End:
    """The end of the source."""

    error: Exception | None
    """The error that ended it, if any."""


class Downloads(Generic[T]):
    """
    Iterate over the downloads of many rows, made concurrently, in the order of the rows.

    A file that can't be fetched is the `Download.error` of its row, and the others continue.
    An error of the source of rows is raised in its place, after the rows before it.

    Leaving the loop cancels the downloads in progress, as for a pager. Another loop continues
    with the first row that was not yielded; ``async with`` waits until everything has ended.
    Created by `TranscriptsClient.download_all`.
    """

    def __init__(
        self,
        rows: AsyncIterable[T],
        prepare: Callable[[], Awaitable[None]],
        save: Callable[[T], Awaitable[Download[T]]],
        *,
        concurrency: int,
    ) -> None:
        """
        Create the iterator without starting anything.

        Args:
            rows: the rows, usually a pager.
            prepare: called once, before the first row.
            save: saves the files of one row.
            concurrency: rows that are read and not yielded yet, at most; 1 or more.

        Raises:
            ConfigurationError: `concurrency` is not such a number, or `rows` is not an async
                iterable.
        """
        check_count("concurrency", concurrency)
        if not hasattr(rows, "__aiter__"):
            raise ConfigurationError(
                "download_all requires an async iterable of rows, such as "
                "client.iter_transcriptions(room_id)"
            )
        self._rows = rows
        self._prepare = prepare
        self._save = save
        self._concurrency = concurrency
        self._is_prepared = self._is_closed = False
        self._source: AsyncIterator[T] | None = None
        self._next_row: asyncio.Task[_Entry[T] | _End] | None = None
        """Reads the next row."""
        self._end: _End | None = None
        self._entries: deque[_Entry[T]] = deque()

    def __aiter__(self) -> AsyncIterator[Download[T]]:
        return _Loop(self)

    async def __anext__(self) -> Download[T]:
        if self._is_closed:
            raise StopAsyncIteration
        try:
            return await self._next_download()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Cancel what is in progress. The next step continues with the same rows."""
        self._source = None  # a pager without references cancels its read-ahead
        for task in self._tasks():
            # This may run in another thread (garbage collection), or after the loop was closed.
            with contextlib.suppress(RuntimeError):
                task.get_loop().call_soon_threadsafe(task.cancel)

    async def aclose(self) -> None:
        """
        Cancel what is in progress and wait until it has ended. No more rows are yielded.

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

    async def _next_download(self) -> Download[T]:
        if not self._is_prepared:
            await self._prepare()
            self._is_prepared = True
        while True:
            self._take_row()
            self._start_tasks()
            head = self._entries[0].task if self._entries else None
            if head is not None and head.done():
                return self._take_download(head.result())
            pending = [task for task in (head, self._next_row) if task is not None]
            if not pending:
                raise self._take_end()
            await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)

    def _tasks(self) -> list[asyncio.Task[Any]]:
        tasks = [*(entry.task for entry in self._entries), self._next_row]
        return [task for task in tasks if task is not None]

    def _take_row(self) -> None:
        """Take the row that was read, or the end, if it is there."""
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
        """Start the downloads of all rows taken, and reading one more row if there is room."""
        for entry in self._entries:
            if entry.task is None or entry.task.cancelled():
                entry.task = asyncio.create_task(_save_row(self._save, entry.row))
        has_room = len(self._entries) < self._concurrency
        if self._next_row is None and self._end is None and has_room:
            self._source = self._source or aiter(self._rows)
            self._next_row = asyncio.create_task(_read_row(self._source))

    def _take_download(self, result: Download[T] | Exception) -> Download[T]:
        if isinstance(result, Exception):
            # Not caused by the row, which the next step tries again.
            self._entries[0].task = None
            raise result
        self._entries.popleft()
        self._start_tasks()
        return result

    def _take_end(self) -> Exception:
        """Return what to raise at the end. After an error the next step reads on."""
        if self._end is None or self._end.error is None:
            return StopAsyncIteration()
        error, self._end = self._end.error, None
        return error


class _Loop(Generic[T]):
    """One loop over downloads. Its end cancels what is in progress."""

    def __init__(self, downloads: Downloads[T]) -> None:
        self._downloads = downloads

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Download[T]:
        return await self._downloads.__anext__()

    def __del__(self) -> None:
        self._downloads.stop()


# Errors are returned and not raised: a task whose exception is never retrieved logs it.


async def _read_row(source: AsyncIterator[T]) -> _Entry[T] | _End:
    try:
        return _Entry(await anext(source))
    except StopAsyncIteration:
        return _End(None)
    except Exception as error:  # noqa: BLE001 - raised in its place
        return _End(error)


async def _save_row(save: Callable[[T], Awaitable[Download[T]]], row: T) -> Download[T] | Exception:
    try:
        return await save(row)
    except Exception as error:  # noqa: BLE001 - raised in its place
        return error
