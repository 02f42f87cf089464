"""The files of many rows on disk, side by side and in order. Knows no HTTP and no files."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Generic, NoReturn, Self, TypeVar

from attrs import define

from videosdk_transcripts._validation import check_count
from videosdk_transcripts.errors import ConfigurationError

from .download import Download

T = TypeVar("T")


@define(eq=False)
class _Entry(Generic[T]):
    """A row that was walked over and not handed out yet."""

    row: T
    task: asyncio.Task[Download[T] | Exception] | None = None


class Downloads(Generic[T]):
    """
    Iterate over the downloads of many rows, some side by side, in the order of the rows.

    A file that can't be had is the `Download.error` of its row, and the others go on. An
    error of the walk over the rows comes at its place, after the rows before it.

    Leaving the loop ends what is under way, as for a pager. A further loop begins with the
    first row that was not handed out, and ``async with`` waits until nothing is left.
    Made by `TranscriptsClient.download_all`.
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
        Start nothing yet.

        Args:
            rows: a walk.
            prepare: is called before the first row.
            save: saves the files of one row.
            concurrency: rows under way at most, 1 or more.

        Raises:
            ConfigurationError: `concurrency` is no such number, or `rows` can't be walked over.
        """
        check_count("concurrency", concurrency)
        if not hasattr(rows, "__aiter__"):
            raise ConfigurationError(
                "download_all walks over a pager, such as client.iter_transcriptions(room_id)"
            )
        self._rows = rows
        self._prepare = prepare
        self._save = save
        self._at_once = concurrency
        self._is_prepared = self._is_closed = False
        self._walk: AsyncIterator[T] | None = None
        self._step: asyncio.Task[tuple[T] | Exception | None] | None = None
        """Gets the next row; None at the end."""
        self._walked: tuple[Exception | None] | None = None
        """How the walk ended, once it has."""
        self._entries: deque[_Entry[T]] = deque()

    def __aiter__(self) -> AsyncIterator[Download[T]]:
        return _Loop(self)

    async def __anext__(self) -> Download[T]:
        if self._is_closed:
            raise StopAsyncIteration
        try:
            return await self._next()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End what is under way. The next step goes on with the same rows."""
        self._walk = None  # with which a pager ends what it read ahead
        for task in self._tasks():
            # It may be collected in another thread, or when the loop is closed.
            with contextlib.suppress(RuntimeError):
                task.get_loop().call_soon_threadsafe(task.cancel)

    async def aclose(self) -> None:
        """
        End what is under way, and wait until it has ended. No row comes after that.

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

    async def _next(self) -> Download[T]:
        if not self._is_prepared:
            await self._prepare()
            self._is_prepared = True
        while True:
            self._take_row()
            self._go_on()
            head = self._entries[0].task if self._entries else None
            if head is not None and head.done():
                return self._hand_out(head.result())
            waits = [task for task in (head, self._step) if task is not None]
            if not waits:
                self._end()
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)

    def _tasks(self) -> list[asyncio.Task[Any]]:
        tasks = [*(entry.task for entry in self._entries), self._step]
        return [task for task in tasks if task is not None]

    def _take_row(self) -> None:
        """Take what the step to the next row has brought, if it is there."""
        if self._step is None or not self._step.done():
            return
        step, self._step = self._step, None
        if step.cancelled():
            return
        match step.result():
            case (row,):
                self._entries.append(_Entry(row))
            case ending:
                self._walked = (ending,)
                self._walk = None

    def _go_on(self) -> None:
        """Start what is not under way, and the step to the next row if there is room for it."""
        for entry in self._entries:
            if entry.task is None or entry.task.cancelled():
                entry.task = asyncio.create_task(_saved(self._save, entry.row))
        if self._step is None and self._walked is None and len(self._entries) < self._at_once:
            self._walk = self._walk or aiter(self._rows)
            self._step = asyncio.create_task(_next_row(self._walk))

    def _hand_out(self, found: Download[T] | Exception) -> Download[T]:
        if isinstance(found, Exception):
            # No fault of the row, which is tried again by whoever goes on.
            self._entries[0].task = None
            raise found
        self._entries.popleft()
        self._go_on()
        return found

    def _end(self) -> NoReturn:
        """Raise what the walk ended with. After an error the next step asks it again."""
        (ending,) = self._walked or (None,)
        if ending is None:
            raise StopAsyncIteration
        self._walked = None
        raise ending


class _Loop(Generic[T]):
    """One loop over downloads: what is under way for it ends with it."""

    def __init__(self, downloads: Downloads[T]) -> None:
        self._downloads = downloads

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Download[T]:
        return await self._downloads.__anext__()

    def __del__(self) -> None:
        self._downloads.stop()


async def _next_row(walk: AsyncIterator[T]) -> tuple[T] | Exception | None:
    try:
        return (await anext(walk),)
    except StopAsyncIteration:
        return None
    except Exception as error:  # noqa: BLE001 - raised at its turn
        return error


async def _saved(save: Callable[[T], Awaitable[Download[T]]], row: T) -> Download[T] | Exception:
    try:
        return await save(row)
    except Exception as error:  # noqa: BLE001 - raised at its turn
        return error
