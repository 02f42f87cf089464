"""
Read plain text, whose lines may begin with a speaker, a time or both.

Examples are ``Ann: Hi``, ``[00:05] Ann: Hi``, and ``Ann  0:05`` with the words below.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from attrs import Factory, define

from ._common import join_lines, split_lines, strip_lines
from ._labels import Line, Shape, read_line
from ._speakers import Outcome, Speakers
from ._stamps import Times
from ._turns import Transcript, Turn


def read_txt(text: str) -> Transcript:
    """
    Read lines, with or without speakers and times.

    Lines without a label belong to the speaker directly above them, up to a blank line, if the
    text begins with a speaker, or if the speaker occurs more than once. Otherwise each of them is
    a turn without a speaker.
    """
    sources = split_lines(text)
    lines = [read_line(source) if source.strip() else None for source in sources]
    reader = _Reader(Speakers.of(_paragraphs(lines), is_wrapped=False))
    names = _find_names_above_times(lines, reader.speakers)
    for number, (source, line) in enumerate(zip(sources, lines, strict=True)):
        if line is None:
            reader.read_blank(source)
        elif line.source.startswith("\\"):
            reader.read_escaped(source, line.source[1:])
        elif number in names:
            reader.read_header(source, line, names[number])
        else:
            reader.read(source, line)
    reader.close()
    return Transcript(format="txt", turns=tuple(reader.turns), frame=tuple(reader.frame))


def _paragraphs(lines: Sequence[Line | None]) -> Iterator[list[Line]]:
    """Iterate over the lines between blank lines."""
    for is_words, group in groupby(lines, key=lambda line: line is not None):
        if is_words:
            yield [line for line in group if line]


def _find_names_above_times(
    lines: Sequence[Line | None], speakers: Speakers
) -> dict[int, str | None]:
    """
    Find names that are alone on a line, directly above a time.

    Words between two times are not a name, because times may alternate with words.
    """
    found: dict[int, str | None] = {}
    previous: Line | None = None
    for number, line in enumerate(lines[:-1]):
        if line is None:
            continue
        below = lines[number + 1]
        is_above_time = below is not None and below.is_time and speakers.has_time(below)
        is_below_time = previous is not None and previous.is_time
        if is_above_time and not is_below_time and line.shape is None and line.times is None:
            label = read_line(f"{line.source}:")
            if label.shape is Shape.NAME:
                found[number] = label.name
        previous = line
    return found


@define
class _Block:
    """The turn in progress, to which further lines may belong."""

    speaker: str | None = None
    times: Times | None = None
    texts: list[str] = Factory(list)
    raws: list[str] = Factory(list)
    continues: bool = False
    """Whether lines without a label belong to it, until a blank line."""
    awaits_words: bool = False
    """Whether it has no words yet, so the next line has them."""
    after_blank: bool = False

    @property
    def takes_words(self) -> bool:
        """Return whether a line without a label belongs to it."""
        return self.awaits_words or (self.continues and not self.after_blank)

    def append(self, source: str, text: str) -> None:
        """Add a line."""
        self.texts.append(text)
        self.raws.append(source)
        self.awaits_words = self.after_blank = False


@define
class _Reader:
    speakers: Speakers
    turns: list[Turn] = Factory(list)
    frame: list[str] = Factory(list)
    block: _Block | None = None
    starts_with_speaker: bool | None = None

    def read_blank(self, source: str) -> None:
        """Read a blank line, which ends a turn that has words."""
        if self.block and self.block.awaits_words:
            self.block.raws.append(source)
        if self.block:
            self.block.after_blank = True

    def read_escaped(self, source: str, text: str) -> None:
        """Read words after a backslash, whatever they look like."""
        if self.block and not self.block.after_blank:
            self.block.append(source, text)
        else:
            self._open(_Block(texts=[text], raws=[source]))

    def read(self, source: str, line: Line) -> None:
        """Read a line that is not blank."""
        has_time = self.speakers.has_time(line)
        outcome = self.speakers.outcome(line, self._above())
        if self.starts_with_speaker is None:
            self.starts_with_speaker = outcome is Outcome.SPEAKER
        if line.is_header and (outcome is Outcome.SPEAKER or has_time):
            self.read_header(source, line, line.name)
        elif outcome is Outcome.SPEAKER:
            self._read_labelled(source, line)
        elif outcome is Outcome.UNSURE or line.changes_speaker or has_time:
            self._read_unlabelled(source, line, has_time=has_time)
        elif self.block and self.block.takes_words:
            self.block.append(source, line.source)
        else:
            self._open(_Block(texts=[line.source], raws=[source]))

    def _above(self) -> str | None:
        """Return the line directly above if it belongs to a speaker."""
        block = self.block
        if block and block.speaker and block.texts and not block.after_blank:
            return block.texts[-1]
        return None

    def read_header(self, source: str, line: Line, name: str | None) -> None:
        """Read a line with a name, a time or both, whose words are below."""
        block = self.block
        if block and block.awaits_words and name in (None, block.speaker):
            block.raws.append(source)
            block.times = block.times or line.times
            return
        self._open(_Block(name, line.times, raws=[source], continues=True, awaits_words=True))

    def close(self) -> None:
        """End the turn above."""
        block, self.block = self.block, None
        if block is None:
            return
        if block.awaits_words and block.speaker is None:
            self.frame.append(join_lines(block.raws).rstrip())
            return
        times = block.times or Times()
        raw = join_lines(block.raws).rstrip() if block.awaits_words else join_lines(block.raws)
        text = strip_lines("\n".join(block.texts))
        self.turns.append(Turn(block.speaker, text, times.start, times.end, raw))

    def _read_labelled(self, source: str, line: Line) -> None:
        block = self._take_time()
        text = line.text.removeprefix("\\")
        self._open(
            _Block(
                line.name,
                line.times or block.times,
                texts=[text] if line.text else [],
                raws=[*block.raws, source],
                continues=bool(self.starts_with_speaker or self.speakers.is_known(line.name)),
                awaits_words=not line.text,
            )
        )

    def _read_unlabelled(self, source: str, line: Line, *, has_time: bool) -> None:
        block = self._take_time()
        words = line.words.removeprefix("\\") if has_time else line.source
        self._open(
            _Block(
                None,
                line.times if has_time else block.times,
                texts=[words],
                raws=[*block.raws, source],
                continues=has_time,
            )
        )

    def _take_time(self) -> _Block:
        """Return the block of a time alone on the line above, or an empty block."""
        block = self.block
        if block and block.awaits_words and block.speaker is None:
            self.block = None
            return block
        return _Block()

    def _open(self, block: _Block) -> None:
        self.close()
        self.block = block
