"""Transcripts of recordings: flat rows, one view, and a list that is walked like the other."""

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
    Pager,
    PostTranscription,
    TranscriptsClient,
    UnverifiedRowError,
)
from videosdk_transcripts._api.converter import read_post_transcription
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._paging.options import WalkOptions
from videosdk_transcripts._resource import get_post, post_pager
from videosdk_transcripts.testing import Body, Envelope, FakeVideoSDK, Status

ROOM = "abcd-efgh-ijkl"
SESSION = "64f1a2b3c4d5e6f708192a3b"
DEFAULTS: dict[str, Any] = {
    "limit": None,
    "page_size": 20,
    "resume": None,
    "on_unverified": "raise",
    "on_invalid": "raise",
    "consistency": "once",
    "max_empty_pages": 1000,
    "readahead": 8,
    "walk_timeout": None,
}
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


def walk(
    client: TranscriptsClient,
    room_id: str | None = None,
    session_id: str | None = None,
    **options: Any,
) -> Pager[PostTranscription]:
    """Walk as the client does."""
    wanted = Filter.of(room_id, session_id)
    return post_pager(
        client._transport, WalkOptions(wanted=wanted, **(DEFAULTS | options)), clock=client._clock
    )


# The model.


def test_a_row_is_read() -> None:
    """Each field has its name, and comes back in the service's own words."""
    t = read_post_transcription(ROW, path="$")
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
def test_what_is_absent_null_or_empty_is_alike(empty: dict[str, Any]) -> None:
    """Also a storage of the user's own."""
    t = read_post_transcription({"id": "a", **empty}, path="$")
    assert t == PostTranscription("a")
    assert t.duration is None
    assert t.to_dict() == {"id": "a"}


def test_unknown_keys_survive() -> None:
    """At their place, also those of the other kind of row."""
    more = {"extension": {"provider": "x"}, "webhookUrl": "u", "new": [1]}
    t = read_post_transcription(ROW | more, path="$")
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
def test_a_row_that_cannot_be_read(change: dict[str, Any], path: str) -> None:
    """The error says where, and shows no value."""
    with pytest.raises(InvalidRowError) as caught:
        read_post_transcription(ROW | change, path="$")
    assert caught.value.path == path
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("key", ["userStorage", "unknown"])
def test_what_is_nested_too_deep(key: str) -> None:
    """No program could copy it."""
    deep = json.loads("[" * 200 + "]" * 200)
    with pytest.raises(InvalidRowError, match="deeper than 100 levels"):
        read_post_transcription(ROW | {key: deep}, path="$")


@pytest.mark.parametrize(
    ("status", "running", "completed", "failed"),
    [
        ("Running", True, False, False),
        ("COMPLETED", False, True, False),
        ("failed", False, False, True),
        (None, False, False, False),
    ],
)
def test_status_words(status: str | None, running: bool, completed: bool, failed: bool) -> None:
    """As for the other kind."""
    t = PostTranscription("a", status=status)
    assert (running, completed, failed) == (t.is_running, t.is_completed, t.is_failed)
    assert t.is_finished == (completed or failed)


def test_it_is_a_plain_value() -> None:
    """Frozen, slotted, equal by value, hashed by id, and fit for another process."""
    t = read_post_transcription(ROW, path="$")
    assert pickle.loads(pickle.dumps(t)) == copy.deepcopy(t) == t
    assert hash(t) == hash(PostTranscription("post-1"))
    assert t != PostTranscription("post-1")
    assert not hasattr(t, "__dict__")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        t.id = "b"  # type: ignore[misc]


def test_a_signed_link_is_not_shown() -> None:
    """P8: neither of the files nor of the recording."""
    shown = repr(read_post_transcription(ROW, path="$"))
    assert "https://cdn.test/r.mp4" in shown
    assert "s3cret" not in shown
    assert "bucket" not in shown
    assert "media_url=None" in repr(PostTranscription("a"))


# The list.


