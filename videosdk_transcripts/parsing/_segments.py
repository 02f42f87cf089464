"""
Read one segment of JSON: its words, times and speaker, under the keys of several programs.

Sources: https://github.com/openai/whisper/blob/main/whisper/utils.py,
https://github.com/ggml-org/whisper.cpp/blob/master/examples/cli/cli.cpp,
https://developers.deepgram.com/docs/utterances,
https://www.assemblyai.com/docs/api-reference/transcripts/get
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain
from typing import Any, Final

from attrs import evolve, frozen

from ._common import clean_name, is_ordered, is_time, parse_timestamp, strip_lines

TEXT_KEYS: Final = (
    "punctuated_word",
    "text",
    "transcript",
    "content",
    "word",
    "message",
    "sentence",
    "caption",
    "body",
    "display",
    "value",
)
_WORD_KEYS: Final = {"punctuated_word", "word", "value"}
# A tuple, because the value may be unhashable.
_WORD_TYPES: Final = ("word", "pronunciation", "punctuation", "spacing", "punct")
_MAX_DEPTH: Final = 5
# Keys of lists within a segment that contain its words.
_PART_KEYS: Final = ("content", "elements", "sentences", "words", "alternatives", "nBest")
_ALTERNATIVES: Final = {"alternatives", "nBest"}
_SPEAKER_KEYS: Final = (
    "speaker_name",
    "speakerName",
    "speaker",
    "speaker_label",
    "speakerLabel",
    "speaker_id",
    "speakerId",
    "speakerTag",
    "speaker_tag",
    "participant",
    "role",
)
# Keys of start and end, and the unit of their numbers; None if programs differ.
_TIME_KEYS: Final = (
    ("start", "end", None),
    ("start_time", "end_time", "s"),
    ("startTime", "endTime", "s"),
    ("start_ms", "end_ms", "ms"),
    ("startMs", "endMs", "ms"),
    ("start_timestamp", "end_timestamp", "s"),
    ("ts", "end_ts", "s"),
    ("begin", "end", None),
    ("from", "to", None),
)
_SPACE_BEFORE_MARK: Final = re.compile(r" (?=[.,;:?!…%)]+(?: |\Z))")
_SECONDS: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?s?")


@frozen
class Segment:
    """The words, times and speaker of one JSON object."""

    text: str
    speaker: str | None = None
    start: float | None = None
    end: float | None = None
    unit: str | None = "s"
    """``s``, ``ms``, or None if the numbers may be either."""
    problem: str | None = None
    """Why a part of the object could not be read."""
    is_word: bool = False
    """Whether it is a single word of a sentence."""

    def in_seconds(self, unit: str) -> Segment:
        """Return the segment with times in seconds, and without impossible times."""
        start, end = self.start, self.end
        if (self.unit or unit) == "ms":
            start = None if start is None else start / 1000
            end = None if end is None else end / 1000
        if is_ordered(start, end):
            return evolve(self, start=start, end=end)
        return evolve(self, start=None, end=None, problem="ends before it starts")


def read_segment(value: object, depth: int = 0) -> Segment | None:
    """
    Read an object, or return None if it has no words.

    Args:
        value: the object.
        depth: in how many segments it is nested. At a depth of five, parts are not read.
    """
    if not isinstance(value, dict):
        return None
    key = next((key for key in TEXT_KEYS if isinstance(value.get(key), str)), None)
    parts = _parts(value, depth)
    if key is None and not parts:
        return None
    text = value[key] if key else join_words(part.text for part in parts)
    speaker, speaker_problem = _speaker(value)
    if speaker is None and speaker_problem is None:
        speaker = _common_speaker(value.get("words")) or _common(part.speaker for part in parts)
    start, end, unit, time_problem = _times(value)
    if start is None and end is None and time_problem is None and parts:
        start, end, unit = parts[0].start, parts[-1].end, parts[0].unit
    is_word = key in _WORD_KEYS or value.get("type") in _WORD_TYPES
    return Segment(text, speaker, start, end, unit, time_problem or speaker_problem, is_word)


def join_words(words: Iterable[str]) -> str:
    """Join words to a sentence. The words of some programs include the spaces."""
    found = list(words)
    if any(word != word.strip() for word in found):
        return strip_lines("".join(found))
    return strip_lines(_SPACE_BEFORE_MARK.sub("", " ".join(found)))


def _parts(value: dict[str, Any], depth: int) -> list[Segment]:
    """Return the parts of a segment; empty if one of them has no words."""
    for key in _PART_KEYS:
        items = value.get(key)
        if isinstance(items, list) and depth < _MAX_DEPTH:
            read = [
                read_segment(item, depth + 1)
                for item in (items[:1] if key in _ALTERNATIVES else items)
            ]
            if read and all(read):
                return [part for part in read if part]
    return []


def has_several_speakers(value: object, depth: int = 0) -> bool:
    """Return whether an object has words of several speakers, and no speaker itself."""
    if not isinstance(value, dict) or _speaker(value)[0] is not None:
        return False
    words = value.get("words")
    if isinstance(words, list):
        return len({_speaker(word)[0] for word in words if isinstance(word, dict)} - {None}) > 1
    alternatives = value.get("alternatives")
    if not isinstance(alternatives, list) or depth == _MAX_DEPTH:
        return False
    return any(has_several_speakers(part, depth + 1) for part in alternatives[:1])


def _common_speaker(words: object) -> str | None:
    """Return the speaker that all words name, or None."""
    if not isinstance(words, list):
        return None
    return _common(_speaker(word)[0] if isinstance(word, dict) else None for word in words)


def _common(names: Iterable[str | None]) -> str | None:
    found = set(names)
    return found.pop() if len(found) == 1 else None


def _speaker(value: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return the speaker, and why it could not be read."""
    for key in _SPEAKER_KEYS:
        speaker = value.get(key)
        if isinstance(speaker, dict):
            speaker = speaker.get("name", speaker.get("id"))
        if isinstance(speaker, str):
            return clean_name(speaker) or None, None
        if isinstance(speaker, int | float) and not isinstance(speaker, bool):
            return f"{speaker:g}" if isinstance(speaker, float) else str(speaker), None
        if speaker is not None:
            return None, "has a speaker that is neither a string nor a number"
    return None, None


