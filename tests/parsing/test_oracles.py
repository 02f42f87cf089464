"""Random subtitle files, read by three other libraries as well: same cues, times and words."""

import io
import random
import re
import warnings
from collections.abc import Callable, Iterator

import pysubs2
import pytest
import srt
import webvtt

from videosdk_transcripts import parse_transcript

from .corpus_srt import SRT
from .corpus_vtt import VTT

Cue = tuple[float, float, str]
"""Start, end, and words with single spaces."""

WORDS = (
    *("good", "morning", "Ann", "it's", "10", "a-b", "naïve", "李雷", "12%", "e.g.", "OK?", "1:2"),
    *("x < y", "(laughs)", "[Music]", "...", "well,", "co.uk", "so-called", "№", "don't", "#1"),
)


def files(seed: int) -> Iterator[tuple[list[Cue], Callable[[str], str]]]:
    """
    Make the cues of one file, and a function that formats seconds for it.

    No cue begins with a label or has a line of digits alone, which the libraries read as words
    and this package reads as a speaker or as the number of the cue below.
    """
    draw = random.Random(seed)  # noqa: S311 - files have to be the same in each run
    cues: list[Cue] = []
    now = 0
    for _ in range(draw.randint(1, 8)):
        now += draw.randint(0, 90_000)
        end = now + draw.randint(0, 9_000)
        words = "and " + " ".join(draw.choices(WORDS, k=draw.randint(1, 9)))
        cues.append((now / 1000, end / 1000, words))
        now = end
    yield cues, draw.choice([str, str, str.upper])


