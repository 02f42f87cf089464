"""Turns written as plain text, and parsed back."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from videosdk_transcripts import ConfigurationError, Transcript, Turn, parse_transcript

from .samples import SRT, TSV, VTT, WHISPER
from .test_corpus import CORPUS
from .test_parse import FORMATS, texts


def transcript(*turns: Turn) -> Transcript:
    """Make a transcript of turns."""
    return Transcript("json", turns)


def read_back(written: str) -> Sequence[Turn]:
    """Return the turns of a written text, whatever it looks like."""
    return parse_transcript(written, format="txt").turns


def test_turns_are_one_line_each() -> None:
    """A turn without a speaker follows a blank line, so that it belongs to no speaker above."""
    turns = transcript(
        Turn("Ann", "Good morning.", 1, 2), Turn("Bob", "Hi."), Turn(None, "(noise)")
    )
    assert turns.to_text() == "Ann: Good morning.\nBob: Hi.\n\n(noise)\n"
    assert transcript().to_text() == ""


def test_times_are_written_on_request() -> None:
    """Known times are written, to the millisecond."""
    turns = transcript(
        Turn("Ann", "Hi", 1, 2.5),
        Turn("Bob", "Yes\nyes", 360000.1234),
        Turn(None, "no", 4, 5),
        Turn("Eve", "when", None, 6),
        Turn(None, "Note: Hi", 7),
    )
    written = turns.to_text(times=True)
    assert written == (
        "[00:00:01.000 --> 00:00:02.500] Ann: Hi\n[100:00:00.123] Bob: Yes\nyes\n\n"
        "[00:00:04.000 --> 00:00:05.000] no\nEve: when\n\n"
        "[00:00:07.000] \\Note: Hi\n"
    )
    assert list(read_back(written)) == [
        Turn("Ann", "Hi", 1, 2.5),
        Turn("Bob", "Yes\nyes", 360000.123),
        Turn(None, "no", 4, 5),
        Turn("Eve", "when"),
        Turn(None, "Note: Hi", 7),
    ]


@pytest.mark.parametrize(
    ("speaker", "text", "written"),
    [
        ("Lee, Ann", "Hi", "[Lee, Ann]: Hi"),
        ("0", "Hi", "[0]: Hi"),
        ("a]: b", "Hi", "[a\\]: b]: Hi"),
        ("[x]\\", "Hi", "[\\[x\\]\\\\]: Hi"),
        ("10:30", "Hi", "[\\10:30]: Hi"),
        ("x" * 80, "Hi", f"[{'x' * 80}]: Hi"),
        ("Ann", "\\server\\share", "Ann: \\\\server\\share"),
        ("Ann", "(0:05) Hi", "[Ann]: (0:05) Hi"),
        ("Ann", "", "Ann:"),
        ("Ann", "\u200f\u05db\u05df", "Ann: \u200f\u05db\u05df"),
        ("Ann", "a\nBob: b\n- c\n00:00:05\n\\d", "Ann: a\n\\Bob: b\n\\- c\n\\00:00:05\n\\\\d"),
        ("Ann", "a\nand the second one is:", "Ann: a\nand the second one is:"),
        ("Ann", "a\n>> b", "Ann: a\n\\>> b"),
        (None, "Note: Hi", "\\Note: Hi"),
        (None, "[2024-01-05 10:05] Hi", "\\[2024-01-05 10:05] Hi"),
        (None, "a\nb", "a\n\\b"),
        (None, "", "\\"),
        (None, "we will all meet there today  0:05", "we will all meet there today  0:05"),
        (None, "\ufeffa", "\\\ufeffa"),
    ],
)
def test_backslash_precedes_words_that_look_like_something_else(
    speaker: str | None, text: str, written: str
) -> None:
    """Names that would not be parsed alone are in brackets."""
    turn = Turn(speaker, text)
    assert transcript(turn).to_text() == f"{written}\n"
    assert list(read_back(written)) == [turn]


def test_text_belongs_to_its_turn_whatever_stands_above() -> None:
    """A speaker without words or a wrapped turn does not include the next one."""
    turns = [
        Turn(None, "title"),
        Turn("Ann", "a\nb"),
        Turn("Bob", ""),
        Turn(None, "c"),
        Turn(None, "d\ne"),
    ]
    for times in (False, True):
        assert list(read_back(transcript(*turns).to_text(times=times))) == turns
        assert list(read_back(transcript(*turns[1:]).to_text(times=times))) == turns[1:]


@pytest.mark.parametrize("times", [1, None, "yes"])
def test_times_is_a_bool(times: Any) -> None:
    """The error names the argument."""
    with pytest.raises(ConfigurationError, match=r"^times must be"):
        transcript(Turn("Ann", "Hi", 1, 2)).to_text(times=times)


def test_times_that_no_line_can_have_are_not_written() -> None:
    """These are an end before the start, a negative start, and NaN."""
    turns = transcript(
        Turn("Ann", "a", 2, 1),
        Turn("Ann", "b", -1, 1),
        Turn("Ann", "c", 1, float("nan")),
        Turn("Ann", "d", 1, 1),
    )
    assert turns.to_text(times=True) == (
        "[00:00:02.000] Ann: a\nAnn: b\n[00:00:01.000] Ann: c\n"
        "[00:00:01.000 --> 00:00:01.000] Ann: d\n"
    )


@pytest.mark.parametrize("words", ["- ...", "| a", ": b", "\u2013 (sighs)"])
def test_mark_after_a_time_is_part_of_the_words(words: str) -> None:
    """It is not parsed as a separator between the time and the words."""
    turns = [Turn(None, words, 1, 2)]
    for times in (False, True):
        written = transcript(*turns).to_text(times=times)
        assert [turn.text for turn in read_back(written)] == [words]


def test_name_that_no_label_can_have_keeps_all_words() -> None:
    """No transcript has such a name."""
    assert transcript(Turn("\\", "a")).to_text() == "[\\\\]: a\n"


@pytest.mark.parametrize("format", CORPUS)
def test_samples_are_parsed_back(format: str) -> None:  # noqa: A002
    """The format is not given."""
    for text, _ in CORPUS[format].values():
        parsed = parse_transcript(text, format=format)
        again = parse_transcript(parsed.to_text())
        assert again.format == "txt"
        assert [(t.speaker, t.text) for t in again.turns] == [
            (t.speaker, t.text) for t in parsed.turns
        ]


@settings(max_examples=300, deadline=None)
@given(text=texts, format=st.sampled_from([None, *FORMATS]), times=st.booleans())
@example(text=SRT, format=None, times=True)
@example(text=VTT, format=None, times=True)
@example(text=WHISPER, format=None, times=True)
@example(text=TSV, format=None, times=True)
def test_any_parsed_turns_are_parsed_back(text: str, format: str | None, times: bool) -> None:  # noqa: A002
    """Speakers and texts survive, and times on request if the start is known."""
    parsed = parse_transcript(text, format=format)
    written = parsed.to_text(times=times)

    def expected(turn: Turn) -> Turn:
        if not times or turn.start is None:
            return Turn(turn.speaker, turn.text)
        start, end = (None if t is None else round(t * 1000) / 1000 for t in (turn.start, turn.end))
        return Turn(turn.speaker, turn.text, start, end)

    assert list(read_back(written)) == list(map(expected, parsed.turns))


pieces = st.sampled_from(
    [
        *("Ann", "Bob", ": ", "[00:05] ", "(0:05)", "  0:05", " word", " word", "+1555010", ","),
        *("- ", "**", "[", "]", ">> ", "\u200e", "\uff1a", "李雷", ".", "?", "\\", "5", " "),
    ]
)
lines_of_pieces = st.lists(st.lists(pieces, max_size=7).map("".join), max_size=8)


@settings(max_examples=300, deadline=None)
@given(lines=lines_of_pieces, format=st.sampled_from(["txt", "srt", "vtt"]))
def test_every_word_is_in_a_name_or_a_text(lines: list[str], format: str) -> None:  # noqa: A002
    """Only times and marks are omitted, in lines of text and in cues."""
    numbered = [line.replace("word", f"word{number}") for number, line in enumerate(lines)]
    heads = {"srt": "00:01,0 --> 00:02,0\n", "vtt": "WEBVTT\n\n00:01.0 --> 00:02.0\n"}
    parsed = parse_transcript(heads.get(format, "") + "\n".join(numbered), format=format)
    read = [f"{turn.speaker or ''} {turn.text}" for turn in parsed.turns]
    read += [part.raw for part in parsed.unread]
    for number, line in enumerate(numbered):
        word = f"word{number}"
        assert line.count(word) <= sum(text.count(word) for text in read)
