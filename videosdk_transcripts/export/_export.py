"""Export a dataset: check the arguments, write the plan, run the shards, finish."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from attrs import evolve

from videosdk_transcripts import Transcription, TranscriptsClient
from videosdk_transcripts._paging.time_range import Time, TimeRange
from videosdk_transcripts._relative_time import RelativeTime
from videosdk_transcripts._validation import check_count, check_id, check_number
from videosdk_transcripts.errors import ConfigurationError

from ._committed import read_summaries
from ._engine import Context, Engine, Task, make_client
from ._finish import ExportSummary, finish, read_summary
from ._formats import check_format
from ._generation import Generation, read_state, read_success
from ._local import LocalEngine
from ._opening import Opening
from ._options import Format, Job, Options, Pair, Split, Transform
from ._pairs import check_pairs, numbered, read_pairs
from ._plan import Source, claim, make_plan, pair_shards, plan_id
from ._progress import Counters, ExportProgress
from ._rate_limit import AcquiresTurns
from ._shard_summary import ShardSummary
from ._store import Store
from ._walk import (
    Lister,
    Listing,
    Notes,
    Walked,
    WalkState,
    is_of_job,
    read_notes,
    read_walks,
    walk_shard,
)

ExportSource = (
    str
    | Path
    | tuple[str, str]
    | Iterable[tuple[str, str | None]]
    | AsyncIterable[tuple[str, str | None]]
    | None
)

_PROGRESS_INTERVAL: Final = 0.5


async def export(
    source: ExportSource,
    sink: str | Path,
    *,
    format: Format = "jsonl",  # noqa: A002 - as in other libraries
    text: bool = True,
    turns: bool = False,
    raw_files: bool = False,
    text_format: str = "txt",
    since: Time | None = None,
    until: Time | None = None,
    transform: Transform | None = None,
    client: TranscriptsClient | None = None,
    trust_env: bool = False,
    files_via_proxy: bool = False,
    engine: Engine | None = None,
    requests_per_second: float | None = None,
    concurrency: int = 8,
    shard_size: int = 16,
    rows_per_part: int = 1000,
    shard: tuple[int, int] = (0, 1),
    update: bool = False,
    overlap: float = 86_400.0,
    accept_errors: bool = False,
    on_progress: Callable[[ExportProgress], None] | None = None,
) -> ExportSummary:
    """
    Export transcriptions with their texts as a dataset.

    If an earlier run of the same export was interrupted, it is continued. If it had errors, only
    failed items are repeated. If it was complete, its summary is returned without any request.

    Args:
        source: what to export: None for the whole account, a room id, a pair of a room and a
            session id, an iterable of such pairs (with None for all sessions of a room), or a
            `Path` of a file that `read_pairs` reads.
        sink: a folder, or a URL that fsspec opens, such as ``s3://bucket/prefix``. It must be
            empty, or have an earlier run of the same export.
        format: ``jsonl``, ``csv`` or ``parquet``.
        text: whether to add a column with the text.
        turns: whether to add a column with the turns that `parse_transcript` returns.
        raw_files: whether to save each text as a file as well, in the folder ``texts``.
        text_format: a key of `Transcription.files`.
        since: only transcriptions that started at this time or later, as for
            `TranscriptsClient.iter_transcriptions`.
        until: only transcriptions that started before this time.
        transform: a function that changes each text before it is saved anywhere, for example to
            redact names. It runs in a thread, and must be importable where the shards run.
        client: an existing client; by default one is created from the environment, and the
            workers of a cluster always create their own.
        trust_env: as for `TranscriptsClient`, for each client that is created.
        files_via_proxy: as for `TranscriptsClient`, for each client that is created.
        engine: runs the shards; this process by default.
        requests_per_second: an even rate for all requests, on all machines, above 0; None for
            no limit. Can't be combined with `client`, which has its own limit.
        concurrency: maximum number of texts that a shard fetches at a time, 1 or more.
        shard_size: pairs per part, 1 or more.
        rows_per_part: approximate number of rows per part, if the source is not a list of pairs;
            1 or more.
        shard: ``(i, n)`` to export only the share of job i of n, counted from 0. The job that
            finishes last completes the dataset.
        update: if the dataset is complete, add new rows, and finish the open ones. Rows that
            were exported before are not read again.
        overlap: seconds before the start of an export, 0 or more. An update searches for rows
            that started after that time; for older rows, a missing text is no longer expected.
        accept_errors: whether a dataset with errors counts as complete.
        on_progress: called twice a second with the progress.

    Returns:
        The contents of the dataset, with its errors. A session, row or text that can't be read is
        such an error, and does not stop the export.

    Raises:
        ConfigurationError: an argument is invalid, a library is missing, or the sink has other
            files or another export. Nothing has been requested.
        FileError: the sink can't be written.
        VideoSDKTranscriptsError: the service is unavailable, or refused the credentials. Call
            `export` again to continue.
    """
    started_at = time.monotonic()
    options = Options(
        format=format,
        text=text,
        turns=turns,
        raw_files=raw_files,
        text_format=text_format,
        times=TimeRange.of(since, until),
        transform=transform,
        shard_size=shard_size,
        rows_per_part=rows_per_part,
        overlap=overlap,
    )
    check_format(options)
    check_count("concurrency", concurrency)
    if requests_per_second is not None:
        check_number("requests_per_second", requests_per_second, least=0, above=True)
        if client is not None:
            raise ConfigurationError(
                "pass either client or requests_per_second; a client has its own rate limit"
            )
    if client is not None and (trust_env or files_via_proxy):
        raise ConfigurationError(
            "pass either client or trust_env and files_via_proxy; a client has its own proxy"
        )
    if files_via_proxy and not trust_env:
        raise ConfigurationError("files_via_proxy requires trust_env=True")
    split = _check_split(shard)
    resolved = await _resolve(source)
    times = {"since": since, "until": until}
    relative = {name: at.text for name, at in times.items() if isinstance(at, RelativeTime)}
    plan = make_plan(resolved, options, split, relative)
    store = Store(str(sink))
    while True:
        now = datetime.now(UTC)
        job = Job(
            sink=str(sink),
            plan=plan_id(plan),
            options=options,
            concurrency=concurrency,
            recent_since=now,
            trust_env=trust_env,
            files_via_proxy=files_via_proxy,
        )
        job, first = await claim(store, job, plan, resolved, now)
        opening = Opening(store, resolved, split, update=update)
        generation, success = await opening.open(job, first, now)
        if success is not None:
            return await read_summary(store, success)
        recent_since = generation.started_at - timedelta(seconds=options.overlap)
        job = evolve(job, label=generation.label, recent_since=recent_since)
        run = _Run(store, job, opening.exported, split, generation)
        chosen = engine or LocalEngine()
        async with (
            chosen.limited(requests_per_second) as limiter,
            _open_client(client, job, limiter) as opened,
            _reported(run.counters, on_progress),
        ):
            await run.run(chosen, Context(opened, limiter, run.counters))
        summary = await run.finish(accept_errors=accept_errors)
        # An interrupted export was completed, without the newest pairs. In an array, the next
        # update adds them, because the other jobs may have ended.
        if not (summary.is_complete and opening.left and split.count == 1):
            return evolve(summary, seconds=time.monotonic() - started_at)


class _Run:
    """One run of an export."""

    def __init__(
        self, store: Store, job: Job, source: Source, split: Split, generation: Generation
    ) -> None:
        self._store = store
        self._job = job
        self._source = source
        self._split = split
        self._generation = generation
        self.counters = Counters()

    @property
    def _is_listed(self) -> bool:
        """Return whether the rows are listed by this process instead of by the shards."""
        return self._source.walked is not None or bool(self._job.label)

    async def run(self, engine: Engine, context: Context) -> None:
        """Export all shards of this job that are not committed yet."""
        committed = await read_summaries(self._store, self._job)
        for summary in committed.values():
            self._count(summary)
        self.counters.rows_before = self.counters.rows
        async with (
            aclosing(self._tasks(committed, context)) as tasks,
            aclosing(engine.run(self._job, tasks, context)) as results,
        ):
            async for _ in results:
                self.counters.shards += 1

    async def finish(self, *, accept_errors: bool) -> ExportSummary:
        """Complete the dataset if all jobs have finished, and return its summary."""
        store, job = self._store, self._job
        labels = self._labels()
        failure: ConfigurationError | None = None
        is_whole, committed, notes = False, {}, Notes()
        try:
            committed = await read_summaries(store, job)
            walks = await read_walks(store, labels)
            notes = await read_notes(store, labels, walks)
            expected = self._expected(walks)
            is_whole = expected is not None and expected <= set(committed)
        except ConfigurationError as error:
            failure = error
        if not is_whole:
            # Another job may have completed the dataset meanwhile.
            success = await read_success(store)
            if success is not None and success["generation"] >= self._generation.number:
                return await read_summary(store, success)
        if failure is not None:
            raise failure
        return await finish(
            store,
            job,
            self._generation,
            [committed[shard] for shard in sorted(committed)],
            notes=notes,
            pairs=self._source.pairs,
            is_whole=is_whole,
            accept_errors=accept_errors,
        )

    def _labels(self) -> list[str]:
        """Return the prefixes of the shards of all jobs that list rows."""
        if not self._is_listed:
            return []
        count = self._split.count
        return [f"{self._job.label}{Split(index, count).label}" for index in range(count)]

    def _expected(self, walks: Sequence[WalkState]) -> set[str] | None:
        """Return the names of all shards; None while they are not all known."""
        if not self._is_listed:
            size = self._job.options.shard_size
            return {shard.name for shard in pair_shards(self._source, size)}
        if not all(walk.has_ended for walk in walks):
            return None
        return {
            walk_shard(label, number).name
            for label, walk in zip(self._labels(), walks, strict=True)
            for number in range(walk.shards)
        }

    def _count(self, summary: ShardSummary) -> None:
        counters = self.counters
        counters.shards += 1
        counters.rows += summary.rows
        counters.texts += summary.texts
        counters.missing_texts += summary.missing_texts

    async def _tasks(
        self, committed: dict[str, ShardSummary], context: Context
    ) -> AsyncGenerator[Task]:
        """Iterate over the remaining shards of this job."""
        if not self._is_listed:
            shards = pair_shards(self._source, self._job.options.shard_size)
            mine = shards[self._split.index :: self._split.count]
            self.counters.shards_total = len(mine)
            for shard in mine:
                if _is_left(committed.get(shard.name)):
                    yield Task(shard, shard.name in committed)
            return
        listing = await self._listing()
        (state,) = await read_walks(self._store, [listing.label])
        for number in range(state.shards):
            listed = walk_shard(listing.label, number)
            if _is_left(committed.get(listed.name)):
                yield Task(listed, listed.name in committed)
        lister = Lister(self._store, context.client, self._job.options, self.counters)
        async with aclosing(lister.shards(listing)) as new:
            async for shard in new:
                yield Task(shard)

    async def _listing(self) -> Listing:
        """Return the walks of this process, and which of their rows it exports."""
        walked, split = self._source.walked, self._split
        label = f"{self._job.label}{split.label}"

        def is_mine(row: Transcription, _listed: Walked) -> bool:
            # All rows of a pair belong to the same job.
            return walked is None or is_of_job(split, row.id)

        if walked is not None and not self._job.label:
            return Listing([walked], label, is_mine)
        state = await read_state(self._store)
        base = datetime.fromisoformat(self._generation.base["started_at"])
        since = base - timedelta(seconds=self._job.options.overlap)
        added, exported = set(self._generation.added), set(state.pairs)

        def is_new(row: Transcription, listed: Walked) -> bool:
            if state.knows(row.id) or not is_mine(row, listed):
                return False
            # The room of an added pair may have sessions that were exported before.
            is_added = listed in added and (listed[0], row.session_id) not in exported
            return is_added or row.start is None or row.start >= since

        walks = [walked] if walked is not None else self._source.pairs[split.index :: split.count]
        again = [row_id for row_id in state.open_rows if is_of_job(split, row_id)]
        return Listing(walks, label, is_new, again, is_update=True)


def _is_left(summary: ShardSummary | None) -> bool:
    return summary is None or bool(summary.errors)


def _check_split(shard: tuple[int, int]) -> Split:
    index, count = shard
    check_count("the number of jobs", count)
    check_count("the number of the job", index, least=0)
    if index >= count:
        raise ConfigurationError(f"jobs are numbered from 0 to {count - 1}, not {index}")
    return Split(index, count)


async def _resolve(source: Any) -> Source:
    """Return the source, with its pairs read and checked."""
    match source:
        case None:
            return Source((None, None))
        case Path():
            return Source(pairs=tuple(await asyncio.to_thread(read_pairs, source)))
        case str():
            return Source(Pair(check_id("the room id", source)))
        case (str(), str()):
            (pair,) = check_pairs([("the source", source)])
            return Source(pair)
        case AsyncIterable():
            return Source(pairs=tuple(check_pairs(numbered([pair async for pair in source]))))
        case Iterable():
            return Source(pairs=tuple(check_pairs(numbered(source))))
        case _:
            raise ConfigurationError(
                "the source must be None, a room id, a pair, an iterable of pairs or a Path, "
                f"not {type(source).__name__}"
            )


@asynccontextmanager
async def _open_client(
    client: TranscriptsClient | None, job: Job, limiter: AcquiresTurns | None
) -> AsyncGenerator[TranscriptsClient]:
    if client is not None:
        yield client
        return
    async with make_client(job, limiter) as created:
        yield created


@asynccontextmanager
async def _reported(
    counters: Counters, on_progress: Callable[[ExportProgress], None] | None
) -> AsyncGenerator[None]:
    """Call the function with the progress during the block."""
    if on_progress is None:
        yield
        return

    async def report() -> None:
        while True:
            await asyncio.sleep(_PROGRESS_INTERVAL)
            on_progress(counters.snapshot())

    reporting = asyncio.create_task(report())
    try:
        yield
        on_progress(counters.snapshot())
    finally:
        reporting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reporting
