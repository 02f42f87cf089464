"""
Read a single line: its time, its name, and what the name looks like.

Whether the name is that of a speaker may depend on the other lines (`_speakers`). The rule is
documented in docs/guides/text.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

from attrs import define

from ._common import clean_name
from ._stamps import Stamp, Times, inner_times, leading_stamp, trailing_stamp

# Limits of a name, more than any speaker's name seen so far. Longer ones are sentences.
_MAX_CHARACTERS: Final = 60
_MAX_WORDS: Final = 10
_MAX_COMMAS: Final = 2
# A name does not end after this column, even with invisible characters.
_MAX_COLUMN: Final = 120
# Every label and every time contains one of these.
_MAY_HAVE_LABEL: Final = re.compile(r"[:\uff1a\ufe55\[(]|[0-9]\s?[ms]")
_COLON: Final = re.compile("[:\uff1a\ufe55]")
_ADDRESS: Final = re.compile(r"(?:sips?|tel):(?=[^\s:])", re.IGNORECASE)
_PHONE: Final = re.compile(r"[+0-9*(][0-9* .()/-]{4,}")
_DATE: Final = re.compile(r"[0-9]+([-./])[0-9][0-9]?\1[0-9]+")
_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+")
_BRACKETED: Final = re.compile(r"\[((?:[^\[\]\\]|\\.)+)\]\s*[:\uff1a\ufe55]", re.DOTALL)
_IN_BRACKETS: Final = re.compile(r"\[([^\[\]]+)\]|\(([^()]+)\)")
_NUMBERED: Final = re.compile(r"[^\W\d_]+[ _-]?[0-9]+")
# In brackets, a backslash escapes a bracket, a backslash, or the whole name.
_ESCAPED: Final = re.compile(r"\A\\(?![\[\]\\])|\\([\[\]\\])")
_GROUP: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
# List markers, headings, marks of another speaker, and emphasis.
_MARK: Final = re.compile(
    r"[-\u2013\u2014*\u2022\u2023\u25e6+>\u00bb]+\s+|#+\s+|[0-9]+[.)]\s+"
    r"|>>+|\u00bb|[-\u2013\u2014\u2022](?=\w)|[*_]+(?=\S)"
)
# Characters of sentences and of code, and brackets without their counterpart.
_NOT_IN_NAMES: Final = frozenset(
    '()[];!?"\u201c\u201d\u201e\u00ab\u00bb<>{}=\u3002\uff01\uff1f\uff1b'
)
_COMMAS: Final = frozenset(",\uff0c\u3001")
_SENTENCE_END: Final = re.compile(r"[.?!\u2026\u3002\uff1f\uff01][\"'\u201d\u2019\u00bb)\]*_]*\Z")
_LONG_WORD_WITH_STOP: Final = re.compile(r"\w{5,}\.\s")
_KATAKANA: Final = re.compile("[\u30a0-\u30ff]")
# Hiragana and ideographs.
_WITHOUT_SPACES: Final = re.compile("[\u3040-\u309f\u3400-\u9fff]")
_CHANGES_SPEAKER: Final = re.compile(r">>|\u00bb")
_DASH: Final = re.compile(r"[-\u2013\u2014]\s*[\"'\u201c\u2018\u00ab(\[\u00bf\u00a1]*\w")


class Shape(Enum):
    """What the words before a colon look like, without regard to other lines."""

    NAME = auto()
    """A name, a phone number or an address."""
    SHORT = auto()
    """Words that may be a name or the beginning of a sentence."""
    LONG = auto()
    """Three or four words that are more likely the beginning of a sentence."""
    ODD = auto()
    """Neither a name nor a sentence."""


@define(eq=False)
class Line:
    """One line, as far as it can be read without the others."""

    source: str
    """The line, without surrounding whitespace."""
    words: str
    """The words after a time."""
    name: str | None = None
    shape: Shape | None = None
    text: str = ""
    """The words after the name."""
    times: Times | None = None
    is_clear_time: bool = False
    """Whether the time can't be part of a sentence."""
    is_header: bool = False
    """Whether the line has only a name, a time, or both."""
    lacks_colon: bool = False
    """Whether the name has no colon, so it may be a sound or part of a sentence."""
    is_numbered: bool = False
    """Whether the name has a number and no colon, as in ``[speaker 1] Hi``."""

    @property
    def is_time(self) -> bool:
        """Return whether the line is a time and nothing else."""
        return self.is_header and self.name is None

    @property
    def changes_speaker(self) -> bool:
        """Return whether the line begins with ``>>``, which marks another speaker in captions."""
        return _CHANGES_SPEAKER.match(self.source) is not None

    @property
    def has_dash(self) -> bool:
        """Return whether the line begins with a dash, which marks another speaker in subtitles."""
        return _DASH.match(self.source) is not None


@define(eq=False)
class _Label:
    name: str
    shape: Shape
    text: str
    lacks_colon: bool = False
    is_numbered: bool = False


