"""Samples of each format, and short views of what was parsed."""

from typing import Any

from videosdk_transcripts import Transcript

SRT = """1
00:00:01,000 --> 00:00:02,500
Ann: Good morning.

2
00:00:03,000 --> 00:00:04,000
[SPEAKER_01]: Good morning, Ann.
How are you?
"""


VTT = """WEBVTT - a meeting
Language: en

NOTE made by hand

STYLE
::cue { color: red }

intro
00:01.000 --> 00:02.500 align:start position:10%
<v.loud Ann Lee>Good <b>morning</b> &amp; <00:00:02.000>welcome</v>

01:00:03.000 --> 01:00:04.000
[Bob]: 1 < 2&nbsp;&lt;b&gt;
"""


TSV = "start\tend\ttext\n1000\t2500\tAnn: Good morning.\n3000\t4000\ta\tb\n"
WHISPER = """{
 "text": " Good morning. Yes.",
 "segments": [
  {"id": 0, "start": 1.0, "end": 2.5, "text": " Good morning.", "speaker": "SPEAKER_00"},
  {"id": 1, "start": 3, "end": 4, "text": " Yes.", "words": [{"word": "Yes."}]}
 ],
 "language": "en"
}
"""


def speakers_and_texts(transcript: Transcript) -> list[tuple[str | None, str]]:
    """Return speaker and text of each turn."""
    return [(turn.speaker, turn.text) for turn in transcript.turns]


def turns_without_raw(transcript: Transcript) -> list[tuple[Any, ...]]:
    """Return all values of each turn except its raw text."""
    return [(turn.speaker, turn.text, turn.start, turn.end) for turn in transcript.turns]


def unread_parts(transcript: Transcript) -> list[tuple[int, str, str]]:
    """Return line, reason and raw text of each unread part."""
    return [(part.line, part.reason, part.raw) for part in transcript.unread]


Reading = tuple[str | None, str, float | None, float | None]
"""What a person reads in a turn: speaker, text, start and end."""
Sample = tuple[str, list[Reading]]
"""A text, and what a person reads in it."""
