"""Files of many rows on disk: fetched concurrently, in order, and cancelled by leaving the loop."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from videosdk_transcripts import (
    ClientClosedError,
    ConfigurationError,
    ServerError,
    Transcription,
    TranscriptsClient,
)
from videosdk_transcripts._files.batch import Results
from videosdk_transcripts._files.download import Download, Downloader
from videosdk_transcripts.errors import FileError, FileGoneError
from videosdk_transcripts.testing import Delay, FakeVideoSDK

from ..conftest import until
from ..matrix.leaving import client_tasks, open_connections
from .support import ROOM, add_rows_with_files, contents, downloader, send_part


def downloads_of(
    downloader: Downloader[Transcription], rows: Any, concurrency: int = 4
) -> Results[Any]:
    """Return the downloads of some rows."""
    return Results(
        rows,
        downloader.save,
        concurrency=concurrency,
        caller="download_all",
        prepare=downloader.prepare,
    )


async def save_nothing(number: int) -> Download[int]:
    """Save nothing."""
    return Download(number, {})


def downloads_without_files(
    rows: Any, save: Callable[[Any], Any] = save_nothing, concurrency: int = 4
) -> Results[Any]:
    """Return downloads that write no files."""
    return Results(rows, save, concurrency=concurrency, caller="download_all")


async def collect(downloads: Results[Any], seen: list[int], most: int = 99) -> None:
    """Collect numbers from a loop, and leave it after a number of them."""
    async for one in downloads:
        seen.append(one.transcription)
        if len(seen) >= most:
            break


class Numbers:
    """Numbers that continue after a break, as a pager does; some raise an error once."""

    def __init__(self, count: int, *faulty: int) -> None:
        self.coming = list(range(count))
        self.faulty = list(faulty)

    def __aiter__(self) -> "Numbers":
        return self

    async def __anext__(self) -> int:
        await asyncio.sleep(0)
        if not self.coming:
            raise StopAsyncIteration
        if self.coming[0] in self.faulty:
            self.faulty.remove(self.coming[0])
            raise ServerError("of the walk", status=500)
        return self.coming.pop(0)


async def test_rows_are_downloaded_in_order(
    fake: FakeVideoSDK, client: TranscriptsClient, tmp_path: Path
) -> None:
    """A file that fails does not stop the others."""
    ids = add_rows_with_files(fake, 45)
    fake.files.expire(ids[7], renew=False)
    fake.files.fail_next(Delay(0.05))
    async with downloader(fake, tmp_path / "new") as d:
        found = [one async for one in downloads_of(d, client.iter_transcriptions(ROOM))]
        assert [one.transcription.id for one in found] == ids
        bad = [one for one in found if one.error]
        assert [one.transcription.id for one in bad] == [ids[7]]
        assert isinstance(bad[0].error, FileGoneError)
        assert contents(tmp_path / "new") == {
            f"{row_id}.txt": row_id.encode() * 50 for row_id in ids if row_id != ids[7]
        }
        # In the second run, only the failed file is fetched.
        before = len(fake.files.requests)
        again = [one async for one in downloads_of(d, client.iter_transcriptions(ROOM))]
        assert sum(one.skipped == ("txt",) for one in again) == 44
        assert len(fake.files.requests) == before + 1


async def test_concurrency_limits_rows_read_and_not_yielded(
    fake: FakeVideoSDK, tmp_path: Path
) -> None:
    """No more rows are read from the source."""
    walked: list[int] = []
    started: list[int] = []
    gate = asyncio.Event()

    async def walk() -> AsyncIterator[int]:
        for number in range(9):
            walked.append(number)
            yield number

    async def save(number: int) -> Download[int]:
        started.append(number)
        if number == 0:
            await gate.wait()
        return Download(number, {})

    rows = walk()
    downloads = Results(rows, save, concurrency=3, caller="download_all")
    first = asyncio.create_task(anext(downloads))
    await until(lambda: len(started) == 3)
    for _ in range(10):
        await asyncio.sleep(0)
    assert (started, walked) == ([0, 1, 2], [0, 1, 2])
    gate.set()
    assert (await first).transcription == 0
    assert [one.transcription async for one in downloads] == list(range(1, 9))
    with pytest.raises(StopAsyncIteration):
        await anext(downloads)


async def test_download_is_yielded_before_the_next_row_is_read(tmp_path: Path) -> None:
    """A slow source does not hold back finished downloads."""
    gate = asyncio.Event()

    async def walk() -> AsyncIterator[int]:
        yield 1
        await gate.wait()
        yield 2

    downloads = downloads_without_files(walk())
    assert (await anext(downloads)).transcription == 1
    gate.set()
    assert (await anext(downloads)).transcription == 2
    await downloads.aclose()


async def test_error_of_the_source_is_raised_in_its_place() -> None:
    """It is raised after the rows before it; then the source is read on."""
    downloads = downloads_without_files(Numbers(8, 3))
    seen: list[int] = []
    with pytest.raises(ServerError, match="of the walk"):
        await collect(downloads, seen)
    assert seen == [0, 1, 2]
    assert [one.transcription async for one in downloads] == [3, 4, 5, 6, 7]


async def test_error_not_caused_by_the_row_keeps_the_row() -> None:
    """A closed client or a foreign error ends the loop, and the row is next again."""
    faults = [ClientClosedError("closed"), KeyError("own")]

    async def save(number: int) -> Download[int]:
        if number == 2 and faults:
            raise faults.pop(0)
        return Download(number, {})

    downloads = downloads_without_files(Numbers(5), save)
    seen: list[int] = []
    for error_class in (ClientClosedError, KeyError):
        with pytest.raises(error_class):
            await collect(downloads, seen)
    assert seen == [0, 1]
    assert [one.transcription async for one in downloads] == [2, 3, 4]


async def test_directory_that_cannot_be_created_is_raised_once(
    fake: FakeVideoSDK, tmp_path: Path
) -> None:
    """It is not an error of each row."""
    (tmp_path / "file").write_bytes(b"")
    async with downloader(fake, tmp_path / "file" / "below") as d:
        with pytest.raises(FileError, match="Not a directory"):
            await anext(downloads_of(d, Numbers(3)))


class Leaving:
    """Downloads that stall within the file, except the first one."""

    def __init__(self, fake: FakeVideoSDK, client: TranscriptsClient, d: Any) -> None:
        self.ids = add_rows_with_files(fake, 45)
        self.fake = fake
        self._client = client
        self._downloader = d
        fake.files.fail_next(self.stall, times=99)

    async def stall(self, exchange: Any) -> Any:
        if exchange.request.match_info["id"] == self.ids[0]:
            return exchange.response()
        return await send_part(exchange, 100)

    def begin(self) -> Results[Any]:
        return downloads_of(self._downloader, self._client.iter_transcriptions(ROOM))

    async def break_(self) -> None:
        loop = aiter(self.begin())
        assert aiter(loop) is loop
        async for _ in loop:
            break
        del loop

    async def held(self) -> None:
        downloads = self.begin()
        async for _ in downloads:
            break
        await until(lambda: not client_tasks())
        self.fake.files.clear_faults()
        # The next loop continues with the rows that were not yielded.
        assert [one.transcription.id async for one in downloads] == self.ids[1:]

    async def cancel(self) -> None:
        seen: list[Any] = []
        task = asyncio.create_task(collect(self.begin(), seen))
        await until(lambda: seen and len(self.fake.files.requests) > 3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def raise_(self) -> None:
        async def walk() -> None:
            async for _ in self.begin():
                raise KeyError

        with pytest.raises(KeyError):
            await walk()

    async def aclose(self) -> None:
        downloads = self.begin()
        await anext(downloads)
        await downloads.aclose()
        await downloads.aclose()
        assert not client_tasks()
        with pytest.raises(StopAsyncIteration):
            await anext(downloads)

    async def async_with(self) -> None:
        async with self.begin() as downloads:
            await anext(downloads)
        assert not client_tasks()


@pytest.mark.parametrize("way", ["break_", "held", "cancel", "raise_", "aclose", "async_with"])
async def test_leaving_the_loop_leaves_no_task_file_or_connection(
    fake: FakeVideoSDK, client: TranscriptsClient, tmp_path: Path, way: str
) -> None:
    """P5 holds for each way of leaving."""
    async with downloader(fake, tmp_path) as d:
        await getattr(Leaving(fake, client, d), way)()
        gc.collect()
        await until(lambda: not client_tasks())
        assert not any(name.startswith(".") for name in contents(tmp_path))
    await client.aclose()
    await until(lambda: not open_connections(fake))


async def test_loop_resumed_immediately_loses_no_row() -> None:
    """The new loop begins before the cancelled downloads have ended."""
    downloads = downloads_without_files(Numbers(30))
    seen: list[int] = []
    while len(seen) < 30:
        async for one in downloads:
            seen.append(one.transcription)
            if len(seen) % 3 == 0:
                break
    assert seen == list(range(30))


async def test_cancelled_read_of_the_source_is_repeated() -> None:
    """The same row is read again."""

    class Slow(Numbers):
        async def __anext__(self) -> int:
            await asyncio.sleep(60 if hangs else 0)
            return await super().__anext__()

    hangs: list[int] = []
    downloads = downloads_without_files(Slow(5), concurrency=1)
    seen: list[int] = []
    await collect(downloads, seen, most=2)
    hangs.append(1)
    leaving = asyncio.create_task(collect(downloads, seen))
    await until(lambda: len(seen) == 3 or client_tasks(leaving))
    await asyncio.sleep(0.01)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await until(lambda: not client_tasks())
    hangs.clear()
    await collect(downloads, seen)
    assert seen == [0, 1, 2, 3, 4]


async def test_aclose_ends_a_step_of_another_task() -> None:
    """The step ends the loop, and starts nothing."""

    async def save(number: int) -> Download[int]:
        await asyncio.sleep(60)
        return Download(number, {})

    downloads = downloads_without_files(Numbers(5), save)
    seen: list[int] = []
    step = asyncio.create_task(collect(downloads, seen))
    await until(lambda: len(client_tasks(step)) >= 5)
    await downloads.aclose()
    assert not client_tasks(step)
    await asyncio.wait_for(step, 10)
    assert (seen, client_tasks()) == ([], set())


async def test_download_cancelled_by_its_own_code_is_repeated() -> None:
    """It is not the end of the loop, and no row is lost."""
    faults = [1, 3]

    async def save(number: int) -> Download[int]:
        if number in faults:
            faults.remove(number)
            raise asyncio.CancelledError
        return Download(number, {})

    seen: list[int] = []
    await collect(downloads_without_files(Numbers(5), save), seen)
    assert (seen, faults) == ([0, 1, 2, 3, 4], [])


def test_iteration_resumes_in_another_event_loop() -> None:
    """The tasks of the first loop ended with it."""

    async def slow(number: int) -> Download[int]:
        await asyncio.sleep(0.001)
        return Download(number, {})

    downloads = downloads_without_files(Numbers(9), slow)

    async def some(most: int) -> list[int]:
        return [(await anext(downloads)).transcription for _ in range(most)]

    assert asyncio.run(some(2)) == [0, 1]
    assert asyncio.run(some(7)) == [2, 3, 4, 5, 6, 7, 8]


def test_unclosed_downloads_end_with_their_event_loop() -> None:
    """There is no warning."""
    held: list[Results[Any]] = []

    async def begin() -> None:
        held.append(downloads_without_files(Numbers(9)))
        await anext(held[0])

    asyncio.run(begin())
    held.clear()
    gc.collect()


@pytest.mark.parametrize("concurrency", [0, -1, True, 1.5])
def test_bad_arguments_are_rejected(concurrency: Any) -> None:
    """Concurrency is a whole number of 1 or more; rows are an async iterable."""
    with pytest.raises(ConfigurationError, match="^concurrency must be a whole number"):
        downloads_without_files(Numbers(1), concurrency=concurrency)
    with pytest.raises(ConfigurationError, match="requires an async iterable"):
        downloads_without_files([1, 2])


# Checkpoint and progress.


async def test_checkpoint_covers_what_was_yielded_and_no_more(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """More rows may have been read. A run that is stopped at any time resumes exactly."""
    ids = add_rows_with_files(fake, 45)
    found: list[str] = []
    checkpoint: str | None = None
    while len(found) < 45:
        pager = client.iter_transcriptions(ROOM, resume=checkpoint)
        async with client.fetch_texts(pager, concurrency=5) as texts:
            assert texts.checkpoint == pager.checkpoint
            async for one in texts:
                found.append(one.transcription.id)
                checkpoint = texts.checkpoint
                if len(found) % 7 == 0:
                    break
            assert texts.checkpoint == checkpoint
        # This also applies after a result that was read and not yielded.
        assert texts.checkpoint == checkpoint
    assert found == ids
    resumed = client.fetch_texts(client.iter_transcriptions(ROOM, resume=checkpoint))
    assert [one async for one in resumed] == []


async def test_checkpoint_of_downloads_skips_rows_before_it(
    fake: FakeVideoSDK, client: TranscriptsClient, tmp_path: Path
) -> None:
    """A failed row is done as well: it is not downloaded again."""
    ids = add_rows_with_files(fake, 45)
    fake.files.expire(ids[1], renew=False)
    downloads = client.download_all(client.iter_transcriptions(ROOM), tmp_path, summary=False)
    done = [(await anext(downloads)).error for _ in range(30)]
    assert [number for number, error in enumerate(done) if error] == [1]
    checkpoint = downloads.checkpoint
    await downloads.aclose()
    before = len(fake.files.requests)
    pager = client.iter_transcriptions(ROOM, resume=checkpoint)
    rest = client.download_all(pager, tmp_path, summary=False)
    assert [one.transcription.id async for one in rest] == ids[30:]
    assert len(fake.files.requests) <= before + 15


async def test_checkpoint_at_a_limit_is_exact(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """It is as exact as that of the pager."""
    ids = add_rows_with_files(fake, 25)
    texts = client.fetch_texts(client.iter_transcriptions(ROOM, limit=7))
    assert [one.transcription.id async for one in texts] == ids[:7]
    rest = client.fetch_texts(client.iter_transcriptions(ROOM, resume=texts.checkpoint))
    assert [one.transcription.id async for one in rest] == ids[7:]


async def test_row_that_was_not_fetched_is_not_covered() -> None:
    """After an error that is not caused by the row, it is next."""

    class Counted(Numbers):
        @property
        def checkpoint(self) -> str:
            return f"before {self.coming[0] if self.coming else 'the end'}"

    async def save(number: int) -> Download[int]:
        if number == 2:
            raise ClientClosedError("closed")
        return Download(number, {})

    downloads = downloads_without_files(Counted(5), save)
    assert downloads.checkpoint == "before 0"
    seen: list[int] = []
    with pytest.raises(ClientClosedError):
        await collect(downloads, seen)
    assert (seen, downloads.checkpoint) == ([0, 1], "before 2")


async def test_progress_counts_results_of_the_total(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The total is known with the first page, and exact at the end."""
    add_rows_with_files(fake, 45)
    texts = client.fetch_texts(client.iter_transcriptions(ROOM))
    assert (texts.done, texts.total) == (0, None)
    progress = [(texts.done, texts.total) async for _ in texts]
    assert progress == [(number, 45) for number in range(1, 46)]


