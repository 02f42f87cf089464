"""Speakers that can't be recognized from a single line."""

import pytest

from videosdk_transcripts import parse_transcript

from .samples import speakers_and_texts, turns_without_raw


@pytest.mark.parametrize(
    "label",
    [
        "Smith, Ann",
        "+15550100",
        "555-0100-22",
        "Professor Doctor Ann Maria Lee von Berg",
        "Ann [she/her]",
        "[External] Ann",
        "[00:05] Ann",
        "ann",
        "ann lee",
        "van Dyke",
        "Man in the back",
        "man in the back",
        '"Ann"',
        "2024-01-05",
        "1001",
        "🦊",
        "(laughs)",
        "One. Ready? Ann",
        "Ann, Bob, Eve, Zoe",
        "A B C D E F G H I J K",
        "x" * 61,
        "Ann Lee " * 8 + "Ann",
        "我想说的是",
    ],
)
@pytest.mark.parametrize("format", ["txt", "srt", "vtt"])
def test_words_below_a_label_never_belong_to_the_speaker_above(label: str, format: str) -> None:  # noqa: A002
    """They belong to that label or to no speaker, whether it occurs once or twice."""
    heads = {"srt": "00:01,0 --> 00:02,0\n", "vtt": "WEBVTT\n\n00:01.0 --> 00:02.0\n"}
    for above in (
        "Bob: Ready?",
        "Bob: Ready?\nBob: I am\nand so are you.",
        f"{label}: So.\nBob: Ok?",
    ):
        text = f"{heads.get(format, '')}{above}\n{label}: No.\nreally\n"
        transcript = parse_transcript(text, format=format)
        spoken = " ".join(t.text for t in transcript.turns if t.speaker == "Bob")
        assert "No." not in spoken
        assert "really" not in spoken


@pytest.mark.parametrize(
    "sentence",
    [
        "On the integration question you raised: we can do it",
        "the second one is:",
        "My point is this: wait",
        "and my advice to you is: wait",
        "what I mean by that is: nothing",
        "and so on: nothing",
        "https://example.com: look",
        "10:30 works",
        "as we said (0:05) it is",
        "it is 3:1 for us",
        "C:\\temp is full",
        "thanks :) and bye",
        "Thanks :D and bye",
        ": odd",
        "12: odd",
        "re:invent was good",
        "今天我们主要讨论的问题有三个\uff1a预算",
        "欧阳娜娜 我想说的是: 好",
        "THE ONLY THING THAT MATTERS IS: MONEY",
    ],
)
@pytest.mark.parametrize("format", ["txt", "srt", "vtt"])
def test_sentence_with_a_colon_creates_no_speaker(sentence: str, format: str) -> None:  # noqa: A002
    """It belongs to the speaker whose line wraps there."""
    heads = {"srt": "00:01,0 --> 00:02,0\n", "vtt": "WEBVTT\n\n00:01.0 --> 00:02.0\n"}
    text = f"{heads.get(format, '')}Bob: we have\ntwo options and\n{sentence}\nBob: So.\n"
    assert speakers_and_texts(parse_transcript(text, format=format)) == [
        ("Bob", f"we have\ntwo options and\n{sentence}"),
        ("Bob", "So."),
    ]


