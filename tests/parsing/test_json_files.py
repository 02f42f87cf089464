"""Whole JSON files of several programs: what is read, and what is reported as unread."""

import json
from typing import Any

import pytest
from attrs import field, frozen

from videosdk_transcripts import parse_transcript

from .samples import Reading, turns_without_raw

NO_SEGMENT = "is not a segment with text"
OTHER_WORDS = "has words that are in no segment"


@frozen
class File:
    """A file, and all that should be read in it."""

    content: Any
    turns: list[Reading]
    unread: list[tuple[str, Any]] = field(factory=list)
    """The reason and the value of each part that is not read."""


def word(text: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    """Make a word as Whisper and Deepgram write it."""
    return {"word": text, "start": start, "end": end, **more}


def item(kind: str, text: str, *times: str, **more: Any) -> dict[str, Any]:
    """Make an item as Amazon writes it."""
    found = dict(zip(("start_time", "end_time"), times, strict=bool(times)))
    return {"type": kind, "alternatives": [{"confidence": "0.9", "content": text}], **found, **more}


FILES = {
    "Deepgram: two channels, the first with two speakers": File(
        {
            "metadata": {"transaction_key": "deprecated", "channels": 2},
            "results": {
                "channels": [
                    {
                        "alternatives": [
                            {
                                "transcript": "hi there it's me",
                                "confidence": 0.99,
                                "words": [
                                    word("hi", 0.1, 0.2, speaker=0, punctuated_word="Hi"),
                                    word("there", 0.2, 0.4, speaker=0, punctuated_word="there."),
                                    word("it's", 0.9, 1.0, speaker=1, punctuated_word="It's"),
                                    word("me", 1.0, 1.2, speaker=1, punctuated_word="me."),
                                ],
                            },
                            {"transcript": "hi hair it's me", "words": [word("hair", 0.2, 0.4)]},
                        ]
                    },
                    {
                        "alternatives": [
                            {"transcript": "yes", "words": [word("yes", 2.0, 2.5, speaker=0)]}
                        ]
                    },
                ],
                "entities": [{"text": "Acme", "about": ["a firm"]}],
            },
        },
        [("0", "Hi there.", 0.1, 0.4), ("1", "It's me.", 0.9, 1.2), ("0", "yes", 2.0, 2.5)],
        [
            (
                OTHER_WORDS,
                {"transcript": "hi hair it's me", "words": [word("hair", 0.2, 0.4)]},
            ),
            (OTHER_WORDS, {"text": "Acme", "about": ["a firm"]}),
        ],
    ),
    "Deepgram: an utterance whose words have other speakers": File(
        {
            "results": {
                "utterances": [
                    {
                        "start": 0.1,
                        "end": 1.2,
                        "transcript": "It is $10.",
                        "speaker": 0,
                        "words": [
                            word("it", 0.1, 0.2, speaker=0),
                            word("is", 0.2, 0.4, speaker=0),
                            word("ten", 0.9, 1.2, speaker=1),
                        ],
                    },
                    {"start": 1.5, "end": 1.9, "transcript": "Oh.", "speaker": 1, "words": []},
                ]
            }
        },
        [("0", "It is $10.", 0.1, 1.2), ("1", "Oh.", 1.5, 1.9)],
    ),
    "Amazon: marks have no speaker": File(
        {
            "results": {
                "transcripts": [{"transcript": "Well, yes. No."}],
                "items": [
                    item("pronunciation", "Well", "0.1", "0.5", speaker_label="spk_0"),
                    item("punctuation", ","),
                    item("pronunciation", "yes", "0.6", "0.9", speaker_label="spk_0"),
                    item("punctuation", "."),
                    item("pronunciation", "No", "1.0", "1.5", speaker_label="spk_1"),
                    item("punctuation", "."),
                ],
            }
        },
        [("spk_0", "Well, yes.", 0.1, 0.9), ("spk_1", "No.", 1.0, 1.5)],
    ),
    "Amazon: segments in addition to words": File(
        {
            "results": {
                "items": [
                    item("pronunciation", "Well", "0.1", "0.5", id=0, speaker_label="spk_0"),
                    item("pronunciation", "No", "1.0", "1.5", id=1, speaker_label="spk_1"),
                ],
                "audio_segments": [
                    {
                        "transcript": text,
                        "start_time": start,
                        "end_time": end,
                        "speaker_label": speaker,
                        "items": [number],
                    }
                    for number, (text, start, end, speaker) in enumerate(
                        [("Well", "0.1", "0.5", "spk_0"), ("No", "1.0", "1.5", "spk_1")]
                    )
                ],
            }
        },
        [("spk_0", "Well", 0.1, 0.5), ("spk_1", "No", 1.0, 1.5)],
    ),
    "Speechmatics: an entity among the words, marks with a speaker": File(
        {
            "format": "2.9",
            "results": [
                {"type": kind, "start_time": start, "end_time": end, "alternatives": [found]}
                for kind, start, end, found in (
                    ("word", 0.1, 0.2, {"content": "At", "speaker": "S1"}),
                    ("entity", 0.3, 0.6, {"content": "10:30", "speaker": "S1"}),
                    ("punctuation", 0.6, 0.6, {"content": "?", "speaker": "S1"}),
                    ("word", 0.7, 0.9, {"content": "Yes", "speaker": "S2"}),
                    ("punctuation", 0.9, 0.9, {"content": "…", "speaker": "S1"}),
                )
            ],
        },
        [("S1", "At 10:30?", 0.1, 0.6), ("S2", "Yes", 0.7, 0.9), ("S1", "…", 0.9, 0.9)],
    ),
    "ElevenLabs: spaces, sounds, and a word without a speaker": File(
        {
            "language_code": "en",
            "text": "Oh (laughs) no. Well, it's Fine.",
            "words": [
                {"text": text, "start": start, "end": end, "type": kind, "speaker_id": speaker}
                for text, start, end, kind, speaker in (
                    ("Oh", 0.1, 0.2, "word", "speaker_0"),
                    (" ", 0.2, 0.3, "spacing", "speaker_0"),
                    ("(laughs)", 0.3, 0.9, "audio_event", "speaker_0"),
                    (" ", 0.9, 1.0, "spacing", None),
                    ("no.", 1.0, 1.2, "word", "speaker_0"),
                    ("Well,", 1.3, 1.5, "word", None),
                    (" ", 1.5, 1.5, "spacing", None),
                    ("it's", 1.5, 1.6, "word", None),
                    ("Fine.", 1.7, 1.9, "word", "speaker_1"),
                )
            ],
        },
        [
            ("speaker_0", "Oh (laughs) no.", 0.1, 1.2),
            (None, "Well, it's", 1.3, 1.6),
            ("speaker_1", "Fine.", 1.7, 1.9),
        ],
    ),
    "Google: alternatives, and words with speakers at the end": File(
        {
            "results": [
                {
                    "alternatives": [
                        {"transcript": "hi there", "confidence": 0.9},
                        {"transcript": "high chair", "confidence": 0.5},
                    ],
                    "languageCode": "en-us",
                },
                {
                    "alternatives": [
                        {
                            "words": [
                                {
                                    "startTime": "0s",
                                    "endTime": "0.500s",
                                    "word": "hi",
                                    "speakerTag": 1,
                                },
                                {
                                    "startTime": "1s",
                                    "endTime": "1.5s",
                                    "word": "there",
                                    "speakerTag": 2,
                                },
                            ]
                        }
                    ]
                },
            ],
            "totalBilledTime": "15s",
        },
        [("1", "hi", 0, 0.5), ("2", "there", 1, 1.5)],
        [(OTHER_WORDS, {"transcript": "high chair", "confidence": 0.5})],
    ),
    "Google: alternatives with different speakers": File(
        {
            "results": [
                {
                    "alternatives": [
                        {
                            "transcript": "Hi, there.",
                            "words": [{"word": "hi", "speakerTag": 1}],
                        },
                        {
                            "transcript": "High chair.",
                            "words": [{"word": "high", "speakerTag": 2}],
                        },
                    ]
                }
            ]
        },
        [("1", "Hi, there.", None, None)],
    ),
    "Azure: the best of several readings": File(
        {
            "recognizedPhrases": [
                {
                    "channel": 0,
                    "speaker": 2,
                    "offset": "PT0.16S",
                    "nBest": [
                        {"confidence": 0.9, "lexical": "hi there", "display": "Hi there."},
                        {"confidence": 0.5, "lexical": "high chair", "display": "High chair."},
                    ],
                }
            ]
        },
        [("2", "Hi there.", None, None)],
    ),
    "Rev: spaces are words, and the speaker has a name": File(
        {
            "speakers": [{"id": 0, "name": "Ann"}],
            "monologues": [
                {
                    "speaker": 0,
                    "speaker_info": {"id": 0, "display_name": "Ann"},
                    "elements": [
                        {"type": "text", "value": "Hi", "ts": 0.1, "end_ts": 0.2},
                        {"type": "punct", "value": ", "},
                        {"type": "text", "value": "you", "ts": 0.2, "end_ts": 0.5},
                    ],
                },
                {"speaker": 1, "elements": [{"type": "text", "value": "Yes", "ts": 0.6}]},
            ],
        },
        [("0", "Hi, you", 0.1, 0.5), ("1", "Yes", 0.6, None)],
    ),
    "WhisperX: a segment and a word without a speaker": File(
        {
            "segments": [
                {
                    "start": 0.1,
                    "end": 0.9,
                    "text": " Good morning.",
                    "words": [word("Good", 0.1, 0.4), word("morning.", 0.4, 0.9)],
                    "speaker": "SPEAKER_00",
                },
                {"start": 1, "end": 2, "text": " 12", "words": [{"word": "12"}]},
            ],
            "word_segments": [
                word("Good", 0.1, 0.4, speaker="SPEAKER_00"),
                word("morning.", 0.4, 0.9, speaker="SPEAKER_00"),
                {"word": "12"},
            ],
        },
        [("SPEAKER_00", "Good morning.", 0.1, 0.9), (None, "12", 1, 2)],
    ),
    "WhisperX: a segment with two speakers, and others without words": File(
        {
            "segments": [
                {"start": 0.1, "end": 0.9, "text": " Good morning.", "speaker": "SPEAKER_00"},
                {
                    "start": 1.1,
                    "end": 2.5,
                    "text": " How are you?",
                    "words": [
                        word("How", 1.1, 1.4, speaker="SPEAKER_00"),
                        word("are", 1.4, 1.9, speaker="SPEAKER_00"),
                        word("you?", 1.9, 2.5, speaker="SPEAKER_01"),
                    ],
                },
            ]
        },
        [("SPEAKER_00", "Good morning.", 0.1, 0.9), (None, "How are you?", 1.1, 2.5)],
    ),
    "segments, and the same words with their speakers": File(
        {
            "segments": [{"text": "Hi there. Yes.", "start": 0.1, "end": 1.2}],
            "phrases": [
                {"words": [word("Hi", 0.1, 0.2, speaker="A"), word("there.", 0.2, 0.4)]},
                {"words": [word("Yes.", 1.0, 1.2, speaker="B")]},
            ],
        },
        [(None, "Hi there.", 0.1, 0.4), ("B", "Yes.", 1.0, 1.2)],
    ),
    "Whisper, and the same words with speakers by another program": File(
        {
            "segments": [
                {"start": 0.0, "end": 2.0, "text": " Good morning. Hi."},
                {"start": 2.0, "end": 3.0, "text": " Yes."},
            ],
            "diarized": [
                {"text": "Good morning.", "from": 0.1, "to": 1.0, "speaker": "Ann"},
                {"text": "Hi.", "from": 1.2, "to": 2.0, "speaker": None},
                {"text": "Yes.", "from": 2.0, "to": 3.0, "speaker": "Bob"},
            ],
        },
        [
            ("Ann", "Good morning.", 0.1, 1.0),
            (None, "Hi.", 1.2, 2.0),
            ("Bob", "Yes.", 2.0, 3.0),
        ],
    ),
    "lines with times, and the same words without": File(
        {
            "segments": [{"text": "Good morning."}, {"text": "Yes."}],
            "lines": [
                {"text": "Good morning.", "end_time": 1.0},
                {"text": "Yes.", "start_time": 2.0, "end_time": 3.0},
            ],
        },
        [(None, "Good morning.", None, 1.0), (None, "Yes.", 2.0, 3.0)],
    ),
    "YouTube: milliseconds in strings, one cue without an end": File(
        {
            "segments": [
                {"startMs": "1040", "endMs": "3480", "text": "Good morning."},
                {"startMs": "4000", "text": "Yes."},
                {"startMs": 5000, "text": "No."},
                {"endMs": "6000", "text": "Or so."},
                {"startMs": "00:00:07.500", "endMs": "0:09", "text": "Bye."},
            ]
        },
        [
            (None, "Good morning.", 1.04, 3.48),
            (None, "Yes.", 4, None),
            (None, "No.", 5, None),
            (None, "Or so.", None, 6),
            (None, "Bye.", 7.5, 9),
        ],
    ),
    "YouTube: durations": File(
        [
            {"text": "Good morning.", "start": 0, "duration": 3},
            {"text": "Yes.", "start": 3, "duration": 1.5},
            {"text": "No.", "start": 5, "end": 6, "duration": 99},
            {"text": "Or so.", "duration": 2},
        ],
        [
            (None, "Good morning.", 0, 3),
            (None, "Yes.", 3, 4.5),
            (None, "No.", 5, 6),
            (None, "Or so.", None, None),
        ],
    ),
    "Recall: a participant without a name": File(
        [
            {
                "participant": {"id": 100, "name": None, "is_host": True},
                "words": [
                    {
                        "text": "Hi",
                        "start_timestamp": {"relative": 0.5},
                        "end_timestamp": {"relative": 0.75},
                    }
                ],
            },
            {"participant": {"id": 200, "name": "Ann"}, "words": [{"text": "Yes."}]},
        ],
        [("100", "Hi", 0.5, 0.75), ("Ann", "Yes.", None, None)],
    ),
    "a chat with an image, which has no words": File(
        {
            "messages": [
                {"role": "user", "content": [{"type": "image_url", "url": "x"}]},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Look at this."},
                        {"type": "image_url", "url": "x"},
                    ],
                },
                {"role": "assistant", "content": "Nice."},
            ]
        },
        [("assistant", "Nice.", None, None)],
        [
            (NO_SEGMENT, {"role": "user", "content": [{"type": "image_url", "url": "x"}]}),
            (
                NO_SEGMENT,
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Look at this."},
                        {"type": "image_url", "url": "x"},
                    ],
                },
            ),
        ],
    ),
    "silence": File({"text": "", "language": "en", "segments": []}, []),
    "a summary with two parts, and entities": File(
        {
            "segments": [{"text": "We met Ann.", "start": 0.5, "end": 1.5}],
            "entities": [{"text": "Ann"}, {"text": "Acme", "about": ["a firm"]}, {"id": 1}],
            "notes": [["Buy milk.", {"more": "And bread."}]],
            "topics": ["firms", "we met"],
            "alternatives": [{"text": "She left."}, {"text": "He left."}],
        },
        [(None, "We met Ann.", 0.5, 1.5)],
        [
            (OTHER_WORDS, {"text": "Acme", "about": ["a firm"]}),
            (OTHER_WORDS, "Buy milk."),
            (OTHER_WORDS, "And bread."),
            (OTHER_WORDS, {"text": "She left."}),
            (OTHER_WORDS, {"text": "He left."}),
        ],
    ),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("layout", "line_break"),
    [({"separators": (",", ":")}, "\n"), ({"indent": "\t"}, "\r\n"), ({"indent": 1}, "\r")],
    ids=["compact", "tabs", "spaces"],
)
def test_file_is_read_completely(name: str, layout: dict[str, Any], line_break: str) -> None:
    """The white space between the values does not matter."""
    file = FILES[name]
    text = json.dumps(file.content, ensure_ascii=False, **layout).replace("\n", line_break)
    transcript = parse_transcript(text, format="json")
    assert turns_without_raw(transcript) == file.turns
    assert [(part.reason, json.loads(part.raw)) for part in transcript.unread] == file.unread
    assert all(part == part.strip() for part in transcript.frame)
    spoken = [turn.raw for turn in transcript.turns]
    assert all(json.loads(f"[{raw}]") for raw in spoken)
    kept = "".join([*spoken, *(part.raw for part in transcript.unread), *transcript.frame])
    assert sorted(kept.translate(BLANKS)) == sorted(text.translate(BLANKS))


BLANKS = dict.fromkeys(map(ord, " \t\r\n,"))