def read_line(line: str) -> Line:
    """Read the time, the name and the words of a line."""
    source = line.strip()
    if not _MAY_HAVE_LABEL.search(source):
        return Line(source, source)
    head, emphasis = _strip_marks(source)
    stamp = leading_stamp(head)
    if stamp:
        return _read_stamped(source, stamp, emphasis)
    if _BRACKETED.match(head):
        return _read_label(source, head, emphasis)
    trailing = trailing_stamp(head.rstrip(":\uff1a\ufe55 *_" if emphasis else ":\uff1a\ufe55 "))
    inner = inner_times(head)
    header = _read_header(source, trailing) if trailing else None
    labelled = _read_inner(source, emphasis, *inner) if inner else None
    return header or labelled or _read_label(source, head, emphasis)


def _read_stamped(source: str, stamp: Stamp, emphasis: str) -> Line:
    rest = stamp.rest
    head, inner_emphasis = _strip_marks(rest)
    line = _read_label(rest, head, inner_emphasis or emphasis)
    if line.shape is not Shape.NAME and not stamp.is_clear:
        # `10:30 we start: now` is a sentence.
        line = Line(rest, rest)
    line.source, line.times, line.is_clear_time = source, stamp.times, stamp.is_clear
    line.is_header = not rest
    return line


def _read_header(source: str, stamp: Stamp) -> Line | None:
    name = clean_name(stamp.rest.rstrip(" \t-\u2013\u2014|@\u00b7\u2022,:*_"))
    match = _IN_BRACKETS.fullmatch(name)
    if match:
        name = clean_name(match[1] or match[2])
    shape = _shape_of(name)
    if shape is None or _COLON.search(name):
        return None
    return Line(
        source, source, name, shape, times=stamp.times, is_clear_time=stamp.is_clear, is_header=True
    )


def _read_inner(source: str, emphasis: str, before: str, times: Times, text: str) -> Line | None:
    name = clean_name(before.rstrip(" :\uff1a\ufe55*_" if emphasis else " :\uff1a\ufe55"))
    line = Line(source, source, name, _shape_of(name), text, times)
    gap = "" if _COLON.match(text) else " "
    label = _find_colon(f"{before.rstrip()}{gap}{text}", emphasis)
    if label and label.name == name:
        line.text = label.text
        return line
    if _COLON.search(name) or line.shape is not Shape.NAME:
        return None
    # `Monday (10:30) we meet` has the form of `Ann (10:30) Hi`.
    line.lacks_colon = True
    if emphasis:
        line.text = _strip_emphasis(before, text, emphasis)[1]
    return line


def _read_label(source: str, head: str, emphasis: str) -> Line:
    label = _find_label(head, emphasis)
    if label is None:
        return Line(source, source)
    line = Line(source, source, label.name, label.shape, label.text)
    line.lacks_colon, line.is_numbered = label.lacks_colon, label.is_numbered
    return line


def _strip_marks(line: str) -> tuple[str, str]:
    """
    Remove list markers, emphasis and invisible characters before the first word.

    Returns:
        The rest of the line, and the emphasis that closes the one that was removed.
    """
    emphasis = ""
    begin = _skip_invisible(line)
    while match := _MARK.match(line, begin):
        if not match[0].strip("*_"):
            # What closes it: `**_Ann_**`.
            emphasis = match[0][::-1]
        begin = _skip_invisible(line, match.end())
    return line[begin:], emphasis


def _skip_invisible(line: str, begin: int = 0) -> int:
    """Return the index of the first visible character."""
    while begin < len(line) and (
        line[begin].isspace() or unicodedata.category(line[begin]) == "Cf"
    ):
        begin += 1
    return begin


def _find_label(head: str, emphasis: str) -> _Label | None:
    """
    Find the name at the beginning of a line.

    Args:
        head: the line without list markers and emphasis before its first word.
        emphasis: the emphasis that closes the one that was removed.
    """
    match = _BRACKETED.match(head)
    if match:
        name = clean_name(_ESCAPED.sub(r"\1", match[1]))
        text = head[match.end() :]
        if name and not (text and not text[0].isspace() and head[match.end() - 1] == ":"):
            return _Label(name, Shape.NAME, text.strip())
    label = _find_colon(head, emphasis)
    if label and label.shape is Shape.NAME:
        return label
    return _find_brackets(head) or label


def _find_colon(head: str, emphasis: str) -> _Label | None:
    address = _ADDRESS.match(head)
    match = _COLON.search(head, address.end() if address else 0, _MAX_COLUMN)
    if match is None or head.startswith("\\"):
        return None
    name, text = head[: match.start()], head[match.end() :]
    if emphasis:
        name, text = _strip_emphasis(name, text, emphasis)
    gap = text[: _skip_invisible(text)]
    is_tight = match[0] == ":" and gap != text and not any(char.isspace() for char in gap)
    text = text if text[:1].isspace() else text[len(gap) :]
    if is_tight and (text[0] in "/\\:()-" or name[-1:].isspace() or not name):
        return None
    if is_tight and name[-1].isdigit() and text[0].isdigit():
        return None
    name = clean_name(name)
    shape = _shape_of(name, text)
    if is_tight and shape is Shape.NAME and not _is_caseless(name):
        shape = Shape.SHORT
    elif is_tight and shape is not Shape.NAME:
        shape = None
    return _Label(name, shape, text.strip()) if shape else None


