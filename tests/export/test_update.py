"""Updates: what is new or newly finished is added, and nothing is ever there twice."""

import asyncio
import json
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest
from support import Meetings, names, records, texts, until

from videosdk_transcripts import ConfigurationError, FileError, ServerError, TranscriptsClient
from videosdk_transcripts.export import ExportSummary, export
from videosdk_transcripts.export._store import Store
from videosdk_transcripts.testing import Delay, Status

SOURCES = pytest.mark.parametrize("source", ["pairs", "account"])


def ago(**time: float) -> str:
    """Return a time before now as the service writes it."""
    moment = datetime.now(UTC) - timedelta(**time)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def what(meetings: Meetings, source: str) -> Any:
    """Return the source."""
    return list(meetings.pairs) if source == "pairs" else None


def add_row(meetings: Meetings, *, text: bool = True, **fields: Any) -> dict[str, Any]:
    """Add a row of today to the first session."""
    room_id, session_id = meetings.pairs[0]
    row = meetings.fake.add_transcription(room_id=room_id, session_id=session_id, at=0, **fields)
    row["start"], row["end"] = ago(hours=1), ago(minutes=10)
    row.pop("transcriptionFilePaths", None)
    if text:
        meetings.put(row)
    return row


@SOURCES
async def test_update_adds_what_is_new(
    client: TranscriptsClient, meetings: Meetings, sink: Path, source: str
) -> None:
    """Nothing that was exported before is fetched again, and its parts are unchanged."""
    first = await export(what(meetings, source), sink, client=client)
    before = {part: (sink / part).read_bytes() for part in first.parts}
    for _ in range(3):
        add_row(meetings)
    fetched = len(meetings.fake.files.requests)
    second = await export(what(meetings, source), sink, client=client, update=True)
    assert texts(sink) == meetings.texts
    assert (second.generation, second.rows, second.texts) == (1, 63, 63)
    assert len(meetings.fake.files.requests) - fetched == 3
    assert all((sink / part).read_bytes() == content for part, content in before.items())
    assert set(first.parts) < set(second.parts)
    assert names(sink) == ["_SUCCESS.json", "_plan.json", "_state.jsonl", *second.parts]


@SOURCES
async def test_update_without_news_adds_no_row(
    client: TranscriptsClient, meetings: Meetings, sink: Path, source: str
) -> None:
    """This applies to each update, although each one lists the rows of the overlap."""
    for _ in range(3):
        add_row(meetings)
    first = await export(what(meetings, source), sink, client=client)
    fetched = len(meetings.fake.files.requests)
    for number in (1, 2):
        again = await export(what(meetings, source), sink, client=client, update=True)
        assert (again.generation, again.rows, again.digest) == (number, first.rows, first.digest)
        assert again.parts == first.parts
    assert names(sink) == ["_SUCCESS.json", "_plan.json", "_state.jsonl", *first.parts]
    assert len(meetings.fake.files.requests) == fetched
    assert texts(sink) == meetings.texts


@SOURCES
@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
async def test_open_rows_are_replaced_when_they_finish(
    client: TranscriptsClient, meetings: Meetings, sink: Path, source: str, format_: Any
) -> None:
    """Running rows and those whose text comes later are in a separate part until then."""
    running = add_row(meetings, status="running", text=False)
    late = add_row(meetings, text=False)
    first = await export(what(meetings, source), sink, client=client, format=format_)
    assert (first.rows, first.open_rows) == (62, 2)
    assert (sink / f"part-open-{first.plan}.{format_}").exists()

    running["status"] = "completed"
    meetings.put(running)
    second = await export(what(meetings, source), sink, client=client, format=format_, update=True)
    assert (second.rows, second.open_rows, second.texts) == (62, 1, 61)

    meetings.put(late)
    third = await export(what(meetings, source), sink, client=client, format=format_, update=True)
    assert (third.rows, third.open_rows, third.texts) == (62, 0, 62)
    assert not (sink / f"part-open-{first.plan}.{format_}").exists()
    if format_ == "jsonl":
        assert texts(sink) == meetings.texts
    table = ds.dataset(sink, format="json" if format_ == "jsonl" else format_).to_table()
    assert sorted(table["id"].to_pylist()) == sorted(row["id"] for row in meetings.fake.rows)


