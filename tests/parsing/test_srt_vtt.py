"""SRT and WebVTT: cues, voices, markup, and malformed files."""

import pytest

from videosdk_transcripts import parse_transcript

from .samples import SRT, VTT, speakers_and_texts, turns_without_raw, unread_parts


def test_srt_cues_are_read_with_exact_raw_text() -> None:
    """Numbers, times, speakers and lines are read."""
    transcript = parse_transcript(SRT)
    assert transcript.format == "srt"
    assert turns_without_raw(transcript) == [
        ("Ann", "Good morning.", 1, 2.5),
        ("SPEAKER_01", "Good morning, Ann.\nHow are you?", 3, 4),
    ]
    assert [turn.raw for turn in transcript.turns] == SRT.rstrip().split("\n\n")
    assert (transcript.unread, transcript.frame) == ((), ())


def test_nonstandard_srt_is_read() -> None:
    """Missing numbers and blank lines, points, hours beyond 99, no fraction, other line breaks."""
    text = (
        "0:00:01.5-->0:00:02\r\nOne\r\n"
        "2\r\n100:00:00,000 --> 12345:00:00.25 X1:0 X2:9\r\n\r\n"
        "3\r00:03,000 --> 00:04,000\r2 --> 3\r42"
    )
    transcript = parse_transcript(text)
    assert turns_without_raw(transcript) == [
        (None, "One", 1.5, 2),
        (None, "", 360000, 44442000.25),
        (None, "2 --> 3\n42", 3, 4),
    ]
    assert transcript.unread == ()


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("0:0", 0),
        ("59:59", 3599),
        ("1:01:01", 3661),
        ("00:00.5", 0.5),
        ("00:00,05", 0.05),
        ("00:00.123456789", 0.123456789),
        ("999999999:59:59.999", 3599999999999.999),
        ("0999999999:00:00", 3599999996400),
        ("1000000000:00:00", None),
        ("00999999999:00:00", None),
        ("00:00.1234567891", None),
        ("00:00.", None),
        ("00:60", 60),
        ("60:00", 3600),
        ("1:60:00", 7200),
        ("100:00", 6000),
        ("1000:00", None),
        ("0:100:00", None),
        ("0:00:01:250", 1.25),
        ("00:00.1000", 1),
        ("00:00.1001", None),
        ("0:0:000", None),
        ("0:0:0:0", None),
        ("00:00:", None),
    ],
)
def test_times_are_read_exactly(written: str, seconds: float | None) -> None:
    """If that is impossible, the words are kept without times."""
    text = f"00:00 --> 1000000:00:00\na\n\n{written} --> 999999999:59:59.999\nb"
    times = [turn.start for turn in parse_transcript(text).turns]
    assert times == [0, seconds]


def test_short_arrow_between_times_without_hours_is_speech() -> None:
    """A translation breaks the arrow, but keeps the hours."""
    cue = "00:00:01,000 --> 00:00:02,000\n"
    for words in (
        *("10:30 -> 11:30", "00:10:30 -> 11:30", "10:30 -> 00:11:30"),
        *("10:30 - > 11:30", "10:30 \u2013> 11:30", "00:10:30 ->"),
    ):
        (turn,) = parse_transcript(f"{cue}{words}\n").turns
        assert turn.text == words


@pytest.mark.parametrize("arrow", ["\u2013>", "\u2014>", "->", "- >", "-- >", "- ->", "- - >"])
def test_arrows_changed_by_programs_are_read(arrow: str) -> None:
    """Word processors join the hyphens, and translations split them; the hours stay."""
    transcript = parse_transcript(
        f"1\n00:00:01,000 {arrow} 00:00:02,000\nHi\n\n2\n00:00:03,000 {arrow} 00:00:04,000\nYes\n"
    )
    assert transcript.format == "srt"
    assert turns_without_raw(transcript) == [(None, "Hi", 1, 2), (None, "Yes", 3, 4)]


def test_end_beyond_a_billion_hours_is_not_read() -> None:
    """The words are kept without times."""
    (turn,) = parse_transcript("00:00 --> 1000000000:00:00\na").turns
    assert (turn.text, turn.start, turn.end) == ("a", None, None)


