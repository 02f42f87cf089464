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
        ("", "is not valid JSON from here on"),
        ("4]} and more", "follows the end of the JSON"),
    ],
    ids=["cut", "deep", "odd", "colon", "nothing", "more"],
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
    value = '{"text": "", "type": [], "segments": "They met."}'
    assert unread_parts(parse_transcript(f"[{value}]")) == [
        (1, "is not a segment with text", value)
    ]


def test_values_at_great_depth_are_unread() -> None:
    """Beyond eight levels there are no segments."""
    text = '{"a": ' * 9 + '[{"text": "Hi"}]' + "}" * 9
    transcript = parse_transcript(text)
    assert transcript.turns == ()
    assert [part.reason for part in transcript.unread] == ["has words that are in no segment"]


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


def test_whole_numbers_are_seconds_if_words_are_spoken_in_them() -> None:
    """Otherwise they are milliseconds."""
    segment = {"text": "word " * 100, "start": 0, "end": 60}
    assert [turn.end for turn in parse_transcript(json.dumps([segment])).turns] == [60]
    segment["text"] = "word"
    assert [turn.end for turn in parse_transcript(json.dumps([segment])).turns] == [0.06]


def test_json_lines_that_cannot_be_read_do_not_affect_others() -> None:
    """A line without words is part of the frame."""
    text = '{"a": 1}\n\n {"text": "Hi"} \r\n{"text": \n[1]\n{"text": "Yes"}'
    transcript = parse_transcript(text, format="json")
    assert turns_without_raw(transcript) == [(None, "Hi", None, None), (None, "Yes", None, None)]
    assert unread_parts(transcript) == [
        (1, "is not a segment with text", '{"a": 1}'),
        (4, "is not valid JSON", '{"text":'),
        (5, "is not a segment with text", "[1]"),
    ]


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


@pytest.mark.parametrize("value", ["[1, 2]", '{"a": [[1], ["x"]]}', '{"a": {"b": 1}}'])
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
