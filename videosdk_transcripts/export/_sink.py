"""
Write a dataset to a folder. Defines the interface of sinks, whose methods all block.

A sink commits a file as a whole, so that an existing part is complete: a folder renames a
temporary file that was flushed to the disk, and an object store uses one put or completes a
multipart upload.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Final, Protocol

from videosdk_transcripts._atomic_file import LOCKED, AtomicFile

_LONGEST_LOCK: Final = 30.0
_LOCK_POLL: Final = 0.02


class NewFile(Protocol):
    """A file that is invisible to others until it is committed."""

    def write(self, data: bytes) -> None:
        """Append data."""
        ...

    def commit(self, *, replace: bool) -> bool:
        """
        Write the file under its name, and return False if it exists and must not be replaced.

        Args:
            replace: whether to replace an existing file.
        """
        ...

    def discard(self) -> None:
        """Discard the data. Does nothing after `commit`."""
        ...


class Sink(Protocol):
    """A place for a dataset. Names are relative, with ``/`` between folder and file."""

    appends: bool
    """Whether a file can be extended; otherwise each `append` needs a new name."""

    def prepare(self) -> None:
        """Create the place if it is missing."""
        ...

    def sizes(self, folder: str = "") -> dict[str, int | None]:
        """Return the names in a folder, with their sizes in bytes; None for a folder."""
        ...

    def size(self, name: str) -> int | None:
        """Return the size of a file in bytes; None if there is no such file."""
        ...

    def read(self, name: str) -> bytes:
        """Return the content of a file; raise a FileNotFoundError if it does not exist."""
        ...

    def create(self, name: str) -> NewFile:
        """Return a new file."""
        ...

    def append(self, name: str, data: bytes) -> None:
        """Append data to a file; it need not survive a power failure."""
        ...

    def delete(self, names: list[str]) -> None:
        """Delete the files that exist."""
        ...


class FolderSink:
    """Write to a folder on a disk, which several machines may share."""

    appends = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self) -> None:
        """Create the folder if it is missing."""
        self._folder.mkdir(parents=True, exist_ok=True)

    def sizes(self, folder: str = "") -> dict[str, int | None]:
        """Return the names in a folder, with their sizes in bytes; None for a folder."""
        found: dict[str, int | None] = {}
        try:
            with os.scandir(self._folder / folder) as entries:
                for entry in entries:
                    # Another writer may have renamed or deleted the file meanwhile.
                    with contextlib.suppress(FileNotFoundError):
                        found[entry.name] = entry.stat().st_size if entry.is_file() else None
        except FileNotFoundError:
            return {}
        return found

    def size(self, name: str) -> int | None:
        """Return the size of a file in bytes; None if there is no such file."""
        try:
            return (self._folder / name).stat().st_size
        except FileNotFoundError:
            return None

    def read(self, name: str) -> bytes:
        """Return the content of a file; raise a FileNotFoundError if it does not exist."""
        return (self._folder / name).read_bytes()

    def create(self, name: str) -> NewFile:
        """Return a new file."""
        path = self._folder / name
        path.parent.mkdir(exist_ok=True)
        return _NewLocalFile(path)

    def append(self, name: str, data: bytes) -> None:
        """Append data to a file; it need not survive a power failure."""
        path = self._folder / name
        path.parent.mkdir(exist_ok=True)
        with path.open("ab", buffering=0) as file:
            file.write(data)

    def delete(self, names: list[str]) -> None:
        """Delete the files that exist, and folders that are empty then."""
        for name in names:
            (self._folder / name).unlink(missing_ok=True)
        for folder in {(self._folder / name).parent for name in names} - {self._folder}:
            try:
                folder.rmdir()
            except OSError:
                # The folder has other files, or another job has deleted it.
                continue


class _NewLocalFile:
    """A temporary file, which is locked while it is written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = AtomicFile(path)

    def write(self, data: bytes) -> None:
        """Append data."""
        self._file.write(data)

    def commit(self, *, replace: bool) -> bool:
        """Rename the temporary file, unless the target exists and must not be replaced."""
        # Creates the temporary file if no data was written. Because it is locked, no other writer
        # can create the target between this check and the rename.
        self._file.write(b"")
        if not replace and self._path.exists():
            self._file.discard()
            return False
        self._file.commit()
        return True

    def discard(self) -> None:
        """Remove the temporary file."""
        self._file.discard()


def is_locked(error: OSError) -> bool:
    """Return whether a write failed because another program writes the same file."""
    return error.strerror == LOCKED


def write_file(sink: Sink, name: str, data: bytes, *, replace: bool = True) -> bool:
    """Write a whole file, and return the result of `NewFile.commit`."""
    deadline = time.monotonic() + _LONGEST_LOCK
    while True:
        file = sink.create(name)
        try:
            file.write(data)
            return file.commit(replace=replace)
        except OSError as error:
            # Another job of an array may write the same small file at the same time.
            if not is_locked(error) or time.monotonic() >= deadline:
                raise
        finally:
            file.discard()
        time.sleep(_LOCK_POLL)
