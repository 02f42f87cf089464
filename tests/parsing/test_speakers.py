"""Speakers that are recognized by the other lines of a text."""

import pytest

from videosdk_transcripts import parse_transcript

from .samples import speakers_and_texts, turns_without_raw

CUE = "00:00:01,000 --> 00:00:02,000\n"


def test_short_label_counts_at_the_beginning_of_a_paragraph_or_sentence() -> None:
    """It does not matter how the lines below it, or other paragraphs, end."""
    text = "We\nmet.\nunknown guest: Hi\n\nunknown guest: yes\nand so\n"
    assert speakers_and_texts(parse_transcript(text)) == [
        (None, "We"),
        (None, "met."),
        ("unknown guest", "Hi"),
        ("unknown guest", "yes\nand so"),
    ]


def test_short_label_with_a_capital_counts_everywhere() -> None:
    """A line rarely wraps before a capital."""
    text = "Bob: I was\nUnknown guest: Hi\nthere\nUnknown guest: Yes\nso\n"
    assert speakers_and_texts(parse_transcript(text)) == [
        ("Bob", "I was"),
        ("Unknown guest", "Hi\nthere"),
        ("Unknown guest", "Yes\nso"),
    ]


def test_tight_label_counts_for_nothing() -> None:
    """A colon without a space is in many words."""
    text = "Bob: we have\ntwo options\nand so on.\nann:yes\nok.\nann: Hi\n"
    assert speakers_and_texts(parse_transcript(text)) == [
        ("Bob", "we have\ntwo options\nand so on.\nann:yes\nok."),
        (None, "ann: Hi"),
    ]


@pytest.mark.parametrize(
    ("lines", "is_labelled"),
    [
        (["host: Hi.", "guest: Yes."], True),
        (["host: Hi."], False),
        (["Welcome", "host: Hi.", "guest: Yes.", "other: So."], True),
        (["host: Hi.", "guest: Yes.", "host 2: So.", "(noise)"], True),
        (["host: Hi.", "guest: Yes.", "(noise)"], False),
        (["host: Hi.", "one of the guests: Yes.", "guest: So."], False),
        (["host: Hi.", "man at the bar: Yes.", "man at the bar: No.", "guest: So."], True),
        (["man at the bar: Yes.", "man at the bar: No."], True),
        (["man at the bar: Yes.", "man at the bar: No.", "(noise)"], False),
    ],
)
def test_labels_are_speakers_if_three_quarters_of_the_lines_have_one(
    lines: list[str], is_labelled: bool
) -> None:
    """At least two labels are required, and unusual ones count if they recur."""
    turns = parse_transcript("\n".join(lines)).turns
    named = [line.partition(":")[0] for line in lines if ":" in line]
    assert [turn.speaker for turn in turns if turn.speaker] == (named if is_labelled else [])


def test_lower_case_is_usual_if_most_names_have_it() -> None:
    """Unusual labels do not count."""
    once = parse_transcript("Ann: Are you in?\nBob: Yes.\nbob: no.\nman in the back: so.\n")
    assert [turn.speaker for turn in once.turns] == ["Ann", "Bob", None, None]
    half = parse_transcript("Ann: Are you in?\nbob: yes.\n")
    assert [turn.speaker for turn in half.turns] == ["Ann", None]
    most = parse_transcript("Ann: Are you in?\nbob: yes.\neve: so.\n")
    assert [turn.speaker for turn in most.turns] == ["Ann", "bob", "eve"]
    particle = parse_transcript("ann: are you in?\nbob: yes.\nand Eve: so.\n")
    assert [turn.speaker for turn in particle.turns] == ["ann", "bob", None]


def test_usual_label_below_an_unfinished_line_is_no_speaker() -> None:
    """The line may wrap there, if others do."""
    text = "ann: are you in\nand\nbob: yes.\neve: so\n"
    assert speakers_and_texts(parse_transcript(text)) == [
        ("ann", "are you in\nand"),
        (None, "bob: yes."),
        ("eve", "so"),
    ]