def test_each_speaker_in_a_cue_has_a_turn() -> None:
    """The turns have the times of the cue, if its first line names a speaker."""
    cue = "00:01,000 --> 00:02,000\n"
    transcript = parse_transcript(f"1\n{cue}Ann: Hi\nyou\nBob: Yes\n\n{cue}wait for\nthis: no")
    assert turns_without_raw(transcript) == [
        ("Ann", "Hi\nyou", 1, 2),
        ("Bob", "Yes", 1, 2),
        (None, "wait for\nthis: no", 1, 2),
    ]
    assert [turn.raw for turn in transcript.turns][:2] == [f"1\n{cue}Ann: Hi\nyou", "Bob: Yes"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("Ann: Two options.\nand one\nthe second one is: we wait", None),
        ("It ends.\nand\nBob: no", [(None, "It ends.\nand\nBob: no")]),
        ("It ends.\nBob: no", [(None, "It ends."), ("Bob", "no")]),
        ("Ann: it ends\nBob: no", [("Ann", "it ends"), ("Bob", "no")]),
        ("Ann:\n- Hi\n- Yes", [("Ann", "- Hi"), (None, "- Yes")]),
        ("Ann:\n>> Hi", [("Ann", ""), (None, ">> Hi")]),
        ("- Hi\n- Yes", [(None, "- Hi\n- Yes")]),
        ("Ann: Hi\n- Yes\nand\n- So", [("Ann", "Hi"), (None, "- Yes\nand\n- So")]),
        ("Ann: Hi\n00:05\nyou", [("Ann", "Hi\n00:05\nyou")]),
        ("\n\nAnn: Hi\n\nyou", [("Ann", "Hi\nyou")]),
    ],
)
def test_lines_of_a_cue_belong_to_the_speaker_above(
    lines: str, expected: list[tuple[str | None, str]] | None
) -> None:
    """The speaker changes at a label, a dash or an angle mark, and a sentence may wrap."""
    text = f"1\n00:01,000 --> 00:02,000\n{lines}"
    transcript = parse_transcript(text)
    expected = expected or [("Ann", lines.removeprefix("Ann: "))]
    assert speakers_and_texts(transcript) == expected
    assert "\n".join(turn.raw for turn in transcript.turns) == text


def test_malformed_cues_keep_their_words_without_times() -> None:
    """Text outside of cues is kept as well."""
    text = (
        "1\n00:00:05,000 --> 00:00:04,000\nBack\n\nlost\nlines\n\n"
        "2\n00:100:00,000 --> 00:00:04,000\nOdd\n\n"
        "3\n00:00:04,000 --> 99999999999:00:00,0\nLong\n\n"
        "4\n-00:01,000 --> 9999999999:00:00,000\nBoth\n\n"
        "above\n00:00:05,000 --> 00:00:06,000 words\nRight\n"
    )
    transcript = parse_transcript(text)
    assert turns_without_raw(transcript) == [
        (None, "Back\nlost\nlines", None, None),
        (None, "Odd", None, None),
        (None, "Long", None, None),
        (None, "Both", None, None),
        (None, "Right", 5, 6),
    ]
    unreadable = "has unreadable timestamps"
    assert unread_parts(transcript) == [
        (2, "ends before it starts", "00:00:05,000 --> 00:00:04,000"),
        (9, unreadable, "00:100:00,000 --> 00:00:04,000"),
        (13, unreadable, "00:00:04,000 --> 99999999999:00:00,0"),
        (17, unreadable, "-00:01,000 --> 9999999999:00:00,000"),
        (20, "is not part of a cue", "above"),
        (
            21,
            "has something other than cue settings after its timestamps",
            "00:00:05,000 --> 00:00:06,000 words",
        ),
    ]


