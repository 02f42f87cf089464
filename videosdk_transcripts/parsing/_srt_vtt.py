"""
Read cues with times: SRT and WebVTT.

One reader handles both, because programs mix the features of the two. Only WebVTT has a header,
comments, styles, regions and cue names, and only in WebVTT does an empty line end a cue.

Source: https://www.w3.org/TR/webvtt1/#file-structure
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from attrs import Factory, define, frozen

from ._common import clean_name, is_ordered, join_lines, parse_timestamp, split_lines, strip_lines
from ._labels import Line, Shape, ends_sentence, read_line
from ._markup import plain_lines, split_voices
from ._speakers import Outcome, Speakers
from ._turns import Transcript, Turn, Unread

_TIME: Final = r"-?[0-9]+\s?:(?:\s?[0-9:.,])*+"
# Translation programs split the arrow, and add spaces. Word processors replace hyphens by a dash.
_TIMING: Final = re.compile(
    rf"(?P<start>{_TIME})\s*(?P<arrow>[-\u2013\u2014]\s?-?\s?>)\s*"
    rf"(?:(?P<end>{_TIME})(?:\s+(?P<settings>.*))?)?",
    re.DOTALL,
)
# Bounded, because `int` rejects numbers of thousands of digits.
_NUMBER: Final = re.compile(r"[0-9]{1,18}")
# Webex names the speaker in the name of the cue: 1 "Ann Lee" (1234567)
_SPEAKER_IN_NAME: Final = re.compile(r'(?:[0-9]+\s+)?"([^"]+)"\s+\([0-9]+\)')

_NAME_START: Final = re.compile(r"[\w+]")
# `Lee, Ann B.` and `Bob Ray Jr.`
_INITIAL: Final = re.compile(r"[\s.]\w{1,2}\.\Z")


@frozen
class _Block:
    """Consecutive lines that are not blank; in SRT, all lines."""

    line: int
    """The number of the first line, from 1."""
    lines: list[str]


@frozen
class _Place:
    """The position of a cue in its block."""

    first: int
    """The index of its first line: its number or name if it has one, else its timing line."""
    timing: int
    """The index of its timing line."""
    match: re.Match[str]
    is_named: bool
    """Whether the line above is a cue name in SRT, which has none, so that it is not read."""


@frozen
class _Cue:
    """A cue whose words are not yet assigned to speakers."""

    head: str
    """Everything up to its timing line, as in the source."""
    body: list[str]
    lines: list[Line | None]
    """The lines of the body without markup; None for blank lines; empty if there are voices."""
    voices: list[tuple[str | None, str, str]]
    """Speaker, text and raw text of each voice."""
    start: float | None
    end: float | None


@define
class _Result:
    is_vtt: bool
    cues: list[_Cue] = Factory(list)
    unread: list[Unread] = Factory(list)
    frame: list[str] = Factory(list)


def is_header(line: str) -> bool:
    """Return whether a line is the first line of a WebVTT file."""
    return line.split(maxsplit=1)[:1] == ["WEBVTT"]


def is_timing(line: str) -> bool:
    """Return whether a line has the times of a cue."""
    return match_timing(line) is not None


def read_cues(text: str, format: str) -> Transcript:  # noqa: A002 - the API's own word
    """
    Read the cues of a text.

    Args:
        text: the text.
        format: ``srt``, or ``vtt`` to read a header, comments and markup as well.
    """
    is_vtt = format == "vtt"
    result = _Result(is_vtt)
    for block in _blocks(text, is_vtt=is_vtt):
        # A file may consist of several, such as the segments of a stream.
        has_header = is_vtt and is_header(block.lines[0])
        places = _find_cues(block, has_header=has_header, is_vtt=is_vtt)
        ends = [place.timing - 1 if place.is_named else place.first for place in places]
        ends.append(len(block.lines))
        if has_header or (is_vtt and _is_comment(block.lines[0])):
            raw = join_lines(block.lines[: ends[0]])
            result.frame.extend([raw] if raw else [])
        else:
            _report(block, 0, ends[0], result)
        for place, end in zip(places, ends[1:], strict=True):
            if place.is_named:
                _report(block, place.timing - 1, place.timing, result)
            result.cues.append(_read_cue(block, place, end, result))
    return Transcript(
        format=format,
        turns=tuple(_turns(result)),
        unread=tuple(result.unread),
        frame=tuple(result.frame),
    )


def _blocks(text: str, *, is_vtt: bool) -> Iterator[_Block]:
    block: _Block | None = None
    for number, line in enumerate(split_lines(text), 1):
        # Captions of YouTube have lines with one space, which do not end a cue. In SRT files,
        # even empty lines may be inside a cue.
        is_blank = not (line.strip("\r\n") if block else line.strip())
        if block and is_blank and is_vtt:
            yield block
            block = None
        elif block:
            block.lines.append(line)
        elif not is_blank:
            block = _Block(number, [line])
    if block:
        yield block


def _is_comment(line: str) -> bool:
    return line.split(maxsplit=1)[0] == "NOTE" or line.strip() in {"STYLE", "REGION"}


def match_timing(line: str) -> re.Match[str] | None:
    """Return the match of a cue's timing line, or None for any other line."""
    match = _TIMING.fullmatch(line.strip())
    if match and match["arrow"].count("-") < 2:
        # A line with a short arrow may be speech, unless it has hours.
        times = match.group("start", "end")
        return match if all(time and time.count(":") > 1 for time in times) else None
    return match


