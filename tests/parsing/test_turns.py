"""Turns merged, and speakers renamed."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from videosdk_transcripts import (
    ConfigurationError,
    Transcript,
    Turn,
    merge_turns,
    parse_transcript,
    rename_speakers,
    to_vtt,
)


def test_consecutive_turns_of_a_speaker_are_merged() -> None:
    """The result lasts from the start of the first turn to the latest end."""
    turns = [
        Turn("Ann", "Good", 1, 5, raw="Ann: Good"),
        Turn("Ann", "", 2, 3, raw="Ann:"),
        Turn("Ann", "morning.", 3, 4),
        Turn("Bob", "Yes.", 5, 6, raw="Bob: Yes."),
        Turn("Ann", "So.", 7, 8),
    ]
    merged = merge_turns(turns)
    assert merged == (Turn("Ann", "Good morning.", 1, 5), *turns[3:])
    assert merged[0].raw == "Ann: Good\nAnn:"
    assert merged[1] is turns[3]


def test_turns_without_speaker_are_not_merged() -> None:
    """They may belong to different people."""
    turns = (Turn(None, "a"), Turn(None, "b"), Turn("None", "c"))
    assert merge_turns(turns) == turns


def test_unknown_times_stay_unknown() -> None:
    """A part without an end may end after all others; the start is that of the first part."""
    assert merge_turns([Turn("Ann", "a", 1), Turn("Ann", "b", 2, 3)]) == (Turn("Ann", "a b", 1),)
    assert merge_turns([Turn("Ann", "a", 1, 2), Turn("Ann", "b")]) == (Turn("Ann", "a b", 1),)
    assert merge_turns([Turn("Ann", "a"), Turn("Ann", "b", 2, 3)]) == (Turn("Ann", "a b"),)


def test_gap_limits_merging() -> None:
    """It is measured from the latest end so far; turns are not merged if a time is unknown."""
    turns = [
        Turn("Ann", "a", 0, 10),
        Turn("Ann", "b", 1, 2),
        Turn("Ann", "c", 11, 12),
        Turn("Ann", "d", 13.5, 14),
        Turn("Ann", "e", None, 15),
        Turn("Ann", "f", 15, None),
        Turn("Ann", "g", 15, 16),
    ]
    assert [turn.text for turn in merge_turns(turns, gap=1)] == ["a b c", "d", "e f", "g"]
    assert [turn.text for turn in merge_turns(turns, gap=0)] == ["a b", "c", "d", "e f", "g"]
    assert [turn.text for turn in merge_turns(turns)] == ["a b c d e f g"]


@pytest.mark.parametrize("gap", [-1, float("nan"), float("inf"), True, "1"])
def test_invalid_gap_is_rejected(gap: float) -> None:
    """A gap is a number of seconds, 0 or more."""
    with pytest.raises(ConfigurationError, match="^gap must be a number of 0 or more"):
        merge_turns([], gap=gap)


@pytest.mark.parametrize("turns", ["a", None, 5, [1], Transcript("txt", (Turn("Ann", "a"),))])
@pytest.mark.parametrize("call", [merge_turns, lambda turns: rename_speakers(turns, {}), to_vtt])
def test_anything_but_turns_is_rejected(call: Callable[[Any], object], turns: Any) -> None:
    """The error names the argument; a transcript has its turns in an attribute."""
    with pytest.raises(ConfigurationError, match=r"^turns must be a sequence of Turn") as caught:
        call(turns)
    assert ("transcript.turns" in str(caught.value)) == isinstance(turns, Transcript)


@pytest.mark.parametrize("names", [None, [("A", "B")], {"A": 1}, {1: "A"}, {"A": "B", "C": None}])
def test_names_that_are_no_strings_are_rejected(names: Any) -> None:
    """Each name is checked, whether a turn has it or not."""
    with pytest.raises(ConfigurationError, match=r"^names must map each old name to a new one"):
        rename_speakers([], names)


def test_speakers_are_renamed_by_exact_name() -> None:
    """Other turns and all raw texts are unchanged."""
    turns = [Turn("S1", "a", 1, 2, raw="S1: a"), Turn("s1", "b"), Turn(None, "c")]
    renamed = rename_speakers(turns, {"S1": "Ann", "Ann": "Eve"})
    assert renamed == (Turn("Ann", "a", 1, 2), *turns[1:])
    assert renamed[0].raw == "S1: a"


def test_any_iterable_is_accepted() -> None:
    """This includes generators; the result for no turns is empty."""

    def turns() -> Iterator[Turn]:
        yield Turn("S1", "a")
        yield Turn("S1", "b")

    assert merge_turns(rename_speakers(turns(), {"S1": "Ann"})) == (Turn("Ann", "a b"),)
    assert merge_turns([]) == rename_speakers([], {}) == ()


def test_to_dict_is_ready_for_json() -> None:
    """Each turn has the same keys, and unread parts have their text."""
    text = "1\n00:00:00,000 --> 00:00:02,500\nAnn: Yes.\n\n2\n00:00:09,000 --> 00:00:0\nNo.\n"
    found = parse_transcript(text, format="srt")
    assert json.loads(json.dumps(found.to_dict())) == {
        "format": "srt",
        "turns": [
            {"speaker": "Ann", "text": "Yes.", "start": 0.0, "end": 2.5},
            {"speaker": None, "text": "No.", "start": None, "end": None},
        ],
        "unread": [
            {
                "line": 6,
                "reason": "ends before it starts",
                "raw": "00:00:09,000 --> 00:00:0",
            }
        ],
    }
