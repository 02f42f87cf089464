"""
Whisper's TSV: start and end in whole milliseconds, and the text.

Source: https://github.com/openai/whisper/blob/main/whisper/utils.py
"""

from __future__ import annotations

import re
from typing import Final

from ._common import is_ordered, is_time, join_lines, split_lines
from ._turns import Transcript, Turn, Unread
from ._txt import split_label

_MILLISECONDS: Final = re.compile(r"[0-9]{1,16}")


def is_header(line: str) -> bool:
    """Return whether a line names the three columns."""
    return [cell.strip() for cell in line.split("\t", 3)] == ["start", "end", "text"]


def read_tsv(text: str) -> Transcript:
    """Read rows, with or without a header. Tabs within the text are kept."""
    turns: list[Turn] = []
    unread: list[Unread] = []
    frame: list[str] = []
    for number, line in enumerate(split_lines(text), 1):
        raw = join_lines([line])
        cells = line.split("\t", 2)
        if is_header(line):
            frame.append(raw)
        elif len(cells) == 3:
            words = cells[2].strip()
            speaker, words = split_label(words) or (None, words)
            start, end = _seconds(cells[0]), _seconds(cells[1])
            reason = None
            if start is None or end is None:
                reason = "has times that are not whole milliseconds"
            elif not is_ordered(start, end):
                reason = "ends before it starts"
            if reason:
                start = end = None
                unread.append(Unread(line=number, reason=reason, raw=raw))
            turns.append(Turn(speaker, words, start, end, raw))
        elif line.strip():
            unread.append(Unread(line=number, reason="has fewer than three columns", raw=raw))
    return Transcript(format="tsv", turns=tuple(turns), unread=tuple(unread), frame=tuple(frame))


def _seconds(cell: str) -> float | None:
    match = _MILLISECONDS.fullmatch(cell.strip())
    if match is None:
        return None
    # The match and not the cell: `int` strips fewer kinds of white space than `str.strip`.
    seconds = int(match[0]) / 1000
    return seconds if is_time(seconds) else None
