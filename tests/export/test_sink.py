"""Folders and stores: rare situations and failures."""

from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from videosdk_transcripts import ConfigurationError, FileError
from videosdk_transcripts.export._formats import check_format
from videosdk_transcripts.export._object_store import ObjectStoreSink
from videosdk_transcripts.export._options import Options
from videosdk_transcripts.export._sink import FolderSink, write_file
from videosdk_transcripts.export._store import Store


def test_file_that_is_renamed_while_it_is_listed_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writer renames it."""
    sink = FolderSink(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "missing")
    write_file(sink, "part", b"abc")
    assert sink.sizes()["part"] == 3
    assert sink.size("missing") is None
    assert sink.sizes("missing") == {}


def test_lock_of_a_small_file_is_awaited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait lasts up to half a minute."""
    monkeypatch.setattr("videosdk_transcripts.export._sink._LONGEST_LOCK", 0.1)
    sink = FolderSink(tmp_path)
    other = sink.create("part")
    other.write(b"x")
    with pytest.raises(BlockingIOError):
        write_file(sink, "part", b"y")
    other.discard()
    assert write_file(sink, "part", b"y")
    assert not write_file(sink, "part", b"z", replace=False)
    assert sink.read("part") == b"y"


def test_object_that_exists_is_not_replaced() -> None:
    """It is not uploaded, either."""
    sink = ObjectStoreSink("memory://place")
    assert write_file(sink, "part", b"y", replace=False)
    assert not write_file(sink, "part", b"z", replace=False)
    assert sink.read("part") == b"y"
    MemoryFileSystem.store.clear()


async def test_delete_does_not_require_that_a_file_exists() -> None:
    """Another job may have deleted it."""
    fs = fsspec.filesystem("memory")
    sink = ObjectStoreSink("memory://place")
    write_file(sink, "a", b"x")
    sink.delete(["missing", "a", "other"])
    assert not fs.find("/place")
    assert sink.size("a") is None
    MemoryFileSystem.store.clear()


def test_marker_of_a_folder_is_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some consoles create an empty object for a folder."""
    sink = ObjectStoreSink("memory://place")
    listed = [
        {"name": "/place/", "size": 0, "type": "file"},
        {"name": "/place/a", "size": 5, "type": "file"},
        {"name": "/place/b/", "size": 0, "type": "directory"},
    ]
    monkeypatch.setattr(MemoryFileSystem, "ls", lambda *_, **__: listed)
    assert sink.sizes() == {"a": 5, "b": None}


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (OSError(), FileError, "can't write to .*OSError"),
        (RuntimeError("of a library"), FileError, "RuntimeError: of a library"),
        (ImportError("no aiohttp"), ConfigurationError, "no aiohttp"),
    ],
)
async def test_errors_of_libraries_become_errors_of_the_package(
    tmp_path: Path, error: Exception, kind: type[Exception], message: str
) -> None:
    """They do not have the other error as their context."""

    def fail() -> None:
        raise error

    with pytest.raises(kind, match=message) as caught:
        await Store(str(tmp_path)).run(fail)
    assert caught.value.__context__ is None


async def test_append_during_a_cancellation_may_fail(tmp_path: Path) -> None:
    """The rows are fetched again then."""
    (tmp_path / "file").write_text("")
    await Store(str(tmp_path / "file")).append_now("log", b"x")


def test_missing_pyarrow_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra to install."""
    monkeypatch.setattr("videosdk_transcripts.export._formats.find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError, match=r"videosdk-transcripts\[export\]"):
        check_format(Options(format="parquet"))
    check_format(Options())
