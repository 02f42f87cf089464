"""
Export one shard: list its rows, fetch their texts, commit the part. Independent of the engine.

The process may be killed at any time, and a shard may be run twice: a summary is written before
its part, and the part is written as a whole.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing, closing
from typing import Any, Final

from attrs import define, field

from videosdk_transcripts import (
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    FileGoneError,
    FileNotReadyError,
    PermissionDeniedError,
    Transcription,
    TranscriptsClient,
    Turn,
    VideoSDKTranscriptsError,
    parse_transcript,
)
from videosdk_transcripts._api.converter import structure_row
from videosdk_transcripts._files.names import file_name

from ._committed import read_summary
from ._log import ProgressLog
from ._names import TEXTS, part_name, rows_name, summary_name
from ._options import Job, Options, Pair, Shard
from ._part import Part, open_part
from ._progress import Counters
from ._rate_limit import AcquiresTurns, NoLimit
from ._records import Entry, is_open, is_recent, make_record, to_line
from ._shard_summary import ExportError, ShardSummary
from ._store import SinkError, Store

_CONCURRENT_LISTS: Final = 2
_MAX_FAILURES: Final = 20
"""Consecutive transient failures after which the service counts as unavailable."""
_FATAL: Final = (
    AuthenticationError,
    PermissionDeniedError,
    ClientClosedError,
    ConfigurationError,
)
"""Errors that would also occur for every other session."""


async def export_shard(
    job: Job,
    shard: Shard,
    client: TranscriptsClient,
    *,
    limiter: AcquiresTurns | None = None,
    counters: Counters | None = None,
    replace: bool = False,
) -> ShardSummary:
    """
    Export a shard, and return its summary. If its part exists already, nothing is requested.

    Args:
        job: the export.
        shard: the shard.
        client: sends the requests.
        limiter: awaited before each file; for the API, the client has its own limiter.
        counters: updated with each finished row.
        replace: whether to replace a part that has errors.

    Raises:
        SinkError: the sink can't be written.
        VideoSDKTranscriptsError: the service is unavailable, or refused the credentials.
    """
    with closing(Store(job.sink)) as store:
        if not replace:
            # An engine that has lost the result of a shard may run it again.
            committed = await read_summary(store, job, shard.name)
            if committed is not None:
                return committed
        attempt = _Attempt(
            job,
            shard,
            client,
            store,
            limiter=limiter or NoLimit(),
            counters=counters or Counters(),
        )
        return await attempt.run(replace=replace)


@define
class _Tally:
    """The counts and errors of a shard."""

    texts: int = 0
    missing_texts: int = 0
    text_bytes: int = 0
    shortfall: int = 0
    errors: list[ExportError] = field(factory=list)
    recent: list[tuple[str, str | None]] = field(factory=list)
    open_rows: list[Entry] = field(factory=list)


@define
class _Work:
    """A row to finish, and the pair for which it was listed."""

    row: Transcription
    pair: _OpenPair | None


@define(eq=False)
class _OpenPair:
    """A pair whose rows have not all been finished yet."""

    pair: Pair
    unfinished: int = 0
    is_listed: bool = False
    """Whether all rows were listed without an error."""


class _Attempt:
    """One attempt at a shard."""

    def __init__(
        self,
        job: Job,
        shard: Shard,
        client: TranscriptsClient,
        store: Store,
        *,
        limiter: AcquiresTurns,
        counters: Counters,
    ) -> None:
        self._job = job
        self._shard = shard
        self._client = client
        self._store = store
        self._limiter = limiter
        self._counters = counters
        self._tally = _Tally()
        self._log = ProgressLog(store, shard)
        self._finished: set[str] = set()
        self._finished_pairs: set[Pair] = set()
        self._list_failures = _Streak()
        self._text_failures = _Streak()
        self._part: Part

    @property
    def _options(self) -> Options:
        return self._job.options

    async def run(self, *, replace: bool) -> ShardSummary:
        name = part_name(self._job, self._shard.name)
        self._part = await open_part(self._store, name, self._options)
        try:
            await self._restore()
            await self._finish_rows()
            await self._part.end()
            summary = ShardSummary(
                shard=self._shard.name,
                part=name,
                size=self._part.size,
                sha256=self._part.sha256,
                digest=str(self._part.digest),
                rows=self._part.rows,
                texts=self._tally.texts,
                missing_texts=self._tally.missing_texts,
                text_bytes=self._tally.text_bytes,
                shortfall=self._tally.shortfall,
                errors=tuple(self._tally.errors),
                recent=tuple(self._tally.recent),
                open_rows=tuple(self._tally.open_rows),
            )
            summary_file = summary_name(self._shard.name, self._log.attempt)
            await self._store.write(summary_file, summary.dumps())
            await self._part.commit(replace=replace)
        finally:
            await self._part.discard()
        if not summary.errors:
            # Otherwise the logs are kept, so that the next run repeats only failed items.
            await self._store.delete(await self._log.names())
        return summary

    async def _restore(self) -> None:
        """Add the pairs and records that earlier attempts have finished."""
        async with aclosing(self._log.read()) as entries:
            async for entry in entries:
                if isinstance(entry, Pair):
                    self._finished_pairs.add(entry)
                elif entry.record["id"] not in self._finished:
                    self._add(entry)
                    if self._part.is_due:
                        await self._part.flush()

    def _add(self, entry: Entry, *, failed: bool = False) -> bytes:
        """Add a finished record, and return it as a line of JSON."""
        record, since = entry.record, self._job.recent_since
        self._finished.add(record["id"])
        self._counters.add_row(entry.text_bytes)
        if not failed and is_open(entry, self._options, since):
            self._tally.open_rows.append(entry)
            return to_line(record)
        if is_recent(record, since):
            self._tally.recent.append((record["id"], record["start"]))
        if entry.text_bytes is not None:
            self._tally.texts += 1
            self._tally.text_bytes += entry.text_bytes
        elif self._options.needs_files and not failed:
            self._tally.missing_texts += 1
            self._counters.missing_texts += 1
        return self._part.add(record)

    # Rows.

    async def _finish_rows(self) -> None:
        """List the rows, and finish several at a time."""
        queue: asyncio.Queue[_Work | None] = asyncio.Queue(self._job.concurrency)
        failure: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(self._log.run())
                finishing = [
                    group.create_task(self._finish_queued(queue))
                    for _ in range(self._job.concurrency)
                ]
                await self._list_rows(queue)
                for _ in finishing:
                    await queue.put(None)
                await asyncio.wait(finishing)
                self._log.end()
                await writing
        except* (VideoSDKTranscriptsError, OSError) as group_error:
            failure = first_error(group_error)
        if failure is not None:
            raise failure

    async def _list_rows(self, queue: asyncio.Queue[_Work | None]) -> None:
        if not self._shard.pairs:
            await self._read_listed_rows(queue)
            return
        pairs = iter([pair for pair in self._shard.pairs if pair not in self._finished_pairs])

        async def list_next() -> None:
            for pair in pairs:
                await self._list_pair(pair, queue)

        async with asyncio.TaskGroup() as group:
            for _ in range(_CONCURRENT_LISTS):
                group.create_task(list_next())

    async def _read_listed_rows(self, queue: asyncio.Queue[_Work | None]) -> None:
        data = await self._store.read(rows_name(self._shard.name))
        # After the position of the walk.
        for line in data.splitlines()[1:]:
            row = structure_row(json.loads(line), Transcription, path="$")
            await self._put(row, None, queue)

    async def _list_pair(self, pair: Pair, queue: asyncio.Queue[_Work | None]) -> None:
        opened = _OpenPair(pair)
        times = self._options.times
        pager = self._client.iter_transcriptions(
            *pair, since=times.since, until=times.until, on_invalid="collect"
        )
        try:
            async with pager:
                async for row in pager:
                    await self._put(row, opened, queue)
        except VideoSDKTranscriptsError as error:
            self._list_failures.add(error)
            self._add_error(ExportError.of(error, pair))
            return
        for invalid in pager.invalid_rows:
            reason = f"{invalid.reason} on page {invalid.page}"
            self._add_error(
                ExportError("InvalidRowError", reason, *pair, transcription_id=invalid.row_id)
            )
        self._tally.shortfall += pager.stats.shortfall or 0
        self._list_failures.end()
        opened.is_listed = not pager.invalid_rows
        self._close(opened)

    async def _put(
        self, row: Transcription, pair: _OpenPair | None, queue: asyncio.Queue[_Work | None]
    ) -> None:
        if row.id in self._finished:
            return
        if pair is not None:
            pair.unfinished += 1
        await queue.put(_Work(row, pair))

    async def _finish_queued(self, queue: asyncio.Queue[_Work | None]) -> None:
        while (work := await queue.get()) is not None:
            await self._finish(work)

    async def _finish(self, work: _Work) -> None:
        """Fetch the text of a row, and add its record."""
        row, pair = work.row, work.pair
        text: str | None = None
        error: VideoSDKTranscriptsError | None = None
        if self._options.needs_files:
            try:
                text = await self._text(row)
                self._text_failures.end()
            except (FileNotReadyError, FileGoneError):
                self._text_failures.end()
            except VideoSDKTranscriptsError as failed:
                error = failed
        if error is not None:
            if isinstance(error, SinkError):
                raise error
            self._text_failures.add(error)
            self._add_error(ExportError.of(error, Pair(row.room_id or "", row.session_id), row.id))
        turns: tuple[Turn, ...] | None = None
        if self._options.turns and text is not None:
            turns = parse_transcript(text, format=_PARSED.get(self._options.text_format)).turns
        record = make_record(row, self._options, text, turns)
        entry = Entry(record, None if text is None else len(text.encode("utf-8", "replace")))
        if error is None:
            self._log.add_record(self._add(entry), entry.text_bytes)
            if pair is not None:
                pair.unfinished -= 1
                self._close(pair)
        else:
            self._add(entry, failed=True)
        if self._part.is_due:
            await self._part.flush()

    async def _text(self, row: Transcription) -> str:
        await self._limiter.acquire()
        options = self._options
        text = await self._client.fetch_text(row, options.text_format, errors="replace")
        if options.transform is not None:
            text = await self._transformed(options.transform, text, row)
        if options.raw_files:
            name = file_name(row.id, options.text_format, summary=False)
            await self._store.write(f"{TEXTS}/{name}", text.encode("utf-8", "replace"))
        return text

    async def _transformed(
        self, transform: Callable[[str], str], text: str, row: Transcription
    ) -> str:
        """Return the transformed text, or raise an error that does not contain the text."""
        kind = ""
        try:
            changed: object = await self._store.call(lambda: transform(text))
        except Exception as error:  # noqa: BLE001 - any error of the caller's function
            changed, kind = None, f"raised {type(error).__name__}"
        if isinstance(changed, str):
            return changed
        kind = kind or f"returned {type(changed).__name__}"
        raise _TransformError(f"transform of the text of {row.id} {kind}; it must return a string")

    # Pairs and errors.

    def _close(self, opened: _OpenPair) -> None:
        """If a pair is finished, save that."""
        if opened.is_listed and not opened.unfinished:
            self._log.add_pair(opened.pair)

    def _add_error(self, error: ExportError) -> None:
        self._tally.errors.append(error)
        self._counters.errors += 1


class _Streak:
    """Consecutive transient failures of one kind of request."""

    def __init__(self) -> None:
        self._count = 0

    def end(self) -> None:
        """Reset the count, because a request succeeded."""
        self._count = 0

    def add(self, error: VideoSDKTranscriptsError) -> None:
        """
        Count a failure.

        Raises:
            VideoSDKTranscriptsError: further requests would fail as well.
        """
        if isinstance(error, _FATAL):
            raise error
        self._count += error.is_transient
        if self._count >= _MAX_FAILURES:
            raise error


class _TransformError(VideoSDKTranscriptsError):
    """The caller's transform failed for one text."""


_PARSED: Final = {name: name for name in ("txt", "srt", "vtt", "tsv", "json")}


def first_error(group: BaseExceptionGroup[Any]) -> BaseException:
    """Return the first error of a group."""
    error = group.exceptions[0]
    return first_error(error) if isinstance(error, BaseExceptionGroup) else error
