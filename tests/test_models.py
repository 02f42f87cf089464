"""`models.py`: values, status words and shapes."""

import copy
import inspect
import pickle
from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest

from videosdk_transcripts import InvalidRow, Page, PostTranscription, Transcription, WalkStats
from videosdk_transcripts.testing import FakeVideoSDK

START = datetime(2026, 3, 2, 9, 0, 0, 828000, UTC)


@pytest.mark.parametrize(
    ("status", "holds"),
    [
        ("running", {"running"}),
        ("Queued", {"running"}),
        ("STOPPING", {"running"}),
        ("Completed", {"completed", "finished"}),
        ("Stopped", {"finished"}),
        ("FAILED", {"failed", "finished"}),
        ("error", {"failed", "finished"}),
        ("summarising", set()),
        (None, set()),
    ],
)
@pytest.mark.parametrize("kind", [Transcription, PostTranscription])
def test_status_is_compared_case_insensitively(
    kind: type[Transcription | PostTranscription], status: str | None, holds: set[str]
) -> None:
    """Unknown words have none of the properties."""
    t = kind("a", status=status)
    found = {
        "running": t.is_running,
        "completed": t.is_completed,
        "failed": t.is_failed,
        "finished": t.is_finished,
    }
    assert holds == {name for name, value in found.items() if value}


def test_duration_is_none_without_both_times() -> None:
    """A running transcription has no duration."""
    assert Transcription("a", start=START).duration is None
    assert Transcription("a", end=START).duration is None
    whole = Transcription("a", start=START, end=START + timedelta(minutes=3))
    assert timedelta(minutes=3) == whole.duration


def test_to_dict_has_the_shape_of_the_service() -> None:
    """The ids are nested as in the list, and absent values are omitted."""
    t = Transcription("a", room_id="r", start=START, files={"txt": "https://x/y"})
    assert t.to_dict() == {
        "id": "a",
        "extension": {"extensionConfig": {"roomId": "r"}},
        "transcriptionFilePaths": {"txt": "https://x/y"},
        "start": "2026-03-02T09:00:00.828Z",
    }
    assert Transcription("b").to_dict() == {"id": "b"}


def test_to_dict_writes_utc_and_keeps_microseconds() -> None:
    """Times of any zone are converted."""
    east = timezone(timedelta(hours=5, minutes=30))
    t = Transcription("a", start=datetime(2026, 3, 2, 9, 0, 0, 123456, east))
    assert t.to_dict()["start"] == "2026-03-02T03:30:00.123456Z"


def test_to_dict_merges_a_copy_of_extra() -> None:
    """Each key is at its original place; the model does not change."""
    t = Transcription(
        "a", room_id="r", extra={"new": {"deep": [1]}, "extension": {"mode": "x", "more": {}}}
    )
    made = t.to_dict()
    assert made["extension"] == {"extensionConfig": {"roomId": "r"}, "mode": "x", "more": {}}
    made["new"]["deep"].append(2)
    assert t.to_dict()["new"] == {"deep": [1]}


def test_page_to_dict_has_the_shape_of_the_service() -> None:
    """Numbers that are unknown are omitted, and rows have their own shape."""
    page = Page(2, (Transcription("a"), PostTranscription("b")), page_size=2, total=4)
    assert page.to_dict() == {
        "pageInfo": {"currentPage": 2, "perPage": 2, "total": 4},
        "transcriptions": [{"id": "a"}, {"id": "b"}],
    }
    assert Page[Transcription](1, ()).to_dict()["transcriptions"] == []


async def test_to_dict_returns_what_the_service_sent(fake: FakeVideoSDK) -> None:
    """This includes a page, and rows of the other list; null values are omitted."""
    sent = fake.add_transcriptions(3)
    del fake.add_post_transcription()["userStorage"]
    async with fake.client() as client:
        page = (await client.get_page(page_size=2)).to_dict()
        post = [t.to_dict() async for t in client.iter_post_transcriptions()]
    assert page == {
        "pageInfo": {"currentPage": 1, "perPage": 2, "lastPage": 2, "total": 3},
        "transcriptions": sent[:2],
    }
    assert post == fake.post_rows


def test_transcriptions_are_equal_by_value_and_hashed_by_id() -> None:
    """A row is found in a set even after its status has changed."""
    before, after = Transcription("a", status="running"), Transcription("a", status="completed")
    assert before != after
    assert hash(before) == hash(after)
    assert before == Transcription("a", status="running")


def test_models_are_frozen() -> None:
    """Rows and pages can't be changed by accident."""
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
    """They can be sent to another process."""
    assert value == pickle.loads(pickle.dumps(value))
    assert value == copy.deepcopy(value)


def test_repr_of_an_invalid_row_has_no_content() -> None:
    """An invalid row may contain anything."""
    assert "secret words" not in repr(InvalidRow(1, "$", "why", None, {"text": "secret words"}))


@pytest.mark.parametrize(
    ("number", "last_page", "is_last"),
    [(1, None, False), (1, 2, False), (2, 2, True), (3, 2, True)],
)
def test_is_last(number: int, last_page: int | None, is_last: bool) -> None:
    """The server determines the last page; without it, no page is the last."""
    assert is_last is Page(number, (), last_page=last_page).is_last


def test_transcription_takes_its_fields_in_order_and_stores_each() -> None:
    """Its ``__init__`` is not generated, and must match the class."""
    names = [field.name for field in attrs.fields(Transcription)]
    assert list(inspect.signature(Transcription).parameters) == names
    given = {name: object() for name in names}
    row = Transcription(*given.values())  # type: ignore[arg-type]
    assert vars(row) == given
    of_absent = {"id": "t-1", "files": {}, "summary_files": {}, "extra": {}}
    assert vars(Transcription("t-1")) == dict.fromkeys(names) | of_absent
