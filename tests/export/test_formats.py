"""Formats and options: the same records in each format, and what the options change."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from support import Meetings, names, records, texts

from videosdk_transcripts import ConfigurationError, TranscriptsClient
from videosdk_transcripts.export import export
from videosdk_transcripts.export._records import Digest, to_line


@pytest.fixture
def unusual(meetings: Meetings) -> Meetings:
    """Meetings with rows that lack most fields, and texts with every kind of character."""
    bare = meetings.fake.add_transcription(row_id="bare", room_id="r", session_id="s")
    for key in ("start", "end", "status", "transcriptionFilePaths"):
        bare.pop(key, None)
    meetings.fake.rows[0]["madeUp"] = {"kept": ["as", "JSON"]}
    meetings.put(
        meetings.fake.rows[1], 'A: "quoted", with; commas\r\nB: \u2028 \x85 \x1b[31m red\n\n'
    )
    meetings.put(meetings.fake.rows[2], "=1+1\ttab\rcarriage return")
    meetings.texts["bare"] = ""
    return meetings


def parquet_records(sink: Path) -> list[dict[str, Any]]:
    """Return the records of a Parquet dataset with the values that they have in JSON."""
    rows: list[dict[str, Any]] = ds.dataset(sink, format="parquet").to_table().to_pylist()
    for row in rows:
        for name in ("start", "end"):
            if row[name] is not None:
                text = row[name].isoformat(timespec="milliseconds")
                row[name] = text.replace("+00:00", "Z")
    return rows


def digest(rows: list[dict[str, Any]]) -> str:
    """Return the digest of records."""
    found = Digest()
    for row in rows:
        found.add(to_line(row))
    return str(found)


async def test_jsonl_and_parquet_have_equal_records(
    client: TranscriptsClient, unusual: Meetings, tmp_path: Path
) -> None:
    """Both have the digest in the success file."""
    lines = await export(None, tmp_path / "lines", client=client, turns=True)
    table = await export(None, tmp_path / "table", client=client, turns=True, format="parquet")
    assert lines.rows == table.rows == 61
    assert digest(records(tmp_path / "lines")) == lines.digest
    assert digest(parquet_records(tmp_path / "table")) == table.digest == lines.digest


async def test_parquet_schema_does_not_depend_on_values(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """A part that has only nulls in a column has the same types."""
    await export(None, sink, client=client, turns=True, format="parquet", rows_per_part=1)
    (part, *others) = sorted(sink.glob("part-*.parquet"))
    schema = pq.read_schema(part)
    assert schema.field("start").type == pa.timestamp("ms", "UTC")
    assert schema.field("text").type == pa.string()
    assert all(pq.read_schema(other) == schema for other in others)
    assert pq.ParquetFile(part).metadata.row_group(0).column(0).compression == "ZSTD"


async def test_dataset_without_rows_has_a_schema(client: TranscriptsClient, sink: Path) -> None:
    """There is one empty part, for readers that need to know the columns."""
    summary = await export(None, sink, client=client, format="parquet")
    assert (summary.rows, len(summary.parts)) == (0, 1)
    assert "text" in ds.dataset(sink, format="parquet").schema.names


async def test_csv_is_read_back_as_written(
    client: TranscriptsClient, unusual: Meetings, sink: Path
) -> None:
    """Line ends and quotes in a text are kept; turns are JSON, and None is an empty cell."""
    summary = await export(None, sink, client=client, format="csv", turns=True)
    (part,) = sink.glob("part-*.csv")
    with part.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["id"]: row["text"] for row in rows} == unusual.texts
    assert len(rows) == summary.rows
    by_id = {row["id"]: row for row in rows}
    first = by_id[unusual.fake.rows[0]["id"]]
    assert json.loads(first["extra"]) == {"madeUp": {"kept": ["as", "JSON"]}}
    assert json.loads(first["turns"])[0]["speaker"] == "Ann"
    assert by_id["bare"]["turns"] == by_id["bare"]["start"] == ""


@pytest.mark.parametrize(
    ("format_", "read"),
    [("jsonl", "read_json_auto"), ("csv", "read_csv"), ("parquet", "read_parquet")],
)
async def test_duckdb_reads_every_format(
    client: TranscriptsClient, unusual: Meetings, sink: Path, format_: Any, read: str
) -> None:
    """It reads all parts at once, and times have a type for times."""
    await export(None, sink, client=client, format=format_, rows_per_part=10)
    query = f"select count(*), count(distinct id), min(start) from {read}('{sink}/part-*')"  # noqa: S608
    ((rows, ids, start),) = duckdb.sql(query).fetchall()
    assert (rows, ids) == (61, 61)
    assert isinstance(start, datetime)


async def test_pandas_reads_lines_and_parquet(
    client: TranscriptsClient, meetings: Meetings, tmp_path: Path
) -> None:
    """Parquet is read as a folder, and JSON lines part by part."""
    await export(None, tmp_path / "table", client=client, format="parquet")
    await export(None, tmp_path / "lines", client=client)
    assert len(pd.read_parquet(tmp_path / "table")) == 60
    (part,) = (tmp_path / "lines").glob("part-*")
    assert len(pd.read_json(part, lines=True)) == 60


async def test_metadata_alone_requests_no_files(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """Without `text`, the columns of the text are missing."""
    summary = await export(meetings.pairs, sink, client=client, text=False)
    assert (summary.rows, summary.texts, summary.missing_texts) == (60, 0, 0)
    assert not meetings.fake.files.requests
    assert "text" not in records(sink)[0]


async def test_raw_files_are_written_next_to_parts(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """There is one for each text, with a name that is derived from the id."""
    await export(meetings.pairs, sink, client=client, raw_files=True, text=False)
    found = {path.stem: path.read_text("utf-8") for path in (sink / "texts").iterdir()}
    assert found == meetings.texts
    assert names(sink)[:2] == ["_SUCCESS.json", "_plan.json"]


@pytest.mark.parametrize("source", ["pairs", "account"])
async def test_time_range_selects_rows(
    client: TranscriptsClient, unusual: Meetings, sink: Path, source: str
) -> None:
    """The range includes `since` and excludes `until`; a row without a start is in no range."""
    starts = sorted(row["start"] for row in unusual.fake.rows if "start" in row)
    summary = await export(
        unusual.pairs if source == "pairs" else None,
        sink,
        client=client,
        since=datetime.fromisoformat(starts[10]),
        until=datetime.fromisoformat(starts[20]).replace(tzinfo=None),
    )
    assert summary.rows == 10
    assert sorted(record["start"] for record in records(sink)) == starts[10:20]


def redact(text: str) -> str:
    """Replace a name."""
    return text.replace("Ann", "Redacted")


def fail(text: str) -> str:
    """Fail for one text."""
    if "\u00dcber" not in text:
        raise ValueError(text)
    return text


async def test_transform_changes_what_is_saved(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """This applies to the text, the turns and the raw files; no file has the original."""
    await export(meetings.pairs, sink, client=client, transform=redact, turns=True, raw_files=True)
    assert {record["turns"][0]["speaker"] for record in records(sink)} == {"Redacted"}
    written = [path.read_text("utf-8") for path in sink.rglob("*") if path.is_file()]
    assert len(written) > 60
    assert [content for content in written if "Ann" in content] == []
    plan = json.loads((sink / "_plan.json").read_text())
    assert plan["transform"].endswith(":redact")


@pytest.mark.parametrize(
    "function", [fail, lambda text: text.encode() if "Über" not in text else text]
)
async def test_failed_transform_reveals_no_text(
    client: TranscriptsClient, meetings: Meetings, sink: Path, function: Any
) -> None:
    """It is an error, and its row has no text."""
    row = meetings.fake.rows[5]
    meetings.put(row, "Ann: secret words")
    summary = await export(meetings.pairs, sink, client=client, transform=function, raw_files=True)
    (error,) = summary.errors
    assert error.transcription_id == row["id"]
    assert "transform" in error.reason
    assert texts(sink)[row["id"]] is None
    written = [path.read_text("utf-8") for path in sink.rglob("*") if path.is_file()]
    assert not any("secret words" in content for content in written)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "xml"}, "format must be one of"),
        ({"turns": True, "text": False}, "turns require the text"),
        ({"concurrency": 0}, "concurrency"),
        ({"shard_size": 0}, "shard_size"),
        ({"rows_per_part": 0}, "rows_per_part"),
        ({"since": 5}, "since must be"),
        ({"transform": "name"}, "must be a function"),
        ({"shard": (2, 2)}, "numbered from 0 to 1"),
        ({"shard": (-1, 2)}, "number of the job"),
        ({"requests_per_second": 0}, "requests_per_second"),
        ({"requests_per_second": 5}, "either client or requests_per_second"),
        ({"trust_env": True}, "either client or trust_env"),
        ({"client": None, "files_via_proxy": True}, "requires trust_env=True"),
    ],
)
async def test_invalid_option_is_rejected(
    client: TranscriptsClient, sink: Path, options: Any, message: str
) -> None:
    """Nothing has been written by then."""
    with pytest.raises(ConfigurationError, match=message):
        await export(None, sink, **{"client": client, **options})
    assert not sink.exists()


async def test_times_are_utc_milliseconds(
    client: TranscriptsClient, meetings: Meetings, sink: Path
) -> None:
    """The offset and the precision of the service do not matter."""
    meetings.fake.rows[0]["start"] = "2026-03-04T17:30:00.1239+01:30"
    await export(None, sink, client=client, format="parquet")
    row = next(r for r in parquet_records(sink) if r["id"] == meetings.fake.rows[0]["id"])
    assert row["start"] == "2026-03-04T16:00:00.123Z"
    assert datetime.fromisoformat(row["start"]).tzinfo is UTC