def test_number_above_a_blank_line_is_that_of_the_cue_if_it_is_the_next_one() -> None:
    """Otherwise it is the last word of the cue above."""
    first, second = "00:01,000 --> 00:02,000", "00:03,000 --> 00:04,000"
    spaced = parse_transcript(f"1\n\n{first}\n\nHi\n\n2\n\n{second}\n\nYes\n")
    assert turns_without_raw(spaced) == [(None, "Hi", 1, 2), (None, "Yes", 3, 4)]
    assert [turn.raw for turn in spaced.turns] == [
        f"1\n\n{first}\n\nHi",
        f"2\n\n{second}\n\nYes",
    ]
    assert spaced.unread == ()
    for number in ("1", "3", "42", "9" * 5000):
        words = parse_transcript(f"1\n{first}\nHi\n{number}\n\n{second}\nYes\n", format="srt")
        assert turns_without_raw(words) == [(None, f"Hi\n{number}", 1, 2), (None, "Yes", 3, 4)]
    for number in ("0", "1", "2"):
        words = parse_transcript(f"{first}\nHi\n{number}\n\n{second}\nYes\n")
        assert turns_without_raw(words) == [(None, f"Hi\n{number}", 1, 2), (None, "Yes", 3, 4)]


def test_number_as_the_only_words_of_a_cue_is_text() -> None:
    """There is no cue below it."""
    for head in ("", "WEBVTT\n\n"):
        transcript = parse_transcript(f"{head}00:01.000 --> 00:02.000\n1\n")
        assert turns_without_raw(transcript) == [(None, "1", 1, 2)]


def test_number_of_a_cue_has_up_to_18_digits() -> None:
    """A longer one is text; in SRT, it is reported."""
    cue = "00:01,000 --> 00:02,000\nHi"
    for number in ("0", "0001", "9" * 18):
        transcript = parse_transcript(f"{number}\n{cue}\n", format="srt")
        assert [turn.raw for turn in transcript.turns] == [f"{number}\n{cue}"]
    transcript = parse_transcript(f"{'9' * 19}\n{cue}\n", format="srt")
    assert unread_parts(transcript) == [(1, "is not part of a cue", "9" * 19)]


def test_title_directly_above_the_first_cue_is_reported_alone() -> None:
    """In SRT, cues have no names."""
    transcript = parse_transcript(
        "Weekly\n00:01,000 --> 00:02,000\nHi\n\n2\n00:03 --> 00:04\nYes\n"
    )
    assert turns_without_raw(transcript) == [(None, "Hi", 1, 2), (None, "Yes", 3, 4)]
    assert unread_parts(transcript) == [(1, "is not part of a cue", "Weekly")]
    assert transcript.turns[0].raw == "00:01,000 --> 00:02,000\nHi"


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("9999999999:00:00.0", None),  # is no float with an exact millisecond
        ("999999999:59:59.5", 3_599_999_999_999.5),
        ("00000000000:00:01,0", None),
        ("0::01,0", None),
        ("0:000:01,0", None),
        ("0:00:,0", None),
        ("0:00:001,0", None),
        ("999:01,0", 59_941),
        ("0999:01,0", None),
        ("0:01,", None),
        ("0:01,123456789", 1.123456789),
        ("0:01,1234567890", None),
        ("0:00:01:250", 1.25),
        ("0:00:01:25", None),
        ("0:00:01:0250", None),
    ],
)
def test_parts_of_a_time_have_a_range_of_digits(time: str, seconds: float | None) -> None:
    """With other numbers of digits, the cue keeps its words without times."""
    transcript = parse_transcript(f"1\n{time} --> {time}\nHi\n", format="srt")
    assert turns_without_raw(transcript) == [(None, "Hi", seconds, seconds)]


def test_vtt_voices_tags_and_references_are_read() -> None:
    """Header, comments and styles are kept in the frame."""
    transcript = parse_transcript(VTT)
    assert transcript.format == "vtt"
    assert turns_without_raw(transcript) == [
        ("Ann Lee", "Good morning & welcome", 1, 2.5),
        ("Bob", "1 < 2\N{NO-BREAK SPACE}<b>", 3603, 3604),
    ]
    assert transcript.frame == (
        "WEBVTT - a meeting\nLanguage: en",
        "NOTE made by hand",
        "STYLE\n::cue { color: red }",
    )
    assert transcript.turns[0].raw.startswith("intro\n00:01.000")
    assert transcript.unread == ()


