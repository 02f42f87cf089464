"""Write downloads to disk, complete or absent, without blocking the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from videosdk_transcripts._atomic_file import LOCKED, AtomicFile, flush_directory
from videosdk_transcripts.errors import FileError

from .threads import Threads, run_now

_BUFFER: Final = 1024 * 1024


async def file_exists(path: Path, threads: Threads) -> bool:
    """Return whether a file exists. If that can't be determined, writing it will fail."""

    def check() -> bool:
        try:
            return path.is_file()
        except OSError:
            return False

    return await threads.run(check)


async def make_directory(directory: Path, threads: Threads) -> None:
    """
    Create a directory if it is missing.

    Raises:
        FileError: the directory can't be created, or no file can be created in it.
    """

    def make() -> None:
        import tempfile

        directory.mkdir(parents=True, exist_ok=True)
        # Permissions don't show this: the superuser has them even on a read-only file system.
        tempfile.TemporaryFile(dir=directory).close()

    await _run(make, directory, threads)


class Directory:
    """
    Flush the renames in a directory, once for all files that were renamed in the meantime.

    Args:
        path: the directory.
        threads: runs the blocking steps.
    """

    def __init__(self, path: Path, threads: Threads) -> None:
        self._path = path
        self._threads = threads
        self._turn = asyncio.Lock()
        # The numbers of the flush that began last, and of the one that ended last.
        self._begun = self._ended = 0

    async def flush(self) -> None:
        """Return after a flush that began after this call."""
        needed = self._begun + 1
        async with self._turn:
            if self._ended >= needed:
                return  # by another task, while this one waited
            self._begun = number = self._begun + 1
            await self._threads.run(lambda: flush_directory(self._path))
            self._ended = number


class PartFile:
    """
    Receive a file, and write it as an `AtomicFile`, in threads.

    Args:
        target: the path of the complete file.
        threads: runs the blocking steps.
    """

    def __init__(self, target: Path, threads: Threads) -> None:
        self._directory = target.parent
        self._threads = threads
        self._file = AtomicFile(target)
        self._buffer = bytearray()

    async def begin(self) -> None:
        """Discard all data written so far and start over."""
        self._buffer.clear()
        if self._file.is_open:
            await self._run(self._file.clear)

    async def write(self, chunk: bytes) -> None:
        """
        Append data.

        Raises:
            FileError: the data can't be written.
        """
        self._buffer += chunk
        if len(self._buffer) >= _BUFFER:
            await self._run(self._flush)

    async def commit(self) -> None:
        """
        Flush the data to the disk and rename the file to its target, but don't flush the rename.

        Raises:
            FileError: the file can't be written or renamed.
        """
        await self._run(self._replace_target)

    async def discard(self) -> None:
        """Remove the temporary file. Does nothing after a commit."""
        if self._file.is_open:
            # Not queued behind other files, because a cancelled download waits for this.
            await run_now(self._file.discard)

    async def _run(self, step: Callable[[], None]) -> None:
        await _run(step, self._directory, self._threads)

    # These two run in a thread, one at a time.

    def _flush(self) -> None:
        self._file.write(self._buffer)
        self._buffer.clear()

    def _replace_target(self) -> None:
        self._flush()
        self._file.commit(flush_entry=False)


async def _run(step: Callable[[], None], directory: Path, threads: Threads) -> None:
    try:
        await threads.run(step)
    except OSError as error:
        failure = _not_writable(directory, error)
    else:
        return
    raise failure


def _not_writable(directory: Path, error: OSError) -> FileError:
    if error.strerror == LOCKED:
        advice = "wait for it to finish"
    else:
        advice = "free some space or choose another directory"
    # The system's message without the file name, because that contains an id.
    return FileError(
        f"can't write to the directory {directory}: {error.strerror or type(error).__name__}; "
        f"{advice}, and download again: complete files are skipped"
    )
