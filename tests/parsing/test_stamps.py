"""Forms of times in lines of plain text."""

import pytest

from videosdk_transcripts import parse_transcript

from .samples import turns_without_raw


@pytest.mark.parametrize(
    ("stamp", "start", "end"),
    [
        ("[0:05]", 5, None),
        ("(0:05)", 5, None),
        ("<0:05>", 5, None),
        ("[ 0:05 ]", 5, None),
        ("[00:05.5]", 5.5, None),
        ("[00:05,25]", 5.25, None),
        ("[1:2:3]", 3723, None),
        ("[999:59]", 59_999, None),
        ("[5s]", 5, None),
        ("[5 s]", 5, None),
        ("[5.5]", 5.5, None),
        ("[5.5s]", 5.5, None),
        ("[5.5 s]", 5.5, None),
        ("[0:05 - 0:07]", 5, 7),
        ("[0:05-0:07]", 5, 7),
        ("[0:05 \u2013 0:07]", 5, 7),
        ("[0:05 \u2014 0:07]", 5, 7),
        ("[0:05 \u2192 0:07]", 5, 7),
        ("[0:05 -> 0:07]", 5, 7),
        ("[0:05-->0:07]", 5, 7),
        ("[0:05 to 0:07]", 5, 7),
        ("[0:07 - 0:07]", 7, 7),
        ("[1.5 - 2.5]", 1.5, 2.5),
        ("[1s - 2 s]", 1, 2),
        # Times of day.
        ("[1:05 PM]", 47_100, None),
        ("[1:05:30 p.m.]", 47_130, None),
        ("[1:05am]", 3900, None),
        ("[12:05 AM]", 300, None),
        ("[12:05 PM]", 43_500, None),
        ("[10:05:11 UTC]", 36_311, None),
        ("[10:05:11+01:00]", 36_311, None),
        ("[10:05:11 -0100]", 36_311, None),
        # Dates, impossible times, and times that no timestamp can have.
        ("[2024-01-05 10:05:11]", None, None),
        ("[2024-01-05T10:05:11Z]", None, None),
        ("[2024-01-05, 10:05]", None, None),
        ("2024-01-05 10:05", None, None),
        ("[0:07 - 0:05]", None, None),
        ("[9999999999:00:00]", None, None),
        ("[9999999999:00:00 PM]", None, None),
        # Without brackets.
        ("0:05:00", 300, None),
        ("0:05.5", 5.5, None),
        ("0:05 - 0:07", 5, 7),
        ("0:05 to 0:07", 5, 7),
        ("1:02:03 p.m.", 46_923, None),
        ("00:00:05 |", 5, None),
        ("00:00:05|", 5, None),
        ("00:00:05\t-", 5, None),
        ("00:00:05 \u2014", 5, None),
        ("10:05:00 AM:", 36_300, None),
    ],
)
def test_clear_time_is_not_part_of_the_words(
    stamp: str, start: float | None, end: float | None
) -> None:
    """Even without a name, and in one line only."""
    transcript = parse_transcript(f"We met.\n{stamp} Hi there\n")
    assert turns_without_raw(transcript) == [
        (None, "We met.", None, None),
        (None, "Hi there", start, end),
    ]


@pytest.mark.parametrize(
    "words",
    [
        "[1000:00]",
        "[0:05:123]",
        "[0:5]",
        "[0:05",
        "0:05",
        "0:05|",
        "10:05Z",
        "10:05 AM",
        "00:00:05,",
        "00:00:05x",
        "1:02:03:04",
    ],
)
def test_other_figures_are_words(words: str) -> None:
    """They may be part of a sentence."""
    line = f"{words} Hi there"
    assert turns_without_raw(parse_transcript(f"{line}\n", format="txt")) == [
        (None, line, None, None)
    ]


@pytest.mark.parametrize(
    ("time", "start"),
    [
        ("0 minutes 5 seconds", 5),
        ("1m5s", 65),
        ("1m 5s", 65),
        ("1 h 2 m 3 s", 3723),
        ("1hr 2min 3sec", 3723),
        ("2 hrs 3 mins 4 secs", 7384),
        ("2 hours 3 minutes 4 seconds", 7384),
        ("1 hour 2 minutes 3 seconds 1:02:03", 3723),
        (" 0:05", 5),
        (" 10:05 AM", 36_300),
        (" 2024-01-05 10:05", None),
        (" 0:05 - 0:07", 5),
        ("[0:05]", 5),
        ("<0:05>", 5),
        ("(10:05 p.m.)", 79_500),
    ],
)
def test_time_after_a_name_may_be_in_words(time: str, start: float | None) -> None:
    """The words are below."""
    (turn,) = parse_transcript(f"Ann Lee {time}\nHi there\n").turns
    assert (turn.speaker, turn.text, turn.start) == ("Ann Lee", "Hi there", start)
