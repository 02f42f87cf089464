"""Write the records of a shard to one file, with their counts and digests."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any, Final

from attrs import define, field

from ._formats import Writer, make_writer
from ._options import Options
from ._records import Digest, Record, to_line
from ._sink import NewFile
from ._store import Store

_BATCH_BYTES: Final = 4 * 1024 * 1024
_BATCH_RECORDS: Final = 1000


class _Hashed:
    """Count and hash the bytes of a new file."""

    def __init__(self, file: NewFile) -> None:
        self._file = file
        self._has_ended = False
        self.size = 0
        self.hash = sha256()

    def write(self, data: bytes) -> None:
        """Append data. Does nothing after the end, when pyarrow closes a garbage-collected file."""
        if self._has_ended:
            return
        self._file.write(data)
        self.size += len(data)
        self.hash.update(data)

    def commit(self, *, replace: bool) -> bool:
        """Write the file under its name."""
        self._has_ended = True
        return self._file.commit(replace=replace)

    def discard(self) -> None:
        """Drop the data."""
        self._has_ended = True
        self._file.discard()


@define
class Part:
    """
    Collect records, and write them in batches, so that memory does not grow with a part.

    Created by `open_part`; `discard` must be called at the end.
    """

    _store: Store
    _file: _Hashed
    _writer: Writer
    rows: int = 0
    digest: Digest = field(factory=Digest)
    _records: list[Record] = field(factory=list)
    _lines: list[bytes] = field(factory=list)
    _pending: int = 0
    _lock: asyncio.Lock = field(factory=asyncio.Lock)

    @property
    def size(self) -> int:
        """Return the size of the file in bytes, which is final after `commit`."""
        return self._file.size

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the file, which is final after `end`."""
        return self._file.hash.hexdigest()

    def add(self, record: Record) -> bytes:
        """Add a record, and return it as a line of JSON."""
        line = to_line(record)
        self.rows += 1
        self.digest.add(line)
        self._records.append(record)
        self._lines.append(line)
        self._pending += len(line)
        return line

    @property
    def is_due(self) -> bool:
        """Return whether there are enough records for a batch."""
        return self._pending >= _BATCH_BYTES or len(self._records) >= _BATCH_RECORDS

    async def flush(self) -> None:
        """Write the records added so far."""
        async with self._lock:
            records, lines = self._records, self._lines
            self._records, self._lines, self._pending = [], [], 0
            if records:
                await self._store.run(lambda: self._writer.write(records, lines))

    async def end(self) -> None:
        """Write the rest of the file."""
        await self.flush()
        await self._store.run(self._writer.end)

    async def commit(self, *, replace: bool) -> bool:
        """Write the file under its name, unless it exists and must not be replaced."""
        return await self._store.run(lambda: self._file.commit(replace=replace))

    async def discard(self) -> None:
        """Discard the file. Does nothing after a commit."""
        await self._store.run_now(self._file.discard)


async def open_part(store: Store, name: str, options: Options) -> Part:
    """Return a new part."""
    file = _Hashed(await store.create(name))
    try:
        # Creates the file now, so that an error is raised before the export of a shard if another
        # process writes its part.
        await store.run(lambda: file.write(b""))
        writer: Any = await store.run(lambda: make_writer(file, options))
    except BaseException:
        await store.run_now(file.discard)
        raise
    return Part(store, file, writer)