def _find_cues(block: _Block, *, has_header: bool, is_vtt: bool) -> list[_Place]:
    places: list[_Place] = []
    # The first line after the header or the previous timing line.
    free = 1 if has_header else 0
    number: int | None = 0
    for timing, line in enumerate(block.lines):
        match = match_timing(line)
        if match is None:
            continue
        first = _find_number(block.lines, free, timing, number)
        above = timing - 1
        is_name = (
            first == timing
            and above >= free
            and block.lines[above].strip() != ""
            and (above == 0 or not block.lines[above - 1].strip())
        )
        if is_name and is_vtt:
            first = above
        places.append(_Place(first, timing, match, is_named=is_name and not is_vtt))
        number = _number(block.lines[first])
        free = timing + 1
    return places


def _find_number(lines: list[str], free: int, timing: int, previous: int | None) -> int:
    """Return the index of the number of a cue, or of its timing line if it has none."""
    above = timing - 1
    while above >= free and not lines[above].strip():
        above -= 1
    number = _number(lines[above]) if above >= free else None
    if number is None:
        return timing
    # If blank lines follow the number, it belongs to the words above unless it is the next one.
    is_next = previous is not None and number == previous + 1
    return above if is_next or above == timing - 1 else timing


def _number(line: str) -> int | None:
    match = _NUMBER.fullmatch(line.strip())
    return int(match[0]) if match else None


def _report(block: _Block, begin: int, end: int, result: _Result) -> None:
    """Report lines that belong to no cue, the first of which is not blank."""
    raw = "".join(block.lines[begin:end]).rstrip()
    if raw:
        result.unread.append(Unread(block.line + begin, "is not part of a cue", raw))


def _read_cue(block: _Block, place: _Place, end_line: int, result: _Result) -> _Cue:
    match = place.match
    start, end = _parse(match["start"]), _parse(match["end"])
    head, body = (
        block.lines[place.first : place.timing + 1],
        block.lines[place.timing + 1 : end_line],
    )
    while body and not body[-1].strip():
        body.pop()
    settings = match["settings"] or ""
    has_words = not all(":" in word for word in settings.split())
    reason = None
    if start is None or end is None:
        reason = "has unreadable timestamps"
    elif not is_ordered(start, end):
        reason = "ends before it starts"
    if reason:
        start = end = None
    elif has_words and body:
        reason = "has something other than cue settings after its timestamps"
    if reason:
        raw = join_lines([head[-1]])
        result.unread.append(Unread(line=block.line + place.timing, reason=reason, raw=raw))
    if has_words and not body:
        # The words of the cue are on the same line.
        begin = head[-1].rindex(settings)
        head[-1], body = head[-1][:begin], [head[-1][begin:]]
    voices = split_voices("".join(body)) if result.is_vtt else []
    plain = plain_lines(body, is_vtt=result.is_vtt)
    name = _SPEAKER_IN_NAME.fullmatch(block.lines[place.first].strip())
    if name and not voices:
        voices = [(clean_name(name[1]) or None, strip_lines("\n".join(plain)), "".join(body))]
    return _Cue(
        head="".join(head),
        body=body,
        lines=[] if voices else [read_line(line) if line.strip() else None for line in plain],
        voices=voices,
        start=start,
        end=end,
    )


