"""Walk over `PATTERNS` on real sockets, with read-ahead."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from attrs import frozen

from videosdk_transcripts import Clock, Pager, Transcription, TranscriptsClient

from .patterns import ROOM, Pattern
from .simulation import Consistency, Outcome, walk_over

__all__ = ["ServedCase", "serve"]

LIST: Final = "/ai/v1/realtime-transcriptions/"


@asynccontextmanager
async def serve(pattern: Pattern) -> AsyncIterator[str]:
    """Serve a pattern as the documented list, and return the endpoint."""

    async def respond(request: web.Request) -> web.Response:
        number, size = int(request.query["page"]), int(request.query["perPage"])
        page = pattern.respond(number, size)
        info = {
            "currentPage": number,
            "perPage": page.page_size,
            "lastPage": page.last_page,
            "total": page.total,
        }
        rows = [
            {
                "id": row.id,
                "status": "completed",
                "extension": {"extensionConfig": {"roomId": row.room_id, "sessionId": "s"}},
            }
            for row in page.items
        ]
        return web.json_response({"pageInfo": info, "transcriptions": rows})

    app = web.Application()
    app.router.add_get(LIST, respond)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@frozen
class ServedCase:
    """
    One line of the table.

    Args:
        pattern: the list.
        seeds: how many walks, each with its own seed.
        readahead: the maximum number of pages to prefetch.
        consistency: one walk, or a verified one.
    """

    pattern: type[Pattern]
    seeds: int
    readahead: int = 8
    consistency: Consistency = "once"

    def __call__(self) -> Outcome:
        """Run all walks of this line."""
        logging.getLogger("videosdk_transcripts").setLevel(logging.ERROR)
        return asyncio.run(self.walk_all())

    async def walk_all(self) -> Outcome:
        """Run all walks of this line in the running event loop."""
        outcome = Outcome()
        for seed in range(self.seeds):
            pattern = self.pattern(seed)
            async with (
                serve(pattern) as endpoint,
                TranscriptsClient(
                    token="t", endpoint=endpoint, clock=Clock(sleep=_yield)
                ) as client,
            ):
                await self._walk(client, pattern, outcome)
        return outcome

    async def _walk(self, client: TranscriptsClient, pattern: Pattern, outcome: Outcome) -> None:
        def make_pager(limit: int | None, resume: str | None) -> Pager[Transcription]:
            return client.iter_transcriptions(
                ROOM,
                page_size=pattern.size,
                limit=limit,
                resume=resume,
                readahead=self.readahead,
                consistency=self.consistency,
            )

        await walk_over(pattern, make_pager, outcome)


async def _yield(_seconds: float) -> None:
    await asyncio.sleep(0)
