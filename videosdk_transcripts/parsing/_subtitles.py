"""Turns into subtitles: SRT and WebVTT. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from videosdk_transcripts.errors import ConfigurationError

from ._labels import split_label
from ._lines import tidy
from ._markup import escape
from ._times import in_order, is_time, write_clock
from ._turns import Turn

_ARROW: Final = re.compile("-{2,}>")


def to_srt(turns: Iterable[Turn]) -> str:
    """
    Write turns as SRT.

    One cue a turn, in the order given, with the speaker in front: ``Speaker: text``, or
    ``[Speaker]: text`` where the first would not be read as a speaker. Blank lines are
    left out, and an arrow ``-->`` becomes ``->``, as SRT can't hold either.

    Args:
        turns: turns with times, to the millisecond in the result. None give an empty text.

    Raises:
        ConfigurationError: a turn has no start or no end, or they are no seconds of 0 or
            more, or it ends before it starts. No time is made up.
    """
    cues: list[str] = []
    for number, turn in enumerate(turns):
        start, end = _times(number, turn)
        body = _ARROW.sub("->", _labelled(turn))
        cues.append(
            f"{number + 1}\n{write_clock(start, ',')} --> {write_clock(end, ',')}\n{body}\n"
        )
    return "\n".join(cues)


def to_vtt(turns: Iterable[Turn]) -> str:
    """
    Write turns as WebVTT.

    One cue a turn, in the order given, with the speaker as its voice: ``<v Speaker>text``.
    What has a meaning in WebVTT is escaped, and blank lines are left out.

    Args:
        turns: turns with times, to the millisecond in the result. None give the head alone.

    Raises:
        ConfigurationError: a turn has no start or no end, or they are no seconds of 0 or
            more, or it ends before it starts. No time is made up.
    """
    cues = ["WEBVTT\n"]
    for number, turn in enumerate(turns):
        start, end = _times(number, turn)
        speaker = _speaker(turn)
        voice = f"<v {escape(speaker)}>" if speaker else ""
        body = f"{voice}{escape(_text(turn))}"
        cues.append(f"{write_clock(start, '.')} --> {write_clock(end, '.')}\n{body}\n")
    return "\n".join(cues)


def _times(number: int, turn: Turn) -> tuple[float, float]:
    start, end = _time(number, "a start", turn.start), _time(number, "an end", turn.end)
    if not in_order(start, end):
        raise ConfigurationError(f"turns[{number}] ends at {end!r}, before its start at {start!r}")
    return start, end


def _time(number: int, name: str, time: float | None) -> float:
    if is_time(time):
        return time
    what = f"lacks {name}" if time is None else f"has {name} that is no time"
    raise ConfigurationError(
        f"turns[{number}] {what}; subtitles are made of turns with times in seconds, 0 or more: "
        "leave out the others, or take a format of the transcript that has times"
    )


def _text(turn: Turn) -> str:
    # Players may take for a line's end whatever Python does.
    return tidy("\n".join(turn.text.splitlines()))


def _speaker(turn: Turn) -> str:
    return " ".join((turn.speaker or "").split())


def _labelled(turn: Turn) -> str:
    speaker, text = _speaker(turn), _text(turn)
    if not speaker:
        return text
    label = f"{speaker}:"
    if split_label(label) != (speaker, ""):
        label = f"[{speaker}]:"
    return f"{label} {text}".rstrip()
