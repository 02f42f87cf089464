"""Plain text: lines that may begin with a speaker, ``Speaker: text`` or ``[Speaker]: text``."""

from __future__ import annotations

from typing import Final

from ._common import join_lines, split_lines, strip_lines
from ._turns import Transcript, Turn

# More than any speaker's name seen so far; anything longer is a sentence with a colon.
_MAX_CHARACTERS: Final = 60
_MAX_WORDS: Final = 6
_NOT_IN_NAMES: Final = frozenset(',;!?"“”<>[]{}=')


def read_txt(text: str) -> Transcript:
    """
    Read lines, with or without speakers.

    If the first line names a speaker, unlabelled lines belong to the speaker directly above
    them, up to a blank line. Every other unlabelled line is a turn without a speaker, so that
    a sentence with a colon does not claim all lines below it.
    """
    turns: list[Turn] = []
    # The lines of the last speaker, while more may follow.
    block: list[str] = []
    starts_with_speaker: bool | None = None
    for line in split_lines(text):
        is_labelled = split_label(line) is not None
        if starts_with_speaker is None and line.strip():
            starts_with_speaker = is_labelled
        if block and starts_with_speaker and line.strip() and not is_labelled:
            block.append(line)
            continue
        if block:
            turns.append(_turn(block))
        block = [line] if is_labelled else []
        if line.strip() and not is_labelled:
            turns.append(Turn(speaker=None, text=line.strip(), raw=join_lines([line])))
    if block:
        turns.append(_turn(block))
    return Transcript(format="txt", turns=tuple(turns))


def _turn(block: list[str]) -> Turn:
    ((speaker, text, _),) = split_labels(block)
    return Turn(speaker=speaker, text=text, raw=join_lines(block))


def split_label(line: str) -> tuple[str, str] | None:
    """
    Split a line into speaker and text, or return None if it does not begin with a speaker.

    A speaker ends at the first colon, which is followed by white space or the end of the
    line; URLs and times of day are therefore no speakers. It contains a letter, at most 60
    characters and six words, and none of ``,;!?"<>[]{}=``, which occur in sentences and code.
    In brackets it may have any number of words and any character except brackets.
    """
    line = line.strip()
    in_brackets = line.startswith("[")
    name, colon, text = line[1:].partition("]:") if in_brackets else line.partition(":")
    if not colon or len(name) > _MAX_CHARACTERS or (text and not text[0].isspace()):
        return None
    if in_brackets:
        fits = not {"[", "]"} & set(name)
    else:
        fits = not _NOT_IN_NAMES & set(name) and len(name.split()) <= _MAX_WORDS
    if not fits:
        return None
    name = name.strip()
    return (name, text.strip()) if any(c.isalpha() for c in name) else None


def split_labels(lines: list[str]) -> list[tuple[str | None, str, str]]:
    """
    Return speaker, text and raw text of each speaker in one cue.

    Lines of a cue wrap anywhere, also after a word with a colon. So further speakers are
    recognized only if the first line names one.

    Args:
        lines: the lines as they are in the source.
    """
    if not lines or split_label(lines[0]) is None:
        return [(None, strip_lines("".join(lines)), "".join(lines))]
    found: list[tuple[str | None, list[str], list[str]]] = []
    for line in lines:
        label = split_label(line)
        if label is None:
            _, texts, raws = found[-1]
            texts.append(line)
            raws.append(line)
        else:
            speaker, text = label
            found.append((speaker, [text + "\n"], [line]))
    return [(speaker, strip_lines("".join(texts)), "".join(raws)) for speaker, texts, raws in found]