@SOURCES
async def test_update_with_open_rows_only_adds_no_part(
    client: TranscriptsClient, meetings: Meetings, sink: Path, source: str
) -> None:
    """They are in the part for open rows, so that another one would be empty."""
    first = await export(what(meetings, source), sink, client=client)
    running = add_row(meetings, status="running", text=False)
    for _ in range(2):
        second = await export(what(meetings, source), sink, client=client, update=True)
        assert second.parts == (*first.parts, f"part-open-{first.plan}.jsonl")
        assert set(second.parts) == {name for name in names(sink) if name.startswith("part-")}
        assert (second.rows, second.open_rows) == (61, 1)
    running["status"] = "completed"
    meetings.put(running)
    third = await export(what(meetings, source), sink, client=client, update=True)
    assert third.parts == (*first.parts, f"part-u3-00000-{first.plan}.jsonl")
    assert texts(sink) == meetings.texts


class TwoHoursLater(datetime):
    """The time two hours later."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        """Return the time."""
        return datetime.now(tz) + timedelta(hours=2)


async def test_text_that_never_comes_is_awaited_for_the_overlap(
    client: TranscriptsClient, meetings: Meetings, sink: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After that, its row is final, without a text."""
    row = add_row(meetings, text=False)
    row["start"], row["end"] = ago(hours=3), ago(hours=1)
    first = await export(None, sink, client=client, overlap=7200)
    assert first.open_rows == 1
    monkeypatch.setattr("videosdk_transcripts.export._export.datetime", TwoHoursLater)
    second = await export(None, sink, client=client, overlap=7200, update=True)
    assert (second.open_rows, second.rows, second.missing_texts) == (0, 61, 1)
    assert texts(sink)[row["id"]] is None


