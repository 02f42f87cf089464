"""
The JSON of Whisper and of WhisperX: segments with text and times, maybe with speakers.

Source: https://github.com/openai/whisper/blob/main/whisper/utils.py
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from attrs import Factory, define

from ._times import in_order, is_time
from ._turns import Transcript, Turn, Unread

# A whole number may be too long for `int`, and none here needs to be exact.
_DECODER: Final = json.JSONDecoder(strict=False, parse_int=float)
_NO_SPACE: Final = re.compile(r"[^ \t\r\n]")


def read_json(text: str) -> Transcript:
    """
    Read an object with ``segments``, or with a ``text`` alone, or a list of segments.

    Step by step, so that each turn has its place in the source, and so that what stands in
    front of a fault is read.
    """
    reader = _Reader(text)
    try:
        reader.read()
    except (ValueError, RecursionError):
        reader.give_up("is no JSON from here on")
    return reader.transcript()


@define
class _Reader:
    text: str
    at: int = 0
    turns: list[Turn] = Factory(list)
    unread: list[Unread] = Factory(list)
    # Where that stands which is no frame.
    spans: list[tuple[int, int]] = Factory(list)
    has_segments: bool = False
    # The text of the whole, and where it stands.
    whole: tuple[str, int, int] | None = None
    # How far lines were counted, and how many there were.
    counted: int = 0
    line: int = 1

    def read(self) -> None:
        """Read it all. ValueError or RecursionError where there is a fault."""
        if self._next() == "[":
            self._read_segments()
        else:
            self._read_object()
        if self._next():
            self.give_up("stands behind the end of the JSON")

    def give_up(self, reason: str) -> None:
        """Leave the rest unread."""
        self._leave(self.at, len(self.text), reason)
        self.at = len(self.text)

    def transcript(self) -> Transcript:
        """Return what was read."""
        if self.whole is not None and not self.turns:
            said, start, end = self.whole
            if said.strip():
                self.turns.append(Turn(speaker=None, text=said.strip(), raw=self.text[start:end]))
                self.spans.append((start, end))
        elif not self.has_segments and not self.unread:
            self._leave(0, len(self.text), "has neither segments nor a text")
        return Transcript(
            format="json",
            turns=tuple(self.turns),
            unread=tuple(self.unread),
            frame=tuple(self._frame()),
        )

    def _frame(self) -> Iterator[str]:
        begin = 0
        for start, end in [*sorted(self.spans), (len(self.text), 0)]:
            if self.text[begin:start].strip(", \t\r\n"):
                yield self.text[begin:start].strip(" \t\r\n")
            begin = end

    def _next(self) -> str:
        """Go to what is no white space, and return its first character; none at the end."""
        match = _NO_SPACE.search(self.text, self.at)
        self.at = match.start() if match else len(self.text)
        return self.text[self.at : self.at + 1]

    def _take(self, characters: str) -> str:
        found = self._next()
        if not found or found not in characters:
            raise ValueError
        self.at += 1
        return found

    def _value(self) -> Any:
        self._next()
        value, self.at = _DECODER.raw_decode(self.text, self.at)
        return value

    def _read_object(self) -> None:
        self._take("{")
        if self._next() == "}":
            self.at += 1
            return
        while True:
            key = self._value()
            self._take(":")
            if key == "segments" and self._next() == "[":
                self._read_segments()
            else:
                self._next()
                start = self.at
                value = self._value()
                if key == "text" and isinstance(value, str):
                    self.whole = (value, start, self.at)
            if self._take(",}") == "}":
                return

    def _read_segments(self) -> None:
        self.has_segments = True
        self._take("[")
        if self._next() == "]":
            self.at += 1
            return
        while True:
            self._next()
            start = self.at
            self._read_segment(self._value(), start)
            if self._take(",]") == "]":
                return

    def _read_segment(self, value: Any, at: int) -> None:
        said = value.get("text") if isinstance(value, dict) else None
        if not isinstance(said, str):
            self._leave(at, self.at, "is no segment with a text")
            return
        start, end = value.get("start"), value.get("end")
        speaker = _speaker(value)
        reason = None
        if not all(time is None or is_time(time) for time in (start, end)):
            reason = "has times that are no seconds"
        elif not in_order(start, end):
            reason = "ends before it starts"
        if reason:
            start = end = None
        elif speaker is not None and not isinstance(speaker, str):
            reason = "has a speaker that is no text"
        if reason:
            self._leave(at, self.at, reason)
        else:
            self.spans.append((at, self.at))
        name = speaker.strip() if isinstance(speaker, str) else None
        self.turns.append(Turn(name or None, said.strip(), start, end, self.text[at : self.at]))

    def _leave(self, start: int, end: int, reason: str) -> None:
        passed = self.text[self.counted : start]
        self.line += passed.count("\n") + passed.count("\r") - passed.count("\r\n")
        self.counted = start
        self.unread.append(Unread(line=self.line, reason=reason, raw=self.text[start:end]))
        self.spans.append((start, end))


def _speaker(segment: dict[str, Any]) -> object:
    """Return the speaker of a segment; without one, the one that all its words name."""
    speaker = segment.get("speaker")
    words = segment.get("words")
    if speaker is not None or not isinstance(words, list) or not words:
        return speaker
    names = [word.get("speaker") if isinstance(word, dict) else None for word in words]
    return names[0] if all(isinstance(name, str) and name == names[0] for name in names) else None
