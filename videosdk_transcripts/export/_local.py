"""Export in this process, which is the default."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from videosdk_transcripts._validation import check_count

from ._engine import Context, Task, run_tasks
from ._options import Job
from ._rate_limit import AcquiresTurns, EvenPace
from ._shard import export_shard
from ._shard_summary import ShardSummary


class LocalEngine:
    """
    Export the shards in this process.

    Args:
        shards: maximum number of shards to export at a time, 1 or more.

    Raises:
        ConfigurationError: `shards` is not a whole number of 1 or more.
    """

    def __init__(self, *, shards: int = 1) -> None:
        check_count("shards", shards)
        self._shards = shards

    @asynccontextmanager
    async def limited(
        self, requests_per_second: float | None
    ) -> AsyncGenerator[AcquiresTurns | None]:
        """
        Limit the rate of all requests of an export, in an ``async with`` block around it.

        Args:
            requests_per_second: the rate, above 0; None for no limit.

        Yields:
            The rate limit for the requests of the exporting process; None for none.
        """
        yield None if requests_per_second is None else EvenPace(requests_per_second)

    def run(
        self, job: Job, tasks: AsyncIterator[Task], context: Context
    ) -> AsyncGenerator[ShardSummary]:
        """
        Export each shard once it is listed, and yield its summary once it is committed.

        Args:
            job: the export.
            tasks: the shards, as they are listed.
            context: the resources of the exporting process.

        Yields:
            The summaries, in the order in which the shards are committed.
        """

        async def start(task: Task) -> ShardSummary:
            return await export_shard(
                job,
                task.shard,
                context.client,
                limiter=context.limiter,
                counters=context.counters,
                replace=task.replace,
            )

        return run_tasks(tasks, start, concurrency=self._shards)
