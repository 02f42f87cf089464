"""Plain text: speakers at the beginning of lines."""

import pytest

from videosdk_transcripts import parse_transcript

from .samples import speakers_and_texts, turns_without_raw


@pytest.mark.parametrize(
    ("line", "speaker", "text"),
    [
        ("Ann: Hi", "Ann", "Hi"),
        ("  Ann :\tHi ", "Ann", "Hi"),
        ("Speaker 1: Hi: you", "Speaker 1", "Hi: you"),
        ("Dr. Ann Lee (she/her): Hi", "Dr. Ann Lee (she/her)", "Hi"),
        ("Zoë O'Neil-Łu | Sales: Hi", "Zoë O'Neil-Łu | Sales", "Hi"),
        ("李雷: 你好", "李雷", "你好"),
        ("李雷:你好", "李雷", "你好"),
        ("欧阳娜娜: 你好", "欧阳娜娜", "你好"),
        ("我想说的是: 不", None, "我想说的是: 不"),
        ("عبدالرحمن: نعم", "عبدالرحمن", "نعم"),
        ("ก" * 15 + ": ค", "ก" * 15, "ค"),
        ("ก" * 16 + ": ค", None, "ก" * 16 + ": ค"),
        ("[Ann]: Hi", "Ann", "Hi"),
        ("[Lee, Ann; the one that came in late]: Hi", "Lee, Ann; the one that came in late", "Hi"),
        ("Note: see https://example.com", "Note", "see https://example.com"),
        ("Ann:", "Ann", ""),
        ("X" * 60 + ": yes", "X" * 60, "yes"),
        ("[" + "x" * 60 + "]: yes", "x" * 60, "yes"),
        ("[ the one who speaks a lot more ]: yes", "the one who speaks a lot more", "yes"),
        ("[Ann:]: yes", "Ann:", "yes"),
        ("[a]:\ty", "a", "y"),
        ("[Ann]:Hi", "Ann", "Hi"),
        ("Ann [Sales]: Hi", "Ann [Sales]", "Hi"),
        # No speaker from here on.
        ("Ann:Hi", None, "Ann:Hi"),
        ("https://example.com is up", None, "https://example.com is up"),
        ("10:30 we start", None, "10:30 we start"),
        ("at 10:30 we start", None, "at 10:30 we start"),
        ("10: we start", None, "10: we start"),
        ("[1] a note: this", None, "[1] a note: this"),
        ("[[Ann]]: Hi", None, "[[Ann]]: Hi"),
        ("[Ann [Lee]: Hi", None, "[Ann [Lee]: Hi"),
        ("[Ann] Lee]: Hi", None, "[Ann] Lee]: Hi"),
        ("Ann ]: Hi", None, "Ann ]: Hi"),
        ("X" * 59 + "[: no", None, "X" * 59 + "[: no"),
        ("X" * 61 + ": no", None, "X" * 61 + ": no"),
        ("The one who speaks too much: no", None, "The one who speaks too much: no"),
        ("[Ann] Hi", None, "[Ann] Hi"),
        ("[]: Hi", None, "[]: Hi"),
        (": Hi", None, ": Hi"),
        ("Well, one thing: no", None, "Well, one thing: no"),
        ("What I want to say is this: no", None, "What I want to say is this: no"),
        ("x" * 61 + ": no", None, "x" * 61 + ": no"),
        ("no speaker", None, "no speaker"),
    ],
)
def test_speaker_label_is_recognized(line: str, speaker: str | None, text: str) -> None:
    """The rules are the same in a line of text, a cue and a TSV cell."""
    assert speakers_and_texts(parse_transcript(line, format="txt")) == [(speaker, text)]
    cue = f"1\n00:00:01,000 --> 00:00:02,000\n{line}\n"
    assert turns_without_raw(parse_transcript(cue)) == [(speaker, text, 1, 2)]
    assert turns_without_raw(parse_transcript(f"1\t2\t{line}", format="tsv")) == [
        (speaker, text, 0.001, 0.002)
    ]


@pytest.mark.parametrize("character", ',;!?"\u201c\u201d<>[]{}=')
def test_punctuation_of_sentences_and_code_is_in_no_name(character: str) -> None:
    """Within brackets, only brackets are impossible."""
    line = f"A{character}Xavier: no"
    assert speakers_and_texts(parse_transcript(line, format="txt")) == [(None, line)]
    name = f"A{character}Xavier"
    in_brackets = parse_transcript(f"[{name}]: text", format="txt")
    if character in "[]":
        assert speakers_and_texts(in_brackets) == [(None, f"[{name}]: text")]
    else:
        assert speakers_and_texts(in_brackets) == [(name, "text")]


def test_blank_line_ends_a_turn() -> None:
    """It may be at the beginning, or have only whitespace."""
    transcript = parse_transcript("\n \nAnn: a\n \t\nb\n\n\nBob: c\n\n", format="txt")
    assert speakers_and_texts(transcript) == [("Ann", "a"), (None, "b"), ("Bob", "c")]
    unlabelled = parse_transcript("\n \n a \nAnn: b\nc", format="txt")
    assert speakers_and_texts(unlabelled) == [(None, "a"), ("Ann", "b"), (None, "c")]