async def test_a_walk(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Over all pages, from the path of these rows, with the filter sent."""
    rows = [fake.add_post_transcription() for _ in range(45)]
    fake.add_transcription()
    pager = walk(client, ROOM, SESSION)
    assert [t.id async for t in pager] == [row["id"] for row in rows]
    assert pager.total == 45
    assert {seen.path for seen in fake.requests} == {"/ai/v1/post-transcriptions/"}
    assert fake.requests[0].query == {
        "roomId": ROOM,
        "sessionId": SESSION,
        "page": "1",
        "perPage": "20",
    }


async def test_a_walk_takes_its_options(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """All of them are those of the other list."""
    for row in [fake.add_post_transcription() for _ in range(5)][:2]:
        row["status"] = 5
    pager = walk(client, page_size=2, limit=2, on_invalid="collect")
    assert len([t async for t in pager]) == 2
    assert [row.path for row in pager.invalid_rows] == [
        "$.transcriptions[0].status",
        "$.transcriptions[1].status",
    ]
    with pytest.raises(InvalidRowError):
        await anext(walk(client))


async def test_only_yours() -> None:
    """P2: rows of others are dropped, and one that does not say is refused."""
    async with FakeVideoSDK(filters="ignored") as fake:
        fake.add_post_transcription(room_id="other")
        mine = fake.add_post_transcription()
        async with fake.client() as client:
            assert [t.id async for t in walk(client, ROOM)] == [mine["id"]]
            fake.add_post_transcription(room_id=None, session_id=None)
            with pytest.raises(UnverifiedRowError):
                assert [t async for t in walk(client, ROOM)]


async def test_faults_are_survived(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """A read is repeated, and the other shapes of an envelope are known."""
    fake.add_post_transcription(duration=None, summary=False, status="running")
    fake.fail_next(Status(503), Envelope("data key"))
    (found,) = [t async for t in walk(client)]
    assert found.is_running
    assert found.end is None
    assert not found.summary_files


async def test_a_page_of_no_sense_is_refused(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """By the fake, as on the other list."""
    async with client._transport.sessions._make_session() as session:
        token = await client._transport._tokens.get()
        url = f"{fake.url}/ai/v1/post-transcriptions?page=0"
        async with session.get(url, headers={"Authorization": token}) as answer:
            assert answer.status == 400


async def test_it_is_taken_up_again(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """P3: exact to the row, and not on the other list."""
    ids = [fake.add_post_transcription()["id"] for _ in range(7)]
    fake.add_transcriptions(7)
    pager = walk(client, page_size=3)
    for _ in range(4):
        await anext(pager)
    text = pager.checkpoint
    assert json.loads(text)["list"] == "post-transcriptions"
    assert [t.id async for t in walk(client, page_size=3, resume=text)] == ids[4:]
    with pytest.raises(ConfigurationError, match="over the post-transcriptions, but this one is over"):
        client.iter_transcriptions(page_size=3, resume=text)
    other = client.iter_transcriptions(page_size=3).checkpoint
    with pytest.raises(ConfigurationError, match="over the realtime-transcriptions, but this one"):
        walk(client, page_size=3, resume=other)


# One of them.


async def test_one_is_read(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """By its id."""
    row = fake.add_post_transcription(row_id="a/b")
    assert (await get_post(client._transport, "a/b")).to_dict() == {
        key: value for key, value in row.items() if value is not None
    }
    assert fake.requests[0].path == "/ai/v1/post-transcriptions/a/b"


async def test_one_that_is_not_there(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """The ids of the other list are not known here."""
    row = fake.add_transcription()
    with pytest.raises(NotFoundError, match=f"transcript of a recording {row['id']}"):
        await get_post(client._transport, row["id"])


async def test_an_answer_of_another_one(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """It is not handed out, and nothing is sent for what is no id."""
    fake.fail_next(Body(json.dumps(ROW).encode()))
    with pytest.raises(InvalidResponseError, match="answered with post-1"):
        await get_post(client._transport, "a")
    with pytest.raises(ConfigurationError, match="transcription_id"):
        await get_post(client._transport, "")
    assert len(fake.requests) == 1
