"""Transcript files read into turns, and turns written as subtitles. No I/O, no dependency."""

from ._parse import parse_transcript
from ._subtitles import to_srt, to_vtt
from ._turns import Transcript, Turn, Unread, merge_turns, rename_speakers

__all__ = [
    "Transcript",
    "Turn",
    "Unread",
    "merge_turns",
    "parse_transcript",
    "rename_speakers",
    "to_srt",
    "to_vtt",
]
