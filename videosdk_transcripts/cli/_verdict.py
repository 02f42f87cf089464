"""The end of a verb that has printed its answer, and whose answer is a no."""

from __future__ import annotations

from typing import IO, Any

import click

from ._exit import ExitCode
from ._text import plain, tell


class VerdictError(click.ClickException):
    """The verb did what it was asked to; its exit code tells a shell that the answer is a no."""

    def __init__(self, message: str, code: ExitCode) -> None:
        super().__init__(message)
        # To type checkers it is one of the class, as in click it mostly is.
        vars(self)["exit_code"] = int(code)

    def show(self, file: IO[Any] | None = None) -> None:
        """Say it on stderr, as all other ends are said."""
        tell(f"videosdk-transcripts: {plain(self.message)}")