def test_unlabelled_lines_belong_to_speaker_above() -> None:
    """This ends at a blank line, and requires that the text begins with a speaker."""
    transcript = parse_transcript("\ufeffAnn:\r\n Hi\rthere\n\n(music)\nBob: Yes\nno\n")
    assert transcript.format == "txt"
    assert speakers_and_texts(transcript) == [
        ("Ann", "Hi\nthere"),
        (None, "(music)"),
        ("Bob", "Yes\nno"),
    ]
    assert [turn.raw for turn in transcript.turns] == [
        "Ann:\r\n Hi\rthere",
        "(music)",
        "Bob: Yes\nno",
    ]
    assert {turn.start for turn in transcript.turns} == {None}


def test_raw_text_has_what_is_between_a_label_and_its_words() -> None:
    """But no blank lines after the words, or after a label without words."""
    source = (
        "Ann:\n \nHi\n \t\nBob: Yes \n\n\nEve  0:05\n\n\nSo\n\n"
        "Ann Lee\n0:00:07\nAnn Lee  0:07\nNo\nEve  0:09\n \nAnn  0:10\nBob:\n \n0:00:11\n \n"
    )
    transcript = parse_transcript(source, format="txt")
    assert [(turn.speaker, turn.start, turn.raw) for turn in transcript.turns] == [
        ("Ann", None, "Ann:\n \nHi"),
        ("Bob", None, "Bob: Yes "),
        ("Eve", 5, "Eve  0:05\n\n\nSo"),
        ("Ann Lee", 7, "Ann Lee\n0:00:07\nAnn Lee  0:07\nNo"),
        ("Eve", 9, "Eve  0:09"),
        ("Ann", 10, "Ann  0:10"),
        ("Bob", 11, "Bob:\n \n0:00:11"),
    ]
    times = parse_transcript("0:00:05\nAnn: Hi\n0:00:09\n(noise)\n\n0:00:11\n \n", format="txt")
    assert [turn.raw for turn in times.turns] == ["0:00:05\nAnn: Hi", "0:00:09\n(noise)"]
    assert times.frame == ("0:00:11",)


def test_indented_labels_are_speakers() -> None:
    """Their raw text keeps the whitespace, even in a cue."""
    text = "  Ann: Hi\n\t[Bob]: Yes\n   and no\n"
    expected = [("Ann", "Hi"), ("Bob", "Yes\nand no")]
    transcript = parse_transcript(text)
    assert speakers_and_texts(transcript) == expected
    assert [turn.raw for turn in transcript.turns] == ["  Ann: Hi", "\t[Bob]: Yes\n   and no"]
    for head in ("1\n00:01,000 --> 00:02,000\n", "WEBVTT\n\n00:01.000 --> 00:02.000\n"):
        cue = parse_transcript(head + text)
        assert speakers_and_texts(cue) == expected
        assert cue.turns[1].raw == "\t[Bob]: Yes\n   and no"


def test_speaker_change_before_a_time_of_day_keeps_the_time() -> None:
    """It is a part of the words."""
    transcript = parse_transcript("Ann: Hi\n>> 10:30 we start\n")
    assert turns_without_raw(transcript) == [
        ("Ann", "Hi", None, None),
        (None, ">> 10:30 we start", None, None),
    ]


def test_label_below_another_one_is_a_speaker() -> None:
    """The first one has no words."""
    transcript = parse_transcript("ann:\nbob: hi.\neve: so.\nand more\n")
    assert speakers_and_texts(transcript) == [
        ("ann", ""),
        ("bob", "hi."),
        ("eve", "so.\nand more"),
    ]


def test_text_without_initial_speaker_has_a_turn_per_line() -> None:
    """The lines below a sentence with a colon do not belong to it."""
    transcript = parse_transcript("We have to choose.\nThe question is: when\nI say now.\n")
    assert speakers_and_texts(transcript) == [
        (None, "We have to choose."),
        (None, "The question is: when"),
        (None, "I say now."),
    ]


def test_name_above_a_time_is_a_speaker() -> None:
    """Anywhere in the text, and even without words."""
    transcript = parse_transcript("Hi.\n\nAnn Lee\n0:05:00\nYes\n\nsip:alice\n0:06:00\n")
    assert turns_without_raw(transcript) == [
        (None, "Hi.", None, None),
        ("Ann Lee", "Yes", 300, None),
        ("sip:alice", "", 360, None),
    ]


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("Ann Lee\n0:05:00 we go\n", [("Ann Lee", None), ("we go", 300)]),
        ("Ann Lee\n10:30\nok\n", [("Ann Lee", None), ("10:30", None), ("ok", None)]),
        ("[Music] La La\n0:05:00\nYes\n", [("[Music] La La", None), ("Yes", 300)]),
        ("0:05:00 Ann Lee\n0:06:00\nHi\n", [("Ann Lee", 300), ("Hi", 360)]),
        ("0:05\nWelcome\n0:09\nso\n", [("Welcome", 5), ("so", 9)]),
        ("Welcome to all of you\n0:05:00\nHi\n", [("Welcome to all of you", None), ("Hi", 300)]),
    ],
)
def test_other_words_above_a_time_are_not_a_speaker(
    text: str, turns: list[tuple[str, float | None]]
) -> None:
    """Nor are words above a line that is more than a time, or may be words itself."""
    assert turns_without_raw(parse_transcript(text)) == [
        (None, words, start, None) for words, start in turns
    ]
