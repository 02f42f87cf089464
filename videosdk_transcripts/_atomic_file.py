"""
Atomic files: complete or absent, for downloads and for the checkpoints of the command line.

Data is written to a temporary file in the same directory, flushed to the disk, and then
renamed. So an existing file is complete, even if the program was killed while writing.
All functions block, and raise `OSError` if they fail.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path
from typing import Final

LOCKED: Final = "another program or task is writing the same file"
"""The message of the error if a file is locked."""
_CLOSED: Final = -1
_FLAGS: Final = (
    os.O_RDWR
    | os.O_CREAT
    | getattr(os, "O_NOFOLLOW", 0)  # never follow a planted symbolic link
    | getattr(os, "O_BINARY", 0)
)


class AtomicFile:
    """
    Write a temporary file that replaces its target when it is complete.

    The temporary file is ``.<name>.part`` in the same directory, opened by the first `write`.
    If the program is killed, it remains, and the next write of the same target reuses it.

    Args:
        target: the path of the complete file.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = target.with_name(f".{target.name}.part")
        self._file = _CLOSED

    @property
    def is_open(self) -> bool:
        """Return whether there is a temporary file to commit or to discard."""
        return self._file != _CLOSED

    def write(self, data: bytes | bytearray) -> None:
        """
        Append data.

        Raises:
            OSError: it can't be written, or another writer of the same target is active.
        """
        if not self.is_open:
            self._file = _open_exclusively(self._path)
        with memoryview(data) as view:
            written = 0
            while written < len(view):
                written += os.write(self._file, view[written:])

    def clear(self) -> None:
        """Discard the data written so far, and keep the file open."""
        if self.is_open:
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)

    def commit(self, *, flush_entry: bool = True) -> None:
        """
        Flush the data to the disk, and rename the file to its target. Requires a `write`.

        Args:
            flush_entry: also flush the directory; False if the caller does this.

        Raises:
            OSError: the data can't be flushed, or the file can't be renamed.
        """
        os.fsync(self._file)
        if sys.platform == "win32":  # pragma: no cover - an open file can't be renamed
            self._close()
            self._path.replace(self._target)
            return
        # Closed after the rename, because closing releases the lock.
        self._path.replace(self._target)
        self._close()
        if flush_entry:
            flush_directory(self._target.parent)

    def discard(self) -> None:
        """Remove the temporary file. Does nothing before the first `write` or after `commit`."""
        if not self.is_open:
            return
        # Removed before the lock is released; on Windows, where an open file can't be removed,
        # after that.
        with contextlib.suppress(OSError):
            self._path.unlink()
        self._close()
        if sys.platform == "win32":  # pragma: no cover
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _close(self) -> None:
        file, self._file = self._file, _CLOSED
        # An error can be ignored: the data is flushed already, or is discarded.
        with contextlib.suppress(OSError):
            os.close(file)


def flush_directory(path: Path) -> None:
    """Flush the entries of a directory: a crash of the system may undo a rename before that."""
    # Windows and some file systems don't support this, and a directory may be writable but not
    # readable.
    with contextlib.suppress(OSError):
        directory = os.open(path, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _open_exclusively(path: Path) -> int:
    """Open, lock and empty a temporary file, which may be left over from a killed program."""
    while True:
        file = os.open(path, _FLAGS, 0o666)
        try:
            _lock(file)
            # The previous owner may have renamed the file to its target before it was locked.
            found = os.fstat(file)
            if _is_at(found, path):
                if found.st_nlink == 1:
                    if found.st_size:
                        os.ftruncate(file, 0)
                    return file
                # With a second hard link, truncating would destroy another file's data.
                path.unlink()
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _is_at(found: os.stat_result, path: Path) -> bool:
    try:
        return os.path.samestat(found, path.lstat())
    except FileNotFoundError:
        return False


def _lock(file: int) -> None:
    """Lock a file until it is closed, if the file system supports locks."""
    if sys.platform == "win32":  # pragma: no cover
        import msvcrt

        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            raise BlockingIOError(errno.EAGAIN, LOCKED) from None
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BlockingIOError(errno.EAGAIN, LOCKED) from None
    except OSError:
        # Some network file systems don't support locks, and concurrent writers are rare.
        pass
