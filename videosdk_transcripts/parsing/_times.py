"""Times within a transcript: seconds from its start, as they are written in subtitles."""

from __future__ import annotations

import re
from typing import Final, TypeGuard

_BOUND: Final = 3.6e12
"""Seconds, a billion hours. Up to there a float still holds the millisecond."""
_CLOCK: Final = re.compile(
    r"(?:([0-9]{1,10}):)?([0-5]?[0-9]):([0-5]?[0-9])(?:[.,]([0-9]{1,9}))?", re.ASCII
)


def is_time(value: object) -> TypeGuard[float]:
    """Tell whether a value is a number of seconds that a clock can show."""
    # True would be one second, and "not a number" is on neither side of anything.
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _BOUND


def read_clock(text: str) -> float | None:
    """Return the seconds of ``hours:minutes:seconds.fraction``, or None where it is none."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds, fraction = (part or "0" for part in match.groups())
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    scale = 10 ** len(fraction)
    # One division rounds once, so that what was written to the millisecond comes back.
    time = (whole * scale + int(fraction)) / scale
    return time if is_time(time) else None


def write_clock(seconds: float, mark: str) -> str:
    """Return ``hours:minutes:seconds`` and the milliseconds behind a mark."""
    rest, milliseconds = divmod(round(seconds * 1000), 1000)
    rest, whole = divmod(rest, 60)
    hours, minutes = divmod(rest, 60)
    return f"{hours:02}:{minutes:02}:{whole:02}{mark}{milliseconds:03}"


def in_order(start: float | None, end: float | None) -> bool:
    """Tell whether an end does not lie before its start, as far as both are known."""
    return start is None or end is None or start <= end
