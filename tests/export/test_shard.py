"""One shard at a time: repeated attempts, logs of several processes, large parts."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from support import Meetings, texts

from videosdk_transcripts import ConfigurationError, FileError, TranscriptsClient
from videosdk_transcripts.export import LocalEngine, export
from videosdk_transcripts.export._committed import read_summaries
from videosdk_transcripts.export._engine import Context, Task
from videosdk_transcripts.export._log import ProgressLog
from videosdk_transcripts.export._names import log_name, part_name, summary_name
from videosdk_transcripts.export._options import Job, Options, Shard
from videosdk_transcripts.export._part import open_part
from videosdk_transcripts.export._shard import export_shard
from videosdk_transcripts.export._shard_summary import ExportError, ShardSummary
from videosdk_transcripts.export._sink import FolderSink
from videosdk_transcripts.export._store import Store
from videosdk_transcripts.testing import FakeVideoSDK


@pytest.fixture
def job(sink: Path) -> Job:
    """Return an export of JSON lines to a folder that exists."""
    sink.mkdir()
    return Job(str(sink), "0123abcd", Options(), 4, datetime.now(UTC))


async def test_shard_that_is_committed_is_not_exported_again(
    client: TranscriptsClient, meetings: Meetings, job: Job
) -> None:
    """An engine may run it again if it lost the result."""
    shard = Shard("00000", tuple(meetings.pairs[:3]))
    first = await export_shard(job, shard, client)
    sent = meetings.requests
    assert await export_shard(job, shard, client) == first
    assert meetings.requests == sent


async def test_logs_of_two_processes_may_overlap(
    client: TranscriptsClient, meetings: Meetings, job: Job, sink: Path
) -> None:
    """A row that both have finished is there once; an incomplete line is ignored."""
    shard = Shard("00000", tuple(meetings.pairs[:3]))
    await export_shard(job, shard, client)
    part = sink / part_name(job, "00000")
    lines = part.read_text("utf-8").splitlines()
    part.unlink()
    for attempt, finished in (("a", lines[:6]), ("b", lines[3:7])):
        log = [f'{{"text_bytes":1,"record":{line}}}\n' for line in finished]
        (sink / log_name("00000", attempt)).write_text("".join(log) + '{"text_by', "utf-8")
    sent = meetings.requests
    summary = await export_shard(job, shard, client)
    assert summary.rows == len(set(lines)) == 9
    assert texts(sink) == {json.loads(line)["id"]: json.loads(line)["text"] for line in lines}
    assert meetings.requests - sent == 3 + 2


async def test_large_part_is_written_in_batches(
    client: TranscriptsClient,
    meetings: Meetings,
    job: Job,
    sink: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """This applies to a new export and to one that is continued."""
    monkeypatch.setattr("videosdk_transcripts.export._part._BATCH_RECORDS", 2)
    shard = Shard("00000", tuple(meetings.pairs))
    await export_shard(job, shard, client)
    assert texts(sink) == meetings.texts
    part = sink / part_name(job, "00000")
    records = part.read_text("utf-8").splitlines()
    part.unlink()
    log = [f'{{"text_bytes":1,"record":{line}}}\n' for line in records]
    (sink / log_name("00000", "a")).write_text("".join(log), "utf-8")
    await export_shard(job, shard, client)
    assert texts(sink) == meetings.texts


async def test_part_belongs_to_the_summary_of_its_writer(job: Job, sink: Path) -> None:
    """Two processes may have exported the same shard, with parts of the same size."""
    store = Store(job.sink)
    part = sink / part_name(job, "00000")
    part.write_bytes(b"abc")
    for content in (b"abc", b"xyz"):
        digest = sha256(content).hexdigest()
        summary = ShardSummary("00000", part.name, 3, digest, "0", rows=content[0])
        await store.write(summary_name("00000", content.decode()), summary.dumps())
    assert (await read_summaries(store, job))["00000"].rows == ord("a")
    part.write_bytes(b"123")
    with pytest.raises(ConfigurationError, match="was changed"):
        await read_summaries(store, job)


async def test_summary_that_another_job_deletes_is_left_out(
    job: Job, sink: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other job has completed the dataset then, which the caller detects."""
    store = Store(job.sink)
    (sink / part_name(job, "00000")).write_bytes(b"abc")
    await store.write(summary_name("00000", "a"), b"")
    monkeypatch.setattr(FolderSink, "read", _missing)
    with pytest.raises(ConfigurationError, match="was changed"):
        await read_summaries(store, job)


def _missing(_sink: FolderSink, name: str) -> bytes:
    raise FileNotFoundError(name)


