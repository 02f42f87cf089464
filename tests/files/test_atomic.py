"""Downloads on disk: locks, errors and descriptors of the temporary files."""

import asyncio
import os
import stat
import threading
from pathlib import Path

import pytest

from videosdk_transcripts._files.atomic import Directory, PartFile, make_directory
from videosdk_transcripts._files.threads import Threads
from videosdk_transcripts.errors import FileError
from videosdk_transcripts.testing import FakeVideoSDK

from ..conftest import until
from .support import contents

LARGE = bytes(1_100_000)
"""More than the buffer holds."""


async def test_concurrent_writers_of_one_file_exclude_each_other(tmp_path: Path) -> None:
    """The second writer gets an error."""
    target, threads = tmp_path / "a.txt", Threads()
    one, two = PartFile(target, threads), PartFile(target, threads)
    await one.write(LARGE)
    with pytest.raises(FileError) as caught:
        await two.commit()
    assert str(caught.value) == (
        f"can't write to the directory {tmp_path}: another program or task is writing the same "
        "file; wait for it to finish, and download again: complete files are skipped"
    )
    await two.discard()
    await one.commit()
    await one.discard()
    assert contents(tmp_path) == {"a.txt": LARGE}


async def test_data_are_buffered_up_to_a_mebibyte(tmp_path: Path) -> None:
    """They are then written in one step."""
    file = PartFile(tmp_path / "a.txt", Threads())
    await file.write(bytes(1024 * 1024 - 1))
    assert contents(tmp_path) == {}
    await file.write(b"x")
    assert contents(tmp_path) == {".a.txt.part": bytes(1024 * 1024 - 1) + b"x"}
    await file.write(b"y")
    assert len(contents(tmp_path)[".a.txt.part"]) == 1024 * 1024
    await file.commit()
    assert contents(tmp_path) == {"a.txt": bytes(1024 * 1024 - 1) + b"xy"}


async def test_begin_discards_what_was_written_and_buffered(tmp_path: Path) -> None:
    """This applies before and after the temporary file was opened."""
    file = PartFile(tmp_path / "a.txt", Threads())
    for data in (b"buffered", LARGE, LARGE[:-1] + b"buffered"):
        await file.begin()
        await file.write(data)
    await file.begin()
    await file.write(b"kept")
    await file.commit()
    assert contents(tmp_path) == {"a.txt": b"kept"}


async def test_file_that_was_never_opened_is_not_removed(tmp_path: Path) -> None:
    """It belongs to another writer."""
    (tmp_path / ".a.txt.part").write_bytes(b"of another")
    before = threading.active_count()
    file = PartFile(tmp_path / "a.txt", Threads())
    await file.write(b"x")
    await file.discard()
    assert contents(tmp_path) == {".a.txt.part": b"of another"}
    assert threading.active_count() == before


async def test_directory_in_which_no_file_can_be_created_is_an_error() -> None:
    """This does not depend on its permissions, and applies to the superuser, too."""
    # Nobody can create a file there.
    directory = Path("/proc/self")
    with pytest.raises(FileError, match="can't write to the directory /proc/self: ") as caught:
        await make_directory(directory, Threads())
    assert "choose another directory" in str(caught.value)
    assert caught.value.__context__ is None


async def test_error_explains_what_to_do(tmp_path: Path) -> None:
    """The message is compared word for word; it does not contain the name of the file."""
    (tmp_path / "a").mkdir()
    file = PartFile(tmp_path / "a", Threads())
    with pytest.raises(FileError) as caught:
        await file.commit()
    await file.discard()
    assert str(caught.value) == (
        f"can't write to the directory {tmp_path}: Is a directory; free some space or choose "
        "another directory, and download again: complete files are skipped"
    )


async def test_directory_is_created_and_left_empty(tmp_path: Path) -> None:
    """Its parents are created, too; an existing directory is kept."""
    for _ in range(2):
        await make_directory(tmp_path / "a" / "b", Threads())
        assert os.listdir(tmp_path / "a" / "b") == []  # noqa: PTH208


async def test_one_flush_of_a_directory_serves_all_who_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller that comes after it has begun needs another one, because of its own rename."""
    flushing, go_on = threading.Event(), threading.Event()
    flushed: list[int] = []

    def fsync(descriptor: int) -> None:
        flushed.append(descriptor)
        flushing.set()
        assert go_on.wait(20)

    monkeypatch.setattr(os, "fsync", fsync)
    directory = Directory(tmp_path, Threads())
    calls = [asyncio.create_task(directory.flush())]
    await until(flushing.is_set)
    calls += [asyncio.create_task(directory.flush()) for _ in range(5)]
    await asyncio.sleep(0.01)
    assert not any(call.done() for call in calls)
    go_on.set()
    assert await asyncio.gather(*calls) == [None] * 6
    assert len(flushed) == 2
    await directory.flush()
    assert len(flushed) == 3


async def test_downloads_of_several_rows_share_flushes_of_the_directory(
    fake: FakeVideoSDK, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file is flushed by itself, and the renames of all of them together."""
    flushed: list[str] = []
    go_on = threading.Event()

    def fsync(descriptor: int) -> None:
        flushed.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        if flushed[-1] == "directory":
            assert go_on.wait(20)

    monkeypatch.setattr(os, "fsync", fsync)
    rows = fake.add_transcriptions(8)
    for row in rows:
        fake.files.put(row, "txt", b"here")
    async with fake.client() as client, asyncio.timeout(20):
        done = client.download_all(
            client.iter_transcriptions(), tmp_path, summary=False, concurrency=8
        )
        first = asyncio.ensure_future(anext(done))
        await until(lambda: flushed.count("file") == 8)
        go_on.set()
        assert (await first).error is None
        assert [one.error async for one in done] == [None] * 7
    assert flushed.count("directory") <= 3
