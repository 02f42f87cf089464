"""Atomic files: complete or absent, even after errors and with concurrent writers."""

import errno
import fcntl
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from videosdk_transcripts._atomic_file import AtomicFile


def contents(directory: Path) -> dict[str, bytes]:
    """Return the names and contents of the files in a directory."""
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def descriptors(directory: Path) -> list[str]:
    """Return what this process has open in a directory."""
    names = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            names.append(str(link.readlink()))
        except FileNotFoundError:
            continue  # the descriptor of the listing itself
    return [name for name in names if name.startswith(str(directory))]


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Make the system refuse larger files, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def written(target: Path, data: bytes) -> AtomicFile:
    """Return a file with data that is not committed."""
    file = AtomicFile(target)
    file.write(data)
    return file


def test_committed_file_replaces_its_target(tmp_path: Path) -> None:
    """The target is unchanged before that, and no other file remains."""
    target = tmp_path / "a.txt"
    target.write_bytes(b"old")
    file = AtomicFile(target)
    assert not file.is_open
    file.write(b"longer ")
    file.write(bytearray(b"than the rest"))
    assert file.is_open
    assert contents(tmp_path) == {"a.txt": b"old", ".a.txt.part": b"longer than the rest"}
    file.clear()
    file.write(b"")
    file.write(b"new")
    file.commit()
    assert not file.is_open
    file.discard()
    file.clear()
    assert contents(tmp_path) == {"a.txt": b"new"}
    assert descriptors(tmp_path) == []
    umask = os.umask(0)
    os.umask(umask)
    assert target.stat().st_mode & 0o777 == 0o666 & ~umask


def test_cleared_file_may_stay_empty(tmp_path: Path) -> None:
    """An empty transcript is a complete file."""
    file = written(tmp_path / "a", b"of the first attempt")
    file.clear()
    file.write(b"")
    file.commit()
    assert contents(tmp_path) == {"a": b""}


def test_data_and_name_are_flushed_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data before the rename, and the directory after it."""
    flushed: list[tuple[str, list[str]]] = []
    by_system = os.fsync

    def fsync(file: int) -> None:
        name = os.readlink(f"/proc/self/fd/{file}")  # noqa: PTH115
        flushed.append((name, sorted(contents(tmp_path))))
        by_system(file)

    monkeypatch.setattr(os, "fsync", fsync)
    written(tmp_path / "a", b"x").commit()
    assert flushed == [(str(tmp_path / ".a.part"), [".a.part"]), (str(tmp_path), ["a"])]
    assert descriptors(tmp_path) == []


def test_discarded_file_is_removed(tmp_path: Path) -> None:
    """Its target is unchanged; another removal does nothing."""
    target = tmp_path / "a.txt"
    target.write_bytes(b"old")
    file = written(target, b"new")
    file.discard()
    assert not file.is_open
    (tmp_path / ".a.txt.part").write_bytes(b"of another")
    file.discard()
    assert contents(tmp_path) == {"a.txt": b"old", ".a.txt.part": b"of another"}
    assert descriptors(tmp_path) == []


def test_file_that_was_removed_meanwhile_is_closed(tmp_path: Path) -> None:
    """This applies to a commit that fails, and to discarding it."""
    file = written(tmp_path / "a.txt", b"x")
    (tmp_path / ".a.txt.part").unlink()
    with pytest.raises(FileNotFoundError):
        file.commit()
    file.discard()
    assert contents(tmp_path) == {}
    assert descriptors(tmp_path) == []


def test_caller_may_flush_the_directory_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One flush may serve several files; the data of each file is flushed in any case."""
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    written(tmp_path / "a", b"x").commit(flush_entry=False)
    assert len(flushed) == 1
    assert contents(tmp_path) == {"a": b"x"}


# Errors.


@pytest.mark.parametrize("size", [4096, 5000, 3_000_000])
def test_descriptor_is_closed_after_a_failed_write(tmp_path: Path, size: int) -> None:
    """Data written before is removed."""
    file = AtomicFile(tmp_path / "a.txt")
    with file_size_limit(4095), pytest.raises(OSError, match="File too large"):
        file.write(bytes(size))
    file.discard()
    assert contents(tmp_path) == {}
    assert descriptors(tmp_path) == []


def test_write_that_the_system_splits_is_completed(tmp_path: Path) -> None:
    """Because of a limit within the data, the system writes only a part of it."""
    file = AtomicFile(tmp_path / "a.txt")
    data = bytes(range(250)) * 40
    with file_size_limit(9_000):
        with pytest.raises(OSError, match="File too large"):
            file.write(data)
        assert contents(tmp_path) == {".a.txt.part": data[:9_000]}
    file.discard()


def test_target_that_is_a_directory_is_an_error(tmp_path: Path) -> None:
    """The target is unchanged."""
    (tmp_path / "a").mkdir()
    file = written(tmp_path / "a", b"x")
    with pytest.raises(IsADirectoryError):
        file.commit()
    file.discard()
    assert os.listdir(tmp_path) == ["a"]  # noqa: PTH208
    assert descriptors(tmp_path) == []


