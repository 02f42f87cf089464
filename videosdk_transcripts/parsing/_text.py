"""Write turns as plain text that is parsed back into the same turns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from attrs import frozen

from ._common import clean_name, format_timestamp, is_time, strip_lines
from ._labels import Shape, is_only_words, read_line

_TO_ESCAPE: Final = re.compile(r"[\[\]\\]")


@frozen
class Words:
    """A turn to write."""

    speaker: str | None
    text: str
    start: float | None = None
    end: float | None = None


def write_text(turns: Sequence[Words]) -> str:
    """
    Return the turns as text, each as ``Speaker: text``.

    Words that would be parsed differently follow a backslash.
    """
    lines: list[str] = []
    begins_with_speaker = bool(turns and turns[0].speaker)
    # After a speaker without words, the parser would use the next line as that speaker's words.
    awaits_words = False
    for turn in turns:
        stamp, name = _stamp(turn), clean_name(turn.speaker or "")
        first, *further = strip_lines(turn.text).split("\n")
        if name:
            lines.append(_labelled(stamp, name, first))
        else:
            lines.extend([""] if lines else [])
            is_plain = is_only_words(first) and not (awaits_words or first.startswith("\ufeff"))
            # A dash after a time is a separator.
            is_plain = is_plain and read_line(f"{stamp}{first}").words == first
            lines.append(f"{stamp}{first if is_plain else _escape(first)}")
        may_continue = begins_with_speaker if name else bool(stamp)
        lines.extend(
            line if may_continue and is_only_words(line) else _escape(line) for line in further
        )
        awaits_words = not first
    return "\n".join(lines) + "\n" if lines else ""


def _stamp(turn: Words) -> str:
    if not is_time(turn.start):
        return ""
    start = format_timestamp(turn.start, ".")
    if not is_time(turn.end) or turn.end < turn.start:
        return f"[{start}] "
    return f"[{start} --> {format_timestamp(turn.end, '.')}] "


def _labelled(stamp: str, name: str, text: str) -> str:
    words = _escape(text) if text.startswith("\\") else text
    return f"{stamp}{find_label(name, words, stamp)} {words}".rstrip()


def find_label(name: str, text: str, stamp: str = "") -> str:
    """Return a label that is parsed as this name when it is followed by these words."""
    quoted = _TO_ESCAPE.sub(r"\\\g<0>", name)
    for label in (f"{name}:", f"[{quoted}]:"):
        line = read_line(f"{stamp}{label} {text}")
        if line.shape is Shape.NAME and (line.name, line.text) == (name, text):
            return label
    # A name that looks like a time.
    return f"[\\{quoted}]:"


def _escape(text: str) -> str:
    return f"\\{text}"
