"""
Save the finished rows of a shard before it is committed, so that a killed process repeats little.

A line is either a finished pair or a record. Each attempt writes separate files, because another
process may still be working on the same shard.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from itertools import count
from typing import Any, Final
from uuid import uuid4

from ._names import PROGRESS, is_log_of, log_name
from ._options import Pair, Shard
from ._records import Entry
from ._store import Store

_OBJECT_LINES: Final = 64
"""Lines per object. In an object store, a file can't be extended, and each one is a request."""


class ProgressLog:
    """
    Save the finished rows and pairs of a shard, in the background.

    Args:
        store: where the dataset is.
        shard: the shard.
    """

    def __init__(self, store: Store, shard: Shard) -> None:
        self._store = store
        self._shard = shard
        self._attempt = uuid4().hex[:12]
        self._numbers = count()
        self._lines: list[bytes] = []
        self._wake = asyncio.Event()
        self._has_ended = False

    @property
    def attempt(self) -> str:
        """Return the id of this attempt at the shard."""
        return self._attempt

    async def names(self) -> list[str]:
        """Return the names of the logs of all attempts at the shard."""
        listed = await self._store.sizes(PROGRESS)
        return sorted(f"{PROGRESS}/{name}" for name in listed if is_log_of(self._shard, name))

    async def read(self) -> AsyncGenerator[Entry | Pair]:
        """Iterate over the entries of earlier attempts, which may be repeated."""
        for name in await self.names():
            data = await self._store.read_if_present(name)
            # A killed process may have written only a part of the last line.
            for line in (data or b"").split(b"\n")[:-1]:
                entry: dict[str, Any] = json.loads(line)
                if "pair" in entry:
                    yield Pair(*entry["pair"])
                else:
                    yield Entry(entry["record"], entry["text_bytes"])

    def add_record(self, line: bytes, text_bytes: int | None) -> None:
        """Save a record, passed as a line of JSON."""
        counted = b"null" if text_bytes is None else str(text_bytes).encode()
        self._add(b'{"text_bytes":%b,"record":%b}\n' % (counted, line))

    def add_pair(self, pair: Pair) -> None:
        """Save that all rows of a pair are finished."""
        self._add(json.dumps({"pair": pair}).encode() + b"\n")

    def _add(self, line: bytes) -> None:
        self._lines.append(line)
        if self._store.appends or len(self._lines) >= _OBJECT_LINES:
            self._wake.set()

    def end(self) -> None:
        """End `run` after all entries are written."""
        self._has_ended = True
        self._wake.set()

    async def run(self) -> None:
        """Write entries as they are added, until `end`; if cancelled, write the rest first."""
        try:
            while not self._has_ended:
                await self._wake.wait()
                self._wake.clear()
                await self._write()
            await self._write()
        except asyncio.CancelledError:
            lines, name = self._take(), self._next_name()
            if lines:
                await self._store.append_now(name, lines)
            raise

    async def _write(self) -> None:
        lines = self._take()
        if not lines:
            return
        try:
            await self._store.append(self._next_name(), lines)
        except asyncio.CancelledError:
            # The lines may not have been written. A line that is written twice counts once.
            self._lines.insert(0, lines)
            raise

    def _take(self) -> bytes:
        lines, self._lines = self._lines, []
        return b"".join(lines)

    def _next_name(self) -> str:
        suffix = "" if self._store.appends else f"-{next(self._numbers):05}"
        return log_name(self._shard.name, f"{self._attempt}{suffix}")
