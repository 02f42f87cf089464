"""P3: a checkpoint is JSON that can be read back, and fits one walk only."""

import json
from typing import Any

import pytest

from videosdk_transcripts import ConfigurationError
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._paging.checkpoint import Checkpoint, Position
from videosdk_transcripts._paging.time_range import TimeRange

from .lists import LIST

WANTED = Filter("room", None)
TIMES = TimeRange.of("2026-03-04T16:00+01:00", None)
CHECKPOINT = Checkpoint(
    WANTED, 20, Position(3, 10, 45, 5, met=22, page_ids=("c",)), ((2, ("a", "b")),), 2, LIST, TIMES
)


def load(text: object) -> Checkpoint:
    """Read a checkpoint of the walk that wrote it."""
    return Checkpoint.loads(text, WANTED, 20, LIST, TIMES)


def test_checkpoint_is_read_back() -> None:
    """Reading returns what was written."""
    assert load(CHECKPOINT.dumps()) == CHECKPOINT


def test_checkpoint_is_versioned_plain_json() -> None:
    """It is readable, and a later release can recognize its version."""
    assert json.loads(CHECKPOINT.dumps()) == {
        "version": 1,
        "list": "realtime-transcriptions",
        "room_id": "room",
        "session_id": None,
        "since": "2026-03-04T15:00:00+00:00",
        "until": None,
        "requested_page_size": 20,
        "page": 3,
        "page_size": 10,
        "total": 45,
        "last_page": 5,
        "met": 22,
        "moving": False,
        "page_ids": ["c"],
        "complete_from_page": 2,
        "yielded": [[2, ["a", "b"]]],
    }


@pytest.mark.parametrize(
    ("wanted", "page_size", "list_name", "reason"),
    [
        (Filter(), 20, LIST, "over room room, but this one is over the whole account"),
        (Filter("other"), 20, LIST, "over room room, but this one is over room other"),
        (Filter("room", "s"), 20, LIST, "this one is over room room and session s"),
        (WANTED, 50, LIST, "page_size=20, but this one has page_size=50"),
        (WANTED, 20, "recordings", "over the realtime-tr.*, but this one is over the recordings"),
    ],
)
def test_checkpoint_of_another_walk_is_rejected(
    wanted: Filter, page_size: int, list_name: str, reason: str
) -> None:
    """The error names the difference between the two walks."""
    with pytest.raises(ConfigurationError, match=reason):
        Checkpoint.loads(CHECKPOINT.dumps(), wanted, page_size, list_name, TIMES)


@pytest.mark.parametrize(
    ("since", "until", "reason"),
    [
        (None, None, r"with since=2026-03-04T15:00:00\+00:00, but this one has since=None"),
        ("2026-03-04", None, r"this one has since=2026-03-04T00:00:00\+00:00; pass the same times"),
        ("2026-03-04T15", "2026-03-05", r"until=None, but this one has until=2026-03-05T00"),
    ],
)
def test_checkpoint_of_another_time_range_is_rejected(
    since: str | None, until: str | None, reason: str
) -> None:
    """Rows that were left out before it might be in the other range."""
    with pytest.raises(ConfigurationError, match=reason):
        Checkpoint.loads(CHECKPOINT.dumps(), WANTED, 20, LIST, TimeRange.of(since, until))


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", 5, None, b"{}", "[" * 100_000])
def test_anything_else_is_rejected(text: object) -> None:
    """Text that is not JSON, other JSON, and other types."""
    with pytest.raises(ConfigurationError, match="must be the text of a pager's checkpoint"):
        load(text)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_checkpoint_of_another_version_is_rejected(version: object) -> None:
    """The format of another version is unknown."""
    text = json.dumps(json.loads(CHECKPOINT.dumps()) | {"version": version})
    with pytest.raises(ConfigurationError, match="this release reads version 1"):
        load(text)


@pytest.mark.parametrize(
    "change",
    [
        {"list": None},
        {"room_id": 5},
        {"session_id": []},
        {"since": 5},
        {"until": []},
        {"requested_page_size": 0},
        {"page": "3"},
        {"page": True},
        {"page_size": None},
        {"total": -1},
        {"last_page": 1.5},
        {"complete_from_page": 0},
        {"moving": 1},
        {"yielded": {}},
        {"yielded": "ab"},
        {"yielded": [5]},
        {"yielded": ["ab"]},
        {"yielded": [[1]]},
        {"yielded": [[-1, ["a"]]]},
        {"yielded": [[1, "ab"]]},
        {"yielded": [[1, [1]]]},
        {"yielded": [[1, ["a", 1]]]},
        {"met": -1},
        {"met": True},
    ],
)
def test_damaged_checkpoint_is_rejected(change: dict[str, Any]) -> None:
    """An edited checkpoint is an error before anything is sent."""
    text = json.dumps(json.loads(CHECKPOINT.dumps()) | change)
    with pytest.raises(ConfigurationError, match="damaged"):
        load(text)


def test_checkpoint_without_a_field_is_rejected() -> None:
    """It is rejected like any damaged checkpoint."""
    data = json.loads(CHECKPOINT.dumps())
    del data["yielded"]
    with pytest.raises(ConfigurationError, match="damaged"):
        load(json.dumps(data))
