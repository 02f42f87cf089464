"""Job arrays: each job exports its part, and the last one completes the dataset."""

import asyncio
from pathlib import Path

import pytest
from support import Meetings, names, texts

from videosdk_transcripts import ConfigurationError, TranscriptsClient
from videosdk_transcripts.export import ExportSummary, export


@pytest.mark.parametrize("source", ["pairs", "account"])
@pytest.mark.parametrize("at_once", [True, False])
async def test_jobs_share_the_work(
    client: TranscriptsClient, meetings: Meetings, sink: Path, source: str, at_once: bool
) -> None:
    """Each row is exported by one job, whether the jobs run one after another or concurrently."""
    what = meetings.pairs if source == "pairs" else None

    async def job(number: int) -> ExportSummary:
        return await export(what, sink, client=client, shard=(number, 3), shard_size=2)

    if at_once:
        summaries = await asyncio.gather(*map(job, range(3)))
    else:
        summaries = [await job(number) for number in (2, 0, 1)]
        assert [summary.is_complete for summary in summaries] == [False, False, True]
        assert not any(summary.errors for summary in summaries)
    assert any(summary.is_complete for summary in summaries)
    assert texts(sink) == meetings.texts
    assert len(meetings.fake.files.requests) == 60
    assert "_progress" not in names(sink)


async def test_rows_of_a_walk_belong_to_one_job_although_they_move(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """A job is chosen by the id of a row, not by its place in the list."""
    await export(None, sink, client=client, shard=(0, 2), rows_per_part=10)
    meetings.fake.rows.reverse()
    last = await export(None, sink, client=client, shard=(1, 2), rows_per_part=10)
    assert last.is_complete
    assert texts(sink) == meetings.texts


async def test_number_of_jobs_of_pairs_may_change(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """What one job of three has exported is not exported again."""
    await export(meetings.pairs, sink, client=client, shard=(1, 3), shard_size=2)
    assert (await export(meetings.pairs, sink, client=client, shard_size=2)).is_complete
    assert texts(sink) == meetings.texts
    assert len(meetings.fake.files.requests) == 60


async def test_number_of_jobs_of_a_walk_must_not_change(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """With another number, a job would have other rows; an update may have another number."""
    await export(None, sink, client=client, shard=(1, 3))
    with pytest.raises(ConfigurationError, match="with jobs numbered /3, not /2; repeat it"):
        await export(None, sink, client=client, shard=(1, 2))
    for number in (0, 2):
        summary = await export(None, sink, client=client, shard=(number, 3))
    assert summary.is_complete
    assert (await export(None, sink, client=client)).digest == summary.digest
    await export(None, sink, client=client, shard=(1, 2), update=True)
    with pytest.raises(ConfigurationError, match="with jobs numbered /2, not /1; repeat it"):
        await export(None, sink, client=client, update=True)


@pytest.mark.parametrize("source", ["pairs", "account"])
@pytest.mark.parametrize("at_once", [True, False])
async def test_jobs_share_an_update(
    client: TranscriptsClient, meetings: Meetings, sink: Path, source: str, at_once: bool
) -> None:
    """Once each job was run, the update is complete, with each new row once."""

    async def job(number: int) -> ExportSummary:
        what = list(meetings.pairs) if source == "pairs" else None
        options = {"shard_size": 2, "overlap": 1e9, "update": True}
        return await export(what, sink, client=client, shard=(number, 3), **options)

    for generation in range(3):
        sent = len(meetings.fake.requests)
        if at_once:
            summaries = await asyncio.gather(*map(job, range(3)))
        else:
            summaries = [await job(number) for number in (2, 0, 1)]
            assert [summary.is_complete for summary in summaries] == [False, False, True]
        # The last one to end has all of it.
        last = max(summaries, key=lambda summary: (summary.generation, summary.rows))
        assert (last.is_complete, last.generation) == (True, generation)
        assert last.open_rows == (generation > 0)
        assert texts(sink) == meetings.texts
        assert "_progress" not in names(sink)
        if source == "pairs":
            # The list requests are divided; the open row is read once.
            assert len(meetings.fake.requests) - sent <= len(meetings.pairs) + 1
        meetings.add("room-1", 4)
        for row in meetings.add("room-2", 7)[: generation or 1]:
            row["status"] = "running" if generation == 0 else "completed"
    assert not [name for name in names(sink) if name.startswith("_update")]


async def test_pairs_that_are_new_since_an_interrupted_update_wait_for_the_next_one(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """The other jobs have ended, and would not export their part."""
    await export(meetings.pairs, sink, client=client)
    meetings.add("room-1", 4)
    for number in range(2):
        await export(meetings.pairs, sink, client=client, shard=(number, 2), update=True)
        meetings.add("room-2", 3)
    assert len(texts(sink)) == 64
    for number in range(2):
        await export(meetings.pairs, sink, client=client, shard=(number, 2), update=True)
    assert texts(sink) == meetings.texts


async def test_job_without_rows_is_complete(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """There may be more jobs than shards or rows."""
    del meetings.fake.rows[1:]
    for number in range(3):
        summary = await export(None, sink, client=client, shard=(number, 3))
    assert summary.is_complete
    assert (summary.rows, len(summary.parts)) == (1, 3)
