"""Layouts that programs and people write: who says what and when, as a person reads it."""

import pytest

from videosdk_transcripts import parse_transcript

from .corpus_further import FURTHER
from .corpus_json import JSON
from .corpus_srt import SRT
from .corpus_table import CSV, TSV
from .corpus_txt import TXT
from .corpus_vtt import VTT
from .samples import Sample, turns_without_raw

CORPUS = {"srt": SRT, "vtt": VTT, "txt": TXT, "tsv": TSV, "csv": CSV, "json": JSON}


@pytest.mark.parametrize(
    ("format", "sample"),
    [
        pytest.param(format_, sample, id=f"{format_}-{name}")
        for format_, samples in CORPUS.items()
        for name, sample in samples.items()
    ],
)
def test_layout_is_read_as_a_person_reads_it(format: str, sample: Sample) -> None:  # noqa: A002
    """The format is detected or given."""
    text, expected = sample
    for transcript in (parse_transcript(text), parse_transcript(text, format=format)):
        assert transcript.format == format
        assert turns_without_raw(transcript) == expected


@pytest.mark.parametrize("name", FURTHER)
def test_further_sample_is_read_as_a_person_reads_it(name: str) -> None:
    """The name begins with the format."""
    text, expected = FURTHER[name]
    assert turns_without_raw(parse_transcript(text, format=name.split(maxsplit=1)[0])) == expected