def test_each_voice_in_a_cue_has_a_turn() -> None:
    """Text outside of voices has no speaker."""
    cue = "00:01.000 --> 00:02.000\n"
    body = (
        "</v> <v Ann>Hi</v> <v &lt;Bob&gt;>Ann: yes</v>\nand <i>so</i> on</v><v>who</v><v Eve></v>"
    )
    transcript = parse_transcript(f"WEBVTT\n\n{cue}{body}\n\n{cue}before <v Ann>it</v>\n")
    assert turns_without_raw(transcript) == [
        ("Ann", "Hi", 1, 2),
        ("<Bob>", "Ann: yes", 1, 2),
        (None, "and so on", 1, 2),
        (None, "who", 1, 2),
        ("Eve", "", 1, 2),
        (None, "before", 1, 2),
        ("Ann", "it", 1, 2),
    ]
    raws = [turn.raw for turn in transcript.turns]
    assert "".join(raws[:5]) == cue + body


def test_vtt_cues_without_blank_lines_are_read() -> None:
    """A number above times belongs to the next cue, and other text to the cue before."""
    text = (
        "WEBVTT\n1\n 00:01.000 --> 00:02.000 \nOne\n2\n00:03.000 --> 00:04.000\nTwo\nmore\n"
        "00:05.000 --> 00:06.000\n00:07.000 --> 00:08.000\nThree"
    )
    transcript = parse_transcript(text)
    assert turns_without_raw(transcript) == [
        (None, "One", 1, 2),
        (None, "Two\nmore", 3, 4),
        (None, "", 5, 6),
        (None, "Three", 7, 8),
    ]
    assert (transcript.unread, transcript.frame) == ((), ("WEBVTT",))
    assert "\n".join(("WEBVTT", *(turn.raw for turn in transcript.turns))) == text


def test_number_directly_below_times_is_text() -> None:
    """It can't be the number of a cue that follows, because the cue would be empty."""
    text = "00:01,000 --> 00:02,000\n7\n00:03,000 --> 00:04,000\nTwo\n"
    for kind in ("srt", "vtt"):
        transcript = parse_transcript(text, format=kind)
        assert turns_without_raw(transcript) == [(None, "", 1, 2), (None, "Two", 3, 4)]
        assert transcript.turns[1].raw == "7\n00:03,000 --> 00:04,000\nTwo"
        empty = parse_transcript(text.replace("7\n", ""), format=kind)
        assert turns_without_raw(empty) == turns_without_raw(transcript)
        assert [turn.raw for turn in empty.turns] == text.replace("7\n", "").rstrip().split("\n", 1)


def teams(*names: str) -> str:
    """Make a file of Teams, with a cue for each name."""
    return "".join(
        f"0:0:{second}.0 --> 0:0:{second}.500\n{name}\nOK: {second}.\n\n"
        for second, name in enumerate(names)
    )


@pytest.mark.parametrize(
    "names",
    [
        ("Ann Lee", "Bob (Guest)"),
        ("+1 555-010-0100", "Ray, Bob"),
        ("Lee, Ann B.", "Bob Ray Jr."),
        ("Ann", "Bob Ray Ph.D."),
    ],
)
def test_name_alone_in_first_line_of_each_cue_is_the_speaker(names: tuple[str, str]) -> None:
    """Words in capitals and at the end of a sentence are not names."""
    assert turns_without_raw(parse_transcript(teams(*names, *names))) == [
        (names[0], "OK: 0.", 0, 0.5),
        (names[1], "OK: 1.", 1, 1.5),
        (names[0], "OK: 2.", 2, 2.5),
        (names[1], "OK: 3.", 3, 3.5),
    ]


@pytest.mark.parametrize(
    "text",
    [
        teams("Ann", "Bob."),
        teams("Ann Lee", "Bob"),
        teams("Ann", "Ann", "Ann", "Ann"),
        teams("ANN", "BOB", "ANN", "BOB"),
        teams("Ann", "Bob.", "Ann", "Bob."),
        teams("Ann", "Say Yes.", "Ann", "Say Yes."),
        teams("Ann", "Bob .", "Ann", "Bob ."),
        teams("- Yes", "- No", "- Yes", "- No"),
        teams(
            "\N{EIGHTH NOTE} La", "\N{EIGHTH NOTE} Oh", "\N{EIGHTH NOTE} La", "\N{EIGHTH NOTE} Oh"
        ),
        teams("we meet", "we went", "we meet", "we went"),
        teams("and, Ann", "so, Bob", "and, Ann", "so, Bob"),
        teams("Ann", "Bob", "Ann", "Bob") + "0:9 --> 0:9",
        teams("Ann", "Bob", "Ann", "Bob") + "0:9 --> 0:9\nAnn",
    ],
)
def test_first_lines_that_may_be_words_are_not_names(text: str) -> None:
    """Names recur, alone on the first line of each cue, and are not in capitals."""
    assert {turn.speaker for turn in parse_transcript(text).turns} <= {None, "OK"}


