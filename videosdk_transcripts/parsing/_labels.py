"""Lines that begin with who speaks: ``Speaker: text`` and ``[Speaker]: text``."""

from __future__ import annotations

from typing import Final

from ._lines import joined, split_lines, tidy
from ._turns import Transcript, Turn

# Longer than any name that was seen; what is longer is a sentence with a colon in it.
_MOST: Final = 60
_MOST_WORDS: Final = 6
_NOT_IN_NAMES: Final = frozenset(',;!?"“”<>[]{}=')


def split_label(line: str) -> tuple[str, str] | None:
    """
    Return who speaks and what a line says, or None where no speaker stands in front.

    A speaker stands in front of the first colon, which ends the line or has white space
    behind it: so no URL and no time of day is one. It has a letter, at most 60 characters
    and six words, and none of ``,;!?"<>[]{}=``, which sentences and code have. In brackets
    it may have any number of words, and all signs but further brackets.
    """
    line = line.strip()
    if line.startswith("["):
        name, colon, text = line[1:].partition("]:")
        fits = not {"[", "]"} & set(name[: _MOST + 1])
    else:
        name, colon, text = line.partition(":")
        start = name[: _MOST + 1]
        fits = not _NOT_IN_NAMES & set(start) and len(start.split()) <= _MOST_WORDS
    if not colon or not fits or len(name) > _MOST or (text and not text[0].isspace()):
        return None
    name = name.strip()
    return (name, text.strip()) if any(c.isalpha() for c in name) else None


def split_labels(lines: list[str]) -> list[tuple[str | None, str, str]]:
    """
    Return speaker, text and raw text for all that speak in one cue.

    A line breaks off anywhere there. So further speakers are looked for only where the
    first line names one.

    Args:
        lines: the lines as they stand in the source.
    """
    if not lines or split_label(lines[0]) is None:
        return [(None, tidy("".join(lines)), "".join(lines))]
    found: list[tuple[str | None, list[str], list[str]]] = []
    for line in lines:
        label = split_label(line)
        if label is None:
            found[-1][1].append(line)
            found[-1][2].append(line)
        else:
            found.append((label[0], [label[1] + "\n"], [line]))
    return [(speaker, tidy("".join(texts)), "".join(raws)) for speaker, texts, raws in found]


def read_txt(text: str) -> Transcript:
    """
    Read lines, with speakers or without.

    Where the first line names a speaker, lines without one belong to the speaker right
    above them, up to a blank line. All other lines without one are turns of their own, by
    nobody knows whom: a sentence with a colon in it must not make a speaker of all below.
    """
    turns: list[Turn] = []
    # What the last speaker said, while lines may be added to it.
    block: list[str] = []
    may_go_on: bool | None = None
    for line in split_lines(text):
        is_labelled = split_label(line) is not None
        if may_go_on is None and line.strip():
            may_go_on = is_labelled
        if block and may_go_on and line.strip() and not is_labelled:
            block.append(line)
            continue
        if block:
            turns.append(_turn(block))
        block = [line] if is_labelled else []
        if line.strip() and not is_labelled:
            turns.append(Turn(speaker=None, text=line.strip(), raw=joined([line])))
    if block:
        turns.append(_turn(block))
    return Transcript(format="txt", turns=tuple(turns))


def _turn(block: list[str]) -> Turn:
    ((speaker, text, _),) = split_labels(block)
    return Turn(speaker=speaker, text=text, raw=joined(block))
