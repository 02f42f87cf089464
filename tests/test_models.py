"""What users hold: values, words and shapes."""

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest

from videosdk_transcripts import InvalidRow, Page, Transcription, WalkStats

START = datetime(2026, 3, 2, 9, 0, 0, 828000, UTC)


@pytest.mark.parametrize(
    ("status", "running", "completed", "failed"),
    [
        ("running", True, False, False),
        ("Completed", False, True, False),
        ("FAILED", False, False, True),
        ("error", False, False, True),
        ("summarising", False, False, False),
        (None, False, False, False),
    ],
)
def test_status_words(status: str | None, running: bool, completed: bool, failed: bool) -> None:
    """The status is an open word; the four questions ignore its case."""
    t = Transcription("a", status=status)
    assert (running, completed, failed) == (t.is_running, t.is_completed, t.is_failed)
    assert t.is_finished == (completed or failed)


def test_duration_needs_both_times() -> None:
    """Without an end there is no duration, and none is guessed."""
    assert Transcription("a", start=START).duration is None
    assert Transcription("a", end=START).duration is None
    whole = Transcription("a", start=START, end=START + timedelta(minutes=3))
    assert timedelta(minutes=3) == whole.duration


def test_to_dict_is_the_shape_of_the_service() -> None:
    """`to_dict` nests the ids as the list does, and leaves out what is not there."""
    t = Transcription("a", room_id="r", start=START, files={"txt": "https://x/y"})
    assert t.to_dict() == {
        "id": "a",
        "extension": {"extensionConfig": {"roomId": "r"}},
        "transcriptionFilePaths": {"txt": "https://x/y"},
        "start": "2026-03-02T09:00:00.828Z",
    }
    assert Transcription("b").to_dict() == {"id": "b"}


def test_to_dict_writes_utc_and_keeps_microseconds() -> None:
    """A time of another zone is written in UTC, and no digit is lost."""
    east = timezone(timedelta(hours=5, minutes=30))
    t = Transcription("a", start=datetime(2026, 3, 2, 9, 0, 0, 123456, east))
    assert t.to_dict()["start"] == "2026-03-02T03:30:00.123456Z"


def test_to_dict_puts_extra_at_its_place_and_hands_out_a_copy() -> None:
    """What came beyond the model stands where it came from, and the model keeps its own."""
    t = Transcription(
        "a", room_id="r", extra={"new": {"deep": [1]}, "extension": {"mode": "x", "more": {}}}
    )
    made = t.to_dict()
    assert made["extension"] == {"extensionConfig": {"roomId": "r"}, "mode": "x", "more": {}}
    made["new"]["deep"].append(2)
    assert t.to_dict()["new"] == {"deep": [1]}


def test_transcriptions_are_equal_by_value_and_hashed_by_id() -> None:
    """A row read again is found in a set, also after its status has changed."""
    before, after = Transcription("a", status="running"), Transcription("a", status="completed")
    assert before != after
    assert hash(before) == hash(after)
    assert before == Transcription("a", status="running")


def test_models_are_frozen() -> None:
    """Nobody changes a row by accident."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Transcription("a").status = "x"  # type: ignore[misc]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Page(1, ()).number = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    "value",
    [
        Transcription("a", start=START, files={"txt": "u"}, extra={"x": 1}),
        Page(2, (Transcription("a"),), last_page=3, total=41),
        InvalidRow(1, "$.x", "expected a string", "a", {"id": "a"}),
        WalkStats(requests=3, drifted=True),
    ],
)
def test_models_survive_pickle_and_copy(value: object) -> None:
    """A row can go to another process."""
    assert value == pickle.loads(pickle.dumps(value))
    assert value == copy.deepcopy(value)


def test_the_raw_row_is_not_shown() -> None:
    """A row that can't be read may hold anything, so its repr does not show it."""
    assert "secret words" not in repr(InvalidRow(1, "$", "why", None, {"text": "secret words"}))


@pytest.mark.parametrize(
    ("number", "last_page", "is_last"),
    [(1, None, False), (1, 2, False), (2, 2, True), (3, 2, True)],
)
def test_last_page(number: int, last_page: int | None, is_last: bool) -> None:
    """A page is the last one if the server says so, and not because it knows no better."""
    assert is_last is Page(number, (), last_page=last_page).is_last