def _strip_emphasis(name: str, text: str, emphasis: str) -> tuple[str, str]:
    """Remove the closing emphasis: before the colon, after it, or after the words."""
    if name.rstrip().endswith(emphasis):
        return name.rstrip()[: -len(emphasis)], text
    if text.startswith(emphasis):
        return name, text[len(emphasis) :]
    return name, text.removesuffix(emphasis)


def _find_brackets(head: str) -> _Label | None:
    """Find ``[Ann] words``. Without a colon this may be a sound: ``[Music] words``."""
    match = _IN_BRACKETS.match(head)
    if match is None:
        return None
    name, text = clean_name(match[1] or match[2]), head[match.end() :].strip()
    if _COLON.match(text):
        text = text[1:].strip()
        shape = _shape_of(name)
        return _Label(name, shape, text) if shape is Shape.NAME else None
    if _NUMBERED.fullmatch(name):
        return _Label(name, Shape.NAME, text, lacks_colon=True, is_numbered=True)
    if text and _shape_of(name) is Shape.NAME:
        return _Label(name, Shape.NAME, text, lacks_colon=True)
    return None


def _shape_of(name: str, text: str = "") -> Shape | None:
    """
    Return what a name looks like, or None if it is the beginning of a sentence.

    Args:
        name: the words before the colon, from `clean_name`.
        text: the words after the colon. If both are in capitals, these don't indicate a name.
    """
    if not any(char.isalpha() for char in name):
        return _shape_without_letters(name)
    if _EMAIL.fullmatch(name) or _ADDRESS.match(name):
        return Shape.NAME
    core = _GROUP.sub(" ", name).strip()
    words = [word for word in core.split() if any(char.isalnum() for char in word)]
    if not words:
        return Shape.ODD
    count = sum(_weight(word) for word in words)
    is_shouted = core.isupper() and text.isupper()
    if is_shouted or _is_caseless(core):
        is_name = count <= 3 and all(_is_named(word) for word in words)
    else:
        is_name = _is_name(words)
    is_odd = (
        len(name) > _MAX_CHARACTERS
        or len(words) > _MAX_WORDS
        or sum(char in _COMMAS for char in core) > _MAX_COMMAS
        or not _NOT_IN_NAMES.isdisjoint(core)
        or _LONG_WORD_WITH_STOP.search(core) is not None
    )
    # `Smith, Ann` has the form of `Yes, Ann`, and `van Dyke` that of `and Ann`.
    is_clear = _COMMAS.isdisjoint(core) and not begins_inside_sentence(core)
    if is_name and is_clear and not is_odd:
        return Shape.NAME
    if is_name or count <= 2:
        return Shape.ODD if is_odd else Shape.SHORT
    return Shape.LONG if count <= 4 else None


def _shape_without_letters(name: str) -> Shape | None:
    digits = sum(char.isdigit() for char in name)
    if _PHONE.fullmatch(name) and (name[0] == "+" or digits >= 5) and not _DATE.fullmatch(name):
        return Shape.NAME
    is_symbol = any(unicodedata.category(char) == "So" for char in name)
    return Shape.ODD if digits >= 3 or is_symbol else None


def _is_name(words: Sequence[str]) -> bool:
    """Return whether all words are capitalized, except particles such as ``van`` and ``de``."""
    return _is_named(words[-1]) and all(len(word) <= 3 or _is_named(word) for word in words)


def begins_inside_sentence(name: str) -> bool:
    """Return whether a name looks like ``van Dyke``, which has the form of ``and Ann``."""
    if not name[0].islower() or name.islower():
        return False
    return not _is_named(name.partition(" ")[0])


def _is_named(word: str) -> bool:
    """Return whether a word is written like a name: with a capital, a digit, or in katakana."""
    # `istitle` includes `isupper`.
    if any(char.istitle() or char.isdigit() or char == "_" for char in word):
        return True
    first = next(char for char in word if char.isalnum())
    return _KATAKANA.match(first) is not None or (
        _is_caseless(word) and len(word) <= _name_length(first)
    )


def _is_caseless(text: str) -> bool:
    return text.lower() == text.upper()


def _name_length(first: str) -> int:
    """Return the maximum length of a name without spaces, in the script of a character."""
    return 4 if _WITHOUT_SPACES.match(first) else 15


def _weight(word: str) -> int:
    """Return how many English words a word corresponds to."""
    return len(word) // 2 if _WITHOUT_SPACES.match(word) and len(word) > 4 else 1


def is_only_words(line: str) -> bool:
    """Return whether a line has only words, whatever the other lines are."""
    read = read_line(line)
    has_sign = read.changes_speaker or read.has_dash or line.startswith("\\")
    return bool(line) and read.shape is None and read.times is None and not has_sign


def ends_sentence(line: str) -> bool:
    """Return whether a stripped line ends a sentence, or is a sound in brackets."""
    return _SENTENCE_END.search(line) is not None or _IN_BRACKETS.fullmatch(line) is not None
