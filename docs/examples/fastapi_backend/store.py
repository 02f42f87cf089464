"""The database of the backend: announced and stored transcripts, in SQLite."""

import asyncio
import sqlite3
from types import TracebackType
from typing import Self

_TABLES = """
create table if not exists announced (id text primary key);
create table if not exists transcript (id text primary key, room_id text, text text);
"""


class Store:
    """One connection, used in threads so that the event loop is not blocked."""

    def __init__(self, path: str) -> None:
        self.changed = asyncio.Event()
        """Set when something was announced."""
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.executescript(_TABLES)
        self._lock = asyncio.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()

    async def announce(self, transcription_id: str) -> None:
        """Record that a transcript was announced; a repeat changes nothing."""
        await self._run("insert or ignore into announced values (?)", transcription_id)
        self.changed.set()

    async def announced(self) -> list[str]:
        """Return the ids of the transcripts that are not stored yet."""
        return [row[0] for row in await self._run("select id from announced")]

    async def save(self, transcription_id: str, room_id: str, text: str) -> None:
        """Store a transcript, and remove its announcement."""
        values = (transcription_id, room_id, text)
        await self._run("insert or replace into transcript values (?, ?, ?)", *values)
        await self.forget(transcription_id)

    async def forget(self, transcription_id: str) -> None:
        """Remove the announcement of a transcript."""
        await self._run("delete from announced where id = ?", transcription_id)

    async def transcripts(self) -> list[dict[str, str]]:
        """Return all stored transcripts."""
        rows = await self._run("select id, room_id, text from transcript")
        return [{"id": row[0], "room_id": row[1], "text": row[2]} for row in rows]

    async def _run(self, statement: str, *values: str) -> list[tuple[str, ...]]:
        async with self._lock:
            work = asyncio.to_thread(self._fetch_all, statement, values)
            # A thread can't be cancelled: wait for it, so that the connection is free afterwards.
            return await asyncio.shield(work)

    def _fetch_all(self, statement: str, values: tuple[str, ...]) -> list[tuple[str, ...]]:
        return self._database.execute(statement, values).fetchall()