def _parse(time: str | None) -> float | None:
    return parse_timestamp("".join(time.split())) if time else None


def _turns(result: _Result) -> Iterator[Turn]:
    lines = ([line for line in cue.lines if line] for cue in result.cues)
    speakers = Speakers.of(lines, is_wrapped=True)
    has_names = _have_names_above(result.cues)
    for cue in result.cues:
        head = cue.head
        if has_names:
            parts = [_split_name(cue)]
        else:
            parts = cue.voices or split_labels(cue.body, cue.lines, speakers)
        for speaker, text, raw in parts:
            yield Turn(speaker, text, cue.start, cue.end, join_lines([head, raw]))
            head = ""


def _have_names_above(cues: Sequence[_Cue]) -> bool:
    """
    Return whether the first line of each cue is a name, as in exports of Teams.

    There must be two or more names, each twice on average, so that titles and wrapped words are not
    mistaken for names. Captions in capitals have no names above.
    """
    texts = [[line.source for line in cue.lines if line] for cue in cues]
    names = [_name_above(lines) for lines in texts]
    is_shouted = "".join(chain.from_iterable(texts)).isupper()
    return None not in names and not is_shouted and 1 < len(set(names)) <= len(names) / 2


def _name_above(lines: Sequence[str]) -> str | None:
    """Return the first line of a cue if it may be a name with words below, otherwise None."""
    name = clean_name(lines[0]) if len(lines) > 1 else ""
    # A symbol precedes words, such as those of a song.
    if not _NAME_START.match(name) or (ends_sentence(name) and not _INITIAL.search(name)):
        return None
    # `Ray, Bob` has the form of `Yes, Ann`, which does not recur.
    without_commas = name.replace(",", "")
    label = read_line(f"{without_commas}:")
    return name if label.shape is Shape.NAME and label.name == without_commas else None


def _split_name(cue: _Cue) -> tuple[str | None, str, str]:
    name, *words = [line.source for line in cue.lines if line]
    return clean_name(name), strip_lines("\n".join(words)), "".join(cue.body)


def split_labels(
    sources: Sequence[str], lines: Sequence[Line | None], speakers: Speakers
) -> list[tuple[str | None, str, str]]:
    """
    Return the speaker, text and raw text of each part of a cue.

    Lines of a cue may wrap after a word with a colon. So if the first line names no speaker, names
    are recognized only after the end of a sentence.

    Args:
        sources: the lines as in the source.
        lines: the same lines without markup; None for blank lines.
        speakers: the counts for the whole file.
    """
    # The speaker, the lines of text and the lines of the source of each part.
    found: list[tuple[str | None, list[str], list[str]]] = [(None, [], [])]
    has_names = False
    for source, line in zip(sources, lines, strict=True):
        speaker, texts, raws = found[-1]
        if line is None:
            raws.append(source)
            continue
        above = texts[-1] if texts else None
        outcome = speakers.outcome(line, above)
        is_named = outcome is Outcome.SPEAKER and (
            has_names or above is None or ends_sentence(above)
        )
        has_names = has_names or is_named
        # Words below a name alone are those of the speaker, even after a dash.
        is_other = line.changes_speaker or (line.has_dash and any(texts))
        if is_named or (speaker and (outcome is Outcome.UNSURE or is_other)):
            if texts:
                texts, raws = [], []
                found.append((None, texts, raws))
            found[-1] = (line.name if is_named else None, texts, raws)
        texts.append(line.text if is_named else line.source)
        raws.append(source)
    return [
        (speaker, strip_lines("\n".join(texts)), "".join(raws)) for speaker, texts, raws in found
    ]