@pytest.mark.parametrize(
    ("options", "first", "last"),
    [
        ({"limit": 7}, 7, 7),
        ({"limit": 99}, 45, 45),
        ({"since": "2026-03-05"}, 45, 33),
        ({"until": "2026-03-05", "limit": 30}, 30, 12),
        ({"on_unverified": "skip"}, 45, 45),
    ],
)
async def test_total_follows_limit_and_selection(
    fake: FakeVideoSDK, client: TranscriptsClient, options: dict[str, Any], first: int, last: int
) -> None:
    """Rows that are left out are subtracted as they are read."""
    noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
    for number in range(45):
        row = fake.add_transcription(room_id=ROOM, start=noon + timedelta(hours=number))
        del row["transcriptionFilePaths"]
    pager = client.iter_transcriptions(ROOM, **options)
    texts = client.fetch_texts(pager, concurrency=1)
    await anext(pager)
    assert texts.total == (first if "since" not in options else 45 - 12)
    async for _ in texts:
        pass
    assert texts.total == last
    # One row was taken from the pager.
    assert texts.done == last - 1


async def test_total_excludes_dropped_rows_and_those_before_a_checkpoint(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """It is the number of rows that this run will yield."""
    fake.filters = "ignored"
    for number in range(45):
        room = {0: ROOM, 1: "other", 2: None}[number % 3]
        del fake.add_transcription(room_id=room, session_id=None)["transcriptionFilePaths"]
    pager = client.iter_transcriptions(ROOM, on_unverified="skip", readahead=0)
    texts = client.fetch_texts(pager, concurrency=1)
    await anext(texts)
    assert texts.total == 45 - 13
    checkpoint = [texts.checkpoint async for _ in texts][5]
    assert (texts.done, texts.total) == (15, 15)
    pager = client.iter_transcriptions(ROOM, on_unverified="skip", resume=checkpoint)
    resumed = client.fetch_texts(pager)
    assert len([one async for one in resumed]) == resumed.total == resumed.done == 8
