"""What a transcript is read into, and what can be done with it. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized

from attrs import evolve, field, frozen

from videosdk_transcripts._validation import check_number


def _count(items: Sized) -> str:
    return f"<{len(items)}>"


@frozen
class Turn:
    """
    What one speaker said at a time.

    Equal by value, whatever it was read from. Its repr shows the times alone, as the rest
    is what people said.
    """

    speaker: str | None = field(repr=False)
    """Who spoke, in the source's own words; None where it does not say."""
    text: str = field(repr=False)
    """What was said, without space around its lines; maybe empty."""
    start: float | None = None
    """Seconds from the start of the transcript; None where the source says none."""
    end: float | None = None
    """Seconds from the start of the transcript; None where the source says none."""
    raw: str = field(default="", repr=False, eq=False)
    """Exactly what it was read from, without the last line's end."""


@frozen
class Unread:
    """A part of a transcript that could not be read."""

    line: int
    """The number of its first line, from 1."""
    reason: str
    """What is wrong with it. Never the text itself."""
    raw: str = field(repr=False)
    """Exactly what stands there, without the last line's end."""


@frozen
class Transcript:
    """
    A transcript as it was read.

    Nothing is lost: what is not blank is in the `raw` of a turn, in that of an unread part,
    or in `frame`. Only the byte order mark and the commas between the segments of JSON are
    left out.
    """

    format: str
    """What it was read as: ``txt``, ``srt``, ``vtt``, ``tsv`` or ``json``."""
    turns: tuple[Turn, ...] = field(repr=_count)
    """In the order of the source."""
    unread: tuple[Unread, ...] = field(default=(), repr=_count)
    """
    What could not be read, in the order of the source. Where only the times of a turn are
    wrong, the turn is there without them, and here as well.
    """
    frame: tuple[str, ...] = field(default=(), repr=False)
    """
    What belongs to the format and to no turn: the heads of VTT and TSV, the comments, styles
    and regions of VTT, and what stands around the segments of JSON.
    """


def merge_turns(turns: Iterable[Turn], *, gap: float | None = None) -> tuple[Turn, ...]:
    """
    Join neighbours of the same speaker.

    Turns without a speaker stay as they are: nothing says that they are one's. The text is
    joined with a space, and the raw text with a line break. A joined turn starts with its
    first part. It ends with the part that ends last, or has no end where that of one of
    its parts is not known.

    Args:
        turns: the turns, in order.
        gap: how many seconds may lie between the end of a turn and the start of the next
            one, 0 or more; where one of the two is not known, these turns are not joined.
            None joins whatever lies between them.

    Raises:
        ConfigurationError: the gap is no number of 0 or more.
    """
    if gap is not None:
        check_number("gap", gap, least=0)
    groups: list[list[Turn]] = []
    # Where the group ends, as a turn within it may end after the last one.
    end: float | None = None
    for turn in turns:
        if groups and turn.speaker is not None and turn.speaker == groups[-1][-1].speaker:
            near = gap is None or (
                end is not None and turn.start is not None and turn.start - end <= gap
            )
            if near:
                groups[-1].append(turn)
                end = None if end is None or turn.end is None else max(end, turn.end)
                continue
        groups.append([turn])
        end = turn.end
    return tuple(group[0] if len(group) == 1 else _joined(group) for group in groups)


def _joined(group: list[Turn]) -> Turn:
    ends = [turn.end for turn in group if turn.end is not None]
    return evolve(
        group[0],
        text=" ".join(turn.text for turn in group if turn.text),
        end=max(ends) if len(ends) == len(group) else None,
        raw="\n".join(turn.raw for turn in group if turn.raw),
    )


def rename_speakers(turns: Iterable[Turn], names: Mapping[str, str]) -> tuple[Turn, ...]:
    """
    Give speakers other names.

    Args:
        turns: the turns, in order.
        names: the new name for each old one, which must be exactly that of the turn.
            Turns of other speakers, or of none, stay as they are. The raw text stays.
    """
    return tuple(
        turn
        if turn.speaker is None
        else evolve(turn, speaker=names.get(turn.speaker, turn.speaker))
        for turn in turns
    )