def stamp(seconds: float, mark: str) -> str:
    """Format seconds as both formats have them."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{mark}{milliseconds:03}"


def wrap(draw: random.Random, words: str) -> str:
    """Break a cue into lines at random."""
    return re.sub(" (?![0-9])", lambda _: draw.choice("    \n"), words)


def plain(words: str) -> str:
    """Return words without line breaks."""
    return " ".join(words.split())


def ours(text: str) -> list[Cue]:
    """Read a file with this package."""
    transcript = parse_transcript(text)
    assert transcript.unread == ()
    turns = [(turn.start, turn.end, plain(turn.text)) for turn in transcript.turns]
    assert all(turn.speaker is None for turn in transcript.turns)
    return [(start, end, words) for start, end, words in turns if None not in (start, end)]


def by_pysubs2(text: str, format: str) -> list[Cue]:  # noqa: A002
    """Read a file with pysubs2, in whole milliseconds."""
    events = pysubs2.SSAFile.from_string(text, format_=format)
    return [(e.start / 1000, e.end / 1000, plain(e.plaintext)) for e in events]


def by_srt(text: str) -> list[Cue]:
    """Read a file with srt."""
    return [
        (cue.start.total_seconds(), cue.end.total_seconds(), plain(cue.content))
        for cue in srt.parse(text)
    ]


def seconds(written: str) -> float:
    """Return the seconds of a time that webvtt-py has normalized."""
    hours, minutes, rest = written.split(":")
    return round(int(hours) * 3600 + int(minutes) * 60 + float(rest), 3)


def by_webvtt(text: str, format: str = "vtt") -> list[Cue]:  # noqa: A002
    """Read a file with webvtt-py."""
    captions = webvtt.from_buffer(io.StringIO(text), format=format)
    return [(seconds(c.start), seconds(c.end), plain(c.text)) for c in captions]


@pytest.mark.parametrize("group", range(6))
def test_srt_files_are_read_as_other_libraries_read_them(group: int) -> None:
    """Each test reads fifty files."""
    for seed in range(group * 50, group * 50 + 50):
        draw = random.Random(seed)  # noqa: S311
        for cues, case in files(seed):
            text = "\n".join(
                f"{number}\n{stamp(start, ',')} --> {stamp(end, ',')}\n{wrap(draw, case(words))}\n"
                for number, (start, end, words) in enumerate(cues, 1)
            )
            expected = [(start, end, case(words)) for start, end, words in cues]
            assert ours(text) == by_srt(text) == by_pysubs2(text, "srt") == expected


@pytest.mark.parametrize("group", range(6))
def test_vtt_files_are_read_as_other_libraries_read_them(group: int) -> None:
    """No file has character references, because the libraries do not decode them."""
    for seed in range(group * 50, group * 50 + 50):
        draw = random.Random(seed)  # noqa: S311
        for cues, case in files(seed):
            text = "WEBVTT\n\n" + "\n".join(
                f"{stamp(start, '.')} --> {stamp(end, '.')}{draw.choice(['', ' align:start'])}\n"
                f"{wrap(draw, case(words))}\n"
                for start, end, words in cues
            )
            expected = [(start, end, case(words)) for start, end, words in cues]
            assert ours(text) == by_webvtt(text) == by_pysubs2(text, "vtt") == expected


# The samples that a library reads differently than a person, and the reasons.
DIFFERENCES: dict[tuple[str, str], dict[str, str]] = {
    ("srt", "pysubs2"): {
        "words on the line of times": "drops the words",
        "no milliseconds": "finds no cue",
        "no hours": "finds no cue",
        "a thousand milliseconds": "reads 1.1 seconds",
        "colon before the milliseconds": "finds no cue",
        "translated by a machine": "finds no cue",
        "not tags": "removes everything in angle brackets",
        "last cue cut off": "reads the times as words",
        "full-width colon": "has no speakers",
    },
    ("srt", "srt"): {
        "words on the line of times": "keeps the words apart from the cue",
        "every line followed by an empty one": "raises",
        "points instead of commas": "reads .5 as 5 milliseconds",
        "no hours": "reads minutes as hours",
        "one digit each": "reads ,5 as 5 milliseconds",
        "microseconds": "reads 250000 milliseconds",
        "translated by a machine": "raises",
        "title above the first cue": "raises",
        "last cue cut off": "raises",
        "not tags": "keeps all tags",
        "full-width colon": "has no speakers",
    },
    ("srt", "webvtt"): {
        "words on the line of times": "raises",
        "every line followed by an empty one": "raises",
        "no numbers": "raises",
        "cue without words": "drops the cue",
        "points instead of commas": "reads .5 as 5 milliseconds",
        "no milliseconds": "finds no cue",
        "no hours": "finds no cue",
        "one digit each": "reads ,5 as 5 milliseconds",
        "microseconds": "reads 250000 milliseconds",
        "colon before the milliseconds": "finds no cue",
        "translated by a machine": "raises",
        "broken arrow": "raises",
        "tags": "keeps the position as words",
        "not tags": "removes everything in angle brackets",
        "title above the first cue": "raises",
        "last cue cut off": "drops the cue",
        "full-width colon": "has no speakers",
    },
    ("vtt", "pysubs2"): {
        "YouTube": "reads the times of words as cues",
        "character references": "does not decode them",
        "escaped voice": "does not decode references",
        "commas in times": "finds no cue",
        "speaker changes without a name": "does not decode references",
        "unknown tags": "removes everything in angle brackets",
    },
    ("vtt", "webvtt"): {
        "YouTube": "does not decode references",
        "character references": "does not decode them",
        "escaped voice": "does not decode references",
        "commas in times": "finds no cue",
        "speaker changes without a name": "does not decode references",
        "unknown tags": "removes everything in angle brackets",
    },
}


def by_library(library: str, format: str, text: str) -> list[Cue]:  # noqa: A002
    """Read a file; empty if the library raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if library == "srt":
                return by_srt(text)
            return by_pysubs2(text, format) if library == "pysubs2" else by_webvtt(text, format)
    except (srt.SRTParseError, webvtt.errors.MalformedFileError):
        return []


@pytest.mark.parametrize(("format", "library"), DIFFERENCES)
def test_libraries_read_samples_alike_or_for_a_reason(format: str, library: str) -> None:  # noqa: A002
    """Times and words are those that a person reads, unless a reason is documented."""
    different: set[str] = set()
    for name, (text, expected) in {"srt": SRT, "vtt": VTT}[format].items():
        cues: dict[tuple[float | None, float | None], set[str]] = {}
        for _, words, start, end in expected:
            cues.setdefault((start, end), set()).update(words.split())
        found = {
            (start, end): set(re.sub("[<>]", " ", words).split())
            for start, end, words in by_library(library, format, text)
        }
        if found.keys() != cues.keys() or any(cues[times] - found[times] for times in cues):
            different.add(name)
    assert different == DIFFERENCES[format, library].keys()
