"""JSON of Whisper and WhisperX: segments, and JSON that is malformed or incomplete."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videosdk_transcripts import Transcript, parse_transcript

from .samples import WHISPER, speakers_and_texts, turns_without_raw, unread_parts


def test_segments_are_read_with_exact_raw_text() -> None:
    """The JSON around the segments is kept in the frame."""
    transcript = parse_transcript(WHISPER)
    assert transcript.format == "json"
    assert turns_without_raw(transcript) == [
        ("SPEAKER_00", "Good morning.", 1, 2.5),
        (None, "Yes.", 3, 4),
    ]
    assert json.loads(transcript.turns[1].raw)["id"] == 1
    assert transcript.turns[1].raw in WHISPER
    assert [part.split()[0] for part in transcript.frame] == ["{", "],"]
    assert transcript.unread == ()


@pytest.mark.parametrize(
    ("segment", "speaker"),
    [
        ({"speaker": " Ann "}, "Ann"),
        ({"speaker": ""}, None),
        ({"speaker": None, "words": [{"speaker": "Ann"}, {"speaker": "Ann"}]}, "Ann"),
        ({"words": [{"speaker": "Ann"}, {"speaker": "Bob"}]}, None),
        ({"words": [{"speaker": "Ann"}, {"word": "x"}]}, None),
        ({"words": ["x"]}, None),
        ({"words": [{"speaker": 5}, {"speaker": 5}]}, "5"),
        ({"speaker": 1.0}, "1"),
        ({"speaker": 1.5}, "1.5"),
        ({"speaker": 175928847299117063}, "175928847299117063"),
        ({"speaker": 1234567.0}, "1234567"),
        ({"speaker": {"name": "", "id": 7}}, "7"),
        ({"speaker": {"name": "Ann", "id": 7}}, "Ann"),
        ({"speaker": {"age": 7}}, None),
        ({"words": []}, None),
        ({"words": "Ann"}, None),
    ],
)
def test_segment_speaker_is_its_own_or_that_of_all_words(
    segment: dict[str, Any], speaker: str | None
) -> None:
    """The text is not searched for a speaker."""
    text = json.dumps([{"text": "Eve: Hi", **segment}])
    assert turns_without_raw(parse_transcript(text)) == [(speaker, "Eve: Hi", None, None)]
    assert parse_transcript(text).unread == ()


@pytest.mark.parametrize(
    "wrong",
    ["true", "-1", "NaN", "Infinity", "1e999", '"1"', '":01"', '":00:01"', "[]", "9" * 5000],
)
def test_invalid_times_are_reported_and_words_kept(wrong: str) -> None:
    """No time is coerced into another one."""
    segment = f'{{"text": "Hi", "start": 0, "end": {wrong}}}'
    transcript = parse_transcript(f'{{"segments": [\r\n\r{segment}]}}')
    assert turns_without_raw(transcript) == [(None, "Hi", None, None)]
    assert unread_parts(transcript) == [(3, "has times that are not seconds", segment)]


@pytest.mark.parametrize("wrong", ["true", "NaN", "-Infinity", "1e999", "[]", '["Ann"]'])
def test_invalid_speakers_are_reported_and_words_kept(wrong: str) -> None:
    """No name is made up; Python programs write NaN for a missing value."""
    segment = f'{{"text": "Hi", "start": 0.5, "speaker": {wrong}}}'
    transcript = parse_transcript(f"[{segment}]")
    assert turns_without_raw(transcript) == [(None, "Hi", 0.5, None)]
    reason = "has a speaker that is neither a string nor a number"
    assert unread_parts(transcript) == [(1, reason, segment)]


def test_malformed_segments_do_not_affect_others() -> None:
    """Each is reported with its line."""
    parts = [
        '{"text": "a", "start": 2, "end": 1}',
        '{"text": 1}',
        "3",
        '{"text": "b", "speaker": [1], "start": 1}',
    ]
    transcript = parse_transcript("[" + ",\n".join(parts[1:2] + parts) + "]", format="json")
    assert turns_without_raw(transcript) == [(None, "a", None, None), (None, "b", 1, None)]
    assert unread_parts(transcript) == [
        (1, "is not a segment with text", parts[1]),
        (2, "ends before it starts", parts[0]),
        (3, "is not a segment with text", parts[1]),
        (4, "is not a segment with text", parts[2]),
        (5, "has a speaker that is neither a string nor a number", parts[3]),
    ]


def test_object_with_only_text_is_one_turn() -> None:
    """An empty text is no turn; an object with neither text nor segments is unread."""
    transcript = parse_transcript('{"text": " Hi\\nyou", "segments": []}')
    assert turns_without_raw(transcript) == [(None, "Hi\nyou", None, None)]
    assert transcript.turns[0].raw == '" Hi\\nyou"'
    assert transcript.frame == ('{"text":', ', "segments": []}')
    for empty in ('{"text": " "}', "[]", '{"segments": []}'):
        assert parse_transcript(empty) == Transcript("json", (), (), (empty,))
    for other in ("{}", '{"segments": 1}', '{"text": null}'):
        assert unread_parts(parse_transcript(other)) == [
            (1, "has neither segments nor text", other)
        ]


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ('{"text": "b', "is not valid JSON from here on"),
        ("[" * 100_000, "is not valid JSON from here on"),
        (': 2, "c"]}', "is not valid JSON from here on"),
        ('3], "x" 1}', "is not valid JSON from here on"),
        ('3], "x"', "is not valid JSON from here on"),
        ('3], X "x": 1}', "is not valid JSON from here on"),
        ("3], 1: 2}", "is not valid JSON from here on"),
        ('3], "x" X 1}', "is not valid JSON from here on"),
        ('3 X {"text": "c"}]}', "is not valid JSON from here on"),
        ('3; {"text": "c"}]}', "is not valid JSON from here on"),
        ('3} {"text": "c"}]}', "is not valid JSON from here on"),
        ("", "is not valid JSON from here on"),
        ("4]} and more", "follows the end of the JSON"),
    ],
    ids=[
        *("cut", "deep", "odd", "colon", "end", "word for key", "number for key", "word for colon"),
        *("word for comma", "semicolon", "brace", "nothing", "more"),
    ],
)
def test_json_is_read_up_to_a_syntax_error(rest: str, reason: str) -> None:
    """The rest is kept as unread."""
    transcript = parse_transcript('{"segments": [{"text": "a"},\n' + rest)
    assert turns_without_raw(transcript) == [(None, "a", None, None)]
    last = transcript.unread[-1]
    assert (last.line, last.reason) == (2, reason)
    assert rest.endswith(last.raw)


@pytest.mark.parametrize(
    "text", ["{}", "[]", '{"text": "a"}', '[{"text": "a"}]', '{"segments":[]}']
)
def test_everything_after_the_end_is_unread(text: str) -> None:
    """The unread part begins at the first character after the end."""
    for rest in ("x", "]", "}", ",", "0"):
        last = parse_transcript(text + rest, format="json").unread[-1]
        assert (last.raw, last.reason) == (rest, "follows the end of the JSON")
        last = parse_transcript(f"{text} \n\t {rest}", format="json").unread[-1]
        assert (last.line, last.raw) == (2, rest)


def test_line_breaks_and_tabs_in_strings_are_kept() -> None:
    """Strict JSON has escapes instead."""
    transcript = parse_transcript('[{"text": "a\tb\nc", "speaker": "A\tnn"}]', format="json")
    assert turns_without_raw(transcript) == [("A nn", "a\tb\nc", None, None)]


def test_other_keys_of_an_object_are_frame_or_unread() -> None:
    """They are unread if they have words that no segment has."""
    text = '{"a": [{"text": "no"}], "text": ["yes"], "segments": [{"text": "yes"}], "b": "text"}'
    transcript = parse_transcript(text)
    assert turns_without_raw(transcript) == [(None, "yes", None, None)]
    reason = "has words that are in no segment"
    assert unread_parts(transcript) == [(1, reason, '{"text": "no"}')]
    assert transcript.frame == ('{"a": [', '], "text": ["yes"], "segments": [', '], "b": "text"}')


def test_text_that_is_not_json_is_unread_or_detected_as_text() -> None:
    """It is unread if the format is given, and plain text if it is detected."""
    for text in ("Hi", '"Hi"', ""):
        assert unread_parts(parse_transcript(text, format="json")) == [
            (1, "is not valid JSON from here on", text)
        ]
    assert speakers_and_texts(parse_transcript("[Ann]: Hi [laughs]")) == [("Ann", "Hi [laughs]")]
    assert speakers_and_texts(parse_transcript("{laughs}")) == [(None, "{laughs}")]


def test_words_in_no_segment_are_unread() -> None:
    """They may be anywhere; single words are taken for the names of models and the like."""
    segments = '"segments": [{"text": "Hi you", "start": 0, "end": 1.5}]'
    text = (
        f'{{{segments}, "language": "en", "title": "hi YOU", "summary": "They met.", "x": ["a b"]}}'
    )
    transcript = parse_transcript(text)
    assert turns_without_raw(transcript) == [(None, "Hi you", 0, 1.5)]
    reason = "has words that are in no segment"
    assert unread_parts(transcript) == [(1, reason, '"They met."'), (1, reason, '"a b"')]


def test_segments_that_are_no_list_are_unread() -> None:
    """Their order is not certain."""
    transcript = parse_transcript('{"text": "", "segments": {"0": {"text": "Hi", "start": 1}}}')
    assert transcript.turns == ()
    assert unread_parts(transcript) == [(1, "has words that are in no segment", '"Hi"')]


def test_segment_with_other_words_than_its_text_is_unread() -> None:
    """Values of an unusual type in it do not matter."""
    for text in ("", " "):
        value = f'{{"text": "{text}", "type": [], "segments": "They met."}}'
        assert unread_parts(parse_transcript(f"[{value}]")) == [
            (1, "is not a segment with text", value)
        ]


@pytest.mark.parametrize(
    ("opening", "closing"), [('{"a": ', "}"), ("[", "]"), ('{"content": ', "}")]
)
def test_segments_are_found_down_to_eight_levels(opening: str, closing: str) -> None:
    """Values at a greater depth are unread."""
    segments = '[{"text": "Hi", "start": 0.5}]'
    transcript = parse_transcript(opening * 7 + segments + closing * 7, format="json")
    assert turns_without_raw(transcript) == [(None, "Hi", 0.5, None)]
    for levels in (8, 9):
        transcript = parse_transcript(opening * levels + segments + closing * levels, format="json")
        assert transcript.turns == ()
        assert [part.reason for part in transcript.unread] == ["has words that are in no segment"]
        assert segments in transcript.unread[0].raw


@pytest.mark.parametrize("key", ["words", "alternatives", "content"])
def test_segments_within_segments_do_not_take_long(key: str) -> None:
    """The depth does not matter; those that are not read are reported."""
    text = f'[{{"{key}": ' * 150 + '"Hi"' + "}]" * 150
    transcript = parse_transcript(text)
    assert "Hi" in "".join(part.raw for part in (*transcript.turns, *transcript.unread))


def test_segment_within_five_others_is_read_alone() -> None:
    """What is around it is no segment."""
    text = '[{"words": ' * 7 + '[{"text": "Hi"}]' + "}]" * 7
    (turn,) = parse_transcript(text).turns
    assert turn.text == "Hi"
    assert turn.raw == '{"words": ' + '[{"words": ' * 4 + '[{"text": "Hi"}]' + "}]" * 4 + "}"


@pytest.mark.parametrize(
    ("segments", "times"),
    [
        ([("word " * 100, 0, 60)], [(0, 60)]),
        ([("word", 0, 60)], [(0, 0.06)]),
        # A word takes at most 40 seconds.
        ([("word", 0, 40)], [(0, 40)]),
        ([("word", 0, 41)], [(0, 0.041)]),
        ([("three words here", 3600, 3610)], [(3600, 3610)]),
        ([("", 0, 30)], [(0, 30)]),
        ([("word", 0, 60), ("word", 60, 60)], [(0, 60), (60, 60)]),
        ([("word", 50, 10), ("word", 50, 60)], [(None, None), (50, 60)]),
        # Times with fractions are seconds, and so are the others.
        ([("word", 0, 60), ("word", 61, 62.5)], [(0, 60), (61, 62.5)]),
        ([("word", 0.0, 60)], [(0, 60)]),
        ([("word", 0, 60), ("word", 61.5, None)], [(0, 60), (61.5, None)]),
        ([("word", 0, 60), ("word", None, 70)], [(0, 0.06), (None, 0.07)]),
        ([("word", 0, 60), ("word", None, None)], [(0, 0.06), (None, None)]),
        ([("word", 60, None), ("word", None, 70)], [(60, None), (None, 70)]),
        # Strings are clock times or seconds.
        ([("word", "0", "60")], [(0, 60)]),
        ([("word", "0:30", 90), ("word", 91, 92)], [(30, 90), (91, 92)]),
        ([("word", 30, "1:30"), ("word", None, "92")], [(30, 90), (None, 92)]),
    ],
)
def test_whole_numbers_are_seconds_if_words_are_spoken_in_them(
    segments: list[tuple[str, Any, Any]], times: list[tuple[float | None, float | None]]
) -> None:
    """Otherwise they are milliseconds, except in a list with times that are certainly seconds."""
    text = json.dumps([{"text": text, "start": start, "end": end} for text, start, end in segments])
    transcript = parse_transcript(text, format="json")
    assert [(turn.start, turn.end) for turn in transcript.turns] == times


@pytest.mark.parametrize(
    ("segment", "times"),
    [
        ({"start_ms": "500", "end_ms": 1500}, (0.5, 1.5)),
        ({"start_ms": 500}, (0.5, None)),
        ({"end_ms": 500}, (None, 0.5)),
        ({"start_ms": "0:30", "end_ms": 31_500}, (30, 31.5)),
        ({"start_time": "1.25s", "end_time": "2s"}, (1.25, 2)),
        ({"start_time": "1234567890.250", "end_time": None}, (1234567890.25, None)),
        ({"time": [0.5, 1.5]}, (0.5, 1.5)),
        ({"timestamp": ["0.5", "1.5"]}, (0.5, 1.5)),
        ({"timestamp": [60, 120]}, (60, 120)),
        ({"timestamp": [0.5], "start": 0.5}, (0.5, None)),
        ({"time": [1, 2, 3], "end": 0.5}, (None, 0.5)),
        ({"time": "12", "begin": 0.5, "to": 9}, (0.5, None)),
        ({"offsets": {"from": 500, "to": 1500}, "start": 7}, (0.5, 1.5)),
        ({"end": 0.75, "words": [{"text": "Hi", "start": 0.5, "end": 0.6}]}, (None, 0.75)),
        ({"start": 0.25, "words": [{"text": "Hi", "start": 0.5, "end": 0.6}]}, (0.25, None)),
        ({"words": [{"text": "Hi", "end": 0.6}, {"text": "you", "start": 0.7}]}, (None, None)),
        ({"words": [{"text": "Hi", "start": 500, "end": 900}]}, (0.5, 0.9)),
        ({"sentences": [], "words": [{"text": "Hi", "start": 0.5}]}, (0.5, None)),
        ({"words": [{"text": "Hi", "start_ms": 500, "end_ms": 900}]}, (0.5, 0.9)),
    ],
)
def test_segment_has_its_own_times_or_those_of_its_words(
    segment: dict[str, Any], times: tuple[float | None, float | None]
) -> None:
    """Numbers are in the unit of their key, also in strings."""
    transcript = parse_transcript(json.dumps([{"text": "Hi", **segment}]), format="json")
    assert turns_without_raw(transcript) == [(None, "Hi", *times)]
    assert transcript.unread == ()


def test_segment_with_an_invalid_time_or_speaker_has_none_from_its_words() -> None:
    """It is reported instead."""
    words = [{"word": "Hi", "start": 0.5, "end": 0.75, "speaker": "Ann"}]
    for wrong in ({"start": "soon"}, {"speaker": ["Ann", "Bob"]}, {"speaker": True}):
        (turn,) = parse_transcript(json.dumps([{"words": words, **wrong}])).turns
        is_time = "start" in wrong
        assert turn.text == "Hi"
        assert (turn.start, turn.end) == ((None, None) if is_time else (0.5, 0.75))
        assert turn.speaker == ("Ann" if is_time else None)


@pytest.mark.parametrize(
    ("rows", "turns", "unread"),
    [
        (
            ['{"a": 1}', "", ' {"text": "Hi"} ', '{"text": ', "[1]", '{"text": "Yes"}'],
            [(None, "Hi"), (None, "Yes")],
            [
                (1, "is not a segment with text", '{"a": 1}'),
                (4, "is not valid JSON", '{"text":'),
                (5, "is not a segment with text", "[1]"),
            ],
        ),
        (
            ["", '\t{"text": "a\tb"}\t ', " \t", ' \t {"text": "Yes"}', "", "log: end", "", ""],
            [(None, "a\tb"), (None, "Yes")],
            [(6, "is not valid JSON", "log: end")],
        ),
        (
            ['{"text": "Hi"}', '{"text": "Yes"}', "Ann left", "[" * 100_000],
            [(None, "Hi"), (None, "Yes")],
            [
                (3, "is not valid JSON", "Ann left"),
                (4, "is not valid JSON", "[" * 100_000),
            ],
        ),
        # JSON that is not one object per line.
        (
            ['{"segments": [', '{"text": "Hi"}', "]}"],
            [(None, "Hi")],
            [],
        ),
        (
            ['{"text": "Hi"}', "[1]", '{"text": "Yes"}'],
            [(None, "Hi")],
            [(2, "follows the end of the JSON", '[1]\n{"text": "Yes"}')],
        ),
        (
            ['{"a": ' * 100_000, '{"text": "Yes"}'],
            [],
            [(1, "is not valid JSON from here on", '{"a": ' * 99_992 + '\n{"text": "Yes"}')],
        ),
    ],
    ids=["values", "spaces", "words", "one object", "one object and more", "deep"],
)
def test_json_lines_are_read_one_by_one(
    rows: list[str], turns: list[tuple[str | None, str]], unread: list[tuple[int, str, str]]
) -> None:
    """Lines that cannot be read do not affect others."""
    for line_break in ("\n", "\r\n"):
        transcript = parse_transcript(line_break.join(rows), format="json")
        assert speakers_and_texts(transcript) == turns
        assert unread_parts(transcript) == [
            (line, reason, raw.replace("\n", line_break)) for line, reason, raw in unread
        ]
        for turn in transcript.turns:
            assert json.loads(turn.raw, strict=False) in (turn.text, {"text": turn.text})


def test_words_are_joined_while_the_speaker_is_the_same() -> None:
    """A mark without a speaker is attached, a word with impossible times stands alone."""
    words = [
        {"word": "Hi", "start": 1, "end": 1.5, "speaker": 0},
        {"word": "!", "type": "punctuation"},
        {"word": "you", "start": 2, "end": 1, "speaker": 0},
        {"word": "Yes", "start": 3, "end": 3.5, "speaker": 1.0},
    ]
    transcript = parse_transcript(json.dumps({"words": words}))
    assert turns_without_raw(transcript) == [
        ("0", "Hi!", 1, 1.5),
        ("0", "you", None, None),
        ("1", "Yes", 3, 3.5),
    ]
    assert [part.reason for part in transcript.unread] == ["ends before it starts"]


@pytest.mark.parametrize(
    ("words", "turns"),
    [
        # A word without a speaker may be anyone's; a mark belongs to the word before it.
        (
            [("Hi", "Ann"), (",", None), ("you", "Ann"), ("there.", None), ("!", None)],
            [("Ann", "Hi, you"), (None, "there.!")],
        ),
        ([("Hi", "Ann"), ("?", "Bob"), ("Yes", "Bob")], [("Ann", "Hi"), ("Bob", "? Yes")]),
        ([("(", None), ("Hi", "Ann")], [(None, "("), ("Ann", "Hi")]),
        (
            [("Hi", "Ann"), ("you", "Bob"), ("there", "Ann")],
            [("Ann", "Hi"), ("Bob", "you"), ("Ann", "there")],
        ),
        ([(" Hi", 1), (" you", 1.0), (",", "1")], [("1", "Hi you,")]),
    ],
)
@pytest.mark.parametrize("key", ["word", "punctuated_word", "value", "text"])
def test_words_are_joined_to_turns(
    key: str, words: list[tuple[str, Any]], turns: list[tuple[str | None, str]]
) -> None:
    """Words have certain keys, or are in a list with that name."""
    found = [{key: text, "speaker": speaker} for text, speaker in words]
    transcript = parse_transcript(json.dumps({"words" if key == "text" else "items": found}))
    assert speakers_and_texts(transcript) == turns
    assert [word for turn in transcript.turns for word in json.loads(f"[{turn.raw}]")] == found


@pytest.mark.parametrize(
    "kind", ["word", "pronunciation", "punctuation", "spacing", "punct", "entity"]
)
def test_words_are_joined_to_turns_by_their_type(kind: str) -> None:
    """Other lists have sentences, even if one of them is a single word."""
    found = [{"type": kind, "text": text, "speaker": "Ann"} for text in ("Hi", "you")]
    assert speakers_and_texts(parse_transcript(json.dumps(found))) == [("Ann", "Hi you")]
    found.append({"type": "sentence", "text": "Good morning.", "speaker": "Ann"})
    assert [turn.text for turn in parse_transcript(json.dumps(found)).turns] == [
        *("Hi", "you", "Good morning.")
    ]


def test_words_with_impossible_times_stand_alone() -> None:
    """They are reported, and do not affect the words around them."""
    words = [
        {"word": "Hi", "start": 1, "end": 1.5, "speaker": 0},
        {"word": "you", "start": 2, "end": 1, "speaker": 0},
        {"word": "Yes", "start": 3, "end": 3.5, "speaker": 0},
        {"word": "sir", "start": 4, "speaker": 0},
        {"word": ".", "start": 9, "end": 2},
    ]
    transcript = parse_transcript(json.dumps({"words": words}))
    assert turns_without_raw(transcript) == [
        ("0", "Hi", 1, 1.5),
        ("0", "you", None, None),
        ("0", "Yes sir", 3, 3.5),
        (None, ".", None, None),
    ]
    assert [json.loads(part.raw) for part in transcript.unread] == [words[1], words[4]]


def test_text_of_a_segment_is_unchanged() -> None:
    """Only words of a list are joined without a space before marks."""
    segments = [{"text": "Bonjour ! Ça va ?"}, {"text": ""}, {"text": " ", "type": "silence"}]
    transcript = parse_transcript(json.dumps(segments, ensure_ascii=False))
    assert [turn.text for turn in transcript.turns] == ["Bonjour ! Ça va ?", "", ""]
    assert transcript.unread == ()


def test_list_is_chosen_by_its_key_if_several_are_equally_good() -> None:
    """The first list counts if no key is known."""
    keys = ["lines", "blocks", "chunks", "transcription", "segments", "monologues", "utterances"]
    for count in range(2, len(keys) + 1):
        lists = {key: [{"text": f"in {key}"}] for key in keys[:count]}
        best = "lines" if count == 2 else keys[count - 1]
        assert [turn.text for turn in parse_transcript(json.dumps(lists)).turns] == [f"in {best}"]


@pytest.mark.parametrize(("words", "is_chosen"), [(4, False), (5, True)])
def test_list_with_speakers_is_chosen_if_it_has_half_of_the_words(
    words: int, is_chosen: bool
) -> None:
    """Otherwise these are the highlights. All lists with the same key count."""
    spoken = [f"word{number}" for number in range(10)]
    marked = [{"highlights": [{"text": word, "speaker": "Ann"}]} for word in spoken[:words]]
    content = {"segments": [{"text": " ".join(spoken)}] * 3, "parts": marked}
    turns = parse_transcript(json.dumps(content)).turns
    assert [turn.speaker for turn in turns] == (["Ann"] * words if is_chosen else [None] * 3)


@pytest.mark.parametrize(
    ("content", "text", "unread"),
    [
        ({"language": "en us", "data": {"text": "Hi"}}, "Hi", ['"en us"']),
        ({"language": "en", "data": {"text": "Hi"}}, "Hi", []),
        ({"summary": {"text": "They met."}, "text": "Hi all"}, "Hi all", ['"They met."']),
        ({"text": "Hi all", "message": "hi", "body": "ALL, hi!"}, "Hi all", []),
        ({"text": "Hi", "body": "you"}, "Hi", ['"you"']),
        ({"text": "Hi", "content": ["you", "a b"]}, "Hi", ['"you"', '"a b"']),
        ([{"title": "They met.", "about": "They left."}, {"text": ""}], "", []),
    ],
)
def test_text_without_segments_is_the_outermost_one(
    content: Any, text: str, unread: list[str]
) -> None:
    """Other texts are unread if they have other words."""
    transcript = parse_transcript(json.dumps(content), format="json")
    assert [turn.text for turn in transcript.turns] == [text]
    reported = [part.raw for part in transcript.unread]
    assert reported == (unread if text else [json.dumps(content[0])])


@pytest.mark.parametrize(
    "value",
    [
        '{"segments": [], "tokens": [1]}',
        '{"language": "en"}',
        "[1, 2]",
        '{"a": [[1], ["x"]]}',
        '{"a": {"b": 1}}',
    ],
)
def test_json_without_words_is_unread(value: str) -> None:
    """The whole JSON is one unread part."""
    assert unread_parts(parse_transcript(value, format="json")) == [
        (1, "has neither segments nor text", value)
    ]


keys = st.sampled_from(
    [
        *("text", "segments", "words", "word", "utterances", "alternatives", "content", "speaker"),
        *("start", "end", "offsets", "timestamp", "from", "to", "role", "results", "type", "x"),
    ]
)
scalars = st.sampled_from([None, True, 0, 1, 1.5, -1, 10**30, "", "a b", "Hi", "0.5s", "0:05"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(value=st.lists(values, max_size=4) | st.dictionaries(keys, values, max_size=4))
def test_any_json_keeps_its_words(value: Any) -> None:
    """Each piece is once in the raw text of a turn, in an unread part, or in the frame."""
    text = json.dumps(value)
    transcript = parse_transcript(text, format="json")
    pieces = [turn.raw for turn in transcript.turns] + [part.raw for part in transcript.unread]
    assert all(piece in text for piece in pieces)
    kept = "".join([*pieces, *transcript.frame])
    assert all(kept.count(word) >= text.count(word) for word in ("a b", "Hi"))
    spoken = "".join(turn.text for turn in transcript.turns)
    unread = "".join(part.raw for part in transcript.unread)
    read = [turn.raw for turn in transcript.turns if turn.text]
    assert "a b" not in text or "a b" in "".join([spoken, unread, *read])


# The keys of many programs.


@pytest.mark.parametrize(
    "key",
    [
        *("punctuated_word", "text", "transcript", "content", "word", "message"),
        *("sentence", "caption", "body", "display", "value"),
    ],
)
def test_segment_has_its_words_under_any_of_these_keys(key: str) -> None:
    """The first of them counts."""
    text = json.dumps([{key: "Good morning.", "start": 1.5, "end": 2.5}])
    assert turns_without_raw(parse_transcript(text)) == [(None, "Good morning.", 1.5, 2.5)]


@pytest.mark.parametrize(
    "key",
    [
        *("speaker_name", "speakerName", "speaker", "speaker_label", "speakerLabel", "speaker_id"),
        *("speakerId", "speakerTag", "speaker_tag", "participant", "role"),
    ],
)
def test_segment_has_its_speaker_under_any_of_these_keys(key: str) -> None:
    """The value may be a name, a number, or an object."""
    segments = [{"text": "Hi.", key: speaker} for speaker in ("Ann", 7, {"name": "Bob"})]
    transcript = parse_transcript(json.dumps(segments))
    assert [turn.speaker for turn in transcript.turns] == ["Ann", "7", "Bob"]


@pytest.mark.parametrize(
    ("start", "end", "unit"),
    [
        ("start", "end", None),
        ("start_time", "end_time", "s"),
        ("startTime", "endTime", "s"),
        ("start_ms", "end_ms", "ms"),
        ("startMs", "endMs", "ms"),
        ("start_timestamp", "end_timestamp", "s"),
        ("ts", "end_ts", "s"),
        ("begin", "end", None),
        ("from", "to", None),
    ],
)
def test_segment_has_its_times_under_any_of_these_keys(
    start: str, end: str, unit: str | None
) -> None:
    """They are in the unit of the key; a string may be next to a number."""
    segment = {"text": "Good morning.", start: 2000, end: 3000}
    found = turns_without_raw(parse_transcript(json.dumps([segment])))
    # Where the unit is unknown, two words don't take 1,000 seconds.
    assert found == [(None, "Good morning.", *((2000, 3000) if unit == "s" else (2, 3)))]
    if unit == "s":
        mixed = turns_without_raw(parse_transcript(json.dumps([segment | {start: "1.5s"}])))
        assert mixed == [(None, "Good morning.", 1.5, 3000)]
