"""Lines and times: what several formats share."""

from __future__ import annotations

import re
from io import StringIO
from typing import Final, TypeGuard

_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")
_MAX_SECONDS: Final = 3.6e12
"""A billion hours. Below this a float still holds the millisecond."""
_TIMESTAMP: Final = re.compile(
    r"(?:([0-9]{1,10}):)?([0-5]?[0-9]):([0-5]?[0-9])(?:[.,]([0-9]{1,9}))?", re.ASCII
)


def split_lines(text: str) -> list[str]:
    r"""
    Split a text into lines, each with its line break: ``\n``, ``\r\n`` or ``\r``.

    `str.splitlines` also breaks at other characters, which may be part of the speech.
    """
    return list(StringIO(text, newline=""))


def join_lines(lines: list[str]) -> str:
    """Join lines as they are in the source, without the last line break."""
    return "".join(lines).rstrip("\r\n")


def strip_lines(text: str) -> str:
    """Remove blank lines, and the white space around the other lines."""
    return "\n".join(filter(None, (line.strip() for line in _LINE_BREAK.split(text))))


def is_time(value: object) -> TypeGuard[float]:
    """Return whether a value is a number of seconds that a timestamp can show."""
    # Excluded: True, which would be one second, and NaN, for which each comparison is false.
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return 0 <= value < _MAX_SECONDS


def is_ordered(start: float | None, end: float | None) -> bool:
    """Return False if a turn ends before it starts; True if one of the two is unknown."""
    return start is None or end is None or start <= end


def parse_timestamp(text: str) -> float | None:
    """Return the seconds of ``hours:minutes:seconds.fraction``, or None if it is malformed."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds, fraction = (part or "0" for part in match.groups())
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    scale = 10 ** len(fraction)
    # A single division rounds once, so that a written millisecond is read back exactly.
    time = (whole * scale + int(fraction)) / scale
    return time if is_time(time) else None


def format_timestamp(seconds: float, decimal_mark: str) -> str:
    """Format seconds as ``hours:minutes:seconds`` with milliseconds."""
    rest, milliseconds = divmod(round(seconds * 1000), 1000)
    rest, whole = divmod(rest, 60)
    hours, minutes = divmod(rest, 60)
    return f"{hours:02}:{minutes:02}:{whole:02}{decimal_mark}{milliseconds:03}"
