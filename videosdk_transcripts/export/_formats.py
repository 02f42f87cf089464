"""Records as JSON lines, CSV or Parquet. Everything here blocks and is called in a thread."""

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
        """Append records, which are also given as lines of JSON."""
        ...

    def end(self) -> None:
        """Write what the format has at its end."""
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
        ConfigurationError: it is not.
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
        """Write nothing: the file ends with a line."""


class _Csv:
    """Values that are not text are written as JSON, and None as an empty cell."""

    def __init__(self, file: NewFile, names: Sequence[str]) -> None:
        self._file = file
        self._names = names
        self._file.write(f"{','.join(names)}\n".encode())

    def write(self, records: Sequence[Record], lines: Sequence[bytes]) -> None:
        """Append records."""
        self._file.write("".join(map(self._line, records)).encode())

    def _line(self, record: Record) -> str:
        line = io.StringIO()
        # Before Python 3.13 a value is quoted only for those line breaks that are in the
        # terminator.
        csv.writer(line, lineterminator="\r\n").writerow(
            [_cell(name, record[name]) for name in self._names]
        )
        return line.getvalue().removesuffix("\r\n") + "\n"

    def end(self) -> None:
        """Write nothing: the file ends with a line."""


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
            # It writes and closes, and needs nothing else of a file.
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
    """Return the schema, which never depends on the values: a part may have only nulls."""
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
    """A new file as pyarrow writes it."""

    def __init__(self, file: NewFile) -> None:
        self._file = file

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Append data."""
        self._file.write(bytes(data))
        return len(data)
