"""
Cues with times: SRT and WebVTT.

One reader serves both, since real files mix features of the two. Only WebVTT has a header,
comments, styles, regions, cue names, and markup (voices, tags, character references).

Sources: https://www.w3.org/TR/webvtt1/#file-structure
and https://www.w3.org/TR/webvtt1/#webvtt-cue-text
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from attrs import Factory, define, frozen

from ._common import is_ordered, join_lines, parse_timestamp, split_lines, strip_lines
from ._turns import Transcript, Turn, Unread
from ._txt import split_labels

_TIMING: Final = re.compile(
    r"(?P<start>-?[0-9]+:[0-9:.,]*)\s*-->\s*(?P<end>-?[0-9]+:[0-9:.,]*)(?:\s+(?P<settings>.*))?",
    re.DOTALL,
)
_NUMBER: Final = re.compile(r"[0-9]+")

_CHARACTERS: Final = {
    "&amp;": "&",
    "&lt;": "<",
    "&gt;": ">",
    "&nbsp;": "\N{NO-BREAK SPACE}",
    "&lrm;": "\N{LEFT-TO-RIGHT MARK}",
    "&rlm;": "\N{RIGHT-TO-LEFT MARK}",
}
_REFERENCE: Final = re.compile("|".join(_CHARACTERS))
# Only these tags are removed, because Whisper writes speech without escaping it. No pattern
# can match past the next angle bracket, so that the time is linear in the length.
_TAG: Final = re.compile(
    r"</?(?:c|i|b|u|v|ruby|rt|lang)(?:\.[^\s<>]*)?(?:\s[^<>]*)?>|<[0-9]+:[0-9:.]+>"
)
_VOICE: Final = re.compile(r"<v(?:\.[^\s<>]*)?(?:\s([^<>]*))?>|</v>")


@frozen
class _Block:
    """Consecutive lines that are not blank."""

    line: int
    """The number of the first line, from 1."""
    lines: list[str]


@frozen
class _Cue:
    """Where a cue is in its block."""

    first: int
    """The index of its first line: its number or name, or else its timing line."""
    timing: int
    """The index of its timing line."""
    match: re.Match[str]


@define
class _Result:
    turns: list[Turn] = Factory(list)
    unread: list[Unread] = Factory(list)
    frame: list[str] = Factory(list)


def is_header(line: str) -> bool:
    """Return whether a line is the first line of a WebVTT file."""
    return line.split(maxsplit=1)[:1] == ["WEBVTT"]


def starts_cue(line: str, following: str) -> bool:
    """Return whether a line starts a cue: with its times, or with a number above them."""
    if _NUMBER.fullmatch(line.strip()):
        line = following
    return _match_timing(line) is not None


def read_cues(text: str, format: str) -> Transcript:  # noqa: A002 - the API's own word
    """
    Read the cues of a text.

    Args:
        text: the text.
        format: ``srt``; or ``vtt``, to read a header, comments and markup as well.
    """
    is_vtt = format == "vtt"
    result = _Result()
    may_be_header = is_vtt
    for block in _blocks(text):
        has_header = may_be_header and is_header(block.lines[0])
        may_be_header = False
        cues = _find_cues(block, has_header=has_header, has_names=is_vtt)
        ends = [cue.first for cue in cues] + [len(block.lines)]
        if ends[0]:
            raw = join_lines(block.lines[: ends[0]])
            if has_header or (is_vtt and _is_comment(block.lines[0])):
                result.frame.append(raw)
            else:
                result.unread.append(
                    Unread(line=block.line, reason="is not part of a cue", raw=raw)
                )
        for cue, end in zip(cues, ends[1:], strict=True):
            _read_cue(block, cue, end, result, is_vtt=is_vtt)
    return Transcript(
        format=format,
        turns=tuple(result.turns),
        unread=tuple(result.unread),
        frame=tuple(result.frame),
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


def _match_timing(line: str) -> re.Match[str] | None:
    return _TIMING.fullmatch(line.strip())


def _find_cues(block: _Block, *, has_header: bool, has_names: bool) -> list[_Cue]:
    cues: list[_Cue] = []
    # The first line that does not belong to the header or to the timing line before it.
    free = 1 if has_header else 0
    for number, line in enumerate(block.lines):
        match = _match_timing(line)
        if match is None:
            continue
        # The line above may be the cue's number, or in WebVTT its name.
        above = number - 1
        is_name = above >= free and (
            _NUMBER.fullmatch(block.lines[above].strip()) is not None or (has_names and above == 0)
        )
        cues.append(_Cue(first=above if is_name else number, timing=number, match=match))
        free = number + 1
    return cues


def _read_cue(block: _Block, cue: _Cue, end_line: int, result: _Result, *, is_vtt: bool) -> None:
    start, end = parse_timestamp(cue.match["start"]), parse_timestamp(cue.match["end"])
    reason = None
    if start is None or end is None:
        reason = "has unreadable timestamps"
    elif not is_ordered(start, end):
        reason = "ends before it starts"
    if reason:
        start = end = None
    elif not all(":" in word for word in (cue.match["settings"] or "").split()):
        reason = "has something other than cue settings after its timestamps"
    if reason:
        raw = join_lines([block.lines[cue.timing]])
        result.unread.append(Unread(line=block.line + cue.timing, reason=reason, raw=raw))
    head = "".join(block.lines[cue.first : cue.timing + 1])
    body = block.lines[cue.timing + 1 : end_line]
    for speaker, text, raw in _split_markup(body) if is_vtt else split_labels(body):
        result.turns.append(Turn(speaker, text, start, end, join_lines([head, raw])))
        head = ""


def _split_markup(body: list[str]) -> list[tuple[str | None, str, str]]:
    """Return speaker, text and raw text of each speaker in a cue of WebVTT."""
    return _split_voices("".join(body)) or [
        (_plain(speaker or "") or None, _plain(text), raw)
        for speaker, text, raw in split_labels(body)
    ]


def _split_voices(body: str) -> list[tuple[str | None, str, str]]:
    """
    Return speaker, text and raw text of each voice in a cue; empty if it has no voice.

    Text outside of voices has no speaker. White space and closing tags outside of voices
    become part of the adjacent raw text.
    """
    tags = list(_VOICE.finditer(body))
    if not any(tag[0].startswith("<v") for tag in tags):
        return []
    found: list[tuple[str | None, str, list[str]]] = []
    before = [body[: tags[0].start()]]
    if _plain(before[0]):
        found.append((None, _plain(before[0]), before))
        before = []
    ends = [*(tag.start() for tag in tags[1:]), len(body)]
    for tag, end in zip(tags, ends, strict=True):
        raw = body[tag.start() : end]
        text = _plain(raw)
        if text or tag[0].startswith("<v"):
            speaker = " ".join(_plain(tag[1] or "").split())
            found.append((speaker or None, text, [*before, raw]))
            before = []
        else:
            (found[-1][2] if found else before).append(raw)
    return [(speaker, text, "".join(raws)) for speaker, text, raws in found]


def _plain(text: str) -> str:
    """Remove tags and resolve character references."""
    return strip_lines(_REFERENCE.sub(lambda match: _CHARACTERS[match[0]], _TAG.sub("", text)))
