"""
Parse transcript files into turns, and write turns as text and subtitles. No I/O; needs only attrs.

Files in reading order:

- `_turns`: the data classes
- `_parse`: detects the format, and delegates to `_txt`, `_srt_vtt` with `_markup`, `_table`, or
  `_json` with `_segments`
- `_speakers`: decides which lines name a speaker
- `_labels`: reads a single line
- `_stamps`: finds times in lines
- `_text`: writes plain text
- `_subtitles`: writes SRT and WebVTT
- `_common`: lines, names and times, which several formats share

May import `errors` and `_validation`.
"""

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