def test_cue_below_a_name_has_all_its_lines() -> None:
    """The raw text includes the name."""
    text = teams("Ann", "Bob", "Ann", "Bob").replace("OK: 0.", "It\nis")
    first = parse_transcript(text).turns[0]
    assert (first.speaker, first.text) == ("Ann", "It\nis")
    assert first.raw == text.partition("\n\n")[0]


def test_names_in_capitals_above_other_words_are_speakers() -> None:
    """Captions in capitals have no other words."""
    transcript = parse_transcript(teams("ANN", "BOB", "ANN", "BOB").replace("OK", "Yes"))
    assert [turn.speaker for turn in transcript.turns] == ["ANN", "BOB", "ANN", "BOB"]


def test_words_on_the_line_of_times_are_read() -> None:
    """They are not reported if there are no other words."""
    transcript = parse_transcript("1\n00:01,000 --> 00:02,000 Ann: Hi: you\n")
    assert turns_without_raw(transcript) == [("Ann", "Hi: you", 1, 2)]
    assert transcript.unread == ()
    assert transcript.turns[0].raw == "1\n00:01,000 --> 00:02,000 Ann: Hi: you"


def test_cue_with_a_speaker_in_its_name_keeps_its_raw_text() -> None:
    """This includes all its lines."""
    cue = '1 "Ann" (1)\n00:01.000 --> 00:02.000\nHi\nyou'
    (turn,) = parse_transcript(f"WEBVTT\n\n{cue}\n").turns
    assert (turn.speaker, turn.text, turn.raw) == ("Ann", "Hi\nyou", cue)


def test_label_in_the_first_line_of_each_cue_is_followed_by_words() -> None:
    """The line is not a name alone."""
    text = teams("Ann: So", "Bob: Well", "Ann: So", "Bob: Well").replace("OK: ", "it is ")
    transcript = parse_transcript(text)
    assert turns_without_raw(transcript)[0] == ("Ann", "So\nit is 0.", 0, 0.5)


def test_words_in_voices_are_no_labels() -> None:
    """They are not counted as names of other cues either."""
    cue = "00:01.000 --> 00:02.000\n"
    text = f"WEBVTT\n\n{cue}<v Ann>then: yes\n\n{cue}<v Ann>then: no\n\n{cue}then: what\n"
    assert turns_without_raw(parse_transcript(text)) == [
        ("Ann", "then: yes", 1, 2),
        ("Ann", "then: no", 1, 2),
        (None, "then: what", 1, 2),
    ]


def test_nonstandard_vtt_is_read() -> None:
    """No blank line after the header, no header, unknown tags, text outside of cues."""
    cue = "00:01.000 --> 00:02.000\nx </v> <y> &copy </i>\n"
    headed = parse_transcript(f"WEBVTT\n{cue}")
    assert turns_without_raw(headed) == [(None, "x  <y> &copy", 1, 2)]
    assert headed.frame == ("WEBVTT",)
    assert turns_without_raw(parse_transcript(f"WEBVTT\n1\n{cue}\n1\n{cue}")) == 2 * [
        (None, "x  <y> &copy", 1, 2)
    ]
    bare = parse_transcript(f"{cue}\nREGION\nid:a\n\n[<b>]: no\n\nREGION 2", format="vtt")
    assert turns_without_raw(bare) == [(None, "x  <y> &copy", 1, 2)]
    assert bare.frame == ("REGION\nid:a",)
    assert unread_parts(bare) == [
        (7, "is not part of a cue", "[<b>]: no"),
        (9, "is not part of a cue", "REGION 2"),
    ]


def test_vtt_files_in_one_file_are_read() -> None:
    """Segments of a stream have a header each."""
    segment = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:9,LOCAL:00:00.000\n\n00:01.000 --> 00:02.000\nHi\n\n"
    transcript = parse_transcript(2 * segment)
    assert turns_without_raw(transcript) == 2 * [(None, "Hi", 1, 2)]
    assert transcript.unread == ()
    assert transcript.frame == 2 * ("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:9,LOCAL:00:00.000",)


