"""The client's own way to files, waits, jobs and webhooks: what its parts do, through its face."""

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
    """Give a transcription that has a file and a summary."""
    row = fake.add_transcription(room_id=ROOM)
    fake.files.put(row, "txt", b"\xef\xbb\xbfAnn: good morning")
    fake.files.put(row, "txt", b"They met.", summary=True)
    return await client.get_transcription(row["id"])


@pytest.fixture
async def recorded(fake: FakeVideoSDK, client: TranscriptsClient) -> PostTranscription:
    """Give the transcript of a recording, with two files."""
    row = fake.add_post_transcription(room_id=ROOM)
    fake.files.put(row, "txt", b"good morning")
    fake.files.put(row, "srt", b"1\n00:00:00,000 --> 00:00:01,000\ngood morning\n")
    return await client.get_post_transcription(row["id"])


async def test_text_summary_and_bytes(client: TranscriptsClient, spoken: Transcription) -> None:
    """The mark at the front is no text, and a part of the bytes."""
    assert await client.fetch_text(spoken) == "Ann: good morning"
    assert await client.fetch_summary(spoken) == "They met."
    assert await client.fetch_bytes(spoken) == b"\xef\xbb\xbfAnn: good morning"
    assert await client.fetch_bytes(spoken, summary=True) == b"They met."
    with pytest.raises(FileNotReadyError, match="txt"):
        await client.fetch_text(spoken, "srt")