@pytest.mark.parametrize(
    "label",
    [
        "\u200eAnn:",
        "\ufeffAnn :",
        "\u2068Ann\u2069:",
        "An\u200bn:",
        "- Ann:",
        "-Ann:",
        "1. Ann:",
        "12) Ann:",
        "* Ann:",
        "\u2022 Ann:",
        "**Ann:**",
        "**Ann**:",
        "*Ann:*",
        "__Ann:__",
        "- **Ann:**",
        "### Ann:",
        "> Ann:",
        ">> Ann:",
        ">>Ann:",
        "\u00bb Ann:",
        "Ann\uff1a",
        "Ann\ufe55",
        "[Ann]:",
        "[Ann]\uff1a",
        "(Ann):",
        "[00:05] Ann:",
        "**[00:05] Ann:**",
        "[00:05] **Ann:**",
        "00:00:05 - Ann:",
        "Ann (00:05):",
        "Ann (00:05)\uff1a",
        "Ann\uff1a (00:05)",
        "**Ann (00:05):**",
        "**Ann** (00:05):",
    ],
)
def test_speaker_has_one_name(label: str) -> None:
    """What is around the name does not matter."""
    transcript = parse_transcript(f"Bob: Hi.\n{label} Yes.\nAnn: So.\n")
    assert speakers_and_texts(transcript) == [("Bob", "Hi."), ("Ann", "Yes."), ("Ann", "So.")]


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("12345:", "12345"),
        ("+1***:", "+1***"),
        ("+44 20 7946 0958:", "+44 20 7946 0958"),
        ("(020) 7946-0958:", "(020) 7946-0958"),
        ("03-1234-5678:", "03-1234-5678"),
        ("SIPS:1001:", "SIPS:1001"),
        ("tel:555:", "tel:555"),
        ("sip:alice:", "sip:alice"),
        ("A B C D E F G H I J:", "A B C D E F G H I J"),
        ("x\u200d" * 59 + "X:", "x" * 59 + "X"),
        ("Capt. Ann:", "Capt. Ann"),
        ("Ann van Lee:", "Ann van Lee"),
        ("'t Hooft:", "'t Hooft"),
        ("bob123:", "bob123"),
        ("3f2a-99bc:", "3f2a-99bc"),
        ("ann_lee:", "ann_lee"),
        ("Ann\u2019s iPad von Lee:", "Ann\u2019s iPad von Lee"),
        ("iPhone von Ann:", "iPhone von Ann"),
        ("THE OLD MAN SAYS:", "THE OLD MAN SAYS"),
        ("\u01c5ordan:", "\u01c5ordan"),
        ("אני רוצה לומר:", "אני רוצה לומר"),
        ("欧阳娜娜 司马相如 诸葛孔明:", "欧阳娜娜 司马相如 诸葛孔明"),
        ("アーノルド\u30fbシュワルツェネッガー:", "アーノルド\u30fbシュワルツェネッガー"),
        ("[ann]:", "ann"),
        ("[ann]\uff1a", "ann"),
        ("(Ann)\uff1a", "Ann"),
        ("(Ann) :", "Ann"),
        ("(Ann): \\", "Ann"),
        ("\u2068Ann:\u2069", "Ann"),
        ("####### Ann:", "Ann"),
        ("1234. Ann:", "Ann"),
        ("-- Ann:", "Ann"),
        ("\u2022Ann:", "Ann"),
        ("****Ann:****", "Ann"),
        ("**_Ann_**:", "Ann"),
        ("**Ann** :", "Ann"),
    ],
)
def test_name_that_occurs_once_is_a_speaker(label: str, name: str) -> None:
    """Its form is enough, even where most lines have no label."""
    transcript = parse_transcript(f"Bob: we have\ntwo options\nand so on.\n{label} Yes.\n")
    assert speakers_and_texts(transcript) == [
        ("Bob", "we have\ntwo options\nand so on."),
        (name, "Yes."),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "1-234: Yes.",
        "+100: Yes.",
        "100: Yes.",
        "2024-01-05: Yes.",
        "1.5.2024: Yes.",
        "10/12/24: Yes.",
        "\N{FOX FACE} 1: Yes.",
        "(laughs): Yes.",
        "(ann): Yes.",
        "ann @ example.com: Yes.",
        "a@b@c: Yes.",
        "A B C D E F G H I J K: Yes.",
        "Right. Ann: Yes.",
        "Ann lee: Yes.",
        "Ann from Lee: Yes.",
        "van Dyke: Yes.",
        "(Guest) van Dyke: Yes.",
        "THE OLD MAN SAYS: YES.",
        "my friend: Yes.",
        "my friend: YES.",
        "my friend in: Yes.",
        "my friend in there: Yes.",
        "a, b, c, d: Yes.",
        "今天我们讨论: 好",
        "欧阳娜娜 我想说的是: 好",
        "今天我们讨论三个问: 好",
        "さくらさくら: はい",
        "אני רוצה לומר דבר: כן",
        "Ann:Yes.",
        "Ann:10 of them",
        "Ann:Xavier",
        "Speaker 1:Yes.",
        ">Ann: Yes.",
        "[Ann] Yes.",
        "**Ann** (0:05) Yes.",
        "ann (0:05): Yes.",
        "Man in the back (0:05): Yes.",
        '"Ann" (0:05): Yes.',
        '"Ann"  0:05',
    ],
)
def test_possible_name_that_occurs_once_ends_the_turn_above(line: str) -> None:
    """The line belongs to no speaker, because it may name one."""
    transcript = parse_transcript(f"Bob: we have\ntwo options\nand so on.\n{line}\nright\n")
    assert speakers_and_texts(transcript) == [
        ("Bob", "we have\ntwo options\nand so on."),
        (None, line),
        (None, "right"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "99: Yes.",
        "+1: I agree.",
        "- : Yes.",
        "3:1 for us",
        "Speaker 1:10 of us",
        "x\u200d" * 60 + ": Yes.",
        "my friend in there now: Yes.",
        "I SAID TO HIM AT ONCE: NO",
        "今天我们讨论三个问题: 好",
        "אני רוצה לומר לכם דבר: כן",
        "ann:yes",
        "[ann]:yes",
        "Ann:/b",
        "Ann:(b",
        "Ann:-b",
        "Ann::b",
        ":yes",
        ": so: yes",
        "[ ]: yes",
        "[Bob]",
        "(music) yes",
        "ann (0:05) yes",
        "as we (0:05) said: no",
        "we will all meet there today  0:05",
        "- and so",
    ],
)
def test_words_that_name_nobody_belong_to_the_speaker_above(line: str) -> None:
    """Even below the end of a sentence."""
    transcript = parse_transcript(f"Bob: we have\ntwo options\nand so on.\n{line}\nright\n")
    assert speakers_and_texts(transcript) == [
        ("Bob", f"we have\ntwo options\nand so on.\n{line}\nright")
    ]


