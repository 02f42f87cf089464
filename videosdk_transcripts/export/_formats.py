"""Write records as JSON lines, CSV or Parquet. All methods block, and are called in a thread."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime
from importlib.util import find_spec
from typing import IO, Any, Protocol, cast

from videosdk_transcripts.errors import ConfigurationError

from ._options import Options
from ._records import Record, columns
from ._sink import NewFile


class Writer(Protocol):
    """Write records to a file."""

    def write(self, records: Sequence[Record], lines: Sequence[bytes]) -> None:
        """Append records, which are also passed as lines of JSON."""
        ...

    def end(self) -> None:
        """Write the end of the file, if the format has one."""
        ...


def make_writer(file: NewFile, options: Options) -> Writer:
    """Return the writer of a format."""
    if options.format == "parquet":
        return _Parquet(file, options)
    if options.format == "csv":
        return _Csv(file, columns(options))
    return _JsonLines(file)


def check_format(options: Options) -> None:
    """
    Check that the library of the format is installed.

    Raises:
        ConfigurationError: the library is not installed.
    """
    if options.format == "parquet" and find_spec("pyarrow") is None:
        raise ConfigurationError(
            "Parquet needs pyarrow; install it with: pip install 'videosdk-transcripts[export]'"
        )


class _JsonLines:
    def __init__(self, file: NewFile) -> None:
        self._file = file

    def write(self, records: Sequence[Record], lines: Sequence[bytes]) -> None:
        """Append records."""
        self._file.write(b"".join([line + b"\n" for line in lines]))

    def end(self) -> None:
        """Write nothing: the format has no end."""


class _Csv:
    """Write CSV, with None as an empty cell, and other values that are not text as JSON."""

    def __init__(self, file: NewFile, names: Sequence[str]) -> None:
        self._file = file
        self._names = names
        self._file.write(f"{','.join(names)}\n".encode())

    def write(self, records: Sequence[Record], lines: Sequence[bytes]) -> None:
        """Append records."""
        self._file.write("".join(map(self._line, records)).encode())

    def _line(self, record: Record) -> str:
        line = io.StringIO()
        # Before Python 3.13, a value is quoted only if it has a line break that is part of the
        # line terminator.
        csv.writer(line, lineterminator="\r\n").writerow(
            [_cell(name, record[name]) for name in self._names]
        )
        return line.getvalue().removesuffix("\r\n") + "\n"

    def end(self) -> None:
        """Write nothing: the format has no end."""


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "files":
        return ",".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class _Parquet:
    def __init__(self, file: NewFile, options: Options) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._schema = _schema(options)
        self._batch = pa.RecordBatch.from_pylist
        self._writer = pq.ParquetWriter(
            # pyarrow only writes to the file, and closes it.
            pa.PythonFile(cast("IO[bytes]", _Stream(file)), mode="w"),
            self._schema,
            compression="zstd",
        )

    def write(self, records: Sequence[Record], lines: Sequence[bytes]) -> None:
        """Append records as a row group."""
        rows = [
            {**record, "start": _moment(record["start"]), "end": _moment(record["end"])}
            for record in records
        ]
        self._writer.write_batch(self._batch(rows, schema=self._schema))

    def end(self) -> None:
        """Write the footer."""
        self._writer.close()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _schema(options: Options) -> Any:
    """Return the schema. It does not depend on the values, because a part may have only nulls."""
    import pyarrow as pa

    text, time = pa.string(), pa.timestamp("ms", "UTC")
    turn = [("speaker", text), ("text", text), ("start", pa.float64()), ("end", pa.float64())]
    types = {
        "start": time,
        "end": time,
        "files": pa.list_(text),
        "turns": pa.list_(pa.struct(turn)),
    }
    return pa.schema(
        [pa.field(name, types.get(name, text), nullable=name != "id") for name in columns(options)]
    )


class _Stream(io.RawIOBase):
    """Adapt a new file to the interface that pyarrow requires."""

    def __init__(self, file: NewFile) -> None:
        self._file = file

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Append data."""
        self._file.write(bytes(data))
        return len(data)