@pytest.mark.parametrize("way", ["commit", "discard"])
def test_error_of_closing_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """The data was flushed before, or is discarded."""
    file = written(tmp_path / "a", b"x")
    by_system = os.close

    def fail(descriptor: int) -> None:
        by_system(descriptor)
        raise OSError(errno.EIO, "no")

    with monkeypatch.context() as patch:
        patch.setattr(os, "close", fail)
        file.commit() if way == "commit" else file.discard()
    assert contents(tmp_path) == ({"a": b"x"} if way == "commit" else {})


PROGRAM = """
import os, sys
from pathlib import Path

from videosdk_transcripts._atomic_file import AtomicFile

os.close(0)
target = Path(sys.argv[1])
for end in ("discard", "commit"):
    file = AtomicFile(target)
    file.write(b"x")
    assert os.readlink("/proc/self/fd/0").endswith(".a.part")
    file.clear()
    file.write(b"y")
    getattr(file, end)()
    assert not os.path.lexists("/proc/self/fd/0")
assert target.read_bytes() == b"y"
"""


def test_descriptor_zero_is_written_and_closed(tmp_path: Path) -> None:
    """It is the first free one in a program whose stdin is closed."""
    arguments = [sys.executable, "-c", PROGRAM, str(tmp_path / "a")]
    subprocess.run(arguments, check=True, timeout=20)  # noqa: S603
    assert contents(tmp_path) == {"a": b"y"}


# Other writers.


@pytest.mark.parametrize("data", [b"new", b""])
def test_left_over_temporary_file_is_replaced(tmp_path: Path, data: bytes) -> None:
    """It may be left over from a killed program, and may be longer."""
    (tmp_path / ".a.part").write_bytes(b"old and longer")
    written(tmp_path / "a", data).commit()
    assert contents(tmp_path) == {"a": data}


def test_symbolic_link_in_place_of_the_temporary_file_is_not_followed(tmp_path: Path) -> None:
    """It may have been planted, even before the file that it points to exists."""
    where = tmp_path / "where"
    where.mkdir()
    other = tmp_path / "other"
    (where / ".a.part").symlink_to(other)
    for data in (None, b"precious"):
        if data is not None:
            other.write_bytes(data)
        file = AtomicFile(where / "a")
        with pytest.raises(OSError, match="symbolic links"):
            file.write(b"new")
        file.discard()
        assert other.exists() == (data is not None)
        assert (where / ".a.part").is_symlink()
    assert other.read_bytes() == b"precious"


def test_hard_link_in_place_of_the_temporary_file_is_removed(tmp_path: Path) -> None:
    """The other file keeps its data, for example in a copy of the directory made with links."""
    other = tmp_path / "other"
    other.write_bytes(b"kept")
    (tmp_path / ".a.part").hardlink_to(other)
    file = AtomicFile(tmp_path / "a")
    file.write(b"new")
    file.commit()
    assert contents(tmp_path) == {"a": b"new", "other": b"kept"}
    assert descriptors(tmp_path) == []


def test_second_writer_is_rejected(tmp_path: Path) -> None:
    """The file of the first writer stays complete; after that, the target can be written again."""
    first, second = written(tmp_path / "a", b"first"), AtomicFile(tmp_path / "a")
    with pytest.raises(BlockingIOError) as caught:
        second.write(b"second")
    assert caught.value.strerror == "another program or task is writing the same file"
    second.discard()
    first.commit()
    assert contents(tmp_path) == {"a": b"first"}
    second.write(b"second")
    second.commit()
    assert contents(tmp_path) == {"a": b"second"}
    assert descriptors(tmp_path) == []


def test_discard_keeps_the_temporary_file_of_the_next_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writer may begin as soon as closing has released the lock."""
    first, second = written(tmp_path / "a", b"first"), AtomicFile(tmp_path / "a")
    by_system = os.close

    def close(descriptor: int) -> None:
        by_system(descriptor)
        if not second.is_open:
            second.write(b"second")

    with monkeypatch.context() as patch:
        patch.setattr(os, "close", close)
        first.discard()
    second.commit()
    assert contents(tmp_path) == {"a": b"second"}


@pytest.mark.parametrize("way", ["renamed", "another in its place"])
def test_temporary_file_renamed_before_the_lock_is_not_reused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """The file of the other writer stays complete."""
    target, part = tmp_path / "a.txt", tmp_path / ".a.txt.part"
    part.write_bytes(b"whole")
    lock = fcntl.flock

    def late(file: int, how: int) -> None:
        if part.exists() and part.read_bytes() == b"whole":
            part.replace(target)
            if way == "another in its place":
                part.write_bytes(b"left over")
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    file = written(target, b"new")
    assert target.read_bytes() == b"whole"
    assert len(descriptors(tmp_path)) == 1
    file.commit()
    assert contents(tmp_path) == {"a.txt": b"new"}


def test_file_system_without_locks_is_supported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system without fsync for directories is supported, too."""

    def none(file: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    by_system = os.fsync

    def no_directories(file: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{file}"):  # noqa: PTH112
            raise OSError(errno.EINVAL, "no directories")
        by_system(file)

    monkeypatch.setattr(fcntl, "flock", none)
    monkeypatch.setattr(os, "fsync", no_directories)
    written(tmp_path / "a.txt", b"x").commit()
    assert contents(tmp_path) == {"a.txt": b"x"}
    assert descriptors(tmp_path) == []