@pytest.mark.parametrize(
    "label",
    [
        "Ann (0:05): ",
        "Ann (0:05):",
        "Ann (0:05) : ",
        "Ann (0:05) :",
        "Ann : (0:05) ",
        "Ann: (0:05)",
        "**Ann (0:05)**: ",
        "**Ann (0:05):** ",
        "**Ann** (0:05): ",
        "**Ann:** (0:05) ",
        "**Ann**: (0:05) ",
        "Ann  0:05\n",
        "Ann\t0:05\n",
        "Ann, 0:05\n",
        "Ann - 0:05\n",
        "Ann \u2013 0:05\n",
        "Ann \u2014 0:05\n",
        "Ann | 0:05\n",
        "Ann @ 0:05\n",
        "Ann \u00b7 0:05\n",
        "Ann \u2022 0:05\n",
        "Ann  0:05:\n",
        "Ann  0:05 :\n",
        "Ann  0:05\uff1a\n",
        "(Ann)  0:05\n",
        "[Ann]  0:05\n",
        "**Ann  0:05**\n",
        "**Ann  0:05:**\n",
        "**Ann  0:05 **\n",
        "**Ann**  0:05\n",
        "_Ann_  0:05\n",
        "Ann:  0:05\n",
        "[0:05]\tAnn: ",
        "0:05 | Ann: ",
    ],
)
def test_time_next_to_a_name_is_not_part_of_it(label: str) -> None:
    """The words are on the same line or below."""
    transcript = parse_transcript(f"Bob: Hi.\n{label}so *much* more\n")
    assert turns_without_raw(transcript) == [
        ("Bob", "Hi.", None, None),
        ("Ann", "so *much* more", 5, None),
    ]


def test_emphasis_around_a_known_name_and_a_time_is_removed() -> None:
    """There may be no colon, and all of the line may be emphasized."""
    text = "Ann: Hi\n**Ann** (0:05) *Yes*\n**Ann (0:07)** *So*\n_Ann (0:09) Ok_\nAnn (0:11) _No_\n"
    assert turns_without_raw(parse_transcript(text)) == [
        ("Ann", "Hi", None, None),
        ("Ann", "*Yes*", 5, None),
        ("Ann", "*So*", 7, None),
        ("Ann", "Ok", 9, None),
        ("Ann", "_No_", 11, None),
    ]


def test_capitals_indicate_no_name_if_the_words_have_them_too() -> None:
    """Unless the name has a word in lower case."""
    text = "BOB: WE HAVE\nTWO OPTIONS AND SO ON.\nTHE OLD MAN SAYS: NO.\nAnn van Lee: YES.\n"
    assert speakers_and_texts(parse_transcript(text)) == [
        ("BOB", "WE HAVE\nTWO OPTIONS AND SO ON."),
        (None, "THE OLD MAN SAYS: NO."),
        ("Ann van Lee", "YES."),
    ]


def test_no_space_follows_a_full_width_colon() -> None:
    """Whatever the words begin with, and even in one place only."""
    text = "Bob: we have\ntwo options\nand so on.\nAnn\uff1aYes\n[ann]\uff1aNo\nRoom 1\uff1a10\n"
    assert speakers_and_texts(parse_transcript(text)) == [
        ("Bob", "we have\ntwo options\nand so on."),
        ("Ann", "Yes"),
        ("ann", "No"),
        ("Room 1", "10"),
    ]


