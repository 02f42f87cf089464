"""P3: a checkpoint is JSON that comes back, and fits one walk only."""

import json
from typing import Any

import pytest

from videosdk_transcripts import ConfigurationError
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._paging.checkpoint import Checkpoint, Position

WANTED = Filter("room", None)
WHOLE = Checkpoint(WANTED, 20, Position(3, 10, 45, 5, gap_before=frozenset("b")), ("a", "b"), 2)


def test_it_comes_back() -> None:
    """What was written is read."""
    assert Checkpoint.loads(WHOLE.dumps(), WANTED, 20) == WHOLE


def test_it_is_plain_json_with_a_version() -> None:
    """A person can read it, and a later release can tell it apart."""
    assert json.loads(WHOLE.dumps()) == {
        "version": 1,
        "list": "realtime-transcriptions",
        "room_id": "room",
        "session_id": None,
        "asked_page_size": 20,
        "page": 3,
        "page_size": 10,
        "total": 45,
        "last_page": 5,
        "moving": False,
        "complete_from_page": 2,
        "recent": ["a", "b"],
        "gap_before": ["b"],
    }


@pytest.mark.parametrize(
    ("wanted", "page_size", "reason"),
    [
        (Filter(), 20, "over room room, this one is over the whole account"),
        (Filter("other"), 20, "over room room, this one is over room other"),
        (Filter("room", "s"), 20, "this one is over room room and session s"),
        (WANTED, 50, "page_size=20, this one has page_size=50"),
    ],
)
def test_of_another_walk_it_is_refused(wanted: Filter, page_size: int, reason: str) -> None:
    """The error says what the two walks differ in."""
    with pytest.raises(ConfigurationError, match=reason):
        Checkpoint.loads(WHOLE.dumps(), wanted, page_size)


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", 5, None, b"{}", "[" * 100_000])
def test_what_is_no_checkpoint(text: object) -> None:
    """Anything else is refused, whatever it is."""
    with pytest.raises(ConfigurationError, match="must be a text that a pager gave"):
        Checkpoint.loads(text, WANTED, 20)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_of_another_version_it_is_refused(version: object) -> None:
    """A format that is not known is not guessed at."""
    text = json.dumps(json.loads(WHOLE.dumps()) | {"version": version})
    with pytest.raises(ConfigurationError, match="this release reads version 1"):
        Checkpoint.loads(text, WANTED, 20)


@pytest.mark.parametrize(
    "change",
    [
        {"list": "recordings"},
        {"room_id": 5},
        {"session_id": []},
        {"asked_page_size": 0},
        {"page": "3"},
        {"page": True},
        {"page_size": None},
        {"total": -1},
        {"last_page": 1.5},
        {"complete_from_page": 0},
        {"moving": 1},
        {"recent": "ab"},
        {"recent": [1]},
        {"gap_before": None},
    ],
)
def test_a_damaged_one_is_refused(change: dict[str, Any]) -> None:
    """A checkpoint that was edited is an error before anything is sent."""
    text = json.dumps(json.loads(WHOLE.dumps()) | change)
    with pytest.raises(ConfigurationError, match="damaged"):
        Checkpoint.loads(text, WANTED, 20)


def test_a_cut_one_is_refused() -> None:
    """So is one that lost a field."""
    data = json.loads(WHOLE.dumps())
    del data["recent"]
    with pytest.raises(ConfigurationError, match="damaged"):
        Checkpoint.loads(json.dumps(data), WANTED, 20)
