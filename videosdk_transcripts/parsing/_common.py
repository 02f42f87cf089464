"""Lines, names and times, which several formats share."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from io import StringIO
from typing import Final, TypeGuard

_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")
_MAX_SECONDS: Final = 3.6e12
"""A billion hours. Below this, a float can represent milliseconds exactly enough."""
_TIMESTAMP: Final = re.compile(
    r"(?:(?P<hours>[0-9]{1,10}):(?P<minutes>[0-9]{1,2})|(?P<all_minutes>[0-9]{1,3}))"
    r":(?P<seconds>[0-9]{1,2})(?:[.,](?P<fraction>[0-9]{1,9})|(?(hours):(?P<millis>[0-9]{3})))?"
)


def split_lines(text: str) -> list[str]:
    r"""
    Split a text into lines, each with its line break: ``\n``, ``\r\n`` or ``\r``.

    `str.splitlines` also splits at other characters, which may be part of the speech.
    """
    return list(StringIO(text, newline=""))


def join_lines(lines: list[str]) -> str:
    """Join lines as in the source, without the last line break."""
    return "".join(lines).rstrip("\r\n")


def strip_lines(text: str) -> str:
    """Return a text without blank lines, and without whitespace around the other lines."""
    return "\n".join(filter(None, (line.strip() for line in _LINE_BREAK.split(text))))


def clean_name(name: str) -> str:
    """
    Return a name in the form for comparisons: on one line, and without format characters.

    Format characters are invisible, such as marks of the writing direction.
    """
    if not name.isascii():
        name = "".join(char for char in name if unicodedata.category(char) != "Cf")
    return " ".join(name.split())


def is_time(value: object) -> TypeGuard[float]:
    """Return whether a value is a number of seconds that a timestamp can represent."""
    # Excludes True, which would be one second. NaN fails the comparison below.
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return 0 <= value < _MAX_SECONDS


def is_ordered(start: float | None, end: float | None) -> bool:
    """Return False if a turn ends before it starts; True if one of the two is unknown."""
    return start is None or end is None or start <= end


def looks_like_milliseconds(spans: Iterable[tuple[float, float, str]]) -> bool:
    """
    Return whether whole numbers are milliseconds, and not seconds.

    On average, a spoken word takes less than 40 seconds and more than 40 milliseconds.

    Args:
        spans: the start, end and text of each segment.
    """
    seconds = words = 0.0
    for start, end, text in spans:
        if start <= end:
            seconds += end - start
            words += max(1, len(text.split()))
    return seconds > 40 * words


def parse_timestamp(text: str) -> float | None:
    """
    Return the seconds of ``hours:minutes:seconds.fraction``, or None if it is malformed.

    Sixty or more seconds or minutes are accepted. Of four-digit fractions, only ``1000`` is: some
    programs write it for a whole second.
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    hours, minutes = match["hours"] or "0", match["minutes"] or match["all_minutes"]
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(match["seconds"])
    fraction = match["fraction"] or match["millis"] or "0"
    if len(fraction) == 4:
        if fraction != "1000":
            return None
        whole, fraction = whole + 1, "0"
    scale = 10 ** len(fraction)
    # A single division rounds only once, so that a formatted time is read back exactly.
    time = (whole * scale + int(fraction)) / scale
    return time if is_time(time) else None


def format_timestamp(seconds: float, decimal_mark: str) -> str:
    """Format seconds as ``hours:minutes:seconds`` with milliseconds."""
    rest, milliseconds = divmod(round(seconds * 1000), 1000)
    rest, whole = divmod(rest, 60)
    hours, minutes = divmod(rest, 60)
    return f"{hours:02}:{minutes:02}:{whole:02}{decimal_mark}{milliseconds:03}"
