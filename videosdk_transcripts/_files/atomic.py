"""
A file that appears whole or not at all, and the name it gets. Only the file system, no network.

What is written goes to a temporary file beside the target, and takes its name when all of
it is on the disk. So a file that is there is whole, whatever killed a program before.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from videosdk_transcripts.errors import ConfigurationError, FileError

T = TypeVar("T")

_BUFFER: Final = 1024 * 1024
_LONGEST: Final = 200
"""Bytes of an encoded id: a name has 255 at most, and some of them go to what stands around."""
_FORMAT: Final = re.compile(r"[A-Za-z0-9_-]{1,16}", re.ASCII)
# These name devices on Windows, whatever follows their dot.
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])", re.ASCII)
_SUMMARY: Final = "-summary"
_FLAGS: Final = (
    os.O_RDWR
    | os.O_CREAT
    | getattr(os, "O_NOFOLLOW", 0)  # a link that somebody laid there leads elsewhere
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def file_name(row_id: str, format: str, *, summary: bool) -> str:  # noqa: A002 - the API's word
    """
    Name a file by its row: ``<id>.<format>`` or ``<id>-summary.<format>``.

    Lower-case letters, digits, ``_`` and ``-`` stand for themselves. Every other character
    becomes ``=`` and the two hexadecimal digits of each of its bytes, so that no two ids
    share a name, not even where the case of letters does not count.

    Args:
        row_id: the id, which is the service's and may be anything.
        format: the format, of letters, digits, ``_`` and ``-``.
        summary: whether it is the summary's file.

    Raises:
        ConfigurationError: the format is none.
        FileError: the id is empty or too long.
    """
    if not _FORMAT.fullmatch(format):
        raise ConfigurationError(
            "a format must be 1 to 16 letters and digits of ASCII, such as 'txt', "
            f"not {format[:40]!r}"
        )
    name = _encoded(row_id)
    if _DEVICE.fullmatch(name):
        name = f"={ord(name[0]):02x}{name[1:]}"
    elif name.endswith(_SUMMARY):
        # Otherwise it would have the name of another one's summary.
        name = f"{name[:-1]}={ord(name[-1]):02x}"
    if not 0 < len(name) <= _LONGEST:
        raise FileError(f"an id of {len(row_id)} characters can't be made a file name")
    return f"{name}{_SUMMARY if summary else ''}.{_encoded(format)}"


def _encoded(text: str) -> str:
    return re.sub(
        r"[^a-z0-9_-]",
        lambda found: "".join(f"={byte:02x}" for byte in found[0].encode(errors="surrogatepass")),
        text,
    )


async def in_thread(function: Callable[[], T]) -> T:
    """
    Call a function in a thread, and wait for it in any case.

    Whoever is cancelled goes on when the function has ended: what it works on could not be
    cleaned up before. No task is made of it, which the end of a loop would cancel.
    """
    job = asyncio.get_running_loop().run_in_executor(None, function)
    cancelled: asyncio.CancelledError | None = None
    while not job.done():
        try:
            await asyncio.wait([job])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        job.exception()  # looked at, so that nobody is told that nobody did
        raise cancelled
    return job.result()


async def is_there(path: Path) -> bool:
    """Tell whether there is a file. Where that can't be told, writing it will tell why."""

    def look() -> bool:
        try:
            return path.is_file()
        except OSError:
            return False

    return await in_thread(look)


async def make_directory(directory: Path) -> None:
    """
    Make a directory where there is none.

    Raises:
        FileError: it can't be made, or nothing can be written there.
    """

    def make() -> None:
        directory.mkdir(parents=True, exist_ok=True)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(13, "no permission to write")

    try:
        await in_thread(make)
    except OSError as error:
        failure = _unwritable(directory, error)
    else:
        return
    raise failure


class PartFile:
    """
    Receives a file beside its target, and takes its place when it is whole.

    It is opened by the first full buffer, or by `commit`. Where the program is killed it
    stays, under a name that the next one for the same target takes over.

    Args:
        target: where the file is to be.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = target.with_name(f".{target.name}.part")
        self._buffer = bytearray()
        self._file = -1

    async def begin(self) -> None:
        """Forget what came so far: the file begins anew."""
        self._buffer.clear()
        if self._file >= 0:
            await self._do(self._empty)

    async def write(self, chunk: bytes) -> None:
        """
        Take the next bytes.

        Raises:
            FileError: they can't be written.
        """
        self._buffer += chunk
        if len(self._buffer) >= _BUFFER:
            await self._do(self._flush)

    async def commit(self) -> None:
        """
        Put the whole file into its place, on the disk and not only in its cache.

        Raises:
            FileError: that is not possible.
        """
        await self._do(self._put_into_place)

    async def discard(self) -> None:
        """Leave nothing behind. Does nothing after a commit."""
        if self._file >= 0:
            await in_thread(self._remove)

    async def _do(self, step: Callable[[], None]) -> None:
        try:
            await in_thread(step)
        except OSError as error:
            failure = _unwritable(self._target.parent, error)
        else:
            return
        raise failure

    # In a thread, one after the other.

    def _flush(self) -> None:
        if self._file < 0:
            self._file = _open_alone(self._path)
        view = memoryview(self._buffer)
        written = 0
        try:
            while written < len(view):
                written += os.write(self._file, view[written:])
        finally:
            view.release()
        self._buffer.clear()

    def _empty(self) -> None:
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)

    def _put_into_place(self) -> None:
        self._flush()
        os.fsync(self._file)
        if sys.platform == "win32":  # pragma: no cover - where no open file can be renamed
            self._close()
            self._path.replace(self._target)
            return
        # Closed after that, because it is locked until then.
        self._path.replace(self._target)
        self._close()
        # Then the name is on the disk as well. Windows has nothing like it, nor have some file
        # systems, and a directory may be one to write to and not to read.
        with contextlib.suppress(OSError):
            directory = os.open(self._target.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)

    def _remove(self) -> None:
        # Windows removes no open file, and elsewhere it must be removed while it is locked.
        with contextlib.suppress(OSError):
            self._path.unlink()
        self._close()
        if sys.platform == "win32":  # pragma: no cover
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _close(self) -> None:
        file, self._file = self._file, -1
        os.close(file)


def _open_alone(path: Path) -> int:
    """Open and empty a temporary file, which may be left over, and let nobody else have it."""
    while True:
        file = os.open(path, _FLAGS, 0o666)
        try:
            _lock(file)
            # Between the two it may have been put into its place by whoever had the lock.
            if _is_the_same(file, path):
                os.ftruncate(file, 0)
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _is_the_same(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.lstat())
    except FileNotFoundError:
        return False


def _lock(file: int) -> None:
    """Lock a file until it is closed, where the file system can."""
    if sys.platform == "win32":  # pragma: no cover
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BlockingIOError(11, "another program or task is writing the same file") from None
    except OSError:
        # Some network file systems have no locks; two programs at once are rare.
        pass


def _unwritable(directory: Path, error: OSError) -> FileError:
    # The words of the system, without the name of the file, which holds an id.
    return FileError(
        f"can't write to the directory {directory}: {error.strerror or type(error).__name__}; "
        "make room or give another one, and download again: whole files are skipped"
    )
