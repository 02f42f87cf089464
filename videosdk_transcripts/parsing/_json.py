"""
JSON of Whisper and WhisperX: segments with text and times, possibly with speakers.

Source: https://github.com/openai/whisper/blob/main/whisper/utils.py
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from attrs import Factory, define

from ._common import is_ordered, is_time
from ._turns import Transcript, Turn, Unread

# A long integer may exceed the limit of `int`, and no number here has to be exact.
_DECODER: Final = json.JSONDecoder(strict=False, parse_int=float)
_NOT_SPACE: Final = re.compile(r"[^ \t\r\n]")


def read_json(text: str) -> Transcript:
    """
    Read an object with ``segments``, an object with only ``text``, or a list of segments.

    Values are decoded one by one, so that each turn keeps its place in the source, and
    everything before a syntax error is read.
    """
    reader = _Reader(text)
    try:
        reader.read()
    except (ValueError, RecursionError):
        reader.skip_rest("is not valid JSON from here on")
    return reader.transcript()


@define
class _Reader:
    text: str
    position: int = 0
    turns: list[Turn] = Factory(list)
    unread: list[Unread] = Factory(list)
    # The ranges of turns and unread parts; everything else is frame.
    spans: list[tuple[int, int]] = Factory(list)
    has_segments: bool = False
    # The value of a top-level "text", and its range.
    full_text: tuple[str, int, int] | None = None
    # Line breaks are counted up to this position, which is on this line.
    counted_to: int = 0
    line: int = 1

    def read(self) -> None:
        """Read the whole text. Raises ValueError or RecursionError on a syntax error."""
        if self._peek() == "[":
            self._read_segments()
        else:
            self._read_object()
        if self._peek():
            self.skip_rest("follows the end of the JSON")

    def skip_rest(self, reason: str) -> None:
        """Report the rest as unread."""
        self._report(self.position, len(self.text), reason)
        self.position = len(self.text)

    def transcript(self) -> Transcript:
        """Return what was read."""
        if self.full_text is not None and not self.turns:
            words, start, end = self.full_text
            if words.strip():
                self.turns.append(Turn(speaker=None, text=words.strip(), raw=self.text[start:end]))
                self.spans.append((start, end))
        elif not self.has_segments and not self.unread:
            self._report(0, len(self.text), "has neither segments nor text")
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

    def _peek(self) -> str:
        """Skip white space and return the next character, or an empty string at the end."""
        match = _NOT_SPACE.search(self.text, self.position)
        self.position = match.start() if match else len(self.text)
        return self.text[self.position : self.position + 1]

    def _expect(self, characters: str) -> str:
        found = self._peek()
        if not found or found not in characters:
            raise ValueError
        self.position += 1
        return found

    def _decode(self) -> tuple[Any, int]:
        """Decode the next value and return it with its start."""
        self._peek()
        start = self.position
        value, self.position = _DECODER.raw_decode(self.text, start)
        return value, start

    def _read_object(self) -> None:
        self._expect("{")
        if self._peek() == "}":
            self.position += 1
            return
        while True:
            key, _ = self._decode()
            self._expect(":")
            if key == "segments" and self._peek() == "[":
                self._read_segments()
            else:
                value, start = self._decode()
                if key == "text" and isinstance(value, str):
                    self.full_text = (value, start, self.position)
            if self._expect(",}") == "}":
                return

    def _read_segments(self) -> None:
        self.has_segments = True
        self._expect("[")
        if self._peek() == "]":
            self.position += 1
            return
        while True:
            value, start = self._decode()
            self._read_segment(value, start, self.position)
            if self._expect(",]") == "]":
                return

    def _read_segment(self, value: Any, begin: int, stop: int) -> None:
        words = value.get("text") if isinstance(value, dict) else None
        if not isinstance(words, str):
            self._report(begin, stop, "is not a segment with text")
            return
        start, end = value.get("start"), value.get("end")
        speaker = _speaker(value)
        reason = None
        if not all(time is None or is_time(time) for time in (start, end)):
            reason = "has times that are not seconds"
        elif not is_ordered(start, end):
            reason = "ends before it starts"
        if reason:
            start = end = None
        elif speaker is not None and not isinstance(speaker, str):
            reason = "has a speaker that is not a string"
        if reason:
            self._report(begin, stop, reason)
        else:
            self.spans.append((begin, stop))
        name = speaker.strip() if isinstance(speaker, str) else None
        self.turns.append(Turn(name or None, words.strip(), start, end, self.text[begin:stop]))

    def _report(self, start: int, end: int, reason: str) -> None:
        passed = self.text[self.counted_to : start]
        self.line += passed.count("\n") + passed.count("\r") - passed.count("\r\n")
        self.counted_to = start
        self.unread.append(Unread(line=self.line, reason=reason, raw=self.text[start:end]))
        self.spans.append((start, end))


def _speaker(segment: dict[str, Any]) -> object:
    """Return the speaker of a segment; if it has none, the one that all its words name."""
    speaker = segment.get("speaker")
    words = segment.get("words")
    if speaker is not None or not isinstance(words, list) or not words:
        return speaker
    names = [word.get("speaker") if isinstance(word, dict) else None for word in words]
    return names[0] if all(isinstance(name, str) and name == names[0] for name in names) else None
