"""Atomic files: names, locks, left-over temporary files, and threads."""

import asyncio
import errno
import fcntl
import os
import threading
from pathlib import Path

import pytest

from videosdk_transcripts._files.atomic import PartFile, file_name, in_thread
from videosdk_transcripts.errors import FileError

from .support import contents

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
def test_file_name_encodes_the_id(row_id: str, name: str) -> None:
    """By an allow-list: no id leads out of the directory or to a device."""
    assert file_name(row_id, "txt", summary=False) == name


def test_file_names_are_unique() -> None:
    """Even if case is ignored."""
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
def test_empty_or_long_id_has_no_file_name(row_id: str) -> None:
    """The error has the length of the id."""
    with pytest.raises(FileError, match=f"an id of {len(row_id)} characters"):
        file_name(row_id, "txt", summary=False)


# Temporary files.


async def test_concurrent_writers_of_one_file_exclude_each_other(tmp_path: Path) -> None:
    """The second one gets an error."""
    target = tmp_path / "a.txt"
    one, two = PartFile(target), PartFile(target)
    await one.write(bytes(1_100_000))
    with pytest.raises(
        FileError, match="writing the same file; wait for it to finish, and download again"
    ):
        await two.commit()
    await two.discard()
    await one.commit()
    await one.discard()
    assert contents(tmp_path) == {"a.txt": bytes(1_100_000)}


@pytest.mark.parametrize("way", ["renamed", "another in its place"])
async def test_temporary_file_renamed_before_the_lock_is_not_reused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """The file of the other writer stays complete."""
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
    assert contents(tmp_path) == {"a.txt": bytes(1_100_000)}


async def test_file_system_without_locks_is_supported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one that can't fsync directories."""

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
    assert contents(tmp_path) == {"a.txt": b"x"}


async def test_cancelled_caller_waits_for_the_thread() -> None:
    """However often it is cancelled: the thread no longer uses the file when it continues."""
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
