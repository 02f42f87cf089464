"""Exports to a folder: content, layout, resuming, errors."""

import asyncio
import json
from functools import partial
from pathlib import Path

import pytest
from support import Failing, Meetings, names, texts, until

from videosdk_transcripts import (
    AuthenticationError,
    ConfigurationError,
    FileError,
    ServerError,
    TranscriptsClient,
)
from videosdk_transcripts.export import export
from videosdk_transcripts.testing import Delay, FakeVideoSDK, Status


async def test_pairs_are_exported_once_each(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """They have their texts, and are in parts of `shard_size` sessions."""
    summary = await export(meetings.pairs, sink, client=client)
    assert texts(sink) == meetings.texts
    assert (summary.rows, summary.texts, summary.missing_texts) == (60, 60, 0)
    assert summary.is_complete
    assert names(sink) == [
        "_SUCCESS.json",
        "_plan.json",
        "_state.jsonl",
        f"part-00000-{summary.plan}.jsonl",
        f"part-00001-{summary.plan}.jsonl",
    ]


async def test_account_is_exported_by_one_walk(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """A page has 100 rows, so that one list request is enough."""
    summary = await export(None, sink, client=client, rows_per_part=25)
    assert texts(sink) == meetings.texts
    assert len(meetings.fake.requests) == 1
    assert summary.rows == 60
    assert names(sink) == ["_SUCCESS.json", "_plan.json", *summary.parts]


async def test_room_and_session_are_sources(
    client: TranscriptsClient, meetings: Meetings, tmp_path: Path
) -> None:
    """A source may be a room id or a pair."""
    room = await export("room-1", tmp_path / "room", client=client)
    assert room.rows == 12
    session = await export(meetings.pairs[0], tmp_path / "session", client=client)
    assert session.rows == 3


async def test_complete_export_requests_nothing_again(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """The second call returns the summary of the first one."""
    first = await export(meetings.pairs, sink, client=client)
    sent = meetings.requests
    second = await export(meetings.pairs, sink, client=client)
    assert meetings.requests == sent
    assert (second.rows, second.digest, second.parts) == (first.rows, first.digest, first.parts)


@pytest.mark.parametrize("source", ["pairs", "account"])
async def test_cancelled_export_continues(
    client: TranscriptsClient, meetings: Meetings, sink: Path, source: str
) -> None:
    """Finished rows are not requested again, even those of a part that is not committed."""
    what = meetings.pairs if source == "pairs" else None
    for finished in (10, 25, 40):
        task = asyncio.create_task(export(what, sink, client=client, concurrency=2))
        await until(partial(meetings.has_sent, finished))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert "_SUCCESS.json" not in names(sink)
    await export(what, sink, client=client, concurrency=2)
    assert texts(sink) == meetings.texts
    # Requested again in each run: texts in flight, and the newest one, which was not saved.
    assert len(meetings.fake.files.requests) <= 60 + 3 * 3
    assert "_progress" not in names(sink)


async def test_walk_continues_at_its_checkpoint(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """Pages that were listed are not requested again, except the one in progress."""
    meetings.fake.max_page_size = 10
    meetings.fake.files.faults.every(1, Delay(0.02))
    for finished in (15, 35):
        task = asyncio.create_task(
            export(None, sink, client=client, concurrency=2, rows_per_part=10)
        )
        await until(partial(meetings.has_sent, finished))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await export(None, sink, client=client, concurrency=2, rows_per_part=10)
    assert texts(sink) == meetings.texts
    assert len(list(sink.glob("part-*"))) == 6
    assert len(meetings.fake.requests) <= 6 + 2 * 3


async def test_other_plan_is_rejected(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """The message names what differs."""
    await export(meetings.pairs, sink, client=client)
    sent = meetings.requests
    with pytest.raises(ConfigurationError, match=r"turns is false there and true here"):
        await export(meetings.pairs, sink, client=client, turns=True)
    with pytest.raises(ConfigurationError, match="source is"):
        await export(None, sink, client=client)
    assert meetings.requests == sent


@pytest.mark.parametrize("name", ["notes.txt", "part-00000-00000000.jsonl", "part-1.parquet"])
@pytest.mark.parametrize("is_planned", [False, True])
async def test_foreign_files_are_rejected(
    client: TranscriptsClient, meetings: Meetings, sink: Path, name: str, is_planned: bool
) -> None:
    """Readers would take them for parts of the dataset."""
    if is_planned:
        await export(meetings.pairs, sink, client=client)
    sent = meetings.requests
    sink.mkdir(exist_ok=True)
    (sink / name).write_text("x")
    with pytest.raises(ConfigurationError, match=name):
        await export(meetings.pairs, sink, client=client)
    assert meetings.requests == sent


@pytest.mark.parametrize("content", ["", "[]", "{", "\xff"])
async def test_damaged_plan_is_rejected(
    client: TranscriptsClient, meetings: Meetings, sink: Path, content: str
) -> None:
    """Nothing is overwritten."""
    sink.mkdir()
    (sink / "_plan.json").write_text(content, "latin-1")
    with pytest.raises(ConfigurationError, match="not the plan of an export"):
        await export(meetings.pairs, sink, client=client)


async def test_changed_part_is_rejected(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """An export can't continue if a part is not the committed one."""
    meetings.fake.files.fail_next(Status(500), times=2)
    summary = await export(meetings.pairs, sink, client=client, concurrency=1)
    assert not summary.is_complete
    with (sink / summary.parts[0]).open("ab") as part:
        part.write(b"{}\n")
    with pytest.raises(ConfigurationError, match="was changed"):
        await export(meetings.pairs, sink, client=client)


async def test_unwritable_sink_is_rejected(
    client: TranscriptsClient, meetings: Meetings, tmp_path: Path
) -> None:
    """Nothing has been requested by then."""
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="can't write to"):
        await export(meetings.pairs, tmp_path / "file" / "dataset", client=client)
    assert not meetings.requests


async def test_unreadable_session_does_not_stop_the_rest(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """It is listed in the errors, and the next run repeats only this session."""
    unreadable = meetings.pairs[7]
    meetings.fake.every(1, Failing(unreadable))
    summary = await export(meetings.pairs, sink, client=client)
    assert not summary.is_complete
    assert len(texts(sink)) == summary.rows == 57
    assert "_SUCCESS.json" not in names(sink)
    (line,) = (sink / "_errors.jsonl").read_text().splitlines()
    error = json.loads(line)
    assert (error["room_id"], error["session_id"]) == unreadable
    assert error["error"] == "ServerError"
    assert "503" in error["reason"]
    meetings.fake.clear_faults()
    sent = meetings.requests
    again = await export(meetings.pairs, sink, client=client)
    assert again.is_complete
    assert texts(sink) == meetings.texts
    assert meetings.requests - sent == 4
    assert "_errors.jsonl" not in names(sink)


async def test_failed_text_does_not_stop_the_rest(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """Its row has no text, and the next run requests only this text."""
    meetings.fake.files.fail_next(Status(500), times=2)
    summary = await export(None, sink, client=client, concurrency=1)
    (error,) = summary.errors
    assert texts(sink)[error.transcription_id or ""] is None
    assert (summary.rows, summary.texts, summary.missing_texts) == (60, 59, 0)
    sent = meetings.requests
    again = await export(None, sink, client=client)
    assert again.is_complete
    assert texts(sink) == meetings.texts
    assert meetings.requests - sent == 1


async def test_unreadable_rows_are_errors(
    client: TranscriptsClient, meetings: Meetings, tmp_path: Path
) -> None:
    """The rest of the session, or of the account, is exported."""
    row = meetings.fake.rows[4]
    row["status"] = 5
    for source, name in ((meetings.pairs, "pairs"), (None, "account")):
        summary = await export(source, tmp_path / name, client=client)
        assert summary.rows == 59
        (error,) = summary.errors
        assert error.error == "InvalidRowError"
        assert error.transcription_id == row["id"]
        assert "$.transcriptions[" in error.reason


async def test_missing_texts_are_counted(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """A transcription without a file, or whose file was deleted, is not an error."""
    meetings.fake.rows[0].pop("transcriptionFilePaths")
    meetings.fake.files.expire(meetings.fake.rows[1], renew=False)
    seen: list[int] = []
    summary = await export(
        meetings.pairs,
        sink,
        client=client,
        on_progress=lambda progress: seen.append(progress.missing_texts),
    )
    assert (summary.rows, summary.texts, summary.missing_texts) == (60, 58, 2)
    assert seen[-1] == 2
    assert summary.is_complete


async def test_unavailable_service_ends_the_export(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """Otherwise the dataset would have only errors. The next run continues."""
    meetings.fake.files.faults.every(1, Status(503))
    with pytest.raises(ServerError):
        await export(meetings.pairs, sink, client=client)
    assert len(meetings.fake.files.requests) < 60
    meetings.fake.clear_faults()
    assert (await export(meetings.pairs, sink, client=client)).is_complete


async def test_rejected_credentials_end_the_export(
    fake: FakeVideoSDK, meetings: Meetings, sink: Path
) -> None:
    """Every other session would be refused, too."""
    async with fake.client(api_key="other") as other:
        with pytest.raises(AuthenticationError):
            await export(meetings.pairs, sink, client=other)
    assert meetings.requests < 10


async def test_second_run_at_the_same_time_is_rejected(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """It has sent no request that the first one sends, too."""
    meetings.fake.files.faults.every(1, Delay(0.05))
    first = asyncio.create_task(export(meetings.pairs, sink, client=client))
    await until(partial(meetings.has_sent, 5))
    with pytest.raises(FileError, match="another program or task is writing the same file"):
        await export(meetings.pairs, sink, client=client)
    assert (await first).is_complete
    assert texts(sink) == meetings.texts
    assert meetings.requests == 80
