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
    """Each row is exported by one job, whether they run one after another or at once."""
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


async def test_number_of_jobs_of_a_walk_is_part_of_the_plan(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """With another number, the rows of a job would be others."""
    await export(None, sink, client=client, shard=(1, 3))
    with pytest.raises(ConfigurationError, match="jobs is 3 there and 2 here"):
        await export(None, sink, client=client, shard=(1, 2))


async def test_job_without_rows_is_complete(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """More jobs than shards or rows."""
    del meetings.fake.rows[1:]
    for number in range(3):
        summary = await export(None, sink, client=client, shard=(number, 3))
    assert summary.is_complete
    assert (summary.rows, len(summary.parts)) == (1, 3)
