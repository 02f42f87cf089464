"""Use a sink without blocking the event loop, and raise the errors of this package."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TypeVar

from videosdk_transcripts._files.threads import Threads, run_now
from videosdk_transcripts.errors import ConfigurationError, FileError

from ._sink import FolderSink, NewFile, Sink, is_locked, write_file

T = TypeVar("T")

_PROTOCOL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)(?:://|::)")
_USER: Final = re.compile(r"(?<=//)[^/@]*@")


class SinkError(FileError):
    """The sink can't be read or written, which ends an export."""

    is_locked = False
    """Whether another process writes the same file."""


class Store:
    """
    Read and write a sink in threads.

    Args:
        place: a folder, or a URL that fsspec opens.

    Raises:
        ConfigurationError: the place is not valid, or the library for it is missing.
    """

    def __init__(self, place: str) -> None:
        self._sink, self._shown = _open(place)
        self._threads = Threads()

    def __str__(self) -> str:
        return self._shown

    @property
    def appends(self) -> bool:
        """Return whether a file can be extended; otherwise each `append` needs its own name."""
        return self._sink.appends

    def close(self) -> None:
        """End the threads. May be called more than once."""
        self._threads.close()

    async def run(self, function: Callable[[], T]) -> T:
        """
        Call a function that reads or writes the sink, or computes, in a thread.

        Raises:
            SinkError: the sink can't be read or written.
        """
        failure: Exception
        try:
            return await self._threads.run(function)
        except OSError as error:
            advice = "wait for it to finish" if is_locked(error) else _ADVICE
            reason = error.strerror or str(error) or type(error).__name__
            failure = SinkError(f"can't write to {self}: {reason}; {advice}")
            failure.is_locked = is_locked(error)
        except ImportError as error:
            failure = ConfigurationError(f"can't open {self}: {error}")
        except Exception as error:  # noqa: BLE001 - each library of fsspec has its own
            reason = f"{type(error).__name__}: {error}"
            failure = SinkError(f"can't write to {self}: {reason}; {_ADVICE}")
        # Raised outside the `except` block, so that a library's exception is not the context.
        raise failure

    async def call(self, function: Callable[[], T]) -> T:
        """Call a function that does not use the sink in a thread."""
        return await self._threads.run(function)

    async def run_now(self, function: Callable[[], None]) -> None:
        """Call a clean-up function, even if the task is being cancelled."""
        await run_now(function)

    async def prepare(self) -> None:
        """Create the place if it is missing."""
        await self.run(self._sink.prepare)

    async def sizes(self, folder: str = "") -> dict[str, int | None]:
        """Return the names in a folder, with their sizes in bytes; None for a folder."""
        return await self.run(lambda: self._sink.sizes(folder))

    async def size(self, name: str) -> int | None:
        """Return the size of a file in bytes; None if there is no such file."""
        return await self.run(lambda: self._sink.size(name))

    async def read(self, name: str) -> bytes:
        """Return the content of a file, which must exist."""
        return await self.run(lambda: self._sink.read(name))

    async def read_if_present(self, name: str) -> bytes | None:
        """Return the content of a file; None if it does not exist."""

        def read() -> bytes | None:
            try:
                return self._sink.read(name)
            except FileNotFoundError:
                return None

        return await self.run(read)

    async def write(self, name: str, data: bytes, *, replace: bool = True) -> bool:
        """Write a whole file, and return False if it exists and must not be replaced."""
        return await self.run(lambda: write_file(self._sink, name, data, replace=replace))

    async def append(self, name: str, data: bytes) -> None:
        """Append data to a file."""
        await self.run(lambda: self._sink.append(name, data))

    async def append_now(self, name: str, data: bytes) -> None:
        """Append data to a file even if the task is being cancelled; ignore errors."""

        def append() -> None:
            with contextlib.suppress(Exception):
                self._sink.append(name, data)

        await run_now(append)

    async def delete(self, names: Iterable[str]) -> None:
        """Delete the files that exist."""
        listed = list(names)
        if listed:
            await self.run(lambda: self._sink.delete(listed))

    async def create(self, name: str) -> NewFile:
        """Return a new file, whose methods block."""
        return await self.run(lambda: self._sink.create(name))


_ADVICE: Final = (
    "make it writable, or free some space, and run the same export again: finished parts are kept"
)


def _open(place: str) -> tuple[Sink, str]:
    """Return the sink for a place, and the place without a user, for messages."""
    if not place:
        raise ConfigurationError("the sink must be a folder or a URL such as s3://bucket/prefix")
    found = _PROTOCOL.match(place)
    if found is None or found[1].lower() in ("file", "local"):
        path = place if found is None else place[found.end() :]
        return FolderSink(Path(path).absolute()), path
    shown = _USER.sub("", place)
    reason = ""
    try:
        from ._object_store import ObjectStoreSink

        return ObjectStoreSink(place), shown
    except ImportError as error:
        reason = (
            f"{error}; install the library for {found[1]}, such as s3fs for s3, and "
            "videosdk-transcripts[export]"
        )
    except Exception as error:  # noqa: BLE001 - each library of fsspec has its own
        reason = f"{type(error).__name__}: {error}"
    raise ConfigurationError(f"can't open the sink {shown}: {reason}")
