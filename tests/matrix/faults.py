"""Measure walks over a failing network and service, on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Final, Literal
from urllib.parse import parse_qs, urlsplit

import aiohttp
from aiohttp import web
from attrs import frozen

from videosdk_transcripts import (
    Clock,
    RetryPolicy,
    TranscriptsClient,
    VideoSDKTranscriptsError,
)
from videosdk_transcripts.testing import (
    Body,
    CutBody,
    Exchange,
    FakeVideoSDK,
    Fault,
    HtmlPage,
    Listing,
    Status,
)

from .proxy import PASS, Action, Proxy
from .tally import Tally

__all__ = [
    "EXHAUSTED",
    "KINDS",
    "MIXED",
    "REFUSED",
    "SINGLE",
    "TLS",
    "FaultCase",
    "Shape",
    "anonymous_tls",
]

PAGE_SIZE: Final = 20
MAX_BYTES: Final = 2000  # forwarded before a fault; fewer than in any full page
ATTEMPT_TIMEOUT: Final = 0.3
"""The attempt_timeout for faults that never complete a response."""

SERVICE_FAULTS: Final[Mapping[str, Fault]] = {
    "408": Status(408),
    "429 with Retry-After": Status(429, {"Retry-After": "1"}),
    "500": Status(500),
    "502": Status(502),
    "503": Status(503),
    "504": Status(504),
    "empty body": Body(b""),
    "HTML with 200": HtmlPage(),
    "broken JSON": Body(b'{"pageInfo": {"currentPage": 1, "perP'),
    "truncated body": CutBody(MAX_BYTES),
}
REFUSED: Final = "refused connection"
NETWORK_FAULTS: Final = (
    REFUSED,
    "reset before the response",
    "reset in the body",
    "truncated headers",
    "garbage instead of HTTP",
    "black hole",
    "throttled response",
)
TLS: Final = "interrupted TLS handshake"
KINDS: Final = (*SERVICE_FAULTS, *NETWORK_FAULTS)

MIXED: Final[Mapping[str, float]] = {
    "503": 0.05,
    "429 with Retry-After": 0.02,
    "reset before the response": 0.005,
    "reset in the body": 0.005,
    "truncated body": 0.01,
    "HTML with 200": 0.01,
}
"""Shares of the requests: 5 % 503, 2 % 429, 1 % resets, 1 % truncated bodies, 1 % HTML."""

EXHAUSTED: Final[Mapping[str, float]] = dict.fromkeys(
    [*SERVICE_FAULTS, "reset in the body", "garbage instead of HTTP"], 0.1 / 12
)
"""One request in ten fails, in twelve ways; aiohttp itself retries none of them."""

SINGLE: Final = 0.1
"""The share of requests that meet a single fault."""
BURSTS: Final = 0.03
"""The share of requests that start a burst."""
Shape = Literal["single", "bursts of 3"]


def wire_action(kind: str, chance: random.Random) -> Action:
    """Return the action of the proxy for a kind of fault."""
    after = chance.randrange(300, MAX_BYTES)  # after the headers, before the end
    actions = {
        REFUSED: Action("refuse"),
        "reset before the response": Action("reset"),
        "reset in the body": Action("reset", after),
        "truncated headers": Action("cut", after % 60 + 1),
        "garbage instead of HTTP": Action("garbage"),
        "black hole": Action("black hole"),
        "throttled response": Action("throttle", after, pause=ATTEMPT_TIMEOUT / 4),
    }
    return actions.get(kind, PASS)


class Rooms(FakeVideoSDK):
    """A fake service that lists one room without scanning the rows of the others."""

    def __init__(self) -> None:
        super().__init__(filters="ignored")
        self.by_room: dict[str, list[dict[str, Any]]] = {}

    def fill(self, room_id: str, count: int) -> list[str]:
        """Add rows to a room and return their ids."""
        self.rows = self.by_room[room_id] = []
        return [row["id"] for row in self.add_transcriptions(count, room_id=room_id)]

    def listing(
        self, query: Mapping[str, str], of: list[dict[str, Any]] | None = None
    ) -> Listing | None:
        """Return a page of the requested room."""
        return super().listing(query, self.by_room[query["roomId"]] if of is None else of)


class FaultPlan:
    """
    Choose the fault of each request, reproducibly for a seed.

    The choice depends on the room, the page and the number of requests for that page so
    far, so concurrent walks do not change each other's faults.
    """

    def __init__(self, fake: FakeVideoSDK, shares: Mapping[str, float], *, seed: int, run: int):
        self.met: Counter[str] = Counter()
        self._shares, self._seed, self._run = shares, seed, run
        self._requested: Counter[tuple[str, str]] = Counter()
        self._pending: dict[tuple[str, str], Fault] = {}
        fake.every(1, self.respond)

    def __call__(self, target: str) -> Action:
        """Choose the proxy's action for a request."""
        query = parse_qs(urlsplit(target).query)
        request_key = (query["roomId"][0], query["page"][0])
        self._requested[request_key] += 1
        # The first request of a burst decides for all of them.
        number = (self._requested[request_key] - 1) // self._run
        chance = random.Random(f"{self._seed} {request_key} {number}")  # noqa: S311
        if self._run > 1 and number:
            return PASS
        kinds = [*self._shares, ""]
        shares = [*self._shares.values(), 1 - sum(self._shares.values())]
        (kind,) = chance.choices(kinds, shares)
        if not kind:
            return PASS
        self.met[kind] += 1
        if kind in SERVICE_FAULTS:
            self._pending[request_key] = SERVICE_FAULTS[kind]
        return wire_action(kind, chance)

    async def respond(self, exchange: Exchange) -> web.StreamResponse:
        """Respond with the chosen fault, or normally."""
        query = exchange.request.query
        fault = self._pending.pop((query["roomId"], query["page"]), None)
        return exchange.response() if fault is None else await fault(exchange)


