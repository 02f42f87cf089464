"""JSON of Whisper and WhisperX: segments, and JSON that is malformed or incomplete."""

import json
from typing import Any

import pytest

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
        ({"words": [{"speaker": 5}, {"speaker": 5}]}, None),
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
    "wrong", ["true", "-1", "NaN", "Infinity", "1e999", '"1"', "[]", "9" * 5000]
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
        '{"text": "b", "speaker": 1, "start": 1}',
    ]
    transcript = parse_transcript("[" + ",\n".join(parts[1:2] + parts) + "]", format="json")
    assert turns_without_raw(transcript) == [(None, "a", None, None), (None, "b", 1, None)]
    assert unread_parts(transcript) == [
        (1, "is not a segment with text", parts[1]),
        (2, "ends before it starts", parts[0]),
        (3, "is not a segment with text", parts[1]),
        (4, "is not a segment with text", parts[2]),
        (5, "has a speaker that is not a string", parts[3]),
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
        ("", "is not valid JSON from here on"),
        ("4]} and more", "follows the end of the JSON"),
    ],
    ids=["cut", "deep", "odd", "nothing", "more"],
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
    """From its first character, also directly after the end."""
    for rest in ("x", "]", "}", ",", "0"):
        last = parse_transcript(text + rest, format="json").unread[-1]
        assert (last.raw, last.reason) == (rest, "follows the end of the JSON")
        last = parse_transcript(f"{text} \n\t {rest}", format="json").unread[-1]
        assert (last.line, last.raw) == (2, rest)


def test_line_breaks_and_tabs_in_strings_are_kept() -> None:
    """Strict JSON has escapes instead."""
    transcript = parse_transcript('[{"text": "a\tb\nc", "speaker": "A\tnn"}]', format="json")
    assert turns_without_raw(transcript) == [("A\tnn", "a\tb\nc", None, None)]


def test_other_keys_of_an_object_are_frame() -> None:
    """A list under another name is not read, nor a text that is not a string."""
    text = '{"a": [{"text": "no"}], "text": ["no"], "segments": [{"text": "yes"}], "b": "text"}'
    transcript = parse_transcript(text)
    assert turns_without_raw(transcript) == [(None, "yes", None, None)]
    assert transcript.frame == (
        '{"a": [{"text": "no"}], "text": ["no"], "segments": [',
        '], "b": "text"}',
    )
    assert transcript.unread == ()


def test_text_that_is_not_json_is_unread_or_detected_as_text() -> None:
    """Unread if the format is given, plain text if it is detected."""
    for text in ("Hi", '"Hi"', ""):
        assert unread_parts(parse_transcript(text, format="json")) == [
            (1, "is not valid JSON from here on", text)
        ]
    assert speakers_and_texts(parse_transcript("[Ann]: Hi [laughs]")) == [("Ann", "Hi [laughs]")]
    assert speakers_and_texts(parse_transcript("{laughs}")) == [(None, "{laughs}")]
