"""Find times in lines of speech: before the words, or after a name."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from ._common import is_ordered, parse_timestamp

# Repetitions of digits are bounded, and no repetition of whitespace follows another one, so that
# every pattern takes linear time.
_CLOCK: Final = (
    r"(?:[0-9]{1,10}:[0-9]{1,2}:[0-9]{1,2}|[0-9]{1,3}:[0-9]{2})(?:[.,][0-9]{1,9})?(?![0-9:])"
)
_SECONDS: Final = r"[0-9]{1,9}\.[0-9]{1,9}(?![0-9])\ ?s?|[0-9]{1,9}\ ?s"
_ARROW: Final = r"\s*(?:-{1,2}>|[-\u2013\u2014\u2192]|to\b)\s*"
_NOON: Final = r"(?:\s?(?P<noon>[AaPp])\.?[Mm]\b\.?)?"
_WORDS: Final = (
    r"(?:(?P<hours>[0-9]{1,4})\s?h(?:ours?|rs?)?\s?)?(?P<minutes>[0-9]{1,4})\s?m(?:in(?:ute)?s?)?\s?"
    r"(?P<seconds>[0-9]{1,2})\s?s(?:ec(?:ond)?s?)?"
)
_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T,\ ]\ ?"
_ZONE: Final = r"(?:\s?(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?"

_IN_BRACKETS: Final = re.compile(
    rf"[\[(<]\s*(?:(?P<date>{_DATE})?(?P<start>{_CLOCK}|{_SECONDS}){_NOON}{_ZONE}"
    rf"(?:{_ARROW}(?P<end>{_CLOCK}|{_SECONDS}))?)\s*[\])>]"
)
_BARE: Final = re.compile(
    rf"(?P<date>{_DATE})?(?P<start>{_CLOCK}){_NOON}{_ZONE}(?:{_ARROW}(?P<end>{_CLOCK}))?"
)
_IN_WORDS: Final = re.compile(rf"{_WORDS}\s*(?:{_CLOCK})?\Z")
_SEPARATOR: Final = re.compile(r"[-\u2013\u2014|:]\s+")
_TIME_STARTS: Final = re.compile(r"(?<![0-9:.])[0-9\[(<]")
_LONG_CLOCK: Final = re.compile(r"[0-9]+:[0-9]+:|.*[.,]")
# Between a name and a time: two spaces or a separator, which are rare in a sentence.
_GAP: Final = re.compile(r"(?:\s\s|\t|\s[-\u2013\u2014|@\u00b7\u2022]\s?|,\s)\Z")


@frozen
class Times:
    """The start and the end of a turn, in seconds."""

    start: float | None = None
    end: float | None = None


@frozen
class Stamp:
    """A time at one end of a line."""

    times: Times
    rest: str
    """The rest of the line."""
    is_clear: bool
    """Whether it can't be part of a sentence, unlike in ``10:30 we start``."""


def leading_stamp(line: str) -> Stamp | None:
    """Split a line that begins with a time, or return None."""
    match = _IN_BRACKETS.match(line)
    if match:
        return _stamp(match, _after(line, match), is_clear=True)
    match = _IN_WORDS.match(line)
    if match:
        return _stamp(match, "", is_clear=False)
    match = _BARE.match(line)
    if match is None or line[match.end() : match.end() + 1] not in ("", " ", "\t", ":", "|"):
        return None
    is_clear = bool(match["date"] or match["end"] or _LONG_CLOCK.match(match["start"]))
    return _stamp(match, _after(line, match), is_clear=is_clear)


def trailing_stamp(line: str) -> Stamp | None:
    """Split a line that ends with a time, such as ``Ann  0:05``, or return None."""
    starts = [found.start() for found in _TIME_STARTS.finditer(line)]
    for pattern in (_IN_WORDS, _IN_BRACKETS, _BARE):
        for start in starts:
            match = pattern.match(line, start)
            if match and match.end() == len(line):
                rest = line[:start]
                is_clear = pattern is not _BARE or bool(_GAP.search(rest))
                return _stamp(match, rest, is_clear=is_clear or rest.rstrip().endswith("]"))
    return None


def inner_times(line: str) -> tuple[str, Times, str] | None:
    """Split a line at the time in brackets after its first words: ``Ann (0:05): Hi``."""
    match = _IN_BRACKETS.search(line)
    if match is None:
        return None
    return line[: match.start()], _times(match), line[match.end() :].strip()


def _stamp(match: re.Match[str], rest: str, *, is_clear: bool) -> Stamp:
    return Stamp(_times(match), rest, is_clear)


def _after(line: str, match: re.Match[str]) -> str:
    """Return the text after a time and a separator."""
    rest = line[match.end() :].lstrip()
    separator = _SEPARATOR.match(rest)
    return rest[separator.end() :] if separator else rest


def _times(match: re.Match[str]) -> Times:
    parts = match.groupdict()
    if "minutes" in parts:
        hours = int(parts["hours"] or 0)
        return Times((hours * 60 + int(parts["minutes"])) * 60.0 + int(parts["seconds"]))
    if parts["date"]:
        # A date and time, and not seconds from the start.
        return Times()
    start, end = _parse(parts["start"]), _parse(parts["end"])
    if start is not None and parts["noon"]:
        # `1:06 PM` has hours and minutes.
        start = start * 60 if parts["start"].count(":") == 1 else start
        start = start % 43200 + (43200 if parts["noon"].upper() == "P" else 0)
    return Times(start, end) if is_ordered(start, end) else Times()


def _parse(text: str | None) -> float | None:
    if text is None:
        return None
    return parse_timestamp(text) if ":" in text else float(text.rstrip("s"))
