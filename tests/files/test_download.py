"""Files on disk: whole or not at all, named by ids, many side by side and in order."""

import asyncio
import errno
import fcntl
import gc
import os
import resource
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
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
from videosdk_transcripts._files.atomic import PartFile, file_name, in_thread
from videosdk_transcripts._files.batch import Downloads
from videosdk_transcripts._files.download import Download, Downloader
from videosdk_transcripts._files.fetch import Files
from videosdk_transcripts.errors import FileError, FileGoneError, FileNotReadyError
from videosdk_transcripts.testing import CutBody, Delay, FakeVideoSDK

from ..matrix.leaving import client_tasks, open_connections
from .test_fetch import opened, reader, until, view

ROOM = "abcd-efgh-ijkl"


@asynccontextmanager
async def downloader(
    fake: FakeVideoSDK, directory: object, **options: Any
) -> AsyncIterator[Downloader[Transcription]]:
    """Give what saves files of the fake service, txt unless told otherwise."""
    chosen: dict[str, Any] = {"formats": ("txt",), "summary": False, "overwrite": False} | {
        name: options.pop(name) for name in ("formats", "summary", "overwrite") if name in options
    }
    async with opened(fake.url, max_file_bytes=8_000_000, **options) as transport:
        yield Downloader.of(Files(transport), reader(fake), directory, **chosen)


def listed(directory: Path) -> dict[str, bytes]:
    """Return what is in a directory."""
    return {path.name: path.read_bytes() for path in directory.iterdir()}


# Names.


@pytest.mark.parametrize(
    ("row_id", "name"),
    [
        ("fb82860d-eabc-48d0-b341-facdff0ac0f1", "fb82860d-eabc-48d0-b341-facdff0ac0f1.txt"),
        ("64f1a2b3c4d5e6f708192a3b", "64f1a2b3c4d5e6f708192a3b.txt"),
        ("Ab", "=41b.txt"),
        ("../../etc/passwd", "=2e=2e=2f=2e=2e=2fetc=2fpasswd.txt"),
        ("..", "=2e=2e.txt"),
        ("a\\b:c\0", "a=5cb=3ac=00.txt"),
        ("a=41", "a=3d41.txt"),
        ("ä", "=c3=a4.txt"),
        ("\ud800", "=ed=a0=80.txt"),
        ("con", "=63on.txt"),
        ("CON", "=43=4f=4e.txt"),
        ("lpt9", "=6cpt9.txt"),
        ("console", "console.txt"),
        ("a-summary", "a-summar=79.txt"),
        ("-summary", "-summar=79.txt"),
        ("a" * 200, "a" * 200 + ".txt"),
    ],
)
def test_a_name(row_id: str, name: str) -> None:
    """Of an id, by allow-list: nothing leads out of the directory or to a device."""
    assert file_name(row_id, "txt", summary=False) == name


def test_no_two_files_share_a_name() -> None:
    """Not even where the case of letters does not count."""
    ids = ["a", "A", "=41", "a-summary", "a-summar=79", "A-summary", "con", "=63on", "a.txt", "ä"]
    made = [
        file_name(row_id, name, summary=summary).lower()
        for row_id in ids
        for name in ("txt", "TXT")
        for summary in (False, True)
    ]
    assert len(set(made)) == len(made)
    assert file_name("a", "txt", summary=True) == "a-summary.txt"
    assert file_name("a", "TXT", summary=False) == "a.=54=58=54"


@pytest.mark.parametrize("row_id", ["", "a" * 201, "/" * 67])
def test_an_id_that_makes_no_name(row_id: str) -> None:
    """It is told by its length."""
    with pytest.raises(FileError, match=f"an id of {len(row_id)} characters"):
        file_name(row_id, "txt", summary=False)


