"""`client.py`: files, waits, jobs, changes and webhooks, through the public methods."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from videosdk_transcripts import (
    ClientClosedError,
    ConfigurationError,
    FileNotReadyError,
    NotFoundError,
    PostTranscription,
    Transcription,
    TranscriptsClient,
)
from videosdk_transcripts.testing import Change, FakeVideoSDK

from .conftest import until
from .matrix.leaving import client_tasks

ROOM = "abcd-efgh-ijkl"


@pytest.fixture
async def spoken(fake: FakeVideoSDK, client: TranscriptsClient) -> Transcription:
    """Return a transcription with a file and a summary."""
    row = fake.add_transcription(room_id=ROOM)
    fake.files.put(row, "txt", b"\xef\xbb\xbfAnn: good morning")
    fake.files.put(row, "txt", b"They met.", summary=True)
    return await client.get_transcription(row["id"])


@pytest.fixture
async def recorded(fake: FakeVideoSDK, client: TranscriptsClient) -> PostTranscription:
    """Return the transcription of a recording, with two files."""
    row = fake.add_post_transcription(room_id=ROOM)
    fake.files.put(row, "txt", b"good morning")
    fake.files.put(row, "srt", b"1\n00:00:00,000 --> 00:00:01,000\ngood morning\n")
    return await client.get_post_transcription(row["id"])


async def test_fetch_text_summary_and_bytes(
    client: TranscriptsClient, spoken: Transcription
) -> None:
    """The byte order mark is not part of the text, only of the bytes."""
    assert await client.fetch_text(spoken) == "Ann: good morning"
    assert await client.fetch_summary(spoken) == "They met."
    assert await client.fetch_bytes(spoken) == b"\xef\xbb\xbfAnn: good morning"
    assert await client.fetch_bytes(spoken, summary=True) == b"They met."
    with pytest.raises(FileNotReadyError, match="txt"):
        await client.fetch_text(spoken, "srt")


async def test_fetch_text_refuses_an_id(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """An id may belong to either list; nothing is sent."""
    one: Any = "t-1"
    with pytest.raises(ConfigurationError, match="not 'str'"):
        await client.fetch_text(one)
    assert fake.requests == []


async def test_no_credentials_go_to_a_file_host(
    fake: FakeVideoSDK, client: TranscriptsClient, spoken: Transcription
) -> None:
    """Neither a token nor a cookie is sent."""
    await client.fetch_text(spoken)
    (request,) = fake.files.requests
    assert not {"authorization", "cookie"} & {name.lower() for name in request.headers}


async def test_dead_link_is_read_again_from_the_same_list(
    fake: FakeVideoSDK,
    client: TranscriptsClient,
    spoken: Transcription,
    recorded: PostTranscription,
) -> None:
    """The request goes to the list of the row."""
    for row in (*fake.rows, *fake.post_rows):
        fake.files.expire(row)
    assert await client.fetch_text(spoken) == "Ann: good morning"
    assert await client.fetch_text(recorded) == "good morning"
    assert await client.fetch_bytes(recorded, "srt") != b""


async def test_download_skips_existing_files(
    client: TranscriptsClient, spoken: Transcription, tmp_path: Path
) -> None:
    """They are not skipped if `overwrite` is set."""
    first = await client.download(spoken, tmp_path)
    assert {name: path.read_bytes() for name, path in first.paths.items()} == {
        "txt": b"\xef\xbb\xbfAnn: good morning",
        "summary.txt": b"They met.",
    }
    again = await client.download(spoken, str(tmp_path))
    assert (first.skipped, sorted(again.skipped)) == ((), ["summary.txt", "txt"])
    overwritten = await client.download(spoken, tmp_path, summary=False, overwrite=True)
    assert (list(overwritten.paths), overwritten.skipped) == (["txt"], ())


async def test_download_all_yields_downloads_in_order(
    fake: FakeVideoSDK, client: TranscriptsClient, tmp_path: Path
) -> None:
    """A row without a file has an error, and does not stop the others."""
    rows = fake.add_transcriptions(7, room_id=ROOM)
    for row in rows:
        fake.files.put(row, "txt", row["id"].encode())
    del rows[3]["transcriptionFilePaths"]
    downloads = client.download_all(
        client.iter_transcriptions(ROOM), tmp_path, summary=False, concurrency=3
    )
    found = [download async for download in downloads]
    assert [d.transcription.id for d in found] == [row["id"] for row in rows]
    assert [type(d.error) for d in found if d.error] == [FileNotReadyError]
    saved = {path.read_text() for d in found for path in d.paths.values()}
    assert saved == {row["id"] for row in rows} - {rows[3]["id"]}
    assert client_tasks() == set()


async def test_download_all_of_recordings_refreshes_dead_links(
    fake: FakeVideoSDK, client: TranscriptsClient, recorded: PostTranscription, tmp_path: Path
) -> None:
    """The request goes to the list of recordings."""
    fake.files.expire(fake.post_rows[0])
    pages = client.iter_post_transcriptions(ROOM)
    async for download in client.download_all(
        pages, tmp_path, formats=("srt", "txt"), summary=False
    ):
        assert download.error is None
        assert sorted(download.paths) == ["srt", "txt"]
    with pytest.raises(ConfigurationError):
        client.download_all(pages, tmp_path, formats=(), summary=False)


async def test_wait_until_ready_by_row_and_by_id(
    fake: FakeVideoSDK, client: TranscriptsClient, recorded: PostTranscription
) -> None:
    """Nothing is sent if the row has its file already."""
    row = fake.add_transcription(room_id=ROOM, status="running", formats=(), duration=None)
    running = await client.get_transcription(row["id"])
    fake.fail_next(Change(lambda _fake: None), Change(lambda f: f.files.put(row, "txt", b"hello")))
    ready = await client.wait_until_ready(running, poll=0.01)
    assert await client.fetch_text(ready) == "hello"
    assert (await client.wait_until_ready(row["id"])).files == ready.files
    before = len(fake.requests)
    assert await client.wait_until_ready(recorded) is recorded
    assert len(fake.requests) == before


async def test_concurrent_waits_share_polls(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """This applies to each of the two lists."""
    rows = [*fake.add_transcriptions(30, formats=()), *(_unready_posts(fake, 30))]
    waiting: list[Any] = [await client.get_transcription(row["id"]) for row in rows[:30]]
    waiting += [await client.get_post_transcription(row["id"]) for row in rows[30:]]
    before = len(fake.requests)

    async def write_files() -> None:
        await asyncio.sleep(0)
        for row in rows:
            fake.files.put(row, "txt", b"hello")

    found = await asyncio.gather(
        *(client.wait_until_ready(row, poll=0.01) for row in waiting), write_files()
    )
    assert [row.id for row in found[:-1]] == [row["id"] for row in rows]
    assert len(fake.requests) - before < 30


def _unready_posts(fake: FakeVideoSDK, count: int) -> list[Any]:
    return [fake.add_post_transcription(formats=()) for _ in range(count)]


async def test_aclose_ends_a_wait(fake: FakeVideoSDK) -> None:
    """It ends immediately, between two polls."""
    row = fake.add_transcription(formats=())
    async with fake.client() as client:
        waiting = asyncio.create_task(client.wait_until_ready(row["id"]))
        while not fake.requests or fake.in_flight:  # noqa: ASYNC110 - a server has no event
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
    with pytest.raises(ClientClosedError):
        await waiting


async def test_aclose_ends_a_sleeping_follower(fake: FakeVideoSDK) -> None:
    """Its next poll would be half a minute later."""
    async with fake.client() as client:
        following = asyncio.ensure_future(anext(client.follow()))
        await until(lambda: fake.requests and not fake.in_flight)
        await asyncio.sleep(0.05)
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await following


async def test_follow_skips_invalid_rows_on_request(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The option is ``on_invalid="skip"``."""
    fake.add_transcription()["status"] = 7
    fake.add_transcription(row_id="t-2")
    change = await anext(client.follow(since="start", on_invalid="skip"))
    assert change.transcription.id == "t-2"