class SkippedWaits:
    """End every wait immediately."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    async def sleep(self, _seconds: float) -> None:
        """Return immediately, after reopening the port if it was closed."""
        self._proxy.listen()
        await asyncio.sleep(0)


class RetryWaits(logging.Handler):
    """Record the shortest wait between two attempts, from the log; a queue has other waits."""

    def __init__(self) -> None:
        super().__init__()
        self.shortest = 60.0

    def emit(self, record: logging.LogRecord) -> None:
        """Record the wait of a retry."""
        self.shortest = min(self.shortest, getattr(record, "wait", self.shortest))

    @contextlib.contextmanager
    def recorded(self) -> Iterator[None]:
        """Record during the block."""
        logger = logging.getLogger("videosdk_transcripts")
        level = logger.level
        logger.setLevel(logging.INFO)
        logger.addHandler(self)
        try:
            yield
        finally:
            logger.removeHandler(self)
            logger.setLevel(level)


@frozen
class FaultCase:
    """
    One line of the table.

    Args:
        name: the name of the line.
        shares: the share of requests that meets each kind of fault.
        run: the number of consecutive requests that meet a fault.
        concurrency: for each seed, from 1, the number of concurrent walks on one client.
        attempts: the maximum number of requests per page; with 1 each fault ends the client.
        pages: the length of each walk.
        readahead: the number of pages to prefetch; a fault in a prefetch ends no client.
    """

    name: str
    shares: Mapping[str, float]
    run: int = 1
    concurrency: tuple[int, ...] = (1, 1, 1, 4)
    attempts: int = 6
    pages: int = 200
    readahead: int = 8

    @classmethod
    def of(cls, kind: str, shape: Shape, **options: Any) -> FaultCase:
        """Create the line of one kind of fault, single or in bursts."""
        run, share = (1, SINGLE) if shape == "single" else (3, BURSTS)
        return cls(f"{kind}, {shape}", {kind: share}, run, **options)

    def __call__(self) -> Tally:
        """Run all walks of this line."""
        return asyncio.run(self.walk_all())

    async def walk_all(self) -> Tally:
        """Run all walks of this line in the running event loop."""
        tally = Tally()
        for seed, concurrency in enumerate(self.concurrency, 1):
            async with Rooms() as fake:
                listed = {
                    room_id: fake.fill(room_id, self.pages * PAGE_SIZE)
                    for room_id in [f"room-{n}" for n in range(concurrency)]
                }
                through = self._tls if TLS in self.shares else self._plain
                async with through(fake, seed, tally) as options:
                    await self._walk(listed, options, tally)
            await tally.count_leftovers()
        return tally

    async def _walk(
        self, listed: Mapping[str, list[str]], options: dict[str, Any], tally: Tally
    ) -> None:
        if self.attempts == 1:
            for room_id, ids in listed.items():
                found = await self._resume_until_the_end(room_id, options, tally)
                tally.add_rows(found, ids, ())
            return
        async with TranscriptsClient(**options) as client:
            await asyncio.gather(
                *(self._one_walk(client, room_id, ids, tally) for room_id, ids in listed.items())
            )

    async def _one_walk(
        self, client: TranscriptsClient, room_id: str, listed: list[str], tally: Tally
    ) -> None:
        pager = client.iter_transcriptions(room_id, page_size=PAGE_SIZE, readahead=self.readahead)
        try:
            found = [t.id async for t in pager]
        except VideoSDKTranscriptsError as error:
            tally.errors[type(error).__name__] += 1
            tally.flaws["walk that did not finish"] += 1
        else:
            tally.add_rows(found, listed, ())
        tally.add_stats(pager.stats)
        tally.pages += pager.last_page or 0

    async def _resume_until_the_end(
        self, room_id: str, options: dict[str, Any], tally: Tally
    ) -> list[str]:
        """Resume in a new client after each error, from its checkpoint."""
        found: list[str] = []
        checkpoint: str | None = None
        while True:
            async with TranscriptsClient(**options) as client:
                pager = client.iter_transcriptions(
                    room_id, page_size=PAGE_SIZE, readahead=self.readahead, resume=checkpoint
                )
                try:
                    async for t in pager:
                        found.append(t.id)  # noqa: PERF401 - rows read before an error are kept
                except VideoSDKTranscriptsError as error:
                    tally.errors[type(error).__name__] += 1
                    if error.checkpoint is None or error.page is None:
                        tally.flaws["error without checkpoint or page"] += 1
                    checkpoint = error.checkpoint
                else:
                    tally.pages += pager.last_page or 0
                    return found
                finally:
                    tally.add_stats(pager.stats)

    @contextlib.asynccontextmanager
    async def _plain(self, fake: Rooms, seed: int, tally: Tally) -> AsyncIterator[dict[str, Any]]:
        plan = FaultPlan(fake, self.shares, seed=seed, run=self.run)
        waits = RetryWaits()
        async with Proxy(fake.url, plan) as proxy:
            clock = Clock(sleep=SkippedWaits(proxy).sleep)
            with waits.recorded():
                yield self._options(fake, proxy.url) | {"clock": clock}
        tally.faults += plan.met
        if set(self.shares) == {"429 with Retry-After"} and waits.shortest < 1:
            tally.flaws["Retry-After undercut"] += 1

    @contextlib.asynccontextmanager
    async def _tls(self, fake: Rooms, seed: int, tally: Tally) -> AsyncIterator[dict[str, Any]]:
        def choose(number: str) -> Action:
            run, position = divmod(int(number), 40 if self.run > 1 else 1)
            chance = random.Random(f"{seed} {run}")  # noqa: S311
            hit = position < self.run if self.run > 1 else chance.random() < self.shares[TLS]
            if not hit:
                return PASS
            tally.faults[TLS] += 1
            # The server sends about 250 bytes before the first response.
            return Action(chance.choice(("reset", "cut", "garbage")), chance.randrange(150))

        server, client = (anonymous_tls(side) for side in ("server", "client"))
        async with (
            Proxy(fake.url, lambda _target: PASS, tls=server) as tls_proxy,
            Proxy(tls_proxy.url, choose, blind=True) as proxy,
            # One connection per request, so that each has a handshake.
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session,
        ):
            url = proxy.url.replace("http:", "https:")
            yield self._options(fake, url) | {
                "session": session,
                "ssl": client,
                "clock": Clock(sleep=_no_wait),
            }

    def _options(self, fake: Rooms, url: str) -> dict[str, Any]:
        never_complete = not {"black hole", "throttled response"}.isdisjoint(self.shares)
        timeout = ATTEMPT_TIMEOUT if never_complete else 30.0
        return {
            "endpoint": url,
            "api_key": fake.api_key,
            "secret": fake.secret,
            "retry": RetryPolicy(attempts=self.attempts, attempt_timeout=timeout),
        }


async def _no_wait(_seconds: float) -> None:
    await asyncio.sleep(0)


def anonymous_tls(side: Literal["server", "client"]) -> ssl.SSLContext:
    """Create a TLS context that needs no certificate, for loopback only."""
    server = side == "server"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    if not server:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AECDH-AES128-SHA:@SECLEVEL=0")
    return context