def test_name_in_brackets_may_be_alone_on_its_line() -> None:
    """A colon is required, unless it has a number and another name has one, too."""
    text = "[ann]:\nHi\n[Bob]\n(S1)\n[spk_12345]\nYes\n"
    assert speakers_and_texts(parse_transcript(text)) == [
        ("ann", "Hi\n[Bob]"),
        ("S1", ""),
        ("spk_12345", "Yes"),
    ]


def test_time_in_the_words_is_not_that_of_the_turn() -> None:
    """A colon is between the name and the time."""
    text = (
        "Ann: Monday (0:05) it is\nBob: see Eve  10:05\nsip:1001 (0:09): no\n"
        "THE OLD MAN SAYS (0:11): SO\n"
    )
    assert turns_without_raw(parse_transcript(text)) == [
        ("Ann", "Monday (0:05) it is", None, None),
        ("Bob", "see Eve  10:05", None, None),
        ("sip:1001", "no", 9, None),
        ("THE OLD MAN SAYS", "SO", 11, None),
    ]
    # One line is a time and a name, so the other one may be a part of a sentence.
    text = "Ann  0:05\nSee you at\n10:30\n\nBob  0:09\nOk\n"
    assert turns_without_raw(parse_transcript(text)) == [
        ("Ann", "See you at\n10:30", 5, None),
        ("Bob", "Ok", 9, None),
    ]


def test_short_label_keeps_its_time() -> None:
    """The time may be before or after the colon."""
    text = "ann\uff1a (00:05) Hi\nbob: (00:07) Yes\nann (00:09): So\nbob (00:11)\uff1a No\n"
    assert [(t.speaker, t.text, t.start) for t in parse_transcript(text).turns] == [
        ("ann", "Hi", 5),
        ("bob", "Yes", 7),
        ("ann", "So", 9),
        ("bob", "No", 11),
    ]


def test_more_than_two_commas_are_in_no_name() -> None:
    """This applies even if all lines begin with a label."""
    transcript = parse_transcript(
        "Bob: Ready?\nAnn, Bob, Eve, Zoe: No.\nLee, Ann, Dr.: Yes.\nBob: So.\n"
    )
    assert speakers_and_texts(transcript) == [
        ("Bob", "Ready?"),
        (None, "Ann, Bob, Eve, Zoe: No."),
        ("Lee, Ann, Dr.", "Yes."),
        ("Bob", "So."),
    ]


def test_emphasis_of_a_whole_line_is_removed() -> None:
    """Emphasis within the words is kept."""
    transcript = parse_transcript("*Ann: Hi*\n**Bob: so *much* more**\n_Ann: Yes\n")
    assert speakers_and_texts(transcript) == [
        ("Ann", "Hi"),
        ("Bob", "so *much* more"),
        ("Ann", "Yes"),
    ]


def test_line_of_a_text_in_which_no_line_wraps_belongs_to_no_speaker_above() -> None:
    """Even where the line above does not end a sentence."""
    lines = "Ann: are you in\nman in the back: yes\nAnn: so\nBob: ok\n"
    assert [turn.speaker for turn in parse_transcript(lines).turns] == ["Ann", None, "Ann", "Bob"]
    again = parse_transcript(
        f"{lines}man in the back: no\nYahoo! Support: hm\nYahoo! Support: so\n"
    )
    assert {turn.speaker for turn in again.turns} == {
        "Ann",
        "Bob",
        "man in the back",
        "Yahoo! Support",
    }


def test_bracketed_name_without_colon_is_known_from_elsewhere() -> None:
    """Sounds are written the same way."""
    transcript = parse_transcript("Ann: Hi\n[Bob] Yes\n[Ann] No\n[laughs] so\n[Ann]:Hm\n")
    assert speakers_and_texts(transcript) == [
        ("Ann", "Hi"),
        (None, "[Bob] Yes"),
        ("Ann", "No\n[laughs] so"),
        ("Ann", "Hm"),
    ]


def test_numbered_name_in_brackets_needs_another_one() -> None:
    """A figure or a quarter may be in brackets, too."""
    once = parse_transcript("Ann: Hi\n(Q3) was good\n")
    assert speakers_and_texts(once) == [("Ann", "Hi"), (None, "(Q3) was good")]
    assert speakers_and_texts(parse_transcript("[S1] Hi\n[S2]\nYes\n")) == [
        ("S1", "Hi"),
        ("S2", "Yes"),
    ]


