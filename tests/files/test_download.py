"""Files of one row on disk: complete or absent."""

import asyncio
import errno
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from videosdk_transcripts import ClientClosedError, ConfigurationError, Transcription
from videosdk_transcripts._files.download import Download, Downloader
from videosdk_transcripts.errors import FileError, FileGoneError, FileNotReadyError
from videosdk_transcripts.testing import CutBody, FakeVideoSDK

from ..conftest import until
from ..matrix.leaving import client_tasks
from .support import add_rows_with_files, contents, downloader, reader, send_part, transcription

# Arguments.


@pytest.mark.parametrize("wanted", ["../x", "t.xt", "", "a" * 17, "txt\n", "ä", 5])
def test_invalid_format_is_rejected(tmp_path: Path, wanted: Any) -> None:
    """Nothing has been fetched by then."""
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
async def test_bad_arguments_are_rejected(
    fake: FakeVideoSDK, tmp_path: Path, options: dict[str, Any], text: str
) -> None:
    """Each has its own message."""
    with pytest.raises(ConfigurationError, match=text):
        async with downloader(fake, **{"directory": tmp_path} | options):
            raise AssertionError


# One row.


async def test_files_of_a_row_are_saved_byte_for_byte(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """The directory is created, and has no other files."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", bytes(range(256)) * 9000)
    fake.files.put(row, "json", b"")
    fake.files.put(row, "txt", b"short", summary=True)
    where = tmp_path / "a" / "b"
    async with downloader(fake, str(where), formats=("txt", "json", "txt"), summary=True) as d:
        done = await d.save_one(transcription(row))
    name = row["id"]
    assert contents(where) == {
        f"{name}.txt": bytes(range(256)) * 9000,
        f"{name}.json": b"",
        f"{name}-summary.txt": b"short",
    }
    assert done == Download(
        transcription(row),
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


async def test_existing_files_are_skipped(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """Unless they are to be overwritten."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"first")
    async with downloader(fake, tmp_path) as d:
        assert (await d.save_one(transcription(row))).skipped == ()
        fake.files.put(row, "txt", b"second")
        done = await d.save_one(transcription(row))
        assert (done.skipped, list(done.paths)) == (("txt",), ["txt"])
    assert len(fake.files.requests) == 1
    assert list(contents(tmp_path).values()) == [b"first"]
    async with downloader(fake, tmp_path, overwrite=True) as d:
        assert (await d.save_one(transcription(row))).skipped == ()
    assert list(contents(tmp_path).values()) == [b"second"]


async def test_truncated_attempt_leaves_no_data(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """This applies even if some of it was on the disk."""
    row = fake.add_transcription()
    data = os.urandom(3_000_000)
    fake.files.put(row, "txt", data)
    fake.files.fail_next(CutBody(2_500_000), CutBody(10))
    async with downloader(fake, tmp_path) as d:
        await d.save_one(transcription(row))
    assert contents(tmp_path) == {f"{row['id']}.txt": data}
    assert len(fake.files.requests) == 3


async def test_failed_file_is_absent_and_the_others_saved(
    fake: FakeVideoSDK, tmp_path: Path
) -> None:
    """The error names the format."""
    row = fake.add_transcription(summary=False)
    fake.files.put(row, "txt", os.urandom(3_000_000))
    fake.files.put(row, "srt", b"1")
    fake.files.fail_next(*[CutBody(2_500_000)] * 3)
    options: dict[str, Any] = {"formats": ("txt", "srt", "vtt"), "summary": True}
    async with downloader(fake, tmp_path, **options) as d:
        done = await d.save(transcription(row))
        assert list(done.paths) == ["srt"]
        assert "truncated" in str(done.error)
        assert done.error is not None
        assert done.error.__traceback__ is None
        assert list(contents(tmp_path)) == [f"{row['id']}.srt"]
        with pytest.raises(FileNotReadyError) as caught:
            await d.save_one(transcription(row))
    assert caught.value.format == "vtt"
    assert (
        list(contents(tmp_path)) == [f"{row['id']}.srt", f"{row['id']}.txt"]
        or len(contents(tmp_path)) == 2
    )


async def test_missing_summary_is_an_error_only_if_nothing_else_is_requested(
    fake: FakeVideoSDK, tmp_path: Path
) -> None:
    """Not every transcription has one."""
    row = fake.add_transcription(summary=False)
    fake.files.put(row, "txt")
    async with downloader(fake, tmp_path, summary=True) as d:
        assert list((await d.save_one(transcription(row))).paths) == ["txt"]
    async with downloader(fake, tmp_path, formats=(), summary=True) as d:
        with pytest.raises(FileNotReadyError) as caught:
            await d.save_one(transcription(row))
    assert (caught.value.transcription_id, caught.value.format) == (row["id"], "summary.txt")


async def test_unsavable_id_is_an_error_of_the_row(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """The error has its id and format."""
    async with downloader(fake, tmp_path) as d:
        done = await d.save(Transcription("a" * 300, files={"txt": "https://cdn.videosdk.live"}))
    assert isinstance(done.error, FileError)
    assert (done.error.transcription_id, done.error.format) == ("a" * 300, "txt")


async def test_dead_link_is_renewed(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """It is renewed as for a text; an existing file is kept."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"here")
    old = transcription(row)
    fake.files.expire(row)
    async with downloader(fake, tmp_path) as d:
        await d.save_one(old)
        fake.files.expire(row, renew=False)
        with pytest.raises(FileGoneError):
            await Downloader.of(
                d.files, reader(fake), tmp_path, formats=("txt",), summary=False, overwrite=True
            ).save_one(transcription(row))
    # The existing file is kept.
    assert contents(tmp_path) == {f"{row['id']}.txt": b"here"}


async def test_cancelled_download_leaves_no_file(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """There is no remaining task, either."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", os.urandom(3_000_000))

    async def stall(exchange: Any) -> Any:
        return await send_part(exchange, 2_000_000)

    fake.files.fail_next(stall)
    async with downloader(fake, tmp_path) as d:
        task = asyncio.create_task(d.save_one(transcription(row)))
        await until(lambda: any(len(data) for data in contents(tmp_path).values()))
        assert list(contents(tmp_path)) == [f".{row['id']}.txt.part"]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert contents(tmp_path) == {}
        assert not client_tasks()


async def test_closed_client_is_raised_and_not_an_error_of_the_row(
    fake: FakeVideoSDK, tmp_path: Path
) -> None:
    """It would affect every row."""
    ids = add_rows_with_files(fake, 1)
    async with downloader(fake, tmp_path) as d:
        await d.files._transport.aclose()
        with pytest.raises(ClientClosedError):
            await d.save(transcription(next(row for row in fake.rows if row["id"] == ids[0])))
    assert contents(tmp_path) == {}


# The disk.


async def test_directory_that_cannot_be_created_is_an_error(
    fake: FakeVideoSDK, tmp_path: Path
) -> None:
    """The error has the system's message and the directory."""
    (tmp_path / "file").write_bytes(b"")
    for where, words in (("file/below", "Not a directory"), ("file", "File exists")):
        async with downloader(fake, tmp_path / where) as d:
            with pytest.raises(FileError, match=words) as caught:
                await d.save_one(transcription(fake.add_transcription()))
        assert str(tmp_path / where) in str(caught.value)
        assert caught.value.__context__ is None


async def test_unwritable_directory_is_an_error(fake: FakeVideoSDK) -> None:
    """Nothing has been fetched by then."""
    # Nobody can create a file there, not even the superuser.
    async with downloader(fake, "/proc/self") as d:
        with pytest.raises(FileError, match="can't write to the directory /proc/self"):
            await d.save_one(transcription(fake.add_transcription()))
    assert fake.files.requests == []


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


@pytest.mark.parametrize("size", [10_000, 3_000_000])
async def test_write_error_leaves_no_file(fake: FakeVideoSDK, tmp_path: Path, size: int) -> None:
    """The error may occur within a file or at its end."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", bytes(size))
    async with downloader(fake, tmp_path) as d:
        with file_size_limit(5000):
            done = await d.save(transcription(row))
    assert isinstance(done.error, FileError)
    assert "File too large" in str(done.error)
    assert str(tmp_path) in str(done.error)
    assert (done.error.transcription_id, done.error.format) == (row["id"], "txt")
    assert contents(tmp_path) == {}
    assert len(fake.files.requests) == 1


async def test_full_disk_on_fsync_leaves_no_file(
    fake: FakeVideoSDK, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error may be reported only by fsync."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")

    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        async with downloader(fake, tmp_path) as d:
            with pytest.raises(FileError, match="No space left on device; free some space"):
                await d.save_one(transcription(row))
    assert contents(tmp_path) == {}


async def test_target_that_is_a_directory_is_an_error(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """It is not changed."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")
    (tmp_path / f"{row['id']}.txt").mkdir()
    async with downloader(fake, tmp_path) as d:
        with pytest.raises(FileError, match="Is a directory"):
            await d.save_one(transcription(row))
    assert os.listdir(tmp_path) == [f"{row['id']}.txt"]  # noqa: PTH208


async def test_file_that_cannot_be_checked_is_written(
    fake: FakeVideoSDK, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing it reports the reason."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")

    def refuse(path: Path) -> bool:
        raise PermissionError

    async with downloader(fake, tmp_path) as d:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "is_file", refuse)
            assert (await d.save_one(transcription(row))).skipped == ()


async def test_left_over_temporary_file_is_replaced(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """It may be left over from a killed program, and may be longer."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"new")
    (tmp_path / f".{row['id']}.txt.part").write_bytes(b"old and longer")
    async with downloader(fake, tmp_path) as d:
        await d.save_one(transcription(row))
    assert contents(tmp_path) == {f"{row['id']}.txt": b"new"}


async def test_symbolic_link_in_place_of_temporary_file_is_not_followed(
    fake: FakeVideoSDK, tmp_path: Path
) -> None:
    """It may have been planted."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"new")
    other = tmp_path / "other"
    other.write_bytes(b"precious")
    where = tmp_path / "where"
    where.mkdir()
    (where / f".{row['id']}.txt.part").symlink_to(other)
    async with downloader(fake, where) as d:
        with pytest.raises(FileError):
            await d.save_one(transcription(row))
    assert other.read_bytes() == b"precious"
