"""`_resource.py`, with transcriptions of recordings: their rows, walks, checkpoints and errors."""

import asyncio
import copy
import json
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from videosdk_transcripts import (
    ConfigurationError,
    InvalidResponseError,
    InvalidRowError,
    NotFoundError,
    PostTranscription,
    TranscriptsClient,
    UnverifiedRowError,
)
from videosdk_transcripts._api.converter import structure_row
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._api.protocol import REALTIME, Response, list_request
from videosdk_transcripts.testing import Body, Envelope, FakeVideoSDK, Status

ROOM = "abcd-efgh-ijkl"
SESSION = "64f1a2b3c4d5e6f708192a3b"
ROW: dict[str, Any] = {
    "id": "post-1",
    "status": "completed",
    "roomId": ROOM,
    "sessionId": SESSION,
    "recordingId": "65a0",
    "filePath": "https://cdn.test/r.mp4?sig=s3cret",
    "transcriptionFilePaths": {
        ending: f"https://cdn.test/t.{ending}?sig=s3cret"
        for ending in ("json", "srt", "txt", "tsv", "vtt")
    },
    "summarizedFilePaths": {"txt": "https://user:s3cret@cdn.test/s.txt"},
    "start": "2026-03-02T09:00:00.828Z",
    "end": "2026-03-02T09:25:00.828Z",
    "userStorage": {"bucket": "b"},
}


def read(raw: Any) -> PostTranscription:
    """Structure a row."""
    return structure_row(raw, PostTranscription, path="$")


# The model.


def test_documented_row_is_read_and_restored() -> None:
    """`to_dict` returns the documented shape, as a copy."""
    t = read(ROW)
    assert (t.id, t.status, t.room_id, t.session_id) == ("post-1", "completed", ROOM, SESSION)
    assert (t.recording_id, t.media_url) == ("65a0", ROW["filePath"])
    assert t.files == ROW["transcriptionFilePaths"]
    assert t.summary_files == ROW["summarizedFilePaths"]
    assert t.start == datetime(2026, 3, 2, 9, 0, 0, 828000, UTC)
    assert t.duration == timedelta(minutes=25)
    assert t.user_storage == {"bucket": "b"}
    assert t.extra == {}
    assert t.to_dict() == ROW
    t.to_dict()["userStorage"]["bucket"] = "changed"
    assert t.to_dict() == ROW


@pytest.mark.parametrize(
    "empty",
    [
        {},
        dict.fromkeys(set(ROW) - {"id"}),
        {"transcriptionFilePaths": {}, "summarizedFilePaths": {"txt": None}},
    ],
)
def test_missing_null_and_empty_are_equivalent(empty: dict[str, Any]) -> None:
    """This applies to every key except the id."""
    t = read({"id": "a", **empty})
    assert t == PostTranscription("a")
    assert t.duration is None
    assert t.to_dict() == {"id": "a"}


def test_unknown_keys_survive() -> None:
    """This includes the keys of a realtime row."""
    more = {"extension": {"provider": "x"}, "webhookUrl": "u", "new": [1]}
    t = read(ROW | more)
    assert t.extra == more
    assert t.to_dict() == ROW | more


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"id": ""}, "$.id"),
        ({"id": None}, "$.id"),
        ({"status": 5}, "$.status"),
        ({"recordingId": 5}, "$.recordingId"),
        ({"filePath": {}}, "$.filePath"),
        ({"transcriptionFilePaths": []}, "$.transcriptionFilePaths"),
        ({"start": "never"}, "$.start"),
    ],
)
def test_wrong_type_raises_with_its_json_path(change: dict[str, Any], path: str) -> None:
    """The message has no value of the row."""
    with pytest.raises(InvalidRowError) as caught:
        read(ROW | change)
    assert caught.value.path == path
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("key", ["userStorage", "unknown"])
def test_too_deep_nesting_raises(key: str) -> None:
    """It could not be copied."""
    deep = json.loads("[" * 200 + "]" * 200)
    with pytest.raises(InvalidRowError, match="deeper than 100 levels"):
        read(ROW | {key: deep})


@pytest.mark.parametrize(
    ("status", "running", "completed", "failed"),
    [
        ("Running", True, False, False),
        ("COMPLETED", False, True, False),
        ("failed", False, False, True),
        (None, False, False, False),
    ],
)
def test_status_is_compared_case_insensitively(
    status: str | None, running: bool, completed: bool, failed: bool
) -> None:
    """This is the same as for realtime transcriptions."""
    t = PostTranscription("a", status=status)
    assert (running, completed, failed) == (t.is_running, t.is_completed, t.is_failed)
    assert t.is_finished == (completed or failed)


def test_row_is_a_plain_value() -> None:
    """Frozen, equal by value, hashed by id, and picklable."""
    t = read(ROW)
    assert pickle.loads(pickle.dumps(t)) == copy.deepcopy(t) == t
    assert hash(t) == hash(PostTranscription("post-1"))
    assert t != PostTranscription("post-1")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        t.id = "b"  # type: ignore[misc]