def test_time_after_a_name_without_colon_may_be_in_a_sentence() -> None:
    """It is read as part of a sentence unless the name occurs with a colon."""
    transcript = parse_transcript("Bob: Hi\nMonday (10:30) we meet\nBob [0:09] Yes\n")
    assert turns_without_raw(transcript) == [
        ("Bob", "Hi", None, None),
        (None, "Monday (10:30) we meet", None, None),
        ("Bob", "Yes", 9, None),
    ]


def test_short_label_is_a_speaker_if_it_occurs_twice() -> None:
    """It is also one if all lines have one; below the middle of a sentence it is not counted."""
    often = parse_transcript("We met.\nunknown guest: Hi.\nSo.\nunknown guest: Yes.\n\nEnd.\n")
    assert [turn.speaker for turn in often.turns] == [None, *["unknown guest"] * 2, None]
    assert speakers_and_texts(parse_transcript("user: how are you\nassistant: fine\n")) == [
        ("user", "how are you"),
        ("assistant", "fine"),
    ]
    usual = parse_transcript("Ann: are you in\nbob: yes\nAnn: so\nbob: ok\n")
    assert [turn.speaker for turn in usual.turns] == ["Ann", "bob"] * 2
    wrapped = parse_transcript("Bob: I\nsay\nagain: no\nBob: and\nI say\nagain: no\n")
    assert {turn.speaker for turn in wrapped.turns} == {"Bob", None}


def test_single_space_before_a_time_needs_a_name_that_occurs_twice() -> None:
    """A sentence may end with a time."""
    twice = parse_transcript("Ann Lee 0:05\nHi\n\nAnn Lee 0:09\nYes\n")
    assert turns_without_raw(twice) == [("Ann Lee", "Hi", 5, None), ("Ann Lee", "Yes", 9, None)]
    once = parse_transcript("Bob: See you\nMonday 10:30\n\nand we start at 10:30\n")
    assert speakers_and_texts(once)[0] == ("Bob", "See you")
    assert {turn.speaker for turn in once.turns[1:]} == {None}


def test_long_label_with_a_clear_time_is_a_speaker() -> None:
    """A sentence of four words is rarely followed by one."""
    transcript = parse_transcript("Man in the back  0:05\nHi\n")
    assert turns_without_raw(transcript) == [("Man in the back", "Hi", 5, None)]


def test_short_label_with_a_clear_time_is_a_speaker_unless_a_sentence_wraps_there() -> None:
    """A sentence may end with a time in parentheses."""
    transcript = parse_transcript("ann  0:05\nHi\n\nbob  0:09\nI went\nand so (0:10)\nyes\n")
    assert turns_without_raw(transcript) == [
        ("ann", "Hi", 5, None),
        ("bob", "I went", 9, None),
        (None, "and so (0:10)", None, None),
        (None, "yes", None, None),
    ]


def test_cue_without_a_speaker_has_one_below_the_end_of_a_sentence() -> None:
    """Elsewhere the line wraps there."""
    cue = "00:00:01,000 --> 00:00:02,000\n"
    transcript = parse_transcript(f"{cue}Ready?\nAnn: No.\n\n{cue}I saw\nAnn: he is late\n")
    assert speakers_and_texts(transcript) == [
        (None, "Ready?"),
        ("Ann", "No."),
        (None, "I saw\nAnn: he is late"),
    ]


def test_time_alone_belongs_to_the_words_below() -> None:
    """Without words below it is part of the frame, and what is there has no speaker."""
    transcript = parse_transcript("00:05:00\n\n[00:06:00]\nHi\nyou\n\nAnn: Yes\nso\n00:07:00\n")
    assert turns_without_raw(transcript) == [
        (None, "Hi\nyou", 300, None),
        ("Ann", "Yes", None, None),
        (None, "so", None, None),
    ]
    assert transcript.frame == ("00:07:00",)


def test_impossible_times_of_a_line_are_left_out() -> None:
    """Words are kept."""
    transcript = parse_transcript("[00:05 - 00:02] Ann: Hi\n[00:05.1234] Bob: Yes\n")
    assert turns_without_raw(transcript) == [("Ann", "Hi", None, None), ("Bob", "Yes", None, None)]