@pytest.mark.parametrize("wanted", ["../x", "t.xt", "", "a" * 17, "txt\n", "ä", 5])
def test_a_format_that_makes_no_name(tmp_path: Path, wanted: Any) -> None:
    """It is refused before anything is fetched."""
    with pytest.raises(ConfigurationError, match="format must be"):
        Downloader.of(
            None,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            tmp_path,
            formats=(wanted,),
            summary=False,
            overwrite=False,
        )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"formats": "txt"}, r"formats must be a tuple: formats=\('txt',\)"),
        ({"formats": ()}, "nothing to download"),
        ({"directory": 5}, "directory must be a path, not int"),
    ],
)
async def test_arguments(
    fake: FakeVideoSDK, tmp_path: Path, options: dict[str, Any], text: str
) -> None:
    """Each mistake has its own words."""
    with pytest.raises(ConfigurationError, match=text):
        async with downloader(fake, **{"directory": tmp_path} | options):
            raise AssertionError


# One row.


async def test_a_row(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """Its files byte for byte, in a directory that is made, and nothing else beside them."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", bytes(range(256)) * 9000)
    fake.files.put(row, "json", b"")
    fake.files.put(row, "txt", b"short", summary=True)
    where = tmp_path / "a" / "b"
    async with downloader(fake, str(where), formats=("txt", "json", "txt"), summary=True) as d:
        done = await d.save_one(view(row))
    name = row["id"]
    assert listed(where) == {
        f"{name}.txt": bytes(range(256)) * 9000,
        f"{name}.json": b"",
        f"{name}-summary.txt": b"short",
    }
    assert done == Download(
        view(row),
        {
            "txt": where / f"{name}.txt",
            "json": where / f"{name}.json",
            "summary.txt": where / f"{name}-summary.txt",
        },
    )
    assert not any("Authorization" in seen.headers for seen in fake.files.requests)
    umask = os.umask(0)
    os.umask(umask)
    assert (where / f"{name}.txt").stat().st_mode & 0o777 == 0o666 & ~umask


async def test_whole_files_are_skipped(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """Unless they are to be fetched anew."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"first")
    async with downloader(fake, tmp_path) as d:
        assert (await d.save_one(view(row))).skipped == ()
        fake.files.put(row, "txt", b"second")
        done = await d.save_one(view(row))
        assert (done.skipped, list(done.paths)) == (("txt",), ["txt"])
    assert len(fake.files.requests) == 1
    assert list(listed(tmp_path).values()) == [b"first"]
    async with downloader(fake, tmp_path, overwrite=True) as d:
        assert (await d.save_one(view(row))).skipped == ()
    assert list(listed(tmp_path).values()) == [b"second"]


async def test_an_attempt_that_broke_off_leaves_no_trace(
    fake: FakeVideoSDK, tmp_path: Path
) -> None:
    """Also where some of it was on the disk already."""
    row = fake.add_transcription()
    data = os.urandom(3_000_000)
    fake.files.put(row, "txt", data)
    fake.files.fail_next(CutBody(2_500_000), CutBody(10))
    async with downloader(fake, tmp_path) as d:
        await d.save_one(view(row))
    assert listed(tmp_path) == {f"{row['id']}.txt": data}
    assert len(fake.files.requests) == 3


async def test_a_failure_leaves_nothing(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """The other files of the row are there, and the error says which one is not."""
    row = fake.add_transcription(summary=False)
    fake.files.put(row, "txt", os.urandom(3_000_000))
    fake.files.put(row, "srt", b"1")
    fake.files.fail_next(*[CutBody(2_500_000)] * 3)
    options: dict[str, Any] = {"formats": ("txt", "srt", "vtt"), "summary": True}
    async with downloader(fake, tmp_path, **options) as d:
        done = await d.save(view(row))
        assert list(done.paths) == ["srt"]
        assert "broke off" in str(done.error)
        assert done.error is not None
        assert done.error.__traceback__ is None
        assert list(listed(tmp_path)) == [f"{row['id']}.srt"]
        with pytest.raises(FileNotReadyError) as caught:
            await d.save_one(view(row))
    assert caught.value.format == "vtt"
    assert (
        list(listed(tmp_path)) == [f"{row['id']}.srt", f"{row['id']}.txt"]
        or len(listed(tmp_path)) == 2
    )


async def test_a_summary_that_is_not_there(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """Not every transcription has one: it is missed by whoever asks for nothing else."""
    row = fake.add_transcription(summary=False)
    fake.files.put(row, "txt")
    async with downloader(fake, tmp_path, summary=True) as d:
        assert list((await d.save_one(view(row))).paths) == ["txt"]
    async with downloader(fake, tmp_path, formats=(), summary=True) as d:
        with pytest.raises(FileNotReadyError) as caught:
            await d.save_one(view(row))
    assert (caught.value.transcription_id, caught.value.format) == (row["id"], "summary.txt")


async def test_an_id_that_can_not_be_saved(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """The error names it, and its format."""
    async with downloader(fake, tmp_path) as d:
        done = await d.save(Transcription("a" * 300, files={"txt": "https://cdn.videosdk.live"}))
    assert isinstance(done.error, FileError)
    assert (done.error.transcription_id, done.error.format) == ("a" * 300, "txt")


async def test_a_dead_link(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """It is renewed as for a text."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"here")
    old = view(row)
    fake.files.expire(row)
    async with downloader(fake, tmp_path) as d:
        await d.save_one(old)
        fake.files.expire(row, renew=False)
        with pytest.raises(FileGoneError):
            await Downloader.of(
                d.files, reader(fake), tmp_path, formats=("txt",), summary=False, overwrite=True
            ).save_one(view(row))
    # What was there stays.
    assert listed(tmp_path) == {f"{row['id']}.txt": b"here"}


async def test_cancelling_leaves_no_half_file(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """Nor a task nor a connection in use."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", os.urandom(3_000_000))

    async def stall(exchange: Any) -> Any:
        return await half(exchange, 2_000_000)

    fake.files.fail_next(stall)
    async with downloader(fake, tmp_path) as d:
        task = asyncio.create_task(d.save_one(view(row)))
        await until(lambda: any(len(data) for data in listed(tmp_path).values()))
        assert list(listed(tmp_path)) == [f".{row['id']}.txt.part"]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert listed(tmp_path) == {}
        assert not client_tasks()


async def half(exchange: Any, size: int) -> Any:
    """Send a part of the body and then nothing."""
    from aiohttp import web

    whole = exchange.answer()
    cut = web.StreamResponse()
    cut.content_length = len(whole.body)
    await cut.prepare(exchange.request)
    await cut.write(whole.body[:size])
    await asyncio.sleep(60)
    return cut


# The disk.


async def test_a_directory_that_can_not_be_made(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """One error, with the words of the system and the directory."""
    (tmp_path / "file").write_bytes(b"")
    for where, words in (("file/below", "Not a directory"), ("file", "File exists")):
        async with downloader(fake, tmp_path / where) as d:
            with pytest.raises(FileError, match=words) as caught:
                await d.save_one(view(fake.add_transcription()))
        assert str(tmp_path / where) in str(caught.value)
        assert caught.value.__context__ is None


async def test_a_directory_that_can_not_be_written(
    fake: FakeVideoSDK, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told before anything is fetched."""
    # The super-user may write anywhere, so that the system is made to say what it would.
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    async with downloader(fake, tmp_path) as d:
        with pytest.raises(FileError, match="no permission to write"):
            await d.save_one(view(fake.add_transcription()))
    assert fake.files.requests == []


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let the system refuse to make a file larger than that, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("size", [10_000, 3_000_000])
async def test_a_disk_that_takes_no_more(fake: FakeVideoSDK, tmp_path: Path, size: int) -> None:
    """In the midst of a file or at its end: one error, and no half file."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", bytes(size))
    async with downloader(fake, tmp_path) as d:
        with file_size_limit(5000):
            done = await d.save(view(row))
    assert isinstance(done.error, FileError)
    assert "File too large" in str(done.error)
    assert str(tmp_path) in str(done.error)
    assert (done.error.transcription_id, done.error.format) == (row["id"], "txt")
    assert listed(tmp_path) == {}
    assert len(fake.files.requests) == 1


async def test_a_full_disk(
    fake: FakeVideoSDK, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same, where it is told as late as by fsync."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")

    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        async with downloader(fake, tmp_path) as d:
            with pytest.raises(FileError, match="No space left on device; make room"):
                await d.save_one(view(row))
    assert listed(tmp_path) == {}


async def test_a_target_that_is_a_directory(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """It is left as it is."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")
    (tmp_path / f"{row['id']}.txt").mkdir()
    async with downloader(fake, tmp_path) as d:
        with pytest.raises(FileError, match="Is a directory"):
            await d.save_one(view(row))
    assert os.listdir(tmp_path) == [f"{row['id']}.txt"]  # noqa: PTH208


async def test_a_file_that_can_not_be_looked_at(
    fake: FakeVideoSDK, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written, which tells what is the matter."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")

    def refuse(path: Path) -> bool:
        raise PermissionError

    async with downloader(fake, tmp_path) as d:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "is_file", refuse)
            assert (await d.save_one(view(row))).skipped == ()


async def test_what_was_left_over_is_replaced(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """A temporary file of a killed program, which was longer."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"new")
    (tmp_path / f".{row['id']}.txt.part").write_bytes(b"old and longer")
    async with downloader(fake, tmp_path) as d:
        await d.save_one(view(row))
    assert listed(tmp_path) == {f"{row['id']}.txt": b"new"}


async def test_a_link_in_its_place_is_not_followed(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """Somebody else may have laid it there."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"new")
    other = tmp_path / "other"
    other.write_bytes(b"precious")
    where = tmp_path / "where"
    where.mkdir()
    (where / f".{row['id']}.txt.part").symlink_to(other)
    async with downloader(fake, where) as d:
        with pytest.raises(FileError):
            await d.save_one(view(row))
    assert other.read_bytes() == b"precious"


async def test_two_that_write_the_same_file(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """One of them does, and the other one is told."""
    target = tmp_path / "a.txt"
    one, two = PartFile(target), PartFile(target)
    await one.write(bytes(1_100_000))
    with pytest.raises(FileError, match="another program or task is writing the same file"):
        await two.commit()
    await two.discard()
    await one.commit()
    await one.discard()
    assert listed(tmp_path) == {"a.txt": bytes(1_100_000)}


@pytest.mark.parametrize("way", ["renamed", "another in its place"])
async def test_a_temporary_file_that_was_taken_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Between opening and locking it another one put it into its place: that one stays whole."""
    target = tmp_path / "a.txt"
    part = tmp_path / ".a.txt.part"
    part.write_bytes(b"whole")
    lock = fcntl.flock

    def late(file: int, how: int) -> None:
        if part.exists() and part.read_bytes() == b"whole":
            part.replace(target)
            if way == "another in its place":
                part.write_bytes(b"left over")
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    file = PartFile(target)
    await file.write(bytes(1_100_000))
    assert target.read_bytes() == b"whole"
    await file.commit()
    assert listed(tmp_path) == {"a.txt": bytes(1_100_000)}


async def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does without them, and without fsync for directories."""

    def none(file: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    by_system = os.fsync

    def no_directories(file: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{file}"):  # noqa: PTH112
            raise OSError(errno.EINVAL, "no directories")
        by_system(file)

    monkeypatch.setattr(fcntl, "flock", none)
    monkeypatch.setattr(os, "fsync", no_directories)
    file = PartFile(tmp_path / "a.txt")
    await file.write(b"x")
    await file.commit()
    assert listed(tmp_path) == {"a.txt": b"x"}


async def test_cancelling_waits_for_the_thread() -> None:
    """However often it comes: nothing is at work on the file when the caller goes on."""
    steps: list[str] = []
    started, go = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def work() -> None:
        loop.call_soon_threadsafe(started.set)
        go.wait(5)
        steps.append("worked")

    async def call() -> None:
        try:
            await in_thread(work)
        finally:
            steps.append("left")

    task = asyncio.create_task(call())
    await started.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    assert steps == []
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == ["worked", "left"]


# Many rows.


def of_all(
    downloader: Downloader[Transcription], rows: Any, concurrency: int = 4
) -> Downloads[Any]:
    """Return the downloads of some rows."""
    return Downloads(rows, downloader.prepare, downloader.save, concurrency=concurrency)


def filled(fake: FakeVideoSDK, count: int) -> list[str]:
    """Fill the service with rows that have files, and return their ids."""
    for row in fake.add_transcriptions(count, room_id=ROOM):
        fake.files.put(row, "txt", row["id"].encode() * 50)
    return [row["id"] for row in fake.rows]


async def test_many_rows_in_order(
    fake: FakeVideoSDK, client: TranscriptsClient, tmp_path: Path
) -> None:
    """Of a pager, some side by side; one bad file does not stop the rest."""
    ids = filled(fake, 45)
    fake.files.expire(ids[7], renew=False)
    fake.files.fail_next(Delay(0.05))
    async with downloader(fake, tmp_path / "new") as d:
        found = [one async for one in of_all(d, client.iter_transcriptions(ROOM))]
        assert [one.transcription.id for one in found] == ids
        bad = [one for one in found if one.error]
        assert [one.transcription.id for one in bad] == [ids[7]]
        assert isinstance(bad[0].error, FileGoneError)
        assert listed(tmp_path / "new") == {
            f"{row_id}.txt": row_id.encode() * 50 for row_id in ids if row_id != ids[7]
        }
        # Again: nothing but the bad one is fetched.
        before = len(fake.files.requests)
        again = [one async for one in of_all(d, client.iter_transcriptions(ROOM))]
        assert sum(one.skipped == ("txt",) for one in again) == 44
        assert len(fake.files.requests) == before + 1


async def test_so_many_at_once(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """Rows under way, and those that nobody has taken yet."""
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

    async def prepare() -> None:
        return

    rows = walk()
    downloads = Downloads(rows, prepare, save, concurrency=3)
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


async def test_a_row_is_handed_out_before_the_next_one_is_there(tmp_path: Path) -> None:
    """A slow walk does not hold back what is done."""
    gate = asyncio.Event()

    async def walk() -> AsyncIterator[int]:
        yield 1
        await gate.wait()
        yield 2

    downloads = plain(walk())
    assert (await anext(downloads)).transcription == 1
    gate.set()
    assert (await anext(downloads)).transcription == 2
    await downloads.aclose()


async def nothing() -> None:
    """Prepare nothing."""


async def saved(number: int) -> Download[int]:
    """Save nothing."""
    return Download(number, {})


def plain(rows: Any, save: Callable[[Any], Any] = saved, concurrency: int = 4) -> Downloads[Any]:
    """Return downloads without files."""
    return Downloads(rows, nothing, save, concurrency=concurrency)


async def collect(downloads: Downloads[Any], seen: list[int], most: int = 99) -> None:
    """Note what comes, and leave the loop after so many."""
    async for one in downloads:
        seen.append(one.transcription)
        if len(seen) >= most:
            break


class Walk:
    """Numbers that go on where they were left, as a pager does; with an error at some."""

    def __init__(self, count: int, *faulty: int) -> None:
        self.coming = list(range(count))
        self.faulty = list(faulty)

    def __aiter__(self) -> "Walk":
        return self

    async def __anext__(self) -> int:
        await asyncio.sleep(0)
        if not self.coming:
            raise StopAsyncIteration
        if self.coming[0] in self.faulty:
            self.faulty.remove(self.coming[0])
            raise ServerError("of the walk", status=500)
        return self.coming.pop(0)


async def test_an_error_of_the_walk() -> None:
    """Comes behind the rows before it; then the walk is asked again."""
    downloads = plain(Walk(8, 3))
    seen: list[int] = []
    with pytest.raises(ServerError, match="of the walk"):
        await collect(downloads, seen)
    assert seen == [0, 1, 2]
    assert [one.transcription async for one in downloads] == [3, 4, 5, 6, 7]


async def test_an_error_that_is_no_fault_of_the_row() -> None:
    """A closed client, or an error of the caller's own, ends the loop, and the row stays next."""
    faults = [ClientClosedError("closed"), KeyError("own")]

    async def save(number: int) -> Download[int]:
        if number == 2 and faults:
            raise faults.pop(0)
        return Download(number, {})

    downloads = plain(Walk(5), save)
    seen: list[int] = []
    for error_class in (ClientClosedError, KeyError):
        with pytest.raises(error_class):
            await collect(downloads, seen)
    assert seen == [0, 1]
    assert [one.transcription async for one in downloads] == [2, 3, 4]


async def test_a_client_that_is_closed(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """It is raised, and is no failure of a file."""
    ids = filled(fake, 1)
    async with downloader(fake, tmp_path) as d:
        await d.files._transport.aclose()
        with pytest.raises(ClientClosedError):
            await d.save(view(next(row for row in fake.rows if row["id"] == ids[0])))
    assert listed(tmp_path) == {}


async def test_a_directory_for_many_that_can_not_be_made(
    fake: FakeVideoSDK, tmp_path: Path
) -> None:
    """It is no failure of each row."""
    (tmp_path / "file").write_bytes(b"")
    async with downloader(fake, tmp_path / "file" / "below") as d:
        with pytest.raises(FileError, match="Not a directory"):
            await anext(of_all(d, Walk(3)))


class Leaving:
    """Downloads of which all but the first one hang, in the midst of the file."""

    def __init__(self, fake: FakeVideoSDK, client: TranscriptsClient, d: Any) -> None:
        self.ids = filled(fake, 45)
        self.fake = fake
        self._client = client
        self._downloader = d
        fake.files.fail_next(self.stall, times=99)

    async def stall(self, exchange: Any) -> Any:
        if exchange.request.match_info["id"] == self.ids[0]:
            return exchange.answer()
        return await half(exchange, 100)

    def begin(self) -> Downloads[Any]:
        return of_all(self._downloader, self._client.iter_transcriptions(ROOM))

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
        # It goes on with the rows that were not handed out.
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
async def test_leaving_ends_what_is_under_way(
    fake: FakeVideoSDK, client: TranscriptsClient, tmp_path: Path, way: str
) -> None:
    """In each way: no task, no half file, no connection in use."""
    async with downloader(fake, tmp_path) as d:
        await getattr(Leaving(fake, client, d), way)()
        gc.collect()
        await until(lambda: not client_tasks())
        assert not any(name.startswith(".") for name in listed(tmp_path))
    await client.aclose()
    await until(lambda: not open_connections(fake))


async def test_going_on_at_once() -> None:
    """Before what was ended has ended; no row is lost or comes twice."""
    downloads = plain(Walk(30))
    seen: list[int] = []
    while len(seen) < 30:
        async for one in downloads:
            seen.append(one.transcription)
            if len(seen) % 3 == 0:
                break
    assert seen == list(range(30))


async def test_going_on_after_a_step_that_was_ended() -> None:
    """The walk is asked for the same row again."""

    class Slow(Walk):
        async def __anext__(self) -> int:
            await asyncio.sleep(60 if hangs else 0)
            return await super().__anext__()

    hangs: list[int] = []
    downloads = plain(Slow(5), concurrency=1)
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


def test_going_on_in_another_loop() -> None:
    """What was under way ended with its loop."""

    async def slow(number: int) -> Download[int]:
        await asyncio.sleep(0.001)
        return Download(number, {})

    downloads = plain(Walk(9), slow)

    async def some(most: int) -> list[int]:
        return [(await anext(downloads)).transcription for _ in range(most)]

    assert asyncio.run(some(2)) == [0, 1]
    assert asyncio.run(some(7)) == [2, 3, 4, 5, 6, 7, 8]


def test_forgotten_after_its_loop() -> None:
    """Nothing warns."""
    held: list[Downloads[Any]] = []

    async def begin() -> None:
        held.append(plain(Walk(9)))
        await anext(held[0])

    asyncio.run(begin())
    held.clear()
    gc.collect()


@pytest.mark.parametrize("concurrency", [0, -1, True, 1.5])
def test_at_once(concurrency: Any) -> None:
    """Is a whole number of 1 or more; and rows can be walked over."""
    with pytest.raises(ConfigurationError, match="concurrency must be a whole number"):
        plain(Walk(1), concurrency=concurrency)
    with pytest.raises(ConfigurationError, match="walks over a pager"):
        plain([1, 2])
