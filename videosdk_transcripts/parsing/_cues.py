"""
Cues with times: SRT and WebVTT.

Both are read the same way, as files in the wild have something of each.

Source: https://www.w3.org/TR/webvtt1/#file-structure
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from attrs import Factory, define, frozen

from ._labels import split_labels
from ._lines import joined, split_lines
from ._markup import plain, split_voices
from ._times import in_order, read_clock
from ._turns import Transcript, Turn, Unread

_TIMING: Final = re.compile(
    r"(?P<start>-?[0-9]+:[0-9:.,]*)\s*-->\s*(?P<end>-?[0-9]+:[0-9:.,]*)(?:\s+(?P<rest>.*))?",
    re.DOTALL,
)
_NUMBER: Final = re.compile(r"[0-9]+")


@frozen
class _Block:
    """Lines without a blank one between them."""

    line: int
    lines: list[str]


@frozen
class _Place:
    """Where the times of a cue stand in a block, and where its first line does."""

    begin: int
    timing: int
    match: re.Match[str]


@define
class _Found:
    turns: list[Turn] = Factory(list)
    unread: list[Unread] = Factory(list)
    frame: list[str] = Factory(list)


def is_head(line: str) -> bool:
    """Tell whether a line is the first one of a WebVTT file."""
    return line.split(maxsplit=1)[:1] == ["WEBVTT"]


def is_cue(line: str, following: str) -> bool:
    """Tell whether a cue begins with a line: with its times, or with a number above them."""
    if _NUMBER.fullmatch(line.strip()):
        line = following
    return _timing(line) is not None


def read_cues(text: str, format: str) -> Transcript:  # noqa: A002 - the API's own word
    """
    Read the cues of a text.

    Args:
        text: the text.
        format: ``srt``, or ``vtt`` for tags, comments and a head as well.
    """
    is_vtt = format == "vtt"
    found = _Found()
    may_be_head = is_vtt
    for block in _blocks(text):
        has_head = may_be_head and is_head(block.lines[0])
        may_be_head = False
        places = _places(block, has_head=has_head, has_names=is_vtt)
        ends = [place.begin for place in places] + [len(block.lines)]
        if ends[0]:
            raw = joined(block.lines[: ends[0]])
            if has_head or (is_vtt and _is_comment(block.lines[0])):
                found.frame.append(raw)
            else:
                found.unread.append(Unread(line=block.line, reason="belongs to no cue", raw=raw))
        for place, end in zip(places, ends[1:], strict=True):
            _read_cue(block, place, end, found, is_vtt=is_vtt)
    return Transcript(
        format=format,
        turns=tuple(found.turns),
        unread=tuple(found.unread),
        frame=tuple(found.frame),
    )


def _blocks(text: str) -> Iterator[_Block]:
    lines: list[str] = []
    number = 0
    for number, line in enumerate(split_lines(text), 1):
        if line.strip():
            lines.append(line)
        elif lines:
            yield _Block(line=number - len(lines), lines=lines)
            lines = []
    if lines:
        yield _Block(line=number + 1 - len(lines), lines=lines)


def _is_comment(line: str) -> bool:
    return line.split(maxsplit=1)[0] == "NOTE" or line.strip() in {"STYLE", "REGION"}


def _timing(line: str) -> re.Match[str] | None:
    return _TIMING.fullmatch(line.strip())


def _places(block: _Block, *, has_head: bool, has_names: bool) -> list[_Place]:
    places: list[_Place] = []
    free = 1 if has_head else 0
    for number, line in enumerate(block.lines):
        match = _timing(line)
        if match is None:
            continue
        # The line above may be the cue's number, and in WebVTT its name.
        above = number - 1
        is_name = above >= free and (
            _NUMBER.fullmatch(block.lines[above].strip()) is not None or (has_names and above == 0)
        )
        places.append(_Place(begin=above if is_name else number, timing=number, match=match))
        free = number + 1
    return places


def _read_cue(block: _Block, place: _Place, last: int, found: _Found, *, is_vtt: bool) -> None:
    start, end = read_clock(place.match["start"]), read_clock(place.match["end"])
    reason = None
    if start is None or end is None:
        reason = "has times that can't be read"
    elif not in_order(start, end):
        reason = "ends before it starts"
    if reason:
        start = end = None
    elif not all(":" in word for word in (place.match["rest"] or "").split()):
        reason = "has something behind its times that is no setting"
    if reason:
        raw = joined([block.lines[place.timing]])
        found.unread.append(Unread(line=block.line + place.timing, reason=reason, raw=raw))
    head = "".join(block.lines[place.begin : place.timing + 1])
    body = block.lines[place.timing + 1 : last]
    for speaker, text, raw in _read_voices(body) if is_vtt else split_labels(body):
        found.turns.append(Turn(speaker, text, start, end, joined([head, raw])))
        head = ""


def _read_voices(body: list[str]) -> list[tuple[str | None, str, str]]:
    return split_voices("".join(body)) or [
        (plain(speaker or "") or None, plain(text), raw)
        for speaker, text, raw in split_labels(body)
    ]
