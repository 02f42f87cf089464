"""Show a status line on stderr, if it is a terminal: progress, and why a command waits."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.spinner import Spinner

_PROGRESS_AFTER: Final = 1.0
"""Seconds before anything is shown. A faster command needs no status line."""
_SILENCE: Final = 2.0
"""Seconds without output and progress after which the line explains a wait."""
_REFRESH: Final = 0.1
"""Seconds between two updates."""
_BAR_WIDTH: Final = 16
_MIN_WIDTH: Final = 20
"""The minimum width in columns, because rich prints nothing on a terminal without a width."""


class Progress(NamedTuple):
    """The progress of a walk over rows."""

    rows: int
    total: int | None
    retries: int = 0
    noun: str = "rows"

    def __str__(self) -> str:
        noun = "retry" if self.retries == 1 else "retries"
        retries = f", {self.retries} {noun}" if self.retries else ""
        total = "?" if self.total is None else f"{self.total:,}"
        return f"{self.rows:,} of {total} {self.noun}{retries}"


class _StatusLine:
    """
    Draw the line at intervals, and clear it before any other output.

    Args:
        waiting_for: what the command waits for while there is no progress; None if waiting is its
            purpose.
    """

    def __init__(self, waiting_for: str | None = None) -> None:
        self.progress: Callable[[], Progress | str] | None = None
        self._waiting_for = waiting_for
        self._began_at = self._silent_since = time.monotonic()
        self._retry_at = 0.0
        self._failure = ""
        self._at_line_start = True
        self._live: Live | None = None
        self._spinner: Spinner | None = None

    def announce_retry(self, failure: str, seconds: float) -> None:
        """Show the failure, and the seconds until the next attempt."""
        retry_at = time.monotonic() + seconds
        if retry_at > self._retry_at:
            self._retry_at, self._failure = retry_at, failure

    async def keep_drawn(self) -> None:
        """Draw the line at intervals until this task is cancelled, and then clear it."""
        import asyncio

        await asyncio.sleep(_PROGRESS_AFTER)
        try:
            while True:
                self._draw(time.monotonic())
                await asyncio.sleep(_REFRESH)
        finally:
            self.clear()

    def clear(self, text: str = "\n") -> None:
        """Clear the line, so that the text can be printed in its place."""
        self._silent_since = time.monotonic()
        self._at_line_start = text.endswith("\n")
        self._hide()

    def _hide(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _draw(self, now: float) -> None:
        content = self._content(now)
        # An unfinished line, such as a row of a JSON array, would be cleared with the status.
        if content is None or not self._at_line_start:
            self._hide()
            return
        if self._live is not None:
            self._live.update(content, refresh=True)
            return
        from rich.live import Live

        # Not redirected, because other output is written directly.
        self._live = Live(
            content,
            console=_console(),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start(refresh=True)

    def _content(self, now: float) -> RenderableType | None:
        progress = None if self.progress is None else self.progress()
        parts = [] if progress is None else [str(progress)]
        retry_in = math.ceil(self._retry_at - now)
        if retry_in > 0:
            parts.append(f"{self._failure}, retrying in {retry_in} s")
        elif isinstance(progress, Progress):
            if progress.total:
                return self._bar(progress, now - self._began_at)
            parts.append(f"{now - self._began_at:.0f} s")
        elif not parts and self._waiting_for is not None and now - self._silent_since >= _SILENCE:
            parts.append(f"waiting for {self._waiting_for}, {now - self._began_at:.0f} s")
        return self._line("; ".join(parts)) if parts else None

    def _bar(self, progress: Progress, seconds: float) -> RenderableType:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        total = progress.total or 1
        rows = min(progress.rows, total)
        rate = rows / seconds if seconds else 0.0
        timing = ""
        if rate:
            left = timedelta(seconds=math.ceil((total - rows) / rate))
            timing = f"{rate:,.{0 if rate >= 10 else 1}f} {progress.noun}/s, {left} left"
        grid = Table.grid(padding=(0, 1))
        for _ in range(3):
            grid.add_column(no_wrap=True)
        bar = ProgressBar(total, rows, width=_BAR_WIDTH)
        grid.add_row(self._line(str(progress)), bar, timing)
        return grid

    def _line(self, text: str) -> Spinner:
        from rich.spinner import Spinner
        from rich.text import Text

        shown = Text(text, no_wrap=True, overflow="ellipsis")
        if self._spinner is None:
            self._spinner = Spinner("dots", shown)
        self._spinner.update(text=shown)
        return self._spinner


_line = _StatusLine()


@asynccontextmanager
async def status_line(waiting_for: str | None) -> AsyncGenerator[None]:
    """
    Show a status line during the block if stderr is a terminal that can redraw a line.

    Args:
        waiting_for: what the command waits for while there is no progress; None if waiting is its
            purpose.
    """
    global _line  # noqa: PLW0603 - there is one terminal
    import asyncio

    _line = _StatusLine(waiting_for)
    if not sys.stderr.isatty() or _is_dumb():
        yield
        return
    task = asyncio.create_task(_line.keep_drawn())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def show_progress(progress: Callable[[], Progress | str]) -> None:
    """Show the progress of a walk, or a text, in the status line."""
    _line.progress = progress


def clear_status(text: str) -> None:
    """Clear the status line before a text is printed on the same terminal."""
    _line.clear(text)


def announce_retry(failure: str, seconds: float) -> str | None:
    """
    Show a wait in the status line.

    Returns:
        A message to print, for a terminal that cannot redraw a line.
    """
    _line.announce_retry(failure, seconds)
    if sys.stderr.isatty() and _is_dumb() and seconds >= _SILENCE:
        return f"{failure}, retrying in {seconds:.0f} s"
    return None


def _is_dumb() -> bool:
    return os.environ.get("TERM", "").lower() in ("dumb", "unknown")


def _console() -> Console:
    import shutil

    # Imported on use, because rich takes longer to load than a short walk takes.
    from rich.console import Console

    width, height = shutil.get_terminal_size()
    return Console(stderr=True, width=max(width, _MIN_WIDTH), height=height)