async def test_an_id_is_no_transcription(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """It does not say which of the two lists it is of, and nothing is sent."""
    one: Any = "t-1"
    with pytest.raises(ConfigurationError, match="and not 'str'"):
        await client.fetch_text(one)
    assert fake.requests == []


async def test_no_credentials_go_to_a_file_host(
    fake: FakeVideoSDK, client: TranscriptsClient, spoken: Transcription
) -> None:
    """Neither the token nor a cookie."""
    await client.fetch_text(spoken)
    (request,) = fake.files.requests
    assert not {"authorization", "cookie"} & {name.lower() for name in request.headers}


async def test_a_dead_link_is_read_again_from_its_own_list(
    fake: FakeVideoSDK,
    client: TranscriptsClient,
    spoken: Transcription,
    recorded: PostTranscription,
) -> None:
    """A transcription by its list, and the transcript of a recording by the other one."""
    for row in (*fake.rows, *fake.post_rows):
        fake.files.expire(row)
    assert await client.fetch_text(spoken) == "Ann: good morning"
    assert await client.fetch_text(recorded) == "good morning"
    assert await client.fetch_bytes(recorded, "srt") != b""


async def test_files_are_saved(
    client: TranscriptsClient, spoken: Transcription, tmp_path: Path
) -> None:
    """Once, unless they are to be fetched anew."""
    first = await client.download(spoken, tmp_path)
    assert {name: path.read_bytes() for name, path in first.paths.items()} == {
        "txt": b"\xef\xbb\xbfAnn: good morning",
        "summary.txt": b"They met.",
    }
    again = await client.download(spoken, str(tmp_path))
    assert (first.skipped, sorted(again.skipped)) == ((), ["summary.txt", "txt"])
    anew = await client.download(spoken, tmp_path, summary=False, overwrite=True)
    assert (list(anew.paths), anew.skipped) == (["txt"], ())


async def test_many_are_saved_in_order(
    fake: FakeVideoSDK, client: TranscriptsClient, tmp_path: Path
) -> None:
    """One that has no file is told, and stops no other one."""
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


async def test_a_walk_over_recordings_is_saved_as_well(
    fake: FakeVideoSDK, client: TranscriptsClient, recorded: PostTranscription, tmp_path: Path
) -> None:
    """With a link that died meanwhile, which the other list has anew."""
    fake.files.expire(fake.post_rows[0])
    pages = client.iter_post_transcriptions(ROOM)
    async for download in client.download_all(
        pages, tmp_path, formats=("srt", "txt"), summary=False
    ):
        assert download.error is None
        assert sorted(download.paths) == ["srt", "txt"]
    with pytest.raises(ConfigurationError):
        client.download_all(pages, tmp_path, formats=(), summary=False)


async def test_a_wait_ends_with_the_file(
    fake: FakeVideoSDK, client: TranscriptsClient, recorded: PostTranscription
) -> None:
    """By the id, by a row, and without a request where the row has it."""
    row = fake.add_transcription(room_id=ROOM, status="running", formats=(), duration=None)
    running = await client.get_transcription(row["id"])
    fake.fail_next(Change(lambda _fake: None), Change(lambda f: f.files.put(row, "txt", b"hello")))
    ready = await client.wait_until_ready(running, poll=0.01)
    assert await client.fetch_text(ready) == "hello"
    assert (await client.wait_until_ready(row["id"])).files == ready.files
    before = len(fake.requests)
    assert await client.wait_until_ready(recorded) is recorded
    assert len(fake.requests) == before


async def test_many_waits_share_their_looks(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Of both lists, each by a walk of its own."""
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


async def test_closing_the_client_ends_a_wait(fake: FakeVideoSDK) -> None:
    """At once, whether a request is under way or not."""
    row = fake.add_transcription(formats=())
    async with fake.client() as client:
        waiting = asyncio.create_task(client.wait_until_ready(row["id"]))
        while not fake.requests or fake.in_flight:  # noqa: ASYNC110 - a server has no event
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
    with pytest.raises(ClientClosedError):
        await waiting


async def test_closing_the_client_ends_a_follower_that_sleeps(fake: FakeVideoSDK) -> None:
    """It would be quiet until its next poll, half a minute later."""
    async with fake.client() as client:
        following = asyncio.ensure_future(anext(client.follow()))
        await until(lambda: fake.requests and not fake.in_flight)
        await asyncio.sleep(0.05)
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await following


async def test_unreadable_rows_are_skipped_by_a_follower(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Where it was told to, in the list."""
    fake.add_transcription()["status"] = 7
    fake.add_transcription(row_id="t-2")
    change = await anext(client.follow(since="start", on_invalid="skip"))
    assert change.transcription.id == "t-2"


async def test_a_client_is_opened_again_for_files_too(fake: FakeVideoSDK) -> None:
    """As for all else."""
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


async def test_changes_are_followed(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """From the start of the list, and on from a checkpoint."""
    fake.add_transcriptions(2, room_id=ROOM)
    fake.add_transcription(room_id="other")
    changes = client.follow(ROOM, since="start")
    found = [await anext(changes) for _ in range(4)]
    assert [change.kind for change in found] == ["new", "finished"] * 2
    saved = changes.checkpoint
    await changes.aclose()
    row = fake.add_transcription(room_id=ROOM)
    async with client.follow(ROOM, resume=saved) as others:
        change = await anext(others)
    assert (change.kind, change.transcription.id) == ("new", row["id"])
    with pytest.raises(ConfigurationError, match="on_invalid"):
        client.follow(on_invalid="never")  # type: ignore[arg-type]


async def test_a_job_is_started_and_stopped(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """And is one more row of the list."""
    started = await client.start_transcription(ROOM, language="en-US", summary=True)
    assert (started.outcome, started.transcription.is_running) == ("answered", True)
    stopped = await client.stop_transcription(ROOM)
    assert (stopped.outcome, stopped.transcription.is_completed) == ("answered", True)
    assert [t.id async for t in client.iter_transcriptions(ROOM)] == [started.transcription.id]
    with pytest.raises(NotFoundError):
        await client.stop_transcription("room-without-job")


async def test_a_lost_answer_is_looked_up(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """In the list of the room, and no second job is started."""
    fake.fail_next(_applied_and_lost)
    started = await client.start_transcription(ROOM)
    assert started.outcome == "found"
    assert len(fake.rows) == 1


async def _applied_and_lost(exchange: Any) -> Any:
    exchange.answer()
    exchange.request.transport.abort()
    return exchange.answer()


async def test_recordings_are_listed(
    client: TranscriptsClient, recorded: PostTranscription
) -> None:
    """With what is checked at once, as for the other list."""
    assert [t async for t in client.iter_post_transcriptions(ROOM)] == [recorded]
    assert recorded.room_id == ROOM
    with pytest.raises(ConfigurationError, match="page_size"):
        client.iter_post_transcriptions(page_size=0)


async def test_a_webhook_is_verified_with_the_account_s_key(
    fake: FakeVideoSDK, client: TranscriptsClient, spoken: Transcription
) -> None:
    """It is fetched once, and not at all where it is given."""
    body, headers = fake.webhooks.event("transcription-stopped", fake.rows[0])
    signature = headers["videosdk-signature"]
    for _ in range(2):
        event = await client.verify_webhook(body, signature)
        assert (event.id, event.room_id) == (spoken.id, ROOM)
    assert fake.webhooks.key_requests == 1
    async with fake.client(webhook_public_key=fake.webhooks.public_key) as pinned:
        assert await pinned.verify_webhook(body, signature) == event
    assert fake.webhooks.key_requests == 1
