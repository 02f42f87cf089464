"""
Atomic files: complete or absent. Only the file system, no network.

Data is written to a temporary file in the same directory, flushed to the disk, and then
renamed. So an existing file is complete, even if the program was killed while writing.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from videosdk_transcripts.errors import ConfigurationError, FileError

T = TypeVar("T")

_BUFFER: Final = 1024 * 1024
_MAX_NAME: Final = 200
"""Bytes of an encoded id: a file name has 255 at most, including the suffixes."""
_FORMAT: Final = re.compile(r"[A-Za-z0-9_-]{1,16}", re.ASCII)
# Names of devices on Windows, with any extension.
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])", re.ASCII)
_SUMMARY: Final = "-summary"
_FLAGS: Final = (
    os.O_RDWR
    | os.O_CREAT
    | getattr(os, "O_NOFOLLOW", 0)  # never follow a planted symbolic link
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def file_name(row_id: str, format: str, *, summary: bool) -> str:  # noqa: A002 - the API's word
    """
    Return the file name of a row: ``<id>.<format>`` or ``<id>-summary.<format>``.

    Lower-case letters, digits, ``_`` and ``-`` are kept. Every other character becomes ``=``
    and two hexadecimal digits per byte, so that no two ids share a name, not even on a file
    system that ignores case.

    Args:
        row_id: the id, which comes from the service and may be any text.
        format: the format: letters, digits, ``_`` and ``-``.
        summary: whether it is the file of the summary.

    Raises:
        ConfigurationError: the format is invalid.
        FileError: the id is empty or too long.
    """
    if not _FORMAT.fullmatch(format):
        raise ConfigurationError(
            "a format must be 1 to 16 letters and digits (ASCII), such as 'txt', "
            f"not {format[:40]!r}"
        )
    name = _encode(row_id)
    if _DEVICE.fullmatch(name):
        name = f"={ord(name[0]):02x}{name[1:]}"
    elif name.endswith(_SUMMARY):
        # Otherwise it could equal the name of another row's summary.
        name = f"{name[:-1]}={ord(name[-1]):02x}"
    if not 0 < len(name) <= _MAX_NAME:
        raise FileError(f"an id of {len(row_id)} characters can't be used as a file name")
    return f"{name}{_SUMMARY if summary else ''}.{_encode(format)}"


def _encode(text: str) -> str:
    return re.sub(
        r"[^a-z0-9_-]",
        lambda found: "".join(f"={byte:02x}" for byte in found[0].encode(errors="surrogatepass")),
        text,
    )


async def in_thread(function: Callable[[], T]) -> T:
    """
    Call a function in a thread, and always wait for it to return.

    A cancelled caller continues only after that, since its clean-up would conflict with the
    running function. No task is created, which the end of the loop would cancel.
    """
    job = asyncio.get_running_loop().run_in_executor(None, function)
    cancelled: asyncio.CancelledError | None = None
    while not job.done():
        try:
            await asyncio.wait([job])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        job.exception()  # retrieved, so that asyncio does not log it
        raise cancelled
    return job.result()


async def file_exists(path: Path) -> bool:
    """Return whether a file exists. If that can't be determined, writing it will fail."""

    def check() -> bool:
        try:
            return path.is_file()
        except OSError:
            return False

    return await in_thread(check)


async def make_directory(directory: Path) -> None:
    """
    Create a directory if it is missing.

    Raises:
        FileError: it can't be created, or is not writable.
    """

    def make() -> None:
        directory.mkdir(parents=True, exist_ok=True)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "no permission to write")

    try:
        await in_thread(make)
    except OSError as error:
        failure = _not_writable(directory, error)
    else:
        return
    raise failure


class PartFile:
    """
    Write a temporary file that replaces its target when it is complete.

    The file is opened by the first full buffer, or by `commit`. If the program is killed, it
    remains, under a name that the next write of the same target reuses.

    Args:
        target: the path of the complete file.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = target.with_name(f".{target.name}.part")
        self._buffer = bytearray()
        self._file = -1

    async def begin(self) -> None:
        """Discard all data written so far and start over."""
        self._buffer.clear()
        if self._file >= 0:
            await self._run(self._truncate)

    async def write(self, chunk: bytes) -> None:
        """
        Append data.

        Raises:
            FileError: it can't be written.
        """
        self._buffer += chunk
        if len(self._buffer) >= _BUFFER:
            await self._run(self._flush)

    async def commit(self) -> None:
        """
        Flush the data to the disk and rename the file to its target.

        Raises:
            FileError: this fails.
        """
        await self._run(self._replace_target)

    async def discard(self) -> None:
        """Remove the temporary file. Does nothing after a commit."""
        if self._file >= 0:
            await in_thread(self._remove)

    async def _run(self, step: Callable[[], None]) -> None:
        try:
            await in_thread(step)
        except OSError as error:
            failure = _not_writable(self._target.parent, error)
        else:
            return
        raise failure

    # These run in a thread, one after another.

    def _flush(self) -> None:
        if self._file < 0:
            self._file = _open_exclusively(self._path)
        view = memoryview(self._buffer)
        written = 0
        try:
            while written < len(view):
                written += os.write(self._file, view[written:])
        finally:
            view.release()
        self._buffer.clear()

    def _truncate(self) -> None:
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)

    def _replace_target(self) -> None:
        self._flush()
        os.fsync(self._file)
        if sys.platform == "win32":  # pragma: no cover - where no open file can be renamed
            self._close()
            self._path.replace(self._target)
            return
        # Closed after the rename, because closing releases the lock.
        self._path.replace(self._target)
        self._close()
        # Flush the directory entry too. Windows and some file systems don't support this, and
        # a directory may be writable but not readable.
        with contextlib.suppress(OSError):
            directory = os.open(self._target.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)

    def _remove(self) -> None:
        # Removed while it is locked; on Windows, where no open file can be removed, after that.
        with contextlib.suppress(OSError):
            self._path.unlink()
        self._close()
        if sys.platform == "win32":  # pragma: no cover
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _close(self) -> None:
        file, self._file = self._file, -1
        os.close(file)


def _open_exclusively(path: Path) -> int:
    """Open, lock and empty a temporary file, which may be left over from a killed program."""
    while True:
        file = os.open(path, _FLAGS, 0o666)
        try:
            _lock(file)
            # Before it was locked, the previous owner may have renamed it to its target.
            if _is_at(file, path):
                os.ftruncate(file, 0)
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.lstat())
    except FileNotFoundError:
        return False


_LOCKED: Final = "another program or task is writing the same file"


def _lock(file: int) -> None:
    """Lock a file until it is closed, if the file system supports locks."""
    if sys.platform == "win32":  # pragma: no cover
        import msvcrt

        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            raise BlockingIOError(errno.EAGAIN, _LOCKED) from None
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BlockingIOError(errno.EAGAIN, _LOCKED) from None
    except OSError:
        # Some network file systems have no locks, and concurrent writers are rare.
        pass


def _not_writable(directory: Path, error: OSError) -> FileError:
    if error.strerror == _LOCKED:
        advice = "wait for it to finish"
    else:
        advice = "free some space or choose another directory"
    # The system's message, without the file name, which contains an id.
    return FileError(
        f"can't write to the directory {directory}: {error.strerror or type(error).__name__}; "
        f"{advice}, and download again: complete files are skipped"
    )
