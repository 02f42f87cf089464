"""
The markup within a cue of WebVTT: voices, tags and character references.

Source: https://www.w3.org/TR/webvtt1/#webvtt-cue-text
"""

from __future__ import annotations

import re
from typing import Final

from ._lines import tidy

_CHARACTERS: Final = {
    "&amp;": "&",
    "&lt;": "<",
    "&gt;": ">",
    "&nbsp;": "\N{NO-BREAK SPACE}",
    "&lrm;": "\N{LEFT-TO-RIGHT MARK}",
    "&rlm;": "\N{RIGHT-TO-LEFT MARK}",
}
_REFERENCE: Final = re.compile("|".join(_CHARACTERS))
# No tag but these is taken off: Whisper writes what was said without escaping it. None of the
# patterns can look beyond the next angle bracket, so that they take time by the length alone.
_TAG: Final = re.compile(
    r"</?(?:c|i|b|u|v|ruby|rt|lang)(?:\.[^\s<>]*)?(?:\s[^<>]*)?>|<[0-9]+:[0-9:.]+>"
)
_VOICE: Final = re.compile(r"<v(?:\.[^\s<>]*)?(?:\s([^<>]*))?>|</v>")


def escape(text: str) -> str:
    """Return a text as it is written within a cue, where no tag and no arrow can be in it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain(text: str) -> str:
    """Return what a text within a cue says, without tags."""
    return tidy(_REFERENCE.sub(lambda match: _CHARACTERS[match[0]], _TAG.sub("", text)))


def split_voices(body: str) -> list[tuple[str | None, str, str]]:
    """
    Return speaker, text and raw text for each voice of a cue.

    What stands outside of them has no speaker. It may be nothing but white space or a
    closing tag: this belongs to the raw text beside it. Empty where there is no voice.
    """
    marks = list(_VOICE.finditer(body))
    if not any(mark[0].startswith("<v") for mark in marks):
        return []
    found: list[tuple[str | None, str, list[str]]] = []
    before = [body[: marks[0].start()]]
    if plain(before[0]):
        found.append((None, plain(before[0]), before))
        before = []
    ends = [*(mark.start() for mark in marks[1:]), len(body)]
    for mark, end in zip(marks, ends, strict=True):
        raw = body[mark.start() : end]
        text = plain(raw)
        if text or mark[0].startswith("<v"):
            speaker = " ".join(plain(mark[1] or "").split())
            found.append((speaker or None, text, [*before, raw]))
            before = []
        else:
            (found[-1][2] if found else before).append(raw)
    return [(speaker, text, "".join(raws)) for speaker, text, raws in found]
