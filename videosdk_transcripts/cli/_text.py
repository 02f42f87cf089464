"""Words of the service, made fit for a terminal."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # it brings attrs along, and help prints no rows
    from videosdk_transcripts import PostTranscription, Transcription


def plain(text: str) -> str:
    """Replace what would move a terminal's cursor or break a line: the words are not ours."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def readable(text: str) -> str:
    """Likewise, with the line breaks and tabs of a longer text kept."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def formats(t: Transcription | PostTranscription) -> str:
    """Return the files that there are, by their formats."""
    return ",".join([*t.files, *(["summary"] if t.summary_files else [])])


def tell(text: str) -> None:
    """Say something on stderr. If nobody listens there, the rows are printed all the same."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def plural(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
