"""A line on stderr that tells how far a long walk has come. Only for a person."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

from videosdk_transcripts import Pager

_PATIENCE: Final = 1.0
"""Seconds of silence. A walk that is done by then needs no progress."""
_REFRESH: Final = 0.1


@asynccontextmanager
async def progress_of(pager: Pager[Any], *, rows_scroll: bool) -> AsyncGenerator[None]:
    """
    Show how far a walk has come while the block lasts, and leave nothing behind.

    It is shown while the service is waited for, too. There is none where stderr is no
    terminal, or where `rows_scroll` on the same one.
    """
    if rows_scroll or not sys.stderr.isatty():
        yield
        return
    task = asyncio.create_task(_show(pager))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _show(pager: Pager[Any]) -> None:
    await asyncio.sleep(_PATIENCE)
    # Imported here: rich costs more than a short walk.
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner

    spinner = Spinner("dots", _text(pager))
    # Rows go to stdout by themselves, so that nothing of it is to be led to this console.
    with Live(
        spinner,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        while True:
            spinner.update(text=_text(pager))
            await asyncio.sleep(_REFRESH)


def _text(pager: Pager[Any]) -> str:
    stats = pager.stats
    word = "retry" if stats.retries == 1 else "retries"
    retries = f", {stats.retries} {word}" if stats.retries else ""
    return f"{stats.rows_yielded} of {pager.total or '?'} rows{retries}"
