"""
The TSV of Whisper: start and end in whole milliseconds, and the text.

Source: https://github.com/openai/whisper/blob/main/whisper/utils.py
"""

from __future__ import annotations

import re
from typing import Final

from ._labels import split_label
from ._lines import joined, split_lines
from ._times import in_order, is_time
from ._turns import Transcript, Turn, Unread

_WHOLE: Final = re.compile(r"[0-9]{1,16}")


def is_header(line: str) -> bool:
    """Tell whether a line names the three columns."""
    return [cell.strip() for cell in line.split("\t", 3)] == ["start", "end", "text"]


def read_tsv(text: str) -> Transcript:
    """Read rows; a header may be above them. What a tab within the text is stays in it."""
    turns: list[Turn] = []
    unread: list[Unread] = []
    frame: list[str] = []
    for number, line in enumerate(split_lines(text), 1):
        raw = joined([line])
        cells = line.split("\t", 2)
        if is_header(line):
            frame.append(raw)
        elif len(cells) == 3:
            said = cells[2].strip()
            label = split_label(said)
            speaker, said = label or (None, said)
            start, end = _seconds(cells[0]), _seconds(cells[1])
            reason = None
            if start is None or end is None:
                reason = "has times that are no whole milliseconds"
            elif not in_order(start, end):
                reason = "ends before it starts"
            if reason:
                start = end = None
                unread.append(Unread(line=number, reason=reason, raw=raw))
            turns.append(Turn(speaker, said, start, end, raw))
        elif line.strip():
            unread.append(Unread(line=number, reason="has fewer than three cells", raw=raw))
    return Transcript(format="tsv", turns=tuple(turns), unread=tuple(unread), frame=tuple(frame))


def _seconds(cell: str) -> float | None:
    match = _WHOLE.fullmatch(cell.strip())
    if match is None:
        return None
    # Not of the cell itself, as `int` has a narrower notion of white space.
    seconds = int(match[0]) / 1000
    return seconds if is_time(seconds) else None
