"""Updates with a list of pairs: it may grow, and nothing of it may be lost or exported twice."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from support import Meetings, names, texts, until

from videosdk_transcripts import ConfigurationError, TranscriptsClient
from videosdk_transcripts.export import Pair, export
from videosdk_transcripts.testing import Delay, Status


async def test_new_pairs_are_added_with_all_their_rows(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """This includes rows much older than the last export; nothing is fetched again."""
    await export(meetings.pairs, sink, client=client)
    for number in range(3):
        before = meetings.requests
        meetings.add(f"room-{number}", 4)
        meetings.add("new-room", 2)
        summary = await export(meetings.pairs, sink, client=client, update=True)
        assert texts(sink) == meetings.texts
        assert (summary.generation, summary.is_complete) == (number + 1, True)
        assert meetings.requests - before <= len(meetings.pairs) + 6
    # A call without an update returns the same.
    sent = meetings.requests
    assert (await export(meetings.pairs, sink, client=client)).digest == summary.digest
    assert meetings.requests == sent


async def test_pairs_may_be_listed_twice_and_in_another_order(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """Each is exported once."""
    await export([*meetings.pairs, *meetings.pairs[:3]], sink, client=client, shard_size=2)
    meetings.add("room-1", 2)
    mixed = [meetings.pairs[-1], *reversed(meetings.pairs), meetings.pairs[-1]]
    summary = await export(mixed, sink, client=client, update=True, shard_size=2)
    assert summary.rows == 62
    assert texts(sink) == meetings.texts


async def test_interrupted_export_continues_with_another_order(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """Its parts are those of the list that it began with."""
    meetings.fake.files.faults.every(1, Delay(0.01))
    task = asyncio.create_task(export(meetings.pairs, sink, client=client, shard_size=4))
    await until(partial(meetings.has_sent, 30))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await export(meetings.pairs[::-1], sink, client=client, shard_size=4)
    assert texts(sink) == meetings.texts
    assert len(meetings.fake.files.requests) <= 60 + 8


async def test_new_pairs_require_an_update(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """The message names one of them."""
    await export(meetings.pairs[:-1], sink, client=client)
    sent = meetings.requests
    room, session = meetings.pairs[-1]
    expected = rf"missing from the dataset in .*: the pair room {room}, session {session} of"
    with pytest.raises(ConfigurationError, match=expected):
        await export(meetings.pairs, sink, client=client)
    with pytest.raises(ConfigurationError, match="2 pairs, such as room a, of the list"):
        await export([("a", None), *meetings.pairs], sink, client=client)
    assert meetings.requests == sent


@pytest.mark.parametrize("update", [False, True])
async def test_missing_pairs_are_rejected(
    client: TranscriptsClient, meetings: Meetings, sink: Path, update: bool
) -> None:
    """This applies even if other pairs are new, because it is the list of another dataset."""
    await export(meetings.pairs, sink, client=client)
    before, sent = names(sink), meetings.requests
    room, session = meetings.pairs[0]
    expected = rf"missing from the list: the pair room {room}, session {session} of the dataset"
    with pytest.raises(ConfigurationError, match=expected):
        await export([*meetings.pairs[1:], ("other", None)], sink, client=client, update=update)
    with pytest.raises(ConfigurationError, match="missing from the list: 19 pairs, such as"):
        await export(meetings.pairs[:1], sink, client=client, update=update)
    assert meetings.requests == sent
    assert names(sink) == before


async def test_whole_room_replaces_its_sessions(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """Its other sessions are new, and those that were exported are not exported again."""
    first = meetings.pairs[:2]
    await export(first, sink, client=client)
    rooms = [Pair(first[0].room_id), Pair(first[1].room_id)]
    for _ in range(2):
        summary = await export(rooms, sink, client=client, update=True)
        assert summary.rows == 24
        found = {row["id"] for row in meetings.fake.rows if _room(row) in ("room-0", "room-1")}
        assert set(texts(sink)) == found
    with pytest.raises(ConfigurationError, match="the pair room room-0 of the dataset"):
        await export([*first, rooms[1]], sink, client=client, update=True)


def _room(row: dict[str, dict[str, dict[str, str]]]) -> str:
    return row["extension"]["extensionConfig"]["roomId"]


async def test_update_completes_an_interrupted_export_and_adds_what_is_new_since(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """An example is a list that grows every night, whose first export was interrupted."""
    meetings.fake.files.faults.every(1, Delay(0.01))
    for finished in (20, 40):
        task = asyncio.create_task(
            export(meetings.pairs, sink, client=client, update=True, shard_size=4)
        )
        await until(partial(meetings.has_sent, finished))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        meetings.add("room-0", 3)
    with pytest.raises(ConfigurationError, match="missing from the dataset"):
        await export(meetings.pairs, sink, client=client, shard_size=4)
    summary = await export(meetings.pairs, sink, client=client, update=True, shard_size=4)
    assert (summary.generation, summary.rows, summary.is_complete) == (1, 66, True)
    assert texts(sink) == meetings.texts


async def test_interrupted_update_continues_with_a_list_that_has_grown(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """It adds its own pairs first, then the newest ones in the same call."""
    await export(meetings.pairs, sink, client=client)
    meetings.fake.files.faults.every(1, Delay(0.01))
    for number in (1, 2):
        meetings.add(f"room-{number}", 8)
        task = asyncio.create_task(export(meetings.pairs, sink, client=client, update=True))
        await until(partial(meetings.has_sent, 60 + 4 * number))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    meetings.add("room-0", 3)
    summary = await export(meetings.pairs, sink, client=client, update=True)
    assert (summary.generation, summary.rows) == (2, 79)
    assert texts(sink) == meetings.texts
    assert [name for name in names(sink) if name.startswith("_")] == [
        "_SUCCESS.json",
        "_plan.json",
        "_state.jsonl",
    ]


async def test_unreadable_new_session_is_repeated(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """The update is incomplete until then, and no row is exported twice."""
    await export(meetings.pairs, sink, client=client)
    meetings.add("room-1", 5)
    meetings.fake.files.fail_next(Status(500), times=2)
    first = await export(meetings.pairs, sink, client=client, update=True, concurrency=1)
    assert (first.is_complete, len(first.errors)) == (False, 1)
    second = await export(meetings.pairs, sink, client=client, update=True)
    assert (second.is_complete, second.generation) == (True, 1)
    assert texts(sink) == meetings.texts


async def test_deleted_list_of_pairs_is_an_error(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """Otherwise it would be unknown which parts have which pairs."""
    meetings.fake.files.fail_next(Status(500), times=2)
    summary = await export(meetings.pairs, sink, client=client, concurrency=1)
    (sink / "_progress" / f"pairs-{summary.plan}.jsonl").unlink()
    with pytest.raises(ConfigurationError, match=r"pairs-.* is missing"):
        await export(meetings.pairs, sink, client=client)
