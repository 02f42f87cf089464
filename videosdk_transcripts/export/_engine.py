"""The interface of an engine, which runs the shards, and functions for all engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, Protocol

from attrs import frozen

from videosdk_transcripts import TranscriptsClient

from ._options import Job, Shard
from ._progress import Counters
from ._rate_limit import AcquiresTurns
from ._shard_summary import ShardSummary


class Task(NamedTuple):
    """A shard to export."""

    shard: Shard
    replace: bool = False
    """Whether to replace its part, which is committed and has errors."""


@frozen
class Context:
    """The resources of the exporting process, which are not sent to others."""

    client: TranscriptsClient
    limiter: AcquiresTurns | None
    counters: Counters


class Engine(Protocol):
    """Run the shards of an export, on one machine or on many: a `LocalEngine` or a `DaskEngine`."""

    def limited(
        self, requests_per_second: float | None
    ) -> AbstractAsyncContextManager[AcquiresTurns | None]:
        """
        Limit the rate of all requests of an export, in an ``async with`` block around it.

        Args:
            requests_per_second: the rate, above 0; None for no limit.

        Returns:
            The rate limit for the requests of the exporting process; None for none.
        """
        ...

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
        ...


def make_client(job: Job, limiter: AcquiresTurns | None, **options: Any) -> TranscriptsClient:
    """Return a client with the credentials of the environment, for the requests of a shard."""
    return TranscriptsClient(
        rate_limiter=limiter,
        max_in_flight=max(16, job.concurrency),
        trust_env=job.trust_env,
        files_via_proxy=job.files_via_proxy,
        **options,
    )


async def run_tasks(
    tasks: AsyncIterator[Task],
    start: Callable[[Task], Coroutine[Any, Any, ShardSummary]],
    *,
    concurrency: int,
) -> AsyncGenerator[ShardSummary]:
    """
    Run a coroutine for each task, at most `concurrency` at a time, and yield the results.

    The first error cancels the others, and is raised.
    """
    running: set[asyncio.Task[ShardSummary]] = set()
    listing: asyncio.Task[Task | None] | None = asyncio.create_task(_next(tasks))
    try:
        while listing is not None or running:
            waited: set[asyncio.Task[Any]] = {*running}
            if listing is not None and len(running) < concurrency:
                waited.add(listing)
            done, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            for finished in running & done:
                running.discard(finished)
                yield finished.result()
            if listing is not None and listing in done:
                task = listing.result()
                listing = None
                if task is not None:
                    running.add(asyncio.create_task(start(task)))
                    listing = asyncio.create_task(_next(tasks))
    finally:
        left: list[asyncio.Task[Any]] = [*running]
        if listing is not None:
            left.append(listing)
        for one in left:
            one.cancel()
        await asyncio.gather(*left, return_exceptions=True)


async def _next(tasks: AsyncIterator[Task]) -> Task | None:
    return await anext(tasks, None)
