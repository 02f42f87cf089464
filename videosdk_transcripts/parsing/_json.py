"""
Read JSON that has segments, at any depth, or one text.

This file finds the list of segments, remembers the position of each in the source, and reports
words that are in no segment. `_segments` reads a single segment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from attrs import Factory, define, evolve, frozen

from ._common import looks_like_milliseconds, split_lines, strip_lines
from ._segments import (
    ALTERNATIVES,
    TEXT_KEYS,
    Segment,
    has_several_speakers,
    has_speaker,
    join_words,
    read_segment,
)
from ._turns import Transcript, Turn, Unread

# Segments are searched for up to this depth.
_MAX_DEPTH: Final = 8
# The most specific keys first; lists with other keys rank below these.
_LIST_KEYS: Final = ("utterances", "monologues", "segments", "transcription", "chunks")
_NOT_SPACE: Final = re.compile(r"[^ \t\r\n]")
_WORD: Final = re.compile(r"\w+")


def _parse_int(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:
        # `int` rejects thousands of digits, to save time.
        return float(digits)


_DECODER: Final = json.JSONDecoder(strict=False, parse_int=_parse_int)


@frozen
class _Value:
    """A value, and its position in the source."""

    key: str
    value: Any
    start: int
    stop: int
    depth: int


@define
class _List:
    """A list, complete or up to a syntax error."""

    key: str
    items: list[_Value] = Factory(list)
    is_walked: bool = False
    """Whether its items were searched for further segments."""


@frozen
class _Candidate:
    """A list in which some items are segments, or all such lists with the same key."""

    key: str
    items: list[tuple[_Value, Segment | None]]

    @property
    def segments(self) -> list[Segment]:
        """Return the items that are segments."""
        return [segment for _, segment in self.items if segment]

    @property
    def words(self) -> int:
        """Return the number of different words, because some programs repeat all of them."""
        return len({word for segment in self.segments for word in segment.text.split()})

    @property
    def rank(self) -> tuple[bool, bool, bool, int]:
        """Return a rank, lower for lists with speakers, times, and more than single words."""
        values = [item.value for item, _ in self.items]
        has_speakers = any(map(has_speaker, values)) or (
            any(segment.speaker is not None for segment in self.segments)
            # Otherwise, only the list of their words has all speakers.
            and not any(map(has_several_speakers, values))
        )
        has_times = any(segment.start is not None for segment in self.segments)
        known = _LIST_KEYS.index(self.key) if self.key in _LIST_KEYS else len(_LIST_KEYS)
        return not has_speakers, not has_times, self.is_words, known

    @property
    def is_words(self) -> bool:
        """Return whether its items are single words of sentences."""
        return self.key == "words" or all(segment.is_word for segment in self.segments)


def read_json(text: str) -> Transcript:
    """
    Read the list of segments, or a single text if there is no such list.

    Values are decoded one at a time, so that the position of each turn in the source is known, and
    everything before a syntax error is read.
    """
    walker = _Walker(text)
    result = _Result(text)
    if _is_json_lines(text):
        walker.walk_lines(result)
    else:
        try:
            walker.walk_all(result)
        except (ValueError, RecursionError):
            result.report(walker.position, len(text), "is not valid JSON from here on")
    _read_walked(walker, result)
    return result.transcript()


def _is_json_lines(text: str) -> bool:
    """Return whether each line is an object, according to the first two lines."""
    lines = [line for line in split_lines(text) if line.strip()]
    if len(lines) < 2 or not all(line.lstrip(" \t").startswith("{") for line in lines[:2]):
        return False
    try:
        _DECODER.decode(lines[0])
    except (ValueError, RecursionError):
        return False
    return True


@define
class _Result:
    text: str
    turns: list[Turn] = Factory(list)
    # The ranges of turns, and those of unread parts with their reasons. The rest is the frame.
    spans: list[tuple[int, int]] = Factory(list)
    unread: list[tuple[int, int, str]] = Factory(list)

    def add(self, turn: Turn, start: int, stop: int) -> None:
        """Add a turn with its raw text."""
        self.spans.append((start, stop))
        text, raw = strip_lines(turn.text), self.text[start:stop]
        self.turns.append(evolve(turn, text=text, raw=raw))

    def report(self, start: int, stop: int, reason: str) -> None:
        """Report a part as unread."""
        self.unread.append((start, stop, reason))
        self.spans.append((start, stop))

    def transcript(self) -> Transcript:
        """Return the transcript."""
        return Transcript(
            format="json",
            turns=tuple(self.turns),
            unread=tuple(self._unread()),
            frame=tuple(self._frame()),
        )

    def _unread(self) -> Iterator[Unread]:
        line, counted_to = 1, 0
        for start, stop, reason in sorted(self.unread):
            passed = self.text[counted_to:start]
            line += passed.count("\n") + passed.count("\r") - passed.count("\r\n")
            counted_to = start
            yield Unread(line=line, reason=reason, raw=self.text[start:stop])

    def _frame(self) -> Iterator[str]:
        begin = 0
        for start, end in [*sorted(self.spans), (len(self.text), len(self.text))]:
            if self.text[begin:start].strip(", \t\r\n"):
                yield self.text[begin:start].strip(" \t\r\n")
            begin = max(begin, end)


@define
class _Walker:
    """Find all lists, and all values outside lists that may contain words."""

    text: str
    position: int = 0
    lists: list[_List] = Factory(list)
    others: list[_Value] = Factory(list)
    is_in_mixed: bool = False
    """Whether a list around the position has an item with words of several speakers."""

    def walk_all(self, result: _Result) -> None:
        """Walk the whole text; raise a ValueError or RecursionError for a syntax error."""
        if self._peek() not in ("{", "["):
            raise ValueError
        self._walk("", 0)
        if self._peek():
            result.report(self.position, len(self.text), "follows the end of the JSON")

    def walk_lines(self, result: _Result) -> None:
        """Walk lines, each of which is one value."""
        rows = _List("")
        self.lists.append(rows)
        begin = 0
        for line in split_lines(self.text):
            row = line.strip(" \t\r\n")
            start = begin + line.index(row)
            begin += len(line)
            if not row:
                continue
            try:
                value = _DECODER.decode(row)
            except (ValueError, RecursionError):
                result.report(start, start + len(row), "is not valid JSON")
            else:
                rows.items.append(_Value("", value, start, start + len(row), 1))

    def _peek(self) -> str:
        """Skip whitespace, and return the next character, or an empty string at the end."""
        match = _NOT_SPACE.search(self.text, self.position)
        self.position = match.start() if match else len(self.text)
        return self.text[self.position : self.position + 1]

    def _expect(self, *characters: str) -> str:
        found = self._peek()
        if found not in characters:
            raise ValueError
        self.position += 1
        return found

    def _decode(self, key: str, depth: int) -> _Value:
        self._peek()
        start = self.position
        value, self.position = _DECODER.raw_decode(self.text, start)
        return _Value(key, value, start, self.position, depth)

    def _walk(self, key: str, depth: int) -> None:
        first = self._peek()
        if first == "{" and depth < _MAX_DEPTH:
            self.position += 1
            self._walk_object(depth)
        elif first == "[" and depth < _MAX_DEPTH:
            self.position += 1
            self._walk_list(key, depth)
        else:
            value = self._decode(key, depth)
            if isinstance(value.value, str | dict | list):
                self.others.append(value)

    def _walk_object(self, depth: int) -> None:
        if self._peek() == "}":
            self.position += 1
            return
        while True:
            key = self._decode("", depth).value
            if not isinstance(key, str):
                raise ValueError  # noqa: TRY004 - one error for all syntax errors
            self._expect(":")
            self._walk(key, depth + 1)
            if self._expect(",", "}") == "}":
                return

    def _walk_list(self, key: str, depth: int) -> None:
        found = _List(key)
        self.lists.append(found)
        if self._peek() == "]":
            self.position += 1
            return
        while True:
            found.items.append(self._decode(key, depth))
            if self._expect(",", "]") == "]":
                break
        if key in ALTERNATIVES:
            # The first is the best reading of the same words.
            self.others.extend(found.items[1:])
            del found.items[1:]
        is_in_mixed = self.is_in_mixed
        self.is_in_mixed |= any(has_several_speakers(item.value) for item in found.items)
        has_segments = any(read_segment(item.value) for item in found.items)
        if self.is_in_mixed or not has_segments:
            self._walk_items(found, depth)
            found.is_walked = True
        self.is_in_mixed = is_in_mixed

    def _walk_items(self, found: _List, depth: int) -> None:
        """Search the items of a list for segments."""
        end = self.position
        for item in found.items:
            self.position = item.start
            self._walk(found.key, depth + 1)
        self.position = end


def _read_walked(walker: _Walker, result: _Result) -> None:
    candidates = [(found, _candidate(found)) for found in walker.lists]
    chosen = _choose([candidate for _, candidate in candidates if candidate])
    others = list(walker.others)
    for found, candidate in candidates:
        if candidate and candidate.key == chosen:
            _read_list(candidate, result)
        elif not found.is_walked:
            others.extend(found.items)
    if not result.turns:
        others = _read_text(others, result)
    _report_others(others, result)
    is_empty = bool(walker.lists) and not any(found.items for found in walker.lists)
    is_blank = any(value.key in TEXT_KEYS for value in walker.others)
    if not (result.turns or result.unread or is_empty or is_blank):
        result.report(0, len(result.text), "has neither segments nor text")


def _choose(candidates: list[_Candidate]) -> str | None:
    """Return the key of the lists to read: the best of those that have most words."""
    if not candidates:
        return None
    items: dict[str, list[tuple[_Value, Segment | None]]] = {}
    for candidate in candidates:
        items.setdefault(candidate.key, []).extend(candidate.items)
    merged = [_Candidate(key, found) for key, found in items.items()]
    most = max(candidate.words for candidate in merged)
    similar = [candidate for candidate in merged if candidate.words >= most / 2]
    return min(similar, key=lambda candidate: candidate.rank).key


def _candidate(found: _List) -> _Candidate | None:
    items = [(item, read_segment(item.value)) for item in found.items]
    return _Candidate(found.key, items) if any(segment for _, segment in items) else None


def _read_list(candidate: _Candidate, result: _Result) -> None:
    segments = candidate.segments
    spans = [
        (segment.start, segment.end, segment.text)
        for segment in segments
        if segment.start is not None and segment.end is not None
    ]
    is_whole = all(segment.scale is None for segment in segments if segment.start is not None)
    scale = 1000 if is_whole and looks_like_milliseconds(spans) else 1
    is_words = candidate.is_words
    group: list[tuple[_Value, Segment]] = []
    for item, segment in candidate.items:
        has_other_words = (
            segment and not segment.text.strip() and any(_sentences(item.key, item.value))
        )
        if segment is None or has_other_words:
            result.report(item.start, item.stop, "is not a segment with text")
            continue
        read = segment.in_seconds(scale)
        if group and not (is_words and _belongs(group[0][1], read)):
            _add_group(group, result)
            group = []
        group.append((item, read))
    if group:
        _add_group(group, result)


def _belongs(first: Segment, word: Segment) -> bool:
    """
    Return whether a word continues a turn, as spaces and punctuation without speaker do.

    Args:
        first: the first word of the turn, which has its speaker.
        word: the word.
    """
    is_attached = word.speaker is None and not any(char.isalnum() for char in word.text)
    return not (first.problem or word.problem) and (is_attached or first.speaker == word.speaker)


def _add_group(group: list[tuple[_Value, Segment]], result: _Result) -> None:
    (first, segment), (last, _) = group[0], group[-1]
    text = segment.text if len(group) == 1 else join_words(word.text for _, word in group)
    ends = [word.end for _, word in group if word.end is not None]
    turn = Turn(segment.speaker, text, segment.start, ends[-1] if ends else None)
    result.add(turn, first.start, last.stop)
    if segment.problem:
        result.report(first.start, last.stop, segment.problem)


def _read_text(others: list[_Value], result: _Result) -> list[_Value]:
    """Read the outermost text as a turn, and return the other values."""
    texts = [other for other in others if other.key in TEXT_KEYS and isinstance(other.value, str)]
    text = min(texts, key=lambda other: other.depth, default=None)
    if text is None or not text.value.strip():
        return others
    result.add(Turn(None, text.value), text.start, text.stop)
    return [other for other in others if other is not text]


def _report_others(others: list[_Value], result: _Result) -> None:
    """Report values with words that are in no turn."""
    known = {word for turn in result.turns for word in _WORD.findall(turn.text.casefold())}
    for other in others:
        for words in _sentences(other.key, other.value):
            if not known.issuperset(_WORD.findall(words.casefold())):
                result.report(other.start, other.stop, "has words that are in no segment")
                break


def _sentences(key: str, value: object) -> Iterator[str]:
    """Iterate over strings that may be speech: those with several words, or under a text key."""
    pending: list[tuple[str, object]] = [(key, value)]
    while pending:
        name, item = pending.pop()
        if isinstance(item, str):
            words = len(item.split())
            if words > 1 or (words == 1 and name in TEXT_KEYS):
                yield item
        elif isinstance(item, dict):
            pending.extend(item.items())
        elif isinstance(item, list):
            pending.extend((name, each) for each in item)
