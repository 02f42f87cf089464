"""Parse a transcript of any format: detect the format, and delegate to its reader."""

from __future__ import annotations

import re
from typing import Final

from videosdk_transcripts._redact import plain_text
from videosdk_transcripts._validation import check_word
from videosdk_transcripts.errors import ConfigurationError

from . import _srt_vtt
from ._common import split_lines
from ._json import read_json
from ._srt_vtt import is_timing, read_cues
from ._table import find_header, read_table, table_format
from ._turns import Transcript
from ._txt import read_txt

_FORMATS: Final = ("txt", "srt", "vtt", "tsv", "csv", "json")
_MAX_LINES_ABOVE_CUES: Final = 20
# Not only the bracket, because `[Speaker]: text` begins with one as well.
_JSON: Final = re.compile(r"[ \t\r\n]*+(?:\{[ \t\r\n]*+[\"}]|\[[ \t\r\n]*+(?:\{|\][ \t\r\n]*+\Z))")


def parse_transcript(
    text: str,
    *,
    format: str | None = None,  # noqa: A002 - the API's own word
) -> Transcript:
    """
    Parse the text of a transcript into turns.

    The vendor does not document the layout of its files, and no sample file is public. So the
    layouts are assumptions: those that public programs expect of these files, and those that are
    usual for each format. Parts that can't be read are kept, and no speaker or time is invented.
    Words below a line that only looks like a speaker belong to no speaker. No text raises an
    error.

    Args:
        text: the text, for example from `fetch_text`; a byte order mark is ignored.
        format: ``txt``, ``srt``, ``vtt``, ``tsv`` or ``json``, which are the keys of
            `PostTranscription.files` in the vendor's samples, or ``csv``. None detects
            ``WEBVTT``, the beginning of JSON, the header of a table and, in one of the first 20
            lines, the times of a cue; any other text is ``txt``.

    Returns:
        The transcript, with its turns in the order of the text and the parts that were not read.
        Both may be empty. Times are seconds from the start of the transcript.

    Raises:
        ConfigurationError: the format is unknown, or the text is not a string.
    """
    if format is not None:
        check_word("format", format, _FORMATS)
        format = plain_text(format)  # noqa: A001 - kept in the result
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"text must be a string, not {type(text).__name__}; decode bytes")
    text = plain_text(text).removeprefix("\ufeff")
    match format or _detect(text):
        case "json":
            return read_json(text)
        case "tsv" | "csv" as table:
            return read_table(text, table)
        case "srt" | "vtt" as cues:
            return read_cues(text, cues)
        case _:
            return read_txt(text)


def _detect(text: str) -> str:
    if _JSON.match(text):
        return "json"
    lines = [line for line in split_lines(text) if line.strip()]
    if lines and _srt_vtt.is_header(lines[0]):
        return "vtt"
    table = table_format(find_header(lines))
    if table:
        return table
    return "srt" if any(is_timing(line) for line in lines[:_MAX_LINES_ABOVE_CUES]) else "txt"
