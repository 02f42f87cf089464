"""
Read JSON that has segments, at any depth, or one text.

This file finds the list of segments, remembers the position of each in the source, and reports
words that are in no segment. `_segments` reads a single segment.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from attrs import Factory, define, evolve, frozen

from ._common import looks_like_milliseconds, split_lines, strip_lines
from ._segments import TEXT_KEYS, Segment, has_several_speakers, join_words, read_segment
from ._turns import Transcript, Turn, Unread

# Segments are searched for up to this depth.
_MAX_DEPTH: Final = 8
# The most specific keys first; lists with other keys rank below these.
_LIST_KEYS: Final = ("utterances", "monologues", "segments", "transcription", "chunks")
_NOT_SPACE: Final = re.compile(r"[^ \t\r\n]")
_WORD: Final = re.compile(r"\w+")


def _parse_int(digits: str) -> int | float:
    # `int` rejects very long integers, and these numbers need not be exact.
    return int(digits) if len(digits) < 16 else float(digits)


_DECODER: Final = json.JSONDecoder(strict=False, parse_int=_parse_int)


@frozen
class _Value:
    """A value, and its position in the source."""

    key: str
    value: Any
    start: int
    stop: int
    depth: int = 0


@define
class _List:
    """A list, complete or up to a syntax error."""

    key: str
    items: list[_Value] = Factory(list)
    is_walked: bool = False
    """Whether its items were searched for segments, because none of them is one."""


@frozen
class _Candidate:
    """A list in which some items are segments."""

    key: str
    items: list[tuple[_Value, Segment | None]]
    words: int

    @property
    def rank(self) -> tuple[bool, bool, bool, int]:
        """Return a rank, lower for lists with speakers, times, and more than single words."""
        segments = [segment for _, segment in self.items if segment]
        has_speakers = any(segment.speaker is not None for segment in segments)
        has_times = any(segment.start is not None for segment in segments)
        known = _LIST_KEYS.index(self.key) if self.key in _LIST_KEYS else len(_LIST_KEYS)
        return not has_speakers, not has_times, self.is_words, known

    @property
    def is_words(self) -> bool:
        """Return whether its items are single words of sentences."""
        return self.key == "words" or all(segment.is_word for _, segment in self.items if segment)


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
        json.loads(lines[0], strict=False, parse_int=_parse_int)
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

    def add(self, segment: Segment, speaker: str | None, text: str, start: int, stop: int) -> None:
        """Add a turn, and report it if a part of it could not be read."""
        if segment.problem:
            self.report(start, stop, segment.problem)
        else:
            self.spans.append((start, stop))
        raw = self.text[start:stop]
        self.turns.append(Turn(speaker, strip_lines(text), segment.start, segment.end, raw))

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
        for start, end in [*sorted(self.spans), (len(self.text), 0)]:
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
            stop = begin + len(line.rstrip(" \t\r\n"))
            start = begin + len(line) - len(line.lstrip(" \t\r\n"))
            begin += len(line)
            if start >= stop:
                continue
            try:
                value = _DECODER.decode(self.text[start:stop])
            except (ValueError, RecursionError):
                result.report(start, stop, "is not valid JSON")
            else:
                rows.items.append(_Value("", value, start, stop))

    def _peek(self) -> str:
        """Skip whitespace, and return the next character, or an empty string at the end."""
        match = _NOT_SPACE.search(self.text, self.position)
        self.position = match.start() if match else len(self.text)
        return self.text[self.position : self.position + 1]

    def _expect(self, characters: str) -> str:
        found = self._peek()
        if not found or found not in characters:
            raise ValueError
        self.position += 1
        return found

    def _decode(self, key: str) -> _Value:
        self._peek()
        start = self.position
        value, self.position = _DECODER.raw_decode(self.text, start)
        return _Value(key, value, start, self.position)

    def _walk(self, key: str, depth: int) -> None:
        first = self._peek()
        if first == "{" and depth < _MAX_DEPTH:
            self._walk_object(depth)
        elif first == "[" and depth < _MAX_DEPTH:
            self._walk_list(key, depth)
        else:
            value = self._decode(key)
            if isinstance(value.value, str | dict | list):
                self.others.append(evolve(value, depth=depth))

    def _walk_object(self, depth: int) -> None:
        self._expect("{")
        if self._peek() == "}":
            self.position += 1
            return
        while True:
            key = self._decode("").value
            if not isinstance(key, str):
                raise ValueError  # noqa: TRY004 - one error for all syntax errors
            self._expect(":")
            self._walk(key, depth + 1)
            if self._expect(",}") == "}":
                return

    def _walk_list(self, key: str, depth: int) -> None:
        self._expect("[")
        found = _List(key)
        self.lists.append(found)
        if self._peek() == "]":
            self.position += 1
            return
        while True:
            found.items.append(self._decode(key))
            if self._expect(",]") == "]":
                break
        if not any(read_segment(item.value) for item in found.items):
            self._walk_items(found, depth)
            found.is_walked = True
        elif any(has_several_speakers(item.value) for item in found.items):
            self._walk_items(found, depth)

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
    is_blank = any(
        value.key in TEXT_KEYS and isinstance(value.value, str) for value in walker.others
    )
    if not (result.turns or result.unread or is_empty or is_blank):
        result.report(0, len(result.text), "has neither segments nor text")


def _choose(candidates: list[_Candidate]) -> str | None:
    """Return the key of the lists to read: the best of those that have most words."""
    totals: Counter[str] = Counter()
    for candidate in candidates:
        totals[candidate.key] += candidate.words
    enough = max(totals.values(), default=0) / 2
    ranks = [(candidate.rank, candidate.key) for candidate in candidates]
    return min((rank for rank in ranks if totals[rank[1]] >= enough), default=((), None))[1]


def _candidate(found: _List) -> _Candidate | None:
    items = [(item, read_segment(item.value)) for item in found.items]
    words = sum(len(segment.text.split()) for _, segment in items if segment)
    return _Candidate(found.key, items, words) if any(s for _, s in items) else None


def _read_list(candidate: _Candidate, result: _Result) -> None:
    segments = [segment for _, segment in candidate.items if segment]
    spans = [
        (segment.start, segment.end, segment.text)
        for segment in segments
        if segment.unit is None and segment.start is not None and segment.end is not None
    ]
    is_whole = all(segment.unit is None for segment in segments if segment.start is not None)
    unit = "ms" if is_whole and looks_like_milliseconds(spans) else "s"
    is_words = candidate.is_words
    group: list[tuple[_Value, Segment]] = []
    for item, segment in candidate.items:
        has_other_words = segment and not segment.text.strip() and any(_sentences("", item.value))
        if segment is None or has_other_words:
            result.report(item.start, item.stop, "is not a segment with text")
            continue
        read = segment.in_seconds(unit)
        if group and not (is_words and _belongs(group[-1][1], read)):
            _add_group(group, result)
            group = []
        group.append((item, read))
    if group:
        _add_group(group, result)


def _belongs(before: Segment, word: Segment) -> bool:
    """Return whether a word continues a turn, as spaces and punctuation without speaker do."""
    is_attached = word.speaker is None and not any(char.isalnum() for char in word.text)
    return not (before.problem or word.problem) and (is_attached or before.speaker == word.speaker)


def _add_group(group: list[tuple[_Value, Segment]], result: _Result) -> None:
    (first, segment), (last, _) = group[0], group[-1]
    text = segment.text if len(group) == 1 else join_words(word.text for _, word in group)
    ends = [word.end for _, word in group if word.end is not None]
    whole = Segment(
        text, segment.speaker, segment.start, ends[-1] if ends else None, problem=segment.problem
    )
    result.add(whole, segment.speaker, text, first.start, last.stop)


def _read_text(others: list[_Value], result: _Result) -> list[_Value]:
    """Read the outermost text as a turn, and return the other values."""
    texts = [other for other in others if other.key in TEXT_KEYS and isinstance(other.value, str)]
    text = min(texts, key=lambda other: other.depth, default=None)
    if text is None or not text.value.strip():
        return others
    result.add(Segment(text.value), None, text.value, text.start, text.stop)
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
            if name in TEXT_KEYS or len(item.split()) > 1:
                yield item
        elif isinstance(item, dict):
            pending.extend(item.items())
        elif isinstance(item, list):
            pending.extend((name, each) for each in item)
