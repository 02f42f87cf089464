"""Downloads on disk: locks, errors and descriptors of the temporary files."""

import os
import threading
from pathlib import Path

import pytest

from videosdk_transcripts._files.atomic import PartFile, make_directory
from videosdk_transcripts._files.threads import Threads
from videosdk_transcripts.errors import FileError

from .support import contents

LARGE = bytes(1_100_000)
"""More than the buffer holds."""


async def test_concurrent_writers_of_one_file_exclude_each_other(tmp_path: Path) -> None:
    """The second one gets an error."""
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
    """And then written in one step."""
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
    """Before and after the temporary file was opened."""
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
    """Whatever its permissions are, and also for the super-user."""
    # The kernel creates no file there for anyone.
    directory = Path("/proc/self")
    with pytest.raises(FileError, match="can't write to the directory /proc/self: ") as caught:
        await make_directory(directory, Threads())
    assert "choose another directory" in str(caught.value)
    assert caught.value.__context__ is None


async def test_error_explains_what_to_do(tmp_path: Path) -> None:
    """Word for word, without the name of the file."""
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
    """With its parents; one that exists is kept."""
    for _ in range(2):
        await make_directory(tmp_path / "a" / "b", Threads())
        assert os.listdir(tmp_path / "a" / "b") == []  # noqa: PTH208
