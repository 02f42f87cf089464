"""
Remove markup from cues: voices, tags and character references.

Sources: https://www.w3.org/TR/webvtt1/#webvtt-cue-text, and for references
https://html.spec.whatwg.org/multipage/named-characters.html
"""

from __future__ import annotations

import html
import re
from typing import Final

from ._common import clean_name, strip_lines

# Without a semicolon, it may be speech: `AT&T`, `R&D`, `&copy`.
_REFERENCE: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]*);")
# Only known tags are removed, because speech may contain unescaped angle brackets. No pattern
# matches past the next angle bracket, so that the time is linear in the length. Files converted
# from SRT keep its tags.
_VTT_TAG: Final = re.compile(
    r"</?(?:c|i|b|u|v|s|font|ruby|rt|lang)(?:\.[^\s<>]*)?(?:\s[^<>]*)?>|<[0-9]+:[0-9:.]+>"
)
_SRT_TAG: Final = re.compile(r"</?(?:i|b|u|s|font)(?:\s[^<>]*)?>|\{\\[^{}\r\n]*\}", re.IGNORECASE)
_VOICE: Final = re.compile(r"<v(?:\.[^\s<>]*)?(?:\s([^<>]*))?>|</v>")


def plain_lines(lines: list[str], *, is_vtt: bool) -> list[str]:
    """Return the lines of a cue, each without markup and whitespace at its end."""
    if not lines:
        return []
    text = "\n".join(line.rstrip() for line in lines)
    # A tag may contain line breaks, which are kept so that the number of lines is.
    text = (_VTT_TAG if is_vtt else _SRT_TAG).sub(lambda tag: "\n" * tag[0].count("\n"), text)
    return [_resolve(line) if is_vtt else line for line in text.split("\n")]


def _resolve(text: str) -> str:
    return _REFERENCE.sub(lambda match: html.unescape(match[0]), text)


def plain_text(text: str) -> str:
    """Return a text without WebVTT tags, and with character references resolved."""
    return strip_lines(_resolve(_VTT_TAG.sub("", text)))


def split_voices(body: str) -> list[tuple[str | None, str, str]]:
    """
    Return speaker, text and raw text of each voice in a cue; empty if it has no voice.

    Text outside voices has no speaker. Whitespace, dashes and closing tags outside voices become
    part of the adjacent raw text.
    """
    tags = list(_VOICE.finditer(body))
    if not any(tag[0].startswith("<v") for tag in tags):
        return []
    found: list[tuple[str | None, str, list[str]]] = []
    before = [body[: tags[0].start()]]
    if _text_outside(before[0]):
        found.append((None, _text_outside(before[0]), before))
        before = []
    ends = [*(tag.start() for tag in tags[1:]), len(body)]
    for tag, end in zip(tags, ends, strict=True):
        raw = body[tag.start() : end]
        is_voice = tag[0].startswith("<v")
        text = plain_text(raw) if is_voice else _text_outside(raw)
        if text or is_voice:
            speaker = clean_name(plain_text(tag[1] or ""))
            found.append((speaker or None, text, [*before, raw]))
            before = []
        else:
            (found[-1][2] if found else before).append(raw)
    return [(speaker, text, "".join(raws)) for speaker, text, raws in found]


def _text_outside(raw: str) -> str:
    text = plain_text(raw)
    return text if text.strip("-\u2013\u2014") else ""
