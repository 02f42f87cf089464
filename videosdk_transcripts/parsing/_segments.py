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
from math import inf
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
_WORD_TYPES: Final = ("word", "pronunciation", "punctuation", "spacing", "punct", "entity")
_MAX_DEPTH: Final = 5
# Keys of lists within a segment that contain its words.
_PART_KEYS: Final = ("content", "elements", "sentences", "words", "alternatives", "nBest")
ALTERNATIVES: Final = {"alternatives", "nBest"}
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
# Keys of start and end, and their units in a second; None if programs differ.
_TIME_KEYS: Final = (
    ("start", "end", None),
    ("start_time", "end_time", 1),
    ("startTime", "endTime", 1),
    ("start_ms", "end_ms", 1000),
    ("startMs", "endMs", 1000),
    ("start_timestamp", "end_timestamp", 1),
    ("ts", "end_ts", 1),
    ("begin", "end", None),
    ("from", "to", None),
)
_SPACE_BEFORE_MARK: Final = re.compile(r" (?=[.,;:?!…%)]+(?: |\Z))")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")


@frozen
class Segment:
    """The words, times and speaker of one JSON object."""

    text: str
    speaker: str | None
    start: float | None
    end: float | None
    scale: int | None
    """The units of its times in a second: 1, 1000, or None if they may be either."""
    problem: str | None
    """Why a part of the object could not be read."""
    is_word: bool
    """Whether it is a single word of a sentence."""

    def in_seconds(self, scale: int) -> Segment:
        """
        Return the segment with times in seconds, and without impossible times.

        Args:
            scale: the scale, if that of the segment may be either.
        """
        start, end = (
            None if time is None else time / (self.scale or scale)
            for time in (self.start, self.end)
        )
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
    start, end, scale, time_problem = _times(value)
    if start is None and end is None and time_problem is None and parts:
        start, end, scale = parts[0].start, parts[-1].end, parts[0].scale
    is_word = key in _WORD_KEYS or value.get("type") in _WORD_TYPES
    return Segment(text, speaker, start, end, scale, time_problem or speaker_problem, is_word)


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
                for item in (items[:1] if key in ALTERNATIVES else items)
            ]
            if read and all(read):
                return [part for part in read if part]
    return []


def has_speaker(value: object) -> bool:
    """Return whether an object has a speaker itself."""
    return isinstance(value, dict) and _speaker(value)[0] is not None


def has_several_speakers(value: object) -> bool:
    """Return whether an object has words of several speakers, and no speaker itself."""
    if not isinstance(value, dict) or has_speaker(value):
        return False
    alternatives = value.get("alternatives")
    parts = [value, *(alternatives[:1] if isinstance(alternatives, list) else ())]
    lists = [part.get("words") for part in parts if isinstance(part, dict)]
    words = chain.from_iterable(found for found in lists if isinstance(found, list))
    return len({_speaker(word)[0] for word in words if isinstance(word, dict)} - {None}) > 1


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
            speaker = speaker.get("name") or speaker.get("id")
        if isinstance(speaker, str):
            return clean_name(speaker) or None, None
        # The comparison excludes NaN, which Python programs write for a missing speaker.
        if (
            isinstance(speaker, int | float)
            and not isinstance(speaker, bool)
            and -inf < speaker < inf
        ):
            return str(speaker).removesuffix(".0"), None
        if speaker is not None:
            return None, "has a speaker that is neither a string nor a number"
    return None, None


def _times(
    value: dict[str, Any],
) -> tuple[float | None, float | None, int | None, str | None]:
    """Return the start, the end, their scale, and why they could not be read."""
    given_start, given_end, scale = _raw_times(value)
    start, end = _number(given_start, scale), _number(given_end, scale)
    is_start_unread = start is None and given_start is not None
    if is_start_unread or (end is None and given_end is not None):
        return None, None, None, "has times that are not seconds"
    if start is not None and end is None and is_time(value.get("duration")):
        end = start + value["duration"]
    is_whole = all(time is None or isinstance(time, int) for time in (start, end))
    return start, end, scale or (None if is_whole else 1), None


def _raw_times(value: dict[str, Any]) -> tuple[object, object, int | None]:
    offsets = value.get("offsets")
    if isinstance(offsets, dict):
        return offsets.get("from"), offsets.get("to"), 1000
    for key in ("timestamp", "time"):
        pair = value.get(key)
        if isinstance(pair, list) and len(pair) == 2:
            return pair[0], pair[1], 1
    # By the start first, since several programs call the other one ``end``.
    starts = (keys for keys in _TIME_KEYS if value.get(keys[0]) is not None)
    ends = (keys for keys in _TIME_KEYS if value.get(keys[1]) is not None)
    keys = next(chain(starts, ends), None)
    if keys is None:
        return None, None, None
    start, end = value.get(keys[0]), value.get(keys[1])
    # Without a number, these are clock times or seconds.
    is_text = isinstance(start, str | None) and isinstance(end, str | None)
    return start, end, keys[2] or (1 if is_text else None)


def _number(value: object, scale: int | None) -> float | None:
    """Return a time in its units, or None if it is not a time."""
    if isinstance(value, str):
        value = _number_of_text(value, scale)
    elif isinstance(value, dict):
        value = value.get("relative")
    return value if is_time(value) else None


def _number_of_text(text: str, scale: int | None) -> float | None:
    if ":" in text:
        time = parse_timestamp(text)
        return time and time * (scale or 1)
    # Next to a number of unknown scale, such a string may be of either.
    number = text.removesuffix("s")
    return float(number) if scale and _NUMBER.fullmatch(number) else None
