"""Write turns as subtitles: SRT and WebVTT."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from videosdk_transcripts.errors import ConfigurationError

from ._common import clean_name, format_timestamp, is_ordered, is_time, strip_lines
from ._labels import is_only_words
from ._srt_vtt import match_timing
from ._text import find_label
from ._turns import Turn, check_turns

_ARROW: Final = re.compile("-+>")


def to_srt(turns: Iterable[Turn]) -> str:
    """
    Write turns as SRT.

    Each turn becomes one cue, in the given order, prefixed with its speaker: ``Speaker: text``, or
    ``[Speaker]: text`` if the former would not be parsed as a speaker. SRT can represent neither
    blank lines, which are removed, nor ``-->``, which becomes ``->``. A line that would be parsed
    as another speaker is joined to the line above. Nothing is escaped, because SRT has no escapes.

    Args:
        turns: turns with times, which are rounded to milliseconds.

    Returns:
        The text of an SRT file; empty without turns.

    Raises:
        ConfigurationError: a turn lacks a start or end, has one that is not in seconds of 0 or
            more, or ends before it starts; or `turns` are not turns. Times are never invented.
    """
    cues: list[str] = []
    for number, turn in enumerate(check_turns(turns)):
        start, end = _times(number, turn)
        times = f"{format_timestamp(start, ',')} --> {format_timestamp(end, ',')}"
        cues.append(f"{number + 1}\n{times}\n{_labelled(turn)}\n")
    return "\n".join(cues)


def to_vtt(turns: Iterable[Turn]) -> str:
    """
    Write turns as WebVTT.

    Each turn becomes one cue, in the given order, with its speaker as the voice:
    ``<v Speaker>text``. Characters with a meaning in WebVTT are escaped, and blank lines are
    removed.

    Args:
        turns: turns with times, which are rounded to milliseconds.

    Returns:
        The text of a WebVTT file; without turns, only its header.

    Raises:
        ConfigurationError: a turn lacks a start or end, has one that is not in seconds of 0 or
            more, or ends before it starts; or `turns` are not turns. Times are never invented.
    """
    cues = ["WEBVTT\n"]
    for number, turn in enumerate(check_turns(turns)):
        start, end = _times(number, turn)
        times = f"{format_timestamp(start, '.')} --> {format_timestamp(end, '.')}"
        speaker = _speaker(turn)
        voice = f"<v {_escape(speaker)}>" if speaker else ""
        cues.append(f"{times}\n{voice}{_escape(_text(turn))}\n")
    return "\n".join(cues)


def _times(number: int, turn: Turn) -> tuple[float, float]:
    start, end = _time(number, "start", turn.start), _time(number, "end", turn.end)
    if not is_ordered(start, end):
        raise ConfigurationError(f"turns[{number}] ends at {end!r}, before its start at {start!r}")
    return start, end


def _time(number: int, name: str, time: float | None) -> float:
    if is_time(time):
        return time
    problem = f"has no {name}" if time is None else f"has an invalid {name}"
    raise ConfigurationError(
        f"turns[{number}] {problem}; subtitles need a start and an end in seconds, 0 or more: "
        "leave out turns without them, or use a format of the transcript that has times"
    )


def _text(turn: Turn) -> str:
    # Like `splitlines`, players may break lines at other characters than line feeds.
    return strip_lines("\n".join(turn.text.splitlines()))


def _speaker(turn: Turn) -> str:
    return clean_name(turn.speaker or "")


def _labelled(turn: Turn) -> str:
    speaker, *texts = map(_without_arrows, (_speaker(turn), *_text(turn).split("\n")))
    lines: list[str] = []
    for text in texts:
        line = text
        # The joined line may be parsed as a speaker as well: `thanks` and `Ann: Hi`.
        while speaker and lines and not is_only_words(line):
            line = f"{lines.pop()} {line}"
        lines.append(line)
    if speaker:
        lines[0] = f"{find_label(speaker, lines[0])} {lines[0]}".rstrip()
    return "\n".join(lines)


def _without_arrows(line: str) -> str:
    line = _ARROW.sub("->", line)
    timing = match_timing(line)
    return line.replace(timing["arrow"], "→") if timing else line


def _escape(text: str) -> str:
    """Return a text escaped for a WebVTT cue, so that it contains no tag and no arrow."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
