"""Define parsed transcripts and turns, merge turns, and rename their speakers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from typing import Any

from attrs import evolve, field, frozen

from videosdk_transcripts._redact import plain_text
from videosdk_transcripts._validation import check_flag, check_items, check_number
from videosdk_transcripts.errors import ConfigurationError

from ._text import Words, write_text


def _count(items: Sized) -> str:
    return f"<{len(items)}>"


@frozen
class Turn:
    """
    The words of one speaker, without interruption.

    Equal by value, without `raw`. The repr shows only the times, because the rest is speech.

    Attributes:
        speaker: the speaker as named in the source; None if unknown.
        text: the words, without whitespace around each line; may be empty.
        start: seconds from the start of the transcript; None if the source has no time.
        end: seconds from the start of the transcript; None if the source has no time.
        raw: the exact source text, without the last line break.
    """

    speaker: str | None = field(repr=False)
    text: str = field(repr=False)
    start: float | None = None
    end: float | None = None
    raw: str = field(default="", repr=False, eq=False)

    def to_dict(self) -> dict[str, Any]:
        """Return `speaker`, `text`, `start` and `end`, ready for `json.dumps`; not `raw`."""
        return {"speaker": self.speaker, "text": self.text, "start": self.start, "end": self.end}


@frozen
class Unread:
    """
    A part of a transcript that could not be read.

    Attributes:
        line: the number of the first line, from 1.
        reason: why it could not be read. Never contains the text itself.
        raw: the exact source text, without the last line break.
    """

    line: int
    reason: str
    raw: str = field(repr=False)


@frozen
class Transcript:
    """
    A parsed transcript.

    Nothing is lost: all text that is not blank is in the `raw` of a turn, in the `raw` of an
    unread part, or in `frame`, except a byte order mark and the commas between JSON segments.

    Attributes:
        format: the format of the source: ``txt``, ``srt``, ``vtt``, ``tsv``, ``csv`` or
            ``json``.
        turns: the turns, in the order of the source.
        unread: the parts that could not be read, in the order of the source. A turn of which
            only the times are wrong is also in `turns`, without times.
        frame: text that belongs to the format: the headers of VTT and tables, the comments,
            styles and regions of VTT, lines of plain text with only a time, and the JSON around
            the segments.
    """

    format: str
    turns: tuple[Turn, ...] = field(repr=_count)
    unread: tuple[Unread, ...] = field(default=(), repr=_count)
    frame: tuple[str, ...] = field(default=(), repr=False)

    def to_dict(self) -> dict[str, Any]:
        """
        Return the transcript ready for `json.dumps`.

        It has ``format``, ``turns`` with the result of each `Turn.to_dict`, and ``unread`` with
        ``line``, ``reason`` and ``raw`` of each part that could not be read.
        """
        return {
            "format": self.format,
            "turns": [turn.to_dict() for turn in self.turns],
            "unread": [
                {"line": part.line, "reason": part.reason, "raw": part.raw} for part in self.unread
            ],
        }

    def to_text(self, *, times: bool = False) -> str:
        """
        Return the turns as plain text: ``Speaker: text``, one turn after the other.

        `parse_transcript` with ``format="txt"`` parses it into the same speakers and texts, and
        with `times` also into the same times. If a line would be parsed differently, its speaker
        is in brackets, or its words follow a backslash. A turn without a speaker follows a blank
        line.

        Args:
            times: whether to write ``[start --> end]`` before each turn, in hours, minutes,
                seconds and milliseconds; ``[start]`` if the end is unknown. A turn without a
                start is written without times.

        Returns:
            The text, with a line break at its end; empty without turns.

        Raises:
            ConfigurationError: `times` is not a bool.
        """
        check_flag("times", times)
        return write_text(
            [
                Words(turn.speaker, turn.text, turn.start, turn.end)
                if times
                else Words(turn.speaker, turn.text)
                for turn in self.turns
            ]
        )


def merge_turns(turns: Iterable[Turn], *, gap: float | None = None) -> tuple[Turn, ...]:
    """
    Merge consecutive turns of the same speaker.

    Turns without a speaker are not merged, because they may belong to different people. Texts are
    joined with a space, raw texts with a line break. A merged turn starts with its first part
    and ends with the part that ends last; its end is None if the end of any part is unknown.

    Args:
        turns: the turns, in order.
        gap: maximum seconds between the end of a turn and the start of the next one, 0 or
            more; turns are not merged if one of the two is unknown. None for no limit.

    Returns:
        The merged turns, in order; empty without turns.

    Raises:
        ConfigurationError: `gap` is not a number of 0 or more, or `turns` are not turns.
    """
    if gap is not None:
        check_number("gap", gap, least=0)
    turns = check_turns(turns)
    groups: list[list[Turn]] = []
    # The latest end in the group, which may be that of an earlier turn.
    end: float | None = None
    for turn in turns:
        if groups and turn.speaker is not None and turn.speaker == groups[-1][0].speaker:
            near = gap is None or (
                end is not None and turn.start is not None and turn.start - end <= gap
            )
            if near:
                groups[-1].append(turn)
                end = None if end is None or turn.end is None else max(end, turn.end)
                continue
        groups.append([turn])
        end = turn.end
    return tuple(group[0] if len(group) == 1 else _merge(group) for group in groups)


def _merge(group: list[Turn]) -> Turn:
    ends = [turn.end for turn in group if turn.end is not None]
    return evolve(
        group[0],
        text=" ".join(turn.text for turn in group if turn.text),
        end=max(ends) if len(ends) == len(group) else None,
        raw="\n".join(turn.raw for turn in group if turn.raw),
    )


def rename_speakers(turns: Iterable[Turn], names: Mapping[str, str]) -> tuple[Turn, ...]:
    """
    Rename speakers.

    Args:
        turns: the turns, in order.
        names: old name to new name. Names are compared exactly. Turns of other speakers, and all
            raw texts, stay unchanged.

    Returns:
        All turns, in the same order.

    Raises:
        ConfigurationError: `turns` are not turns, or `names` does not map strings to strings.
    """
    turns = check_turns(turns)
    new_names = _check_names(names)
    return tuple(evolve(turn, speaker=new_names.get(turn.speaker, turn.speaker)) for turn in turns)


def check_turns(turns: object) -> list[Turn]:
    """
    Return turns as a list.

    Raises:
        ConfigurationError: the argument is not an iterable of turns.
    """
    if isinstance(turns, Transcript):
        raise ConfigurationError("turns must be a sequence of Turn; pass transcript.turns")
    return check_items("turns", turns, Turn)


def _check_names(names: object) -> dict[str | None, str]:
    pairs = list(names.items()) if isinstance(names, Mapping) else None
    if pairs is None or not all(isinstance(name, str) for pair in pairs for name in pair):
        raise ConfigurationError("names must map each old name to a new one, both strings")
    return {plain_text(old): plain_text(new) for old, new in pairs}
