"""Turns written as SRT and WebVTT, and parsed back."""

import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from videosdk_transcripts import ConfigurationError, Turn, parse_transcript, to_srt, to_vtt
from videosdk_transcripts.parsing._common import clean_name
from videosdk_transcripts.parsing._labels import is_only_words

TURNS = [
    Turn("Ann", "Good morning.\n\nAll of <you> & me", 1, 2.5),
    Turn("Lee, Bob", "so --> that", 3600, 359999.9996),
    Turn(None, "", 360000, 360000),
]


def test_srt_numbers_cues_and_labels_speakers() -> None:
    """Speakers are in brackets where they would not be parsed otherwise."""
    assert to_srt(iter(TURNS)) == (
        "1\n00:00:01,000 --> 00:00:02,500\nAnn: Good morning.\nAll of <you> & me\n\n"
        "2\n01:00:00,000 --> 100:00:00,000\n[Lee, Bob]: so -> that\n\n"
        "3\n100:00:00,000 --> 100:00:00,000\n\n"
    )
    assert to_srt([]) == ""


def test_vtt_writes_voices_and_escapes() -> None:
    """Speakers are voices; characters with a meaning are escaped."""
    assert to_vtt(iter(TURNS)) == (
        "WEBVTT\n\n"
        "00:00:01.000 --> 00:00:02.500\n<v Ann>Good morning.\nAll of &lt;you&gt; &amp; me\n\n"
        "01:00:00.000 --> 100:00:00.000\n<v Lee, Bob>so --&gt; that\n\n"
        "100:00:00.000 --> 100:00:00.000\n\n"
    )
    assert to_vtt([]) == "WEBVTT\n"


@pytest.mark.parametrize("write", [to_srt, to_vtt])
@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (None, 1, "has no start"),
        (1, None, "has no end"),
        (-1, 1, "has an invalid start"),
        (0, float("nan"), "has an invalid end"),
        (0, float("inf"), "has an invalid end"),
        (0, 10**400, "has an invalid end"),
        (False, 1, "has an invalid start"),
        ("secret", 1, "has an invalid start"),
        (2, 1.5, "ends at 1.5, before its start at 2"),
    ],
)
def test_turns_without_valid_times_are_rejected(
    write: Callable[[Iterable[Turn]], str], start: Any, end: Any, reason: str
) -> None:
    """The error has the index of the turn, and none of its text."""
    with pytest.raises(ConfigurationError) as caught:
        write([Turn("Ann", "fine", 0, 1), Turn("secret", "secret", start, end)])
    assert str(caught.value).startswith(f"turns[1] {reason}")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("write", [to_srt, to_vtt])
@pytest.mark.parametrize(
    "text",
    [
        "a\n\n2\n00:00:09,000 --> 00:00:10,000\nforged",
        "a\r\r2\r00:00:09.000 ---> 00:00:10.000\rforged",
        "a\u2028\u202800:00:09.000 --> 00:00:10.000\x0bforged",
        "--->\n-->\n>",
        "a\n00:00:09,000 -- > 00:00:10,000\nforged",
        "a\n00:00:09,000 \u2013> 00:00:10,000\nforged",
        "</v>\n<v Eve>forged",
        "\n\nNOTE forged\n\nSTYLE\n\n",
        "&lt;v Eve&gt;",
    ],
)
def test_text_cannot_inject_cues(write: Callable[[Iterable[Turn]], str], text: str) -> None:
    """Any text remains one turn, one cue, one speaker, one arrow."""
    for speaker in ("Ann", text, None):
        written = write([Turn(speaker, text, 1, 2)])
        transcript = parse_transcript(written)
        assert len(transcript.turns) == 1
        assert (transcript.turns[0].start, transcript.turns[0].end) == (1, 2)
        assert transcript.unread == ()
        assert written.count("-->") == 1
        if speaker == "Ann":
            assert transcript.turns[0].speaker == "Ann"