def _times(
    value: dict[str, Any],
) -> tuple[float | None, float | None, str | None, str | None]:
    """Return the start, the end, their unit, and why they could not be read."""
    start, end, unit = _raw_times(value)
    times = [_number(start, unit), _number(end, unit)]
    if any(
        time is None and given is not None for time, given in zip(times, (start, end), strict=True)
    ):
        return None, None, "s", "has times that are not seconds"
    if times[0] is not None and end is None and is_time(value.get("duration")):
        times[1] = times[0] + value["duration"]
    is_clock = isinstance(start, str) or isinstance(end, str)
    is_whole = all(time is None or isinstance(time, int) for time in times)
    return times[0], times[1], unit or (None if is_whole and not is_clock else "s"), None


def _raw_times(value: dict[str, Any]) -> tuple[object, object, str | None]:
    offsets = value.get("offsets")
    if isinstance(offsets, dict):
        return offsets.get("from"), offsets.get("to"), "ms"
    for key in ("timestamp", "time"):
        pair = value.get(key)
        if isinstance(pair, list) and len(pair) == 2:
            return pair[0], pair[1], "s"
    # By the start first, since several programs call the other one ``end``.
    starts = (keys for keys in _TIME_KEYS if value.get(keys[0]) is not None)
    ends = (keys for keys in _TIME_KEYS if value.get(keys[1]) is not None)
    start, end, unit = next(chain(starts, ends), _TIME_KEYS[0])
    first, last = value.get(start), value.get(end)
    # Strings are clock times or seconds.
    is_text = isinstance(first, str | None) and isinstance(last, str | None)
    return first, last, "s" if is_text else unit


def _number(value: object, unit: str | None) -> float | None:
    if isinstance(value, str):
        if ":" in value:
            return parse_timestamp(value)
        match = _SECONDS.fullmatch(value) if unit == "s" else None
        return float(value.rstrip("s")) if match else None
    if isinstance(value, dict):
        value = value.get("relative")
    return value if is_time(value) else None