async def test_part_that_is_changed_during_the_export_is_an_error(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """Otherwise the counts of the dataset would be wrong."""

    class Disturbed(LocalEngine):
        async def run(
            self, job: Job, tasks: AsyncIterator[Task], context: Context
        ) -> AsyncGenerator[ShardSummary]:
            async for summary in super().run(job, tasks, context):
                (sink / summary.part).write_text("changed")
                yield summary

    with pytest.raises(ConfigurationError, match="was changed"):
        await export(meetings.pairs, sink, client=client, engine=Disturbed())
    assert not (sink / "_SUCCESS.json").exists()


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
async def test_discarded_part_leaves_nothing(job: Job, sink: Path, format_: str) -> None:
    """The finalizer of a pyarrow file closes it, which must not write the part again."""
    options = Options(format=format_)  # type: ignore[arg-type]
    part = await open_part(Store(job.sink), "part", options)
    await part.discard()
    del part
    assert list(sink.iterdir()) == []


async def test_sink_that_fails_in_between_ends_the_export(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """A raw file that can't be written is not an error of its row."""
    sink.mkdir()
    (sink / "texts").write_text("not a folder")
    with pytest.raises(FileError, match="can't write to"):
        await export(meetings.pairs, sink, client=client, raw_files=True)
    (sink / "texts").unlink()
    assert (await export(meetings.pairs, sink, client=client, raw_files=True)).is_complete


async def test_other_job_may_complete_the_dataset_first(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """It may do so between the end of the last shard and the end of the export."""

    class Overtaken(LocalEngine):
        async def run(
            self, job: Job, tasks: AsyncIterator[Task], context: Context
        ) -> AsyncGenerator[ShardSummary]:
            async for summary in super().run(job, tasks, context):
                yield summary
            await export(meetings.pairs, sink, client=client, shard=(1, 2), shard_size=10)

    engine = Overtaken()
    first = await export(
        meetings.pairs, sink, client=client, engine=engine, shard=(0, 2), shard_size=10
    )
    assert first.is_complete
    assert texts(sink) == meetings.texts


async def test_client_is_created_from_the_environment_with_the_rate_limit(
    fake: FakeVideoSDK, meetings: Meetings, sink: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit applies to the requests for lists and files together."""
    for name, value in fake.environ.items():
        monkeypatch.setenv(name, value)
    summary = await export(meetings.pairs, sink, requests_per_second=80)
    assert summary.is_complete
    assert summary.seconds >= 79 / 80


async def test_several_shards_at_a_time(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """Each shard has its own concurrency."""
    seen: list[float | None] = []
    summary = await export(
        meetings.pairs,
        sink,
        client=client,
        engine=LocalEngine(shards=3),
        shard_size=2,
        on_progress=lambda progress: seen.append(progress.seconds_left),
    )
    assert summary.is_complete
    assert texts(sink) == meetings.texts
    assert seen[-1] == 0.0
    with pytest.raises(ConfigurationError, match="shards"):
        LocalEngine(shards=0)


async def test_failed_shard_ends_the_others(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """What they have finished is kept."""

    async def fail() -> AsyncIterator[tuple[str, str]]:
        for pair in meetings.pairs:
            yield pair[0], pair[1] or ""

    sink.mkdir()
    (sink / "texts").write_text("")
    engine = LocalEngine(shards=4)
    with pytest.raises(FileError):
        await export(fail(), sink, client=client, engine=engine, shard_size=1, raw_files=True)
    assert not list(sink.glob("part-*"))


def test_repr_shows_no_long_lists() -> None:
    """It has no list of errors, parts or rows."""
    summary = ShardSummary("0", "part", 0, "", "", errors=(ExportError("E", "reason"),) * 3)
    assert "errors=<3>" in repr(summary)


async def test_cancelled_write_of_progress_is_repeated(
    job: Job, sink: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is repeated at the end of the log, which waits for it."""
    log = ProgressLog(Store(job.sink), Shard("00000"))
    is_writing = asyncio.Event()

    async def hang(_store: Store, _name: str, _data: bytes) -> None:
        is_writing.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Store, "append", hang)
    running = asyncio.create_task(log.run())
    log.add_record(b'{"id":"a"}', 5)
    await is_writing.wait()
    log.add_record(b'{"id":"b"}', None)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    found = [entry async for entry in log.read()]
    assert found == [({"id": "a"}, 5), ({"id": "b"}, None)]


async def test_log_that_is_cancelled_without_news_writes_nothing(job: Job, sink: Path) -> None:
    """There is no empty file, either."""
    log = ProgressLog(Store(job.sink), Shard("00000"))
    running = asyncio.create_task(log.run())
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert list(sink.iterdir()) == []