@pytest.mark.parametrize(
    ("turn", "written"),
    [
        (Turn("Ann", "", 1, 2), "Ann:"),
        (Turn(None, "a\n00:00:09 -- > 00:00:10 b", 1, 2), "a\n00:00:09 → 00:00:10 b"),
        (
            Turn(None, "00:09 \u2013> 00:10\n00:09 -> 00:10", 1, 2),
            "00:09 \u2013> 00:10\n00:09 -> 00:10",
        ),
        (Turn(None, "- Ready?\n- No.", 1, 2), "- Ready?\n- No."),
        (Turn("Ann", "Ready?\n- No.", 1, 2), "Ann: Ready? - No."),
    ],
)
def test_lines_of_a_cue_are_parsed_as_the_same_words(turn: Turn, written: str) -> None:
    """Only what would be parsed differently is changed."""
    text = to_srt([turn])
    assert text == f"1\n00:00:01,000 --> 00:00:02,000\n{written}\n"
    (read,) = parse_transcript(text).turns
    assert read.speaker == turn.speaker


def test_line_that_looks_like_a_speaker_is_joined_until_it_does_not() -> None:
    """The line above may make another name of it."""
    turn = Turn("Bob", "I said\nthanks\nMary: hi\nand\nleft", 1, 2)
    written = to_srt([turn])
    assert "\nBob: I said thanks Mary: hi\nand\nleft\n" in written
    (read,) = parse_transcript(written).turns
    assert (read.speaker, read.text) == ("Bob", "I said thanks Mary: hi\nand\nleft")


def lines(text: str) -> str:
    """Return a text as it is written in a cue."""
    return "\n".join(filter(None, (line.strip() for line in text.splitlines())))


milliseconds = st.integers(0, 10**12) | st.integers(0, 10**6)
words = st.lists(
    st.sampled_from(["a", "Bob: b", "<v Eve>", "</v>", "&amp;", "&", "-->", "--->", "1", "\n"])
    | st.text(max_size=5)
).map("".join)
names = st.none() | st.sampled_from(["Ann", "Lee, Bob", "R&D <x>", "&lt;"]) | st.text(max_size=9)


@st.composite
def turns(draw: st.DrawFn) -> Turn:
    """Make a turn with valid times."""
    start, end = sorted((draw(milliseconds), draw(milliseconds)))
    speaker = clean_name(draw(names) or "") or None
    return Turn(speaker, draw(words), start / 1000, end / 1000)


def is_plain(turn: Turn) -> bool:
    """Return whether no line of the text looks like a speaker label."""
    return all(is_only_words(line) for line in filter(None, lines(turn.text).splitlines()))


@settings(deadline=None)
@given(given_turns=st.lists(turns(), max_size=5))
def test_vtt_round_trip(given_turns: list[Turn]) -> None:
    """Speakers, text and times to the millisecond survive."""
    assume(all(turn.speaker or is_plain(turn) for turn in given_turns))
    transcript = parse_transcript(to_vtt(given_turns))
    assert transcript.format == "vtt"
    assert transcript.unread == ()
    assert list(transcript.turns) == [
        Turn(turn.speaker, lines(turn.text), turn.start, turn.end) for turn in given_turns
    ]


@settings(deadline=None)
@given(given_turns=st.lists(turns(), max_size=5))
def test_srt_round_trip(given_turns: list[Turn]) -> None:
    """The same values survive, except for arrows, and for line breaks above labels."""
    named = [turn for turn in given_turns if turn.speaker or is_plain(turn)]
    transcript = parse_transcript(to_srt(named), format="srt")
    assert transcript.unread == ()

    def expected(text: str | None) -> str:
        return re.sub("-{2,}>", "->", text or "")

    for read, turn in zip(transcript.turns, named, strict=True):
        assert (read.start, read.end) == (turn.start, turn.end)
        assert (read.speaker or "") == expected(turn.speaker)
        if is_plain(turn):
            assert read.text == expected(lines(turn.text))
        else:
            assert read.text.split() == expected(turn.text).split()
