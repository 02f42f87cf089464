"""JSON as programs write it, and what a person reads in it."""

import json
from typing import Any

from .samples import Reading, Sample

HI_YES: list[Reading] = [("A", "Hi there.", 0.25, 0.65), ("B", "Yes.", 1.0, 1.5)]


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def _word(word: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    return {"word": word, "start": start, "end": end, **more}


JSON: dict[str, Sample] = {
    "whisper.cpp": (
        _dump(
            {
                "systeminfo": "AVX = 1",
                "model": {"type": "base", "multilingual": False},
                "params": {"model": "models/ggml-base.bin", "language": "en"},
                "result": {"language": "en"},
                "transcription": [
                    {
                        "timestamps": {"from": "00:00:00,250", "to": "00:00:00,650"},
                        "offsets": {"from": 250, "to": 650},
                        "text": " Hi there.",
                    },
                    {
                        "timestamps": {"from": "00:00:01,000", "to": "00:00:01,500"},
                        "offsets": {"from": 1000, "to": 1500},
                        "text": " Yes.",
                        "speaker": "1",
                    },
                ],
            }
        ),
        [(None, "Hi there.", 0.25, 0.65), ("1", "Yes.", 1.0, 1.5)],
    ),
    "chunks": (
        _dump(
            {
                "text": " Hi there. Yes.",
                "chunks": [
                    {"timestamp": [0.25, 0.65], "text": " Hi there."},
                    {"timestamp": [1.0, None], "text": " Yes."},
                ],
            }
        ),
        [(None, "Hi there.", 0.25, 0.65), (None, "Yes.", 1.0, None)],
    ),
    "AssemblyAI": (
        _dump(
            {
                "id": "5551722-f677-48a6-9287-39c0aafd9ac1",
                "status": "completed",
                "text": "Hi there. Yes.",
                "words": [
                    {"text": "Hi", "start": 250, "end": 400, "confidence": 0.9, "speaker": "A"},
                    {"text": "there.", "start": 400, "end": 650, "confidence": 1, "speaker": "A"},
                    {"text": "Yes.", "start": 1000, "end": 1500, "confidence": 1, "speaker": "B"},
                ],
                "utterances": [
                    {
                        "text": "Hi there.",
                        "start": 250,
                        "end": 650,
                        "speaker": "A",
                        "words": [{"text": "Hi", "start": 250, "end": 400, "speaker": "A"}],
                    },
                    {"text": "Yes.", "start": 1000, "end": 1500, "speaker": "B", "words": []},
                ],
                "entities": [{"text": "Hi", "start": 250, "end": 400, "entity_type": "x"}],
                "audio_duration": 2,
            }
        ),
        HI_YES,
    ),
    "Deepgram": (
        _dump(
            {
                "metadata": {"request_id": "x", "channels": 1, "models": ["a-b"]},
                "results": {
                    "channels": [
                        {
                            "alternatives": [
                                {
                                    "transcript": "hi there yes",
                                    "confidence": 0.9,
                                    "words": [
                                        _word("hi", 0.25, 0.4, speaker=0, punctuated_word="Hi"),
                                        _word("there", 0.4, 0.65, speaker=0),
                                        _word("yes", 1.0, 1.5, speaker=1, punctuated_word="Yes."),
                                    ],
                                }
                            ]
                        }
                    ],
                    "utterances": [
                        {"start": 0.25, "end": 0.65, "transcript": "Hi there.", "speaker": 0},
                        {"start": 1.0, "end": 1.5, "transcript": "Yes.", "speaker": 1},
                    ],
                },
            }
        ),
        [("0", "Hi there.", 0.25, 0.65), ("1", "Yes.", 1.0, 1.5)],
    ),
    "data and segments": (
        _dump(
            {
                "code": 0,
                "data": {"segments": [{"start": 1, "end": 4, "text": "Hi", "speaker": 2}]},
            }
        ),
        [("2", "Hi", 1, 4)],
    ),
    "words alone": (
        _dump(
            {
                "words": [
                    _word("Hi", 0.1, 0.2, speaker="Ann"),
                    _word("there.", 0.2, 0.5, speaker="Ann"),
                    _word("Yes.", 0.6, 0.9, speaker="Bob"),
                ]
            }
        ),
        [("Ann", "Hi there.", 0.1, 0.5), ("Bob", "Yes.", 0.6, 0.9)],
    ),
    "words with spaces": (
        _dump(
            {
                "language_code": "en",
                "text": "Hi there. Yes.",
                "words": [
                    {"text": "Hi", "start": 0.1, "end": 0.2, "type": "word", "speaker_id": "s_0"},
                    {"text": " ", "start": 0.2, "end": 0.2, "type": "spacing", "speaker_id": "s_0"},
                    {"text": "there.", "start": 0.2, "end": 0.5, "speaker_id": "s_0"},
                    {"text": "Yes.", "start": 0.6, "end": 0.9, "type": "word", "speaker_id": "s_1"},
                ],
            }
        ),
        [("s_0", "Hi there.", 0.1, 0.5), ("s_1", "Yes.", 0.6, 0.9)],
    ),
    "roles": (
        _dump(
            [
                {"role": "user", "content": "Hi there."},
                {"role": "assistant", "content": [{"type": "text", "text": "Yes."}]},
            ]
        ),
        [("user", "Hi there.", None, None), ("assistant", "Yes.", None, None)],
    ),
    "messages": (
        _dump({"messages": [{"role": "user", "content": "Hi there."}]}),
        [("user", "Hi there.", None, None)],
    ),
    "Amazon": (
        _dump(
            {
                "jobName": "x",
                "status": "COMPLETED",
                "results": {
                    "transcripts": [{"transcript": "Hi. Yes."}],
                    "items": [
                        {
                            "start_time": "0.1",
                            "end_time": "0.5",
                            "alternatives": [{"confidence": "0.9", "content": "Hi"}],
                            "type": "pronunciation",
                            "speaker_label": "spk_0",
                        },
                        {
                            "alternatives": [{"confidence": "0.0", "content": "."}],
                            "type": "punctuation",
                            "speaker_label": "spk_0",
                        },
                        {
                            "start_time": "1.0",
                            "end_time": "1.5",
                            "alternatives": [{"confidence": "0.9", "content": "Yes"}],
                            "type": "pronunciation",
                            "speaker_label": "spk_1",
                        },
                    ],
                },
            }
        ),
        [("spk_0", "Hi.", 0.1, 0.5), ("spk_1", "Yes", 1.0, 1.5)],
    ),
    "Google": (
        _dump(
            {
                "results": [
                    {
                        "alternatives": [
                            {
                                "transcript": "Hi there",
                                "words": [
                                    {"startTime": "0.100s", "endTime": "0.2s", "word": "Hi"},
                                    {"startTime": "0.2s", "endTime": "0.500s", "word": "there"},
                                ],
                            }
                        ],
                        "languageCode": "en-us",
                    }
                ]
            }
        ),
        [(None, "Hi there", 0.1, 0.5)],
    ),
    "Rev": (
        _dump(
            {
                "monologues": [
                    {
                        "speaker": 0,
                        "elements": [
                            {"type": "text", "value": "Hi", "ts": 0.1, "end_ts": 0.2},
                            {"type": "punct", "value": " "},
                            {"type": "text", "value": "there", "ts": 0.2, "end_ts": 0.5},
                            {"type": "punct", "value": "."},
                        ],
                    }
                ]
            }
        ),
        [("0", "Hi there.", 0.1, None)],
    ),
    "podcast": (
        _dump(
            {
                "version": "1.0.0",
                "segments": [{"speaker": "Ann", "startTime": 0.5, "endTime": 0.75, "body": "Hi"}],
            }
        ),
        [("Ann", "Hi", 0.5, 0.75)],
    ),
    "lines": (
        (
            '{"start": 0.5, "end": 1.5, "speaker": "Ann", "text": "Hi"}\n'
            '{"start": 1.5, "end": 2.5, "speaker": "Bob", "text": "Yes"}\n'
        ),
        [("Ann", "Hi", 0.5, 1.5), ("Bob", "Yes", 1.5, 2.5)],
    ),
    "speaker as an object": (
        _dump([{"participant": {"id": 1, "name": "Ann"}, "words": [{"text": "Hi"}]}]),
        [("Ann", "Hi", None, None)],
    ),
    "times of day": (
        _dump([{"speaker": "Ann", "start": "00:00:01.500", "end": "00:01:02", "text": "Hi"}]),
        [("Ann", "Hi", 1.5, 62)],
    ),
    "milliseconds by name": (
        _dump({"segments": [{"start_ms": 500, "end_ms": 1500, "text": "Hi"}]}),
        [(None, "Hi", 0.5, 1.5)],
    ),
}
