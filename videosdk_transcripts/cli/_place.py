"""A file that says where an interrupted walk goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

from videosdk_transcripts import ConfigurationError

from ._text import tell

T = TypeVar("T")

_BETWEEN_WRITES: Final = 1.0
"""Seconds; a program that is killed prints what it printed in the last of them once more."""


class Place:
    """
    Keep a checkpoint in a file, where one was named.

    Args:
        path: the file; None to keep nothing.
        checkpoint: gives the checkpoint as of now.
    """

    def __init__(self, path: Path | None, checkpoint: Callable[[], str]) -> None:
        self._path = path
        self._checkpoint = checkpoint
        self._is_printing = False
        self._written_at = time.monotonic()
        self._written: str | None = None

    @staticmethod
    def read(path: Path | None) -> str | None:
        """
        Return what an earlier run has left there, or None.

        Raises:
            ConfigurationError: there is something that can't be read.
        """
        try:
            return None if path is None else path.read_text("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path} can't be read: {type(error).__name__}") from None

    @staticmethod
    def begin(path: Path | None, resume: str | None, make: Callable[[str | None], T]) -> T:
        """
        Begin a walk, where the file says if it says anything.

        Args:
            path: the file.
            resume: what was read there.
            make: makes the walk from a checkpoint, and sends nothing.

        Raises:
            ConfigurationError: an argument is wrong; or what the file holds, which is named then.
        """
        # What is wrong without the file is no fault of it.
        walk = make(None)
        if resume is None:
            return walk
        try:
            return make(resume)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"{path} is no place to go on from: {error}; or name another file"
            ) from None

    @asynccontextmanager
    async def kept(self) -> AsyncGenerator[None]:
        """
        Keep the file up to date while the block lasts, also while nothing is printed.

        Raises:
            ConfigurationError: it can't be written. It comes before the block begins.
        """
        if self._path is None:
            yield
            return
        self._write(self._path)
        task = asyncio.create_task(self._keep(self._path))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    def print(self, action: Callable[[], None]) -> None:
        """Print something that the checkpoint takes for printed, and write it from time to time."""
        self._is_printing = True
        action()
        self._is_printing = False
        if self._path and time.monotonic() - self._written_at >= _BETWEEN_WRITES:
            self._write(self._path)

    def leave(self, *, complete: bool) -> None:
        """Write the file for the last time, or remove it where nothing is left to go on with."""
        if self._path is None:
            return
        if complete:
            self._path.unlink(missing_ok=True)
            return
        # What could not be printed stays unprinted in the file that is there.
        if not self._is_printing:
            self._write(self._path)
        tell(f"to go on, run the same command again: {self._path} says where it was")

    async def _keep(self, path: Path) -> None:
        # Whoever watches may wait for hours behind the last row, and be killed by a restart.
        while True:
            await asyncio.sleep(_BETWEEN_WRITES)
            if not self._is_printing and self._checkpoint() != self._written:
                try:
                    self._write(path)
                except ConfigurationError as error:
                    # Raised where the next row is printed, and at the end.
                    tell(str(error))
                    return

    def _write(self, path: Path) -> None:
        checkpoint = self._checkpoint()
        part = path.with_name(f".{path.name}.part")
        try:
            part.write_text(checkpoint, "utf-8")
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise ConfigurationError(
                f"the checkpoint can't be written to {path}: {error.strerror}"
            ) from None
        self._written_at, self._written = time.monotonic(), checkpoint
