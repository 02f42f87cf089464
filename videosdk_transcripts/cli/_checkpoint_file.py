"""Keep the file of ``--checkpoint``, from which the next run of a command resumes."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, Protocol, TypeVar

from videosdk_transcripts import ConfigurationError
from videosdk_transcripts._atomic_file import AtomicFile

from ._output import notify
from ._signals import complete_work

_WRITE_INTERVAL: Final = 1.0
"""In seconds. If the process is killed, the next run repeats the output since the last write."""


class _Resumable(Protocol):
    @property
    def checkpoint(self) -> str: ...


T = TypeVar("T", bound=_Resumable)


def open_checkpoint(
    path: Path | None, create: Callable[[str | None], T]
) -> tuple[T, CheckpointFile]:
    """
    Create a pager or follower, resumed from the file if it exists.

    Args:
        path: the file; None to keep no checkpoint.
        create: creates the pager or follower from a checkpoint or None, and sends nothing.

    Raises:
        ConfigurationError: an argument is invalid, or the file is unreadable or belongs to
            another command, in which case the message names the file.
    """
    resume = None
    if path is not None:
        try:
            resume = path.read_text("utf-8")
        except FileNotFoundError:
            pass
        except UnicodeDecodeError:
            raise ConfigurationError(f"{path} cannot be read: not valid UTF-8") from None
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    # Created without the checkpoint first, so that the error about an invalid argument does not
    # name the file.
    walk = create(None)
    if resume is not None:
        try:
            walk = create(resume)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"cannot resume from {path}: {error}; use another file, or delete this one"
            ) from None
    return walk, CheckpointFile(path, lambda: walk.checkpoint, is_resumed=resume is not None)


class CheckpointFile:
    """
    Keep a checkpoint in a file.

    Args:
        path: the file; None to keep no checkpoint.
        checkpoint: returns the current checkpoint.
        is_resumed: whether the file exists from an earlier run.
    """

    def __init__(
        self, path: Path | None, checkpoint: Callable[[], str], *, is_resumed: bool = False
    ) -> None:
        self.is_resumed = is_resumed
        self._path = path
        self._checkpoint = checkpoint
        self._is_printing = False
        self._delivered = ""
        """The checkpoint after the last printed row."""
        self._written_at = time.monotonic()
        self._written: str | None = None

    @asynccontextmanager
    async def kept_current(self) -> AsyncGenerator[None]:
        """
        Keep the file current during the block, even while nothing is printed.

        Raises:
            ConfigurationError: the file cannot be written. Raised before the block begins.
        """
        import asyncio

        if self._path is None:
            yield
            return
        self._delivered = self._checkpoint()
        self._write(self._path, self._delivered)
        task = asyncio.create_task(self._write_periodically(self._path))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    @contextmanager
    def printing(self) -> Generator[None]:
        """Print rows in the block, count them as delivered, and write the file if it is due."""
        self._is_printing = True
        yield
        # Not reached after an error: rows that could not be printed don't count as delivered.
        self._is_printing = False
        if self._path is not None:
            self._delivered = self._checkpoint()
            if time.monotonic() - self._written_at >= _WRITE_INTERVAL:
                self._write(self._path, self._delivered)

    def close(self, *, complete: bool, is_quiet: bool = False) -> None:
        """
        Write the file for the last time, or remove it if there is nothing to resume.

        Args:
            complete: whether there is nothing to resume.
            is_quiet: whether to write the file without a message.
        """
        if self._path is None:
            return
        # After a signal the file remains, because the exit code asks for another run.
        if complete and not self._is_printing and complete_work():
            self._path.unlink(missing_ok=True)
            return
        self._write(self._path, self._delivered if self._is_printing else self._checkpoint())
        if not is_quiet:
            notify(f"run the same command again to resume from {self._path}")

    async def _write_periodically(self, path: Path) -> None:
        import asyncio

        # `follow` may wait for hours after the last row, and may then be killed by a restart.
        while True:
            await asyncio.sleep(_WRITE_INTERVAL)
            if not self._is_printing and (checkpoint := self._checkpoint()) != self._written:
                try:
                    self._write(path, checkpoint)
                except ConfigurationError as error:
                    # The error is raised when the next row is printed, or at the end.
                    notify(str(error))
                    return

    def _write(self, path: Path, checkpoint: str) -> None:
        file = AtomicFile(path)
        try:
            file.write(checkpoint.encode())
            file.commit()
        except OSError as error:
            raise ConfigurationError(
                f"the checkpoint cannot be written to {path}: {error.strerror}"
            ) from None
        finally:
            file.discard()
        self._written_at, self._written = time.monotonic(), checkpoint