def test_cue_named_like_a_comment_is_a_cue() -> None:
    """The comment is the name of the cue, and the frame has no empty part."""
    transcript = parse_transcript("WEBVTT\n\nNOTE 1\n00:01.000 --> 00:02.000\nHi\n")
    assert turns_without_raw(transcript) == [(None, "Hi", 1, 2)]
    assert transcript.frame == ("WEBVTT",)
    assert transcript.turns[0].raw == "NOTE 1\n00:01.000 --> 00:02.000\nHi"


@pytest.mark.parametrize("head", ["NOTE by hand", "STYLE", "WEBVTT"])
def test_srt_has_no_comments_and_no_header(head: str) -> None:
    """They are reported, like any other text above the first cue."""
    transcript = parse_transcript(f"{head}\n\n1\n00:01,000 --> 00:02,000\nHi\n", format="srt")
    assert turns_without_raw(transcript) == [(None, "Hi", 1, 2)]
    assert unread_parts(transcript) == [(1, "is not part of a cue", head)]
    assert transcript.frame == ()


def test_lines_of_spaces_between_cues_are_blank() -> None:
    """Nothing begins with them: neither a comment nor words outside of cues."""
    cue = "00:01.000 --> 00:02.000\nHi\n"
    transcript = parse_transcript(f"WEBVTT\n\n \nNOTE by hand\n\n \nlost\n\n  \n{cue}")
    assert turns_without_raw(transcript) == [(None, "Hi", 1, 2)]
    assert transcript.frame == ("WEBVTT", "NOTE by hand")
    assert unread_parts(transcript) == [(7, "is not part of a cue", "lost")]
    transcript = parse_transcript(f" \nlost\n\n1\n{cue}")
    assert unread_parts(transcript) == [(2, "is not part of a cue", "lost")]


def test_lines_of_spaces_above_times_are_no_name() -> None:
    """They are in no raw text."""
    cues = ("00:01.000 --> 00:02.000\nHi", "00:03.000 --> 00:04.000\nYes")
    transcript = parse_transcript("WEBVTT\n\n" + "\n \n \n".join(cues))
    assert [turn.raw for turn in transcript.turns] == list(cues)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("a&#9;b&#x9;c", "a\tb\tc"),
        ("&#1114109; &#x10FFFD; &#xe9;", "\U0010fffd \U0010fffd \xe9"),
        ("&#00000065; &#x0000041;", "&#00000065; &#x0000041;"),
        ("&le; &CounterClockwiseContourIntegral;", "\u2264 \u2233"),
        ("&#; &#x; &; R&D; &le &#65 & so", "&#; &#x; &; R&D; &le &#65 & so"),
    ],
)
def test_character_references_end_in_a_semicolon(written: str, text: str) -> None:
    """Numbers have up to seven digits, or six in hexadecimal; all else is text."""
    (turn,) = parse_transcript(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{written}\n").turns
    assert turn.text == text


def test_tag_may_contain_line_breaks() -> None:
    """The lines around it are not joined, and have no part of it."""
    cue = "00:01.000 --> 00:02.000\n"
    srt = parse_transcript(f'1\n{cue}Ann: Hi <font\ncolor="red"\nface="x">you</font>\nBob: Yes\n')
    vtt = parse_transcript(f"WEBVTT\n\n{cue}Ann: Hi <c\na\nb>you</c>\nBob: Yes\n")
    for transcript in (srt, vtt):
        assert speakers_and_texts(transcript) == [("Ann", "Hi\nyou"), ("Bob", "Yes")]


@pytest.mark.parametrize("dash", ["-", "\u2013", "\u2014"])
def test_dash_outside_of_voices_is_a_mark_and_inside_it_is_text(dash: str) -> None:
    """It precedes the words of another speaker."""
    body = f"{dash} <v Ann>Hi</v>\n{dash} <v Bob>{dash}</v> {dash}"
    transcript = parse_transcript(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{body}\n")
    assert speakers_and_texts(transcript) == [("Ann", "Hi"), ("Bob", dash)]
    assert "".join(turn.raw for turn in transcript.turns) == f"00:01.000 --> 00:02.000\n{body}"