def test_label_in_a_later_line_of_a_cue_is_not_expected() -> None:
    """It does not count towards the three quarters, whether it is short or long."""
    for label, other in (("ann", "bob"), ("man in the back", "man in the back")):
        text = f"{CUE}Hello there.\n{label}: hi.\n\n{CUE}So.\n{other}: ok.\n"
        assert {turn.speaker for turn in parse_transcript(text).turns} == {None}
    first = f"{CUE}ann: hi.\nWell.\n\n{CUE}bob: ok.\nSo.\n"
    assert [turn.speaker for turn in parse_transcript(first).turns] == ["ann", "bob"]


def test_cues_without_labels_have_no_speakers() -> None:
    """Two short labels are less than three quarters of the cues."""
    cues = ("We asked everyone.", "The answer: no.", "So we left.", "The reason: snow.")
    text = "\n\n".join(f"{CUE}{words}" for words in cues)
    assert speakers_and_texts(parse_transcript(text)) == [(None, words) for words in cues]


def test_column_of_times_is_recognized_if_three_quarters_of_the_lines_have_it() -> None:
    """The times are not clear alone, as in `10:30 we start`."""
    column = parse_transcript("0:05 hello everyone\n0:09 so we go\n0:12 and\nbye\n")
    assert turns_without_raw(column) == [
        (None, "hello everyone", 5, None),
        (None, "so we go", 9, None),
        (None, "and\nbye", 12, None),
    ]
    both = parse_transcript("0:05 hello everyone\n0:09 so we go\n")
    assert [turn.start for turn in both.turns] == [5, 9]
    words = parse_transcript("We met.\n10:30 we start\n11:30 we leave\n")
    assert turns_without_raw(words) == [
        (None, "We met.", None, None),
        (None, "10:30 we start", None, None),
        (None, "11:30 we leave", None, None),
    ]
    headers = parse_transcript("Ann  0:05\n10:30 we start\nBob  0:09\n11:00 lunch\n")
    assert turns_without_raw(headers) == [
        ("Ann", "10:30 we start", 5, None),
        ("Bob", "11:00 lunch", 9, None),
    ]


def test_long_label_that_recurs_within_sentences_belongs_to_no_speaker() -> None:
    """Where lines wrap, it is neither a speaker nor words of the speaker above."""
    lines = ("Ann: we", "Man at the bar: yes", "Ann: and", "Man at the bar: no", "Bob: so.", "ok")
    assert speakers_and_texts(parse_transcript("\n".join(lines))) == [
        ("Ann", "we"),
        (None, lines[1]),
        ("Ann", "and"),
        (None, lines[3]),
        ("Bob", "so.\nok"),
    ]
    twice = (
        f"{CUE}Bob: I say\nthe only question is: no\n\n{CUE}Bob: and\nthe only question is: so\n"
    )
    assert speakers_and_texts(parse_transcript(twice)) == [
        ("Bob", "I say"),
        (None, "the only question is: no"),
        ("Bob", "and"),
        (None, "the only question is: so"),
    ]
    once = f"{CUE}Bob: I say\nthe only question is: no\n\n{CUE}Bob: and\nthe only reason is: so\n"
    assert speakers_and_texts(parse_transcript(once)) == [
        ("Bob", "I say\nthe only question is: no"),
        ("Bob", "and\nthe only reason is: so"),
    ]


def test_short_or_long_label_with_a_clear_time_is_no_speaker_within_a_sentence() -> None:
    """A sentence may end with a time in parentheses, but a known name is a speaker."""
    head = "ann  0:05\nHi\n\nbob  0:09\nI went\n"
    for words in ("and so (0:10)", "and so we go (0:10)"):
        assert speakers_and_texts(parse_transcript(f"{head}{words}\nyes\n")) == [
            ("ann", "Hi"),
            ("bob", "I went"),
            (None, words),
            (None, "yes"),
        ]
    for name in ("ann", "one of the guests"):
        text = f"{name}  0:01\nSo.\n\n{name}  0:03\nHm.\n\n{head}{name}  0:10\nyes\n"
        assert parse_transcript(text).turns[-1].speaker == name


def test_sound_in_brackets_after_a_time_keeps_its_time() -> None:
    """It is not a speaker, even where others have a number in brackets."""
    text = "0:05 [Music] la la\n[S1] Hi\n[S2] Yes\n[Music] la\n"
    assert turns_without_raw(parse_transcript(text)) == [
        (None, "[Music] la la", 5, None),
        ("S1", "Hi", None, None),
        ("S2", "Yes", None, None),
        (None, "[Music] la", None, None),
    ]
