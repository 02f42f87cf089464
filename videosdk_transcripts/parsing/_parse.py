"""A transcript's text into turns, whatever its format. No I/O."""

from __future__ import annotations

import re
from typing import Final

from videosdk_transcripts._validation import check_word
from videosdk_transcripts.errors import ConfigurationError

from ._cells import is_header, read_tsv
from ._cues import is_cue, is_head, read_cues
from ._labels import read_txt
from ._lines import split_lines
from ._turns import Transcript
from ._whisper import read_json

_FORMATS: Final = ("txt", "srt", "vtt", "tsv", "json")
# `[Speaker]: text` begins with a bracket as well.
_JSON: Final = re.compile(r"[ \t\r\n]*+(?:\{[ \t\r\n]*+[\"}]|\[[ \t\r\n]*+(?:\{|\][ \t\r\n]*+\Z))")


def parse_transcript(
    text: str,
    *,
    format: str | None = None,  # noqa: A002 - the API's own word
) -> Transcript:
    """
    Read the text of a transcript into turns, as far as it goes.

    No page of the vendor says what is in its files. So this reads what was seen, keeps what
    it can't read, and invents neither a speaker nor a time. It never fails for what is in
    the text.

    Args:
        text: what `fetch_text` returned, for one; a byte order mark is passed over.
        format: ``txt``, ``srt``, ``vtt``, ``tsv`` or ``json``, the service's own words for
            its files. None looks for a clear sign: ``WEBVTT``, the beginning of JSON, the
            header of Whisper's TSV, or the times of a cue. Without any of them it is ``txt``.

    Raises:
        ConfigurationError: no such format, or the text is no string.
    """
    if format is not None:
        check_word("format", format, _FORMATS)
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"text must be a string, not {type(text).__name__}; decode bytes")
    text = text.removeprefix("\ufeff")
    match format or _detect(text):
        case "json":
            return read_json(text)
        case "tsv":
            return read_tsv(text)
        case "srt" | "vtt" as cues:
            return read_cues(text, cues)
        case _:
            return read_txt(text)


def _detect(text: str) -> str:
    if _JSON.match(text):
        return "json"
    lines = [line for line in split_lines(text) if line.strip()]
    first, second = [*lines[:2], "", ""][:2]
    if is_head(first):
        return "vtt"
    if is_header(first):
        return "tsv"
    return "srt" if is_cue(first, second) else "txt"
