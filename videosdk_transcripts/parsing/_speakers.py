"""
Decide which lines name a speaker, given the other lines of a text.

The rule is documented in docs/guides/text.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import Enum, auto

from attrs import Factory, define, field

from ._labels import Line, Shape, begins_inside_sentence, ends_sentence


class Outcome(Enum):
    """Whether a line names a speaker."""

    SPEAKER = auto()
    """The line begins with the name of a speaker."""
    UNSURE = auto()
    """The line may begin with a name, so its words do not belong to the speaker above."""
    WORDS = auto()
    """The line has only words."""


@define
class Speakers:
    """The names and times that occur in the lines of a text."""

    is_wrapped: bool
    """Whether lines may wrap: some have only words, or those of the format always may."""
    counts: Counter[str | None] = Factory(Counter)
    """How often each name occurs where a speaker may begin."""
    in_sentences: Counter[str | None] = Factory(Counter)
    """How often each name occurs elsewhere, below a line that does not end a sentence."""
    is_labelled: bool = field(init=False)
    """Whether at least two lines, and three quarters of the expected ones, begin with a label."""
    expected: Counter[str] = Factory(Counter)
    """How often each unusual label begins a line where a label is expected."""
    labelled: int = 0
    """How many lines where a label is expected begin with a usual one."""
    lines: int = 0
    """In how many lines a label is expected."""
    names: int = 0
    """How many of all lines begin with a name."""
    in_lower_case: int = 0
    """How many of these names begin in lower case."""
    times: int = 0
    """How many lines are a time and nothing else."""
    stamped: int = 0
    """How many lines begin with a time."""
    numbered: int = 0
    """How many lines begin with a name and a number in brackets, without a colon."""

    @classmethod
    def of(cls, groups: Iterable[Sequence[Line]], *, is_wrapped: bool) -> Speakers:
        """
        Return the counts for all lines of a text.

        Args:
            groups: lines that belong together, such as those between two blank lines.
            is_wrapped: whether a name is expected only in the first line of a group.
        """
        found = cls(is_wrapped=is_wrapped)
        for group in groups:
            for number, line in enumerate(group):
                above = group[number - 1].source if number else None
                found._add(line, above, is_expected=not (number and is_wrapped))
        recurring = sum(count for count in found.expected.values() if count > 1)
        labelled = found.labelled + recurring
        found.is_labelled = 4 * labelled >= 3 * found.lines and found.names + recurring > 1
        return found

    def _add(self, line: Line, above: str | None, *, is_expected: bool) -> None:
        self.lines += is_expected
        self.times += line.is_time
        self.stamped += line.times is not None and not line.is_header
        if line.name is None:
            self.is_wrapped = True
            return
        is_labelled = line.shape in (Shape.NAME, Shape.SHORT)
        is_lower = line.name[0].islower()
        self.labelled += is_expected and is_labelled
        self.names += is_labelled
        self.in_lower_case += is_labelled and is_lower
        self.numbered += line.is_numbered
        if is_expected and not is_labelled:
            self.expected[line.name] += 1
        if line.lacks_colon:
            return
        if (is_labelled and not is_lower) or above is None or ends_sentence(above):
            self.counts[line.name] += 1
        elif is_expected or not is_labelled:
            self.in_sentences[line.name] += 1

    def is_known(self, name: str | None) -> bool:
        """Return whether a name occurs at least twice where lines may begin with one."""
        count = self.counts[name]
        if self.is_labelled:
            count += self.in_sentences[name]
        return count > 1

    def has_time(self, line: Line) -> bool:
        """Return whether a line begins with a time that is not part of a sentence."""
        if line.words == line.source:
            return False
        if line.is_time:
            return line.is_clear_time or self.times > 1
        is_column = self.stamped > 1 and 4 * self.stamped >= 3 * self.lines
        return line.is_clear_time or is_column or line.shape is Shape.NAME

    def outcome(self, line: Line, above: str | None) -> Outcome:
        """
        Return whether a line names a speaker.

        Args:
            line: the line.
            above: the line above if it belongs to a speaker, otherwise None.
        """
        if line.name is None:
            return Outcome.WORDS
        has_clear_time = line.is_header and line.is_clear_time
        match line.shape:
            case Shape.NAME if line.lacks_colon:
                is_known = self.counts[line.name] > 0
                is_speaker = is_known or (line.is_numbered and self.numbered > 1)
            case Shape.NAME:
                is_speaker = not line.is_header or has_clear_time or self.is_known(line.name)
            case Shape.SHORT | Shape.LONG if has_clear_time:
                is_speaker = self.is_known(line.name) or self._may_begin(above)
            case Shape.SHORT:
                is_usual = self.is_labelled and self._is_usual(line.name, above)
                is_speaker = self.is_known(line.name) or is_usual
            case Shape.LONG if self._is_in_sentence(line.name, above):
                return Outcome.WORDS
            case _:
                is_speaker = self._is_recurring(line.name)
        return Outcome.SPEAKER if is_speaker else Outcome.UNSURE

    def _is_recurring(self, name: str | None) -> bool:
        """Return whether an unusual label occurs twice in a text whose lines have labels."""
        count = self.counts[name] + (0 if self.is_wrapped else self.in_sentences[name])
        return self.is_labelled and count > 1

    def _is_in_sentence(self, name: str | None, above: str | None) -> bool:
        """Return whether a long label occurs once, within a wrapped sentence."""
        if above is None or ends_sentence(above) or not self.is_wrapped:
            return False
        return self.counts[name] + self.in_sentences[name] < 2

    def _is_usual(self, name: str, above: str | None) -> bool:
        """Return whether the case and the place of a short label are those of the others."""
        if name[0].islower() and 2 * self.in_lower_case <= self.names:
            return False
        return self._may_begin(above) and not begins_inside_sentence(name)

    def _may_begin(self, above: str | None) -> bool:
        """Return whether a label may begin here: the line above ends a sentence, if lines wrap."""
        return above is None or ends_sentence(above) or not self.is_wrapped