async def test_ids_that_no_update_meets_again_are_forgotten(
    client: TranscriptsClient, meetings: Meetings, sink: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the state would grow with the dataset."""
    old = add_row(meetings)
    old["start"] = ago(hours=1)
    await export(None, sink, client=client, overlap=7200)
    assert old["id"] in (sink / "_state.jsonl").read_text()
    add_row(meetings)["start"] = ago(hours=-1)
    monkeypatch.setattr("videosdk_transcripts.export._export.datetime", TwoHoursLater)
    await export(None, sink, client=client, overlap=7200, update=True)
    assert old["id"] not in (sink / "_state.jsonl").read_text()
    assert texts(sink) == meetings.texts


async def test_open_row_that_was_deleted_is_kept(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """It is kept as it was exported."""
    row = add_row(meetings, status="running", text=False)
    await export(None, sink, client=client)
    meetings.fake.rows.remove(row)
    for _ in range(2):
        summary = await export(None, sink, client=client, update=True)
        assert (summary.rows, summary.open_rows) == (61, 1)
        assert row["id"] in texts(sink)


async def test_rows_without_a_start_are_exported_once(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """They are in no window, so their ids are kept."""
    old = add_row(meetings)
    del old["start"]
    await export(None, sink, client=client)
    new = add_row(meetings)
    del new["start"]
    for _ in range(2):
        await export(None, sink, client=client, update=True)
        assert texts(sink) == meetings.texts


@SOURCES
async def test_interrupted_update_continues(
    client: TranscriptsClient, meetings: Meetings, sink: Path, source: str
) -> None:
    """`update` may be set or not; until then it is incomplete, but has no duplicates."""
    add_row(meetings, status="running", text=False)
    await export(what(meetings, source), sink, client=client, concurrency=2)
    for row in meetings.fake.rows[:1]:
        row["status"] = "completed"
        meetings.put(row)
    for _ in range(20):
        add_row(meetings)
    fetched = len(meetings.fake.files.requests)
    meetings.fake.files.faults.every(1, Delay(0.02))
    for update, finished in ((True, 5), (False, 10), (True, 15)):
        task = asyncio.create_task(
            export(what(meetings, source), sink, client=client, concurrency=2, update=update)
        )
        await until(partial(meetings.has_sent, fetched + finished))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert "_SUCCESS.json" not in names(sink)
        assert len({record["id"] for record in records(sink)}) == len(records(sink))
    summary = await export(what(meetings, source), sink, client=client)
    assert (summary.generation, summary.rows) == (1, 81)
    assert texts(sink) == meetings.texts
    assert len(meetings.fake.files.requests) - fetched <= 21 + 3 * 3
    assert "_update-1.json" not in names(sink)


async def test_update_killed_between_its_last_steps_is_complete(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """The file that marks it may be left over."""
    await export(None, sink, client=client)
    base = json.loads((sink / "_SUCCESS.json").read_text())
    add_row(meetings)
    done = await export(None, sink, client=client, update=True)
    (sink / "_update-1.json").write_text(json.dumps(update_of(base)))
    empty = f"part-u1-00001-{done.plan}.jsonl"
    (sink / empty).write_text("")
    sent = meetings.requests
    assert (await export(None, sink, client=client)).digest == done.digest
    assert meetings.requests == sent
    assert names(sink) == ["_SUCCESS.json", "_plan.json", "_state.jsonl", *done.parts]


def update_of(base: dict[str, Any]) -> dict[str, Any]:
    """Return the content of the file that marks the first update."""
    now = datetime.now(UTC).isoformat()
    return {"number": 1, "started_at": now, "jobs": 1, "added": [], "base": base}


async def test_update_killed_between_its_first_steps_continues(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """The success file of the generation before may be left over."""
    row = add_row(meetings, status="running", text=False)
    await export(None, sink, client=client)
    base = json.loads((sink / "_SUCCESS.json").read_text())
    (sink / "_update-1.json").write_text(json.dumps(update_of(base)))
    row["status"] = "completed"
    meetings.put(row)
    summary = await export(None, sink, client=client)
    assert (summary.generation, summary.open_rows) == (1, 0)
    assert texts(sink) == meetings.texts


async def test_update_of_an_incomplete_export_completes_it(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """A scheduled job can use the same command from the first run on."""
    meetings.fake.files.fail_next(Status(500), times=2)
    await export(meetings.pairs, sink, client=client, update=True, concurrency=1)
    summary = await export(meetings.pairs, sink, client=client, update=True)
    assert (summary.generation, summary.is_complete) == (0, True)
    assert texts(sink) == meetings.texts


async def test_failed_update_changes_nothing_for_good(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """An unfinished row that can't be read ends the update; the next run continues."""
    row = add_row(meetings, status="running", text=False)
    await export(None, sink, client=client)
    meetings.fake.fail_next(Status(503), times=2)
    with pytest.raises(ServerError):
        await export(None, sink, client=client, update=True)
    row["status"] = "completed"
    meetings.put(row)
    assert (await export(None, sink, client=client)).is_complete
    assert texts(sink) == meetings.texts


async def test_changed_overlap_is_rejected(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """The ids of the rows in the overlap are those of the plan."""
    await export(None, sink, client=client)
    with pytest.raises(ConfigurationError, match="overlap"):
        await export(None, sink, client=client, update=True, overlap=5)


@SOURCES
async def test_two_updates_at_once_add_each_row_once(
    client: TranscriptsClient, meetings: Meetings, sink: Path, source: str
) -> None:
    """One of them may end with an error, and the next one completes the dataset then."""
    await export(what(meetings, source), sink, client=client)
    for _ in range(5):
        add_row(meetings)
        ended = await asyncio.gather(
            *(export(what(meetings, source), sink, client=client, update=True) for _ in range(2)),
            return_exceptions=True,
        )
        assert all(isinstance(end, ExportSummary | FileError) for end in ended)
        summary = await export(what(meetings, source), sink, client=client, update=True)
        assert summary.is_complete
        assert texts(sink) == meetings.texts


async def test_second_process_that_lists_the_same_ends(
    client: TranscriptsClient, meetings: Meetings, sink: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends before it exports anything, so that each row is in one shard."""
    write = Store.write

    async def write_second(store: Store, name: str, data: bytes, *, replace: bool = True) -> bool:
        if name.endswith(".rows.jsonl"):
            # The other process was faster, and its list was longer.
            await write(store, name, data + data.splitlines()[-1] + b"\n", replace=replace)
        return await write(store, name, data, replace=replace)

    monkeypatch.setattr(Store, "write", write_second)
    with pytest.raises(FileError, match="another process exports to .* at the same time"):
        await export(None, sink, client=client)
    assert not meetings.fake.files.requests


async def test_repeated_put_finds_its_own_object(
    client: TranscriptsClient, meetings: Meetings, sink: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This happens if the response to the first put was lost."""
    write = Store.write

    async def write_twice(store: Store, name: str, data: bytes, *, replace: bool = True) -> bool:
        await write(store, name, data, replace=replace)
        return await write(store, name, data, replace=replace)

    monkeypatch.setattr(Store, "write", write_twice)
    assert (await export(None, sink, client=client)).is_complete
    assert texts(sink) == meetings.texts


async def test_errors_can_be_accepted(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """The dataset is complete then, and its errors stay listed."""
    meetings.fake.rows[4]["status"] = 5
    assert not (await export(None, sink, client=client)).is_complete
    accepted = await export(None, sink, client=client, accept_errors=True)
    assert accepted.is_complete
    assert len(accepted.errors) == 1
    again = await export(None, sink, client=client)
    assert (again.is_complete, again.errors) == (True, accepted.errors)


async def test_update_that_another_process_completes_just_now_is_found(
    client: TranscriptsClient, meetings: Meetings, sink: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not mistaken for a first export in progress, although the sink changes in between."""
    summary = await export(None, sink, client=client)
    read, early = Store.read_if_present, ["_SUCCESS.json"]

    async def read_early(store: Store, name: str) -> bytes | None:
        if name in early:
            early.remove(name)
            return None
        return await read(store, name)

    monkeypatch.setattr(Store, "read_if_present", read_early)
    sent = meetings.requests
    assert (await export(None, sink, client=client)).digest == summary.digest
    assert not early
    assert meetings.requests == sent


async def test_rows_that_another_process_deletes_are_an_error(
    client: TranscriptsClient, meetings: Meetings, sink: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process has completed the dataset; a repeated export returns its summary."""
    await export(None, sink, client=client, shard=(0, 2))
    read = Store.read_if_present

    async def read_late(store: Store, name: str) -> bytes | None:
        return None if name.endswith(".rows.jsonl") else await read(store, name)

    monkeypatch.setattr(Store, "read_if_present", read_late)
    with pytest.raises(ConfigurationError, match=r"\.rows\.jsonl in .* was deleted; repeat"):
        await export(None, sink, client=client, shard=(0, 2))


async def test_part_of_open_rows_that_cannot_be_written_is_an_error(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """The next run writes it, and completes the dataset."""
    add_row(meetings, status="running", text=False)
    plan = (await export(None, sink, client=client)).plan
    (sink / "_SUCCESS.json").unlink()
    (sink / f"part-open-{plan}.jsonl").unlink()
    (sink / f"part-00000-{plan}.jsonl").unlink()
    blocked = sink / f".part-open-{plan}.jsonl.part"
    blocked.mkdir()
    with pytest.raises(FileError, match="can't write to"):
        await export(None, sink, client=client)
    blocked.rmdir()
    assert (await export(None, sink, client=client)).open_rows == 1
    assert set(texts(sink)) == {row["id"] for row in meetings.fake.rows}