async def test_reopened_client_fetches_files(fake: FakeVideoSDK) -> None:
    """A closed client does not."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"hello")
    client = fake.client()
    async with client:
        t = await client.get_transcription(row["id"])
        assert await client.fetch_text(t) == "hello"
    with pytest.raises(ClientClosedError):
        await client.fetch_text(t)
    async with client:
        assert await client.fetch_text(t) == "hello"


async def test_follow_from_start_and_from_checkpoint(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Only changes of the room are yielded."""
    fake.add_transcriptions(2, room_id=ROOM)
    fake.add_transcription(room_id="other")
    changes = client.follow(ROOM, since="start")
    found = [await anext(changes) for _ in range(4)]
    assert [change.kind for change in found] == ["new", "finished"] * 2
    changes.ack()
    saved = changes.checkpoint
    await changes.aclose()
    row = fake.add_transcription(room_id=ROOM)
    async with client.follow(ROOM, resume=saved) as others:
        change = await anext(others)
    assert (change.kind, change.transcription.id) == ("new", row["id"])
    with pytest.raises(ConfigurationError, match="on_invalid"):
        client.follow(on_invalid="never")  # type: ignore[arg-type]


async def test_start_and_stop_transcription(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """The transcription is listed."""
    started = await client.start_transcription(ROOM, language="en-US", summary=True)
    assert (started.outcome, started.transcription.is_running) == ("answered", True)
    stopped = await client.stop_transcription(ROOM)
    assert (stopped.outcome, stopped.transcription.is_completed) == ("answered", True)
    assert [t.id async for t in client.iter_transcriptions(ROOM)] == [started.transcription.id]
    with pytest.raises(NotFoundError):
        await client.stop_transcription("room-without-job")


async def test_lost_response_of_a_start_is_reconciled(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """No second transcription is started."""
    fake.fail_next(_applied_and_lost)
    started = await client.start_transcription(ROOM)
    assert started.outcome == "found"
    assert len(fake.rows) == 1


async def _applied_and_lost(exchange: Any) -> Any:
    exchange.response()
    exchange.request.transport.abort()
    return exchange.response()


async def test_iter_post_transcriptions(
    client: TranscriptsClient, recorded: PostTranscription
) -> None:
    """Invalid arguments raise immediately."""
    assert [t async for t in client.iter_post_transcriptions(ROOM)] == [recorded]
    assert recorded.room_id == ROOM
    with pytest.raises(ConfigurationError, match="page_size"):
        client.iter_post_transcriptions(page_size=0)


async def test_verify_webhook_fetches_the_key_once(
    fake: FakeVideoSDK, client: TranscriptsClient, spoken: Transcription
) -> None:
    """If a key was passed, it is never fetched."""
    body, headers = fake.webhooks.event("transcription-stopped", fake.rows[0])
    signature = headers["videosdk-signature"]
    for _ in range(2):
        event = await client.verify_webhook(body, signature)
        assert (event.id, event.room_id) == (spoken.id, ROOM)
    assert fake.webhooks.key_requests == 1
    async with fake.client(webhook_public_key=fake.webhooks.public_key) as pinned:
        assert await pinned.verify_webhook(body, signature) == event
    assert fake.webhooks.key_requests == 1
