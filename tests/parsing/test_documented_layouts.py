"""The samples in the tables of docs/guides/text.md are parsed as documented."""

import re
from pathlib import Path

import pytest

from videosdk_transcripts import Turn, parse_transcript

PAGE = (Path(__file__).parent.parent.parent / "docs" / "guides" / "text.md").read_text("utf-8")
LAYOUTS = PAGE.partition("## Layouts\n")[2].partition("\n## ")[0]
# A row has the format, unless the table has only one, the sample, and the turns.
ROW = re.compile(r"^\| (?:`(srt|vtt|tsv|csv)` \| )?`([^`]+)` \| ((?:`[^`]+` ?)+)\|$", re.MULTILINE)
HEADS = {"srt": "1\n00:00:01,000 --> 00:00:02,000\n", "vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\n"}
SAMPLES = [(row[1], row[2], row[3]) for row in ROW.finditer(LAYOUTS)]


def shown(turn: Turn) -> str:
    """Return a turn as the page shows it."""
    times = "-".join(f"{time:g}" for time in (turn.start, turn.end) if time is not None)
    return f"{times} {turn.speaker or '-'}: {turn.text}".strip().replace("\n", "⏎")


@pytest.mark.parametrize(("format", "sample", "turns"), SAMPLES)
def test_sample_is_read_as_documented(format: str | None, sample: str, turns: str) -> None:  # noqa: A002
    """It has all turns, in their order."""
    text = HEADS.get(format or "", "") + sample.replace("⏎", "\n").replace("⇥", "\t")
    transcript = parse_transcript(text)
    assert [shown(turn) for turn in transcript.turns] == re.findall("`([^`]+)`", turns)
    assert format in (None, transcript.format)


def test_all_tables_are_found() -> None:
    """Otherwise the test above would miss rows."""
    rows = [line for line in LAYOUTS.splitlines() if line.startswith("| ") and "`" in line]
    headers = [line for line in rows if "parsed as |" in line]
    assert len(SAMPLES) == len(rows) - len(headers) > 30
