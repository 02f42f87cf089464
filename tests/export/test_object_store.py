"""Exports to an object store, moto's S3 server, and to other places of fsspec."""

import asyncio
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pyarrow.dataset as ds
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from moto.server import ThreadedMotoServer
from support import Meetings, until

from videosdk_transcripts import ConfigurationError, FileError, TranscriptsClient
from videosdk_transcripts.export import ExportSummary, export
from videosdk_transcripts.export._object_store import ObjectStoreSink
from videosdk_transcripts.export._sink import write_file
from videosdk_transcripts.testing import Status


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Run an S3 server."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


@pytest.fixture
def bucket(
    server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[str]:
    """Create an empty bucket, and configure this process for it by the environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    fs = fsspec.filesystem("s3", skip_instance_cache=True)
    name = f"bucket-{abs(hash(request.node.nodeid))}"
    fs.mkdir(name, region_name="eu-west-1")
    yield f"s3://{name}/daily/meetings"
    fs.rm(name, recursive=True)


def listed(place: str) -> list[str]:
    """Return the names in a place."""
    fs, path = fsspec.url_to_fs(place)
    fs.invalidate_cache()
    return sorted(name.removeprefix(path).strip("/") for name in fs.find(path))


def texts(place: str) -> dict[str, str | None]:
    """Return the texts of a JSONL dataset by id; each row must be there once."""
    fs, path = fsspec.url_to_fs(place)
    rows = [
        json.loads(line)
        for part in sorted(fs.glob(f"{path}/part-*.jsonl"))
        for line in fs.cat_file(part).splitlines()
    ]
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: row["text"] for row in rows}


async def test_dataset_is_written_to_a_bucket(
    client: TranscriptsClient, meetings: Meetings, bucket: str
) -> None:
    """The layout is that of a folder, and a second call requests nothing."""
    summary = await export(meetings.pairs, bucket, client=client, raw_files=True)
    assert texts(bucket) == meetings.texts
    found = [name for name in listed(bucket) if not name.startswith("texts/")]
    assert found == ["_SUCCESS.json", "_plan.json", "_state.jsonl", *summary.parts]
    assert len(listed(bucket)) == len(found) + 60
    sent = meetings.requests
    assert (await export(meetings.pairs, bucket, client=client, raw_files=True)).is_complete
    assert meetings.requests == sent


async def test_account_is_exported_to_a_bucket_as_parquet(
    client: TranscriptsClient, meetings: Meetings, bucket: str
) -> None:
    """DuckDB and pyarrow can read it there."""
    await export(None, bucket, client=client, format="parquet", rows_per_part=25)
    fs, path = fsspec.url_to_fs(bucket)
    assert ds.dataset(path, filesystem=fs, format="parquet").count_rows() == 60
    with duckdb.connect() as connection:
        connection.register_filesystem(fs)
        query = f"select count(distinct id) from read_parquet('{bucket}/part-*')"  # noqa: S608
        assert connection.sql(query).fetchall() == [(60,)]


@pytest.mark.parametrize("source", ["pairs", "account"])
async def test_cancelled_export_continues(
    client: TranscriptsClient,
    meetings: Meetings,
    bucket: str,
    source: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Finished rows are saved as objects while a part is in progress."""
    monkeypatch.setattr("videosdk_transcripts.export._log._OBJECT_LINES", 4)
    what = meetings.pairs if source == "pairs" else None
    for finished in (15, 35):
        task = asyncio.create_task(export(what, bucket, client=client, concurrency=2))
        await until(partial(meetings.has_sent, finished))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert "_SUCCESS.json" not in listed(bucket)
    await export(what, bucket, client=client, concurrency=2)
    assert texts(bucket) == meetings.texts
    assert len(meetings.fake.files.requests) <= 60 + 2 * 3
    assert not any(name.startswith("_progress") for name in listed(bucket))


@pytest.mark.parametrize("source", ["pairs", "account"])
async def test_update_adds_what_is_new(
    client: TranscriptsClient, meetings: Meetings, bucket: str, source: str
) -> None:
    """This is the same as in a folder; a part without rows is neither added nor left over."""

    async def update() -> ExportSummary:
        what = list(meetings.pairs) if source == "pairs" else None
        return await export(what, bucket, client=client, update=True, overlap=1e9)

    first = await update()
    assert (await update()).parts == first.parts
    added = meetings.add("room-1", 3)
    added[0]["status"] = "running"
    summary = await update()
    assert (summary.rows, summary.open_rows, summary.generation) == (63, 1, 2)
    added[0]["status"] = "completed"
    ended = await asyncio.gather(update(), update(), return_exceptions=True)
    assert all(isinstance(end, ExportSummary | FileError) for end in ended)
    summary = await update()
    assert (summary.rows, summary.open_rows, summary.is_complete) == (63, 0, True)
    assert texts(bucket) == meetings.texts
    assert listed(bucket) == ["_SUCCESS.json", "_plan.json", "_state.jsonl", *summary.parts]


async def test_errors_are_repeated(
    client: TranscriptsClient, meetings: Meetings, bucket: str
) -> None:
    """A part with errors is replaced by the next run."""
    meetings.fake.files.fail_next(Status(500), times=2)
    first = await export(meetings.pairs, bucket, client=client, concurrency=1)
    assert not first.is_complete
    assert "_errors.jsonl" in listed(bucket)
    assert (await export(meetings.pairs, bucket, client=client)).is_complete
    assert texts(bucket) == meetings.texts
    assert "_errors.jsonl" not in listed(bucket)


def test_second_of_two_writers_is_rejected(bucket: str) -> None:
    """The service itself rejects it, because neither writer can detect the other."""
    sink = ObjectStoreSink(bucket)
    sink._fs.exists = lambda _path: False
    assert write_file(sink, "part", b"first", replace=False)
    assert not write_file(sink, "part", b"second", replace=False)
    assert sink.read("part") == b"first"
    assert write_file(sink, "part", b"third")
    assert sink.read("part") == b"third"


def test_object_is_invisible_until_it_is_complete(bucket: str) -> None:
    """A large one is a multipart upload."""
    sink = ObjectStoreSink(bucket)
    file = sink.create("part")
    for _ in range(30):
        file.write(b"x" * 4 * 1024 * 1024)
        assert sink.size("part") is None
    assert file.commit(replace=False)
    file.discard()
    assert sink.size("part") == 120 * 1024 * 1024
    file = sink.create("other")
    file.write(b"x")
    file.discard()
    assert sink.size("other") is None


async def test_other_plan_and_foreign_objects_are_rejected(
    client: TranscriptsClient, meetings: Meetings, bucket: str
) -> None:
    """They are rejected as in a folder."""
    await export(meetings.pairs, bucket, client=client)
    with pytest.raises(ConfigurationError, match="another export"):
        await export(meetings.pairs, bucket, client=client, turns=True)
    fs, path = fsspec.url_to_fs(bucket)
    fs.pipe_file(f"{path}/other/notes.txt", b"x")
    with pytest.raises(ConfigurationError, match="not part of an export .other"):
        await export(meetings.pairs, bucket, client=client)


async def test_missing_bucket_is_rejected(
    client: TranscriptsClient, meetings: Meetings, bucket: str
) -> None:
    """Nothing has been requested by then; the error is one of this package without a context."""
    with pytest.raises(FileError, match="can't write to s3://missing-bucket") as caught:
        await export(meetings.pairs, "s3://missing-bucket/x", client=client)
    assert caught.value.__context__ is None
    assert not meetings.requests


async def test_refused_put_leaves_no_part(
    client: TranscriptsClient,
    meetings: Meetings,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next run continues with the rows that were saved."""
    put = ObjectStoreSink.put

    def refuse_part(self: Any, source: Path, target: str, *, replace: bool) -> bool:
        if "/part-" in target:
            raise PermissionError("Access Denied")
        return put(self, source, target, replace=replace)

    monkeypatch.setattr(ObjectStoreSink, "put", refuse_part)
    with pytest.raises(FileError, match="Access Denied"):
        await export(meetings.pairs, bucket, client=client)
    assert not any(name.startswith("part-") for name in listed(bucket))
    monkeypatch.setattr(ObjectStoreSink, "put", put)
    sent = meetings.requests
    assert (await export(meetings.pairs, bucket, client=client)).is_complete
    assert texts(bucket) == meetings.texts
    assert meetings.requests - sent < 40


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("nowhere://bucket", "Protocol not known"),
        ("gs://bucket", "install the library for gs"),
        ("", "a folder or a URL"),
    ],
)
async def test_unknown_place_is_rejected(
    client: TranscriptsClient, place: str, message: str
) -> None:
    """The error names what to install."""
    with pytest.raises(ConfigurationError, match=message):
        await export(None, place, client=client)


async def test_password_of_a_place_is_not_shown(
    client: TranscriptsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither errors nor the summary show it."""
    with pytest.raises(ConfigurationError) as caught:
        await export(None, "nowhere://user:secret-word@host/path", client=client)
    assert "secret-word" not in str(caught.value)


async def test_file_url_is_a_folder(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """It is written with fsync and rename, without fsspec."""
    await export(None, f"file://{sink}", client=client)
    assert len(list(sink.glob("part-*.jsonl"))) == 1


class Posix(LocalFileSystem):
    """A file system whose files are visible while they are written, such as SFTP."""

    protocol = "sftp"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        # Early versions remove no other protocol than their own.
        return str(super()._strip_protocol(path.removeprefix("sftp://")))


async def test_place_that_renames_is_written_by_renaming(
    client: TranscriptsClient,
    meetings: Meetings,
    sink: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Readers never see a part that is not complete."""
    fsspec.register_implementation("sftp", Posix, clobber=True)
    seen: list[str] = []
    put = Posix.put_file
    monkeypatch.setattr(
        Posix, "put_file", lambda self, a, b, **more: (seen.append(b), put(self, a, b, **more))
    )
    place = f"sftp://{sink}"
    summary = await export(meetings.pairs, place, client=client)
    assert summary.is_complete
    assert all(Path(name).name.startswith(".") and name.endswith(".part") for name in seen)
    found = sorted(path.name for path in sink.iterdir())
    assert found == ["_SUCCESS.json", "_plan.json", "_progress", "_state.jsonl", *summary.parts]


async def test_memory_is_a_place(client: TranscriptsClient, meetings: Meetings) -> None:
    """Tests of programs can use it."""
    summary = await export(None, "memory://dataset", client=client, format="csv")
    assert summary.is_complete
    assert [name for name in MemoryFileSystem.store if name.startswith("/dataset/part-")]
    MemoryFileSystem.store.clear()
