"""The pictures of walks, drawn from walks against the fake service."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp import web
from attrs import define, field
from svg import WIDTH, Picture

from videosdk_transcripts import RetryPolicy, TranscriptsClient
from videosdk_transcripts.testing import Delay, Exchange, FakeVideoSDK, Status

ROOM = "abcd-efgh-ijkl"


@define
class Request:
    """One request as the client saw it, in seconds after the start of the walk."""

    page: int
    began: float
    ended: float = 0.0
    status: int = 0


@define
class Trace:
    """The requests of a client, in the order in which they were sent."""

    started: float = field(factory=perf_counter)
    requests: list[Request] = field(factory=list)

    def now(self) -> float:
        """Return the seconds since the start."""
        return perf_counter() - self.started

    def config(self) -> aiohttp.TraceConfig:
        """Return what makes a client record its requests here."""
        config = aiohttp.TraceConfig()

        async def start(_session: object, context: SimpleNamespace, sent: Any) -> None:
            context.request = Request(int(sent.url.query["page"]), self.now())
            self.requests.append(context.request)

        async def end(_session: object, context: SimpleNamespace, received: Any) -> None:
            context.request.ended = self.now()
            context.request.status = received.response.status

        config.on_request_start.append(start)
        config.on_request_end.append(end)
        return config


@asynccontextmanager
async def traced(
    fake: FakeVideoSDK, **options: Any
) -> AsyncIterator[tuple[TranscriptsClient, Trace]]:
    """Open a client whose requests are recorded."""
    trace = Trace()
    async with fake.client(trace_configs=[trace.config()], **options) as client:
        yield client, trace


async def request_path() -> str:
    """Draw the path of a request that fails once."""
    async with FakeVideoSDK() as fake:
        fake.add_transcriptions(2, room_id=ROOM)
        fake.fail_next(Status(503), Delay(0.04))
        retry = RetryPolicy(wait_initial=0.2)
        async with traced(fake, retry=retry) as (client, trace):
            rows = [trace.now() async for _ in client.iter_transcriptions(ROOM)]
    first, second = trace.requests
    picture = Picture(
        "The path of a request",
        "A loop asks the pager for a row; the pager requests page 1; the first attempt is answered"
        " with 503, the second one with 200; the rows are checked and yielded.",
    )
    columns = {"loop": 82, "pager": 158, "HTTP": 238, "service": 320}
    for name, x in columns.items():
        picture.box(x - 34, 36, 68, 20, "box")
        picture.text(x, 50, name, "ink", anchor="middle")
    loop, pager, http, service = columns.values()
    y = 78.0
    steps: list[tuple[float, float, float, str]] = [
        (0.0, loop, pager, "next row"),
        (0.0, pager, http, "page 1"),
        (first.began, http, service, "GET, token"),
        (first.ended, service, http, str(first.status)),
        (second.began, http, service, "GET again"),
        (second.ended, service, http, str(second.status)),
        (rows[0], http, pager, "page"),
        (rows[0], pager, loop, "row 1"),
        (rows[1], pager, loop, "row 2"),
    ]
    notes = 3
    for x in columns.values():
        picture.line(x, 58, x, y - 10 + 26 * len(steps) + 12 * notes)
    for number, (at, x1, x2, label) in enumerate(steps):
        picture.arrow(x1, x2, y)
        picture.text((x1 + x2) / 2, y - 4, label, "ink small", anchor="middle")
        picture.text(4, y + 3, f"{at * 1000:.0f} ms", "soft small")
        y += 26
        if number == 3:
            waited = (second.began - first.ended) * 1000
            picture.text(
                http, y - 6, f"waits {waited:.0f} ms", "orange small halo", anchor="middle"
            )
            y += 12
        if number == 5:
            picture.text(http, y - 6, "bytes to rows", "green small halo", anchor="middle")
            y += 12
        if number == 6:
            picture.text(pager, y - 6, "checks, drops, orders", "green small halo", anchor="middle")
            y += 12
    return picture.svg(y)


async def readahead_window() -> str:
    """Draw when each page was requested and received."""
    pages, delay = 18, 0.06
    async with FakeVideoSDK() as fake:
        fake.add_transcriptions(20 * pages, room_id=ROOM)
        fake.every(1, Delay(delay))
        async with traced(fake) as (client, trace):
            async for _ in client.iter_transcriptions(ROOM):
                pass
    walk = max(request.ended for request in trace.requests)
    picture = Picture(
        "The read-ahead window",
        f"{pages} pages, each after {delay * 1000:.0f} ms. Nothing is prefetched until a second"
        " page is requested; then 1, 2, 4 and 8 pages are in flight.",
    )
    left, top, height = 34, 40, 12
    scale = (WIDTH - left - 12) / walk
    for request in sorted(trace.requests, key=lambda request: request.page):
        y = top + (request.page - 1) * height
        picture.text(left - 6, y + 9, str(request.page), "soft small", anchor="end")
        picture.box(
            left + request.began * scale,
            y + 1,
            (request.ended - request.began) * scale,
            height - 3,
            "blue",
            title=f"page {request.page}: {request.began:.3f} to {request.ended:.3f} s",
        )
    bottom = top + pages * height + 4
    picture.line(left, bottom, WIDTH - 12, bottom)
    ticks = int(walk / 0.1) + 1
    for tick in range(ticks):
        x = left + tick * 0.1 * scale
        picture.text(x, bottom + 14, f"{tick * 100}", "soft small", anchor="middle")
    saved = f"pages by ms since the start; one at a time: {pages * delay * 1000:.0f} ms"
    picture.text(left, bottom + 30, saved, "ink small")
    return picture.svg(bottom + 40)


async def concurrent_modification() -> str:
    """Draw which pages are read when rows vanish during the walk."""
    reads: list[tuple[int, int]] = []
    sent: set[str] = set()

    async def remove_and_record(exchange: Exchange) -> web.StreamResponse:
        page = int(exchange.request.query["page"])
        if page == 4 and page not in dict(reads):
            del fake.rows[:5]
        response = exchange.response()
        ids = {row["id"] for row in json.loads(response.text or "")["transcriptions"]}
        reads.append((page, len(ids - sent)))
        sent.update(ids)
        return response

    async with FakeVideoSDK() as fake:
        fake.add_transcriptions(100, room_id=ROOM)
        fake.every(1, remove_and_record)
        async with fake.client() as client:
            pager = client.iter_transcriptions(ROOM, readahead=0)
            seen = {t.id async for t in pager}
    still_listed = {row["id"] for row in fake.rows}
    if not still_listed <= seen:
        raise RuntimeError("a row that was listed all the time is missing")
    picture = Picture(
        "Concurrent modification",
        "Five rows are removed before page 4 is sent, so that five others shift from page 4 to"
        " page 3, which was read already. The walk notices the smaller total, reads back, finds"
        " them, and goes on.",
    )
    left, top, width = 46, 52, (WIDTH - 66) / len(reads)
    for page in range(1, 6):
        y = top + (page - 1) * 26
        picture.text(left - 8, y + 14, f"page {page}", "soft small", anchor="end")
        picture.line(left, y + 24, WIDTH - 14, y + 24)
    highest = 0
    for number, (page, new) in enumerate(reads):
        x, y = left + number * width, top + (page - 1) * 26
        picture.box(x + 2, y + 2, width - 4, 20, "orange" if page <= highest else "blue")
        picture.text(x + width / 2, y + 16, f"+{new}", "paper small", anchor="middle")
        highest = max(highest, page)
    bottom = top + 5 * 26 + 6
    picture.text(left, 42, "5 rows vanish before page 4 is sent", "soft small")
    picture.text(
        left, bottom + 12, "requests from left to right, and the new rows of each", "ink small"
    )
    picture.box(left, bottom + 22, 10, 10, "blue")
    picture.text(left + 15, bottom + 31, "forward", "ink small")
    picture.box(left + 80, bottom + 22, 10, 10, "orange")
    picture.text(left + 95, bottom + 31, "read again", "ink small")
    return picture.svg(bottom + 42)