def test_repr_has_no_signatures_of_links() -> None:
    """P8: this applies to the files and the recording."""
    shown = repr(read(ROW))
    assert "https://cdn.test/r.mp4" in shown
    assert "s3cret" not in shown
    assert "bucket" not in shown
    assert "media_url=None" in repr(PostTranscription("a"))


# The list.


async def test_walk_yields_all_rows(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """The requests have the path of this list, and the filter in the query."""
    rows = [fake.add_post_transcription() for _ in range(45)]
    fake.add_transcription()
    pager = client.iter_post_transcriptions(ROOM, SESSION)
    assert [t.id async for t in pager] == [row["id"] for row in rows]
    assert pager.total == 45
    assert {seen.path for seen in fake.requests} == {"/ai/v1/post-transcriptions/"}
    assert fake.requests[0].query == {
        "roomId": ROOM,
        "sessionId": SESSION,
        "page": "1",
        "perPage": "20",
    }


async def test_walk_has_the_options_of_the_realtime_list(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The test covers `limit`, `page_size` and `on_invalid`."""
    for row in [fake.add_post_transcription() for _ in range(5)][:2]:
        row["status"] = 5
    pager = client.iter_post_transcriptions(page_size=2, limit=2, on_invalid="collect")
    assert len([t async for t in pager]) == 2
    assert [row.path for row in pager.invalid_rows] == [
        "$.transcriptions[0].status",
        "$.transcriptions[1].status",
    ]
    with pytest.raises(InvalidRowError):
        await anext(client.iter_post_transcriptions())


async def test_foreign_rows_are_dropped() -> None:
    """P2: a row without ids raises an error."""
    async with FakeVideoSDK(filters="ignored") as fake:
        fake.add_post_transcription(room_id="other")
        mine = fake.add_post_transcription()
        async with fake.client() as client:
            assert [t.id async for t in client.iter_post_transcriptions(ROOM)] == [mine["id"]]
            fake.add_post_transcription(room_id=None, session_id=None)
            with pytest.raises(UnverifiedRowError):
                assert [t async for t in client.iter_post_transcriptions(ROOM)]


async def test_failed_request_is_retried(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """The other envelopes are read, too."""
    fake.add_post_transcription(duration=None, summary=False, status="running")
    fake.fail_next(Status(503), Envelope("data key"))
    (found,) = [t async for t in client.iter_post_transcriptions()]
    assert found.is_running
    assert found.end is None
    assert not found.summary_files


async def test_checkpoint_resumes_the_same_list_only(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """P3: exact to the row."""
    ids = [fake.add_post_transcription()["id"] for _ in range(7)]
    fake.add_transcriptions(7)
    pager = client.iter_post_transcriptions(page_size=3)
    for _ in range(4):
        await anext(pager)
    text = pager.checkpoint
    assert json.loads(text)["list"] == "post-transcriptions"
    assert [t.id async for t in client.iter_post_transcriptions(page_size=3, resume=text)] == ids[
        4:
    ]
    with pytest.raises(
        ConfigurationError, match="over the post-transcriptions, but this one is over"
    ):
        client.iter_transcriptions(page_size=3, resume=text)
    other = client.iter_transcriptions(page_size=3).checkpoint
    with pytest.raises(ConfigurationError, match="over the realtime-transcriptions, but this one"):
        client.iter_post_transcriptions(page_size=3, resume=other)


# One row.


async def test_get_by_id(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """The id is quoted in the path."""
    row = fake.add_post_transcription(row_id="a/b")
    assert (await client.get_post_transcription("a/b")).to_dict() == {
        key: value for key, value in row.items() if value is not None
    }
    assert fake.requests[0].path == "/ai/v1/post-transcriptions/a/b"


async def test_id_of_the_other_list_is_not_found(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The error names the kind of row."""
    row = fake.add_transcription()
    with pytest.raises(NotFoundError, match=f"transcription of a recording {row['id']}"):
        await client.get_post_transcription(row["id"])


async def test_get_refuses_another_row_and_invalid_ids(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Nothing is sent for an invalid id."""
    fake.fail_next(Body(json.dumps(ROW).encode()))
    with pytest.raises(InvalidResponseError, match="the service returned post-1"):
        await client.get_post_transcription("a")
    with pytest.raises(ConfigurationError, match="transcription_id"):
        await client.get_post_transcription("")
    assert len(fake.requests) == 1


# Large pages.


async def test_large_page_lets_other_tasks_run(fake: FakeVideoSDK) -> None:
    """They run between slices of a hundred rows, so a page does not block the event loop."""
    fake.add_transcriptions(1000)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with fake.client() as client:
        body = json.dumps({"transcriptions": fake.rows}).encode()
        request = list_request(REALTIME, Filter(), 1, 1000)
        other = asyncio.create_task(count())
        page = await client._realtime._read_page(Response(200, {}, body), request, 1, "raise")
        other.cancel()
    assert [row.id for row in page.items] == [row["id"] for row in fake.rows]
    assert turns == 9
