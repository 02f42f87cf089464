"""A line on stderr that tells how far a long walk has come. Only for a person."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from videosdk_transcripts import Pager, Transcription

if TYPE_CHECKING:
    from rich.status import Status

__all__ = ["Progress"]

_PATIENCE: Final = 1.0
"""Seconds of silence. A walk that is done by then needs no progress."""


class Progress:
    """
    Show the progress of a walk while the block lasts, and leave nothing behind.

    It stays silent where stderr is no terminal, and where rows scroll by on the same one.
    """

    def __init__(self) -> None:
        self._wanted = sys.stderr.isatty()
        self._since = time.monotonic()
        self._status: Status | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def show(self, pager: Pager[Transcription]) -> None:
        """Show how far it is."""
        if not self._wanted or time.monotonic() - self._since < _PATIENCE:
            return
        text = f"{pager.stats.rows_yielded} of {pager.total or '?'} rows"
        if self._status is None:
            # Imported here: rich costs more than a short walk.
            from rich.console import Console

            self._status = Console(stderr=True).status(text)
            self._status.start()
        self._status.update(text)
