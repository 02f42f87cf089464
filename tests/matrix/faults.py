"""Walks through a network and a service that fail, on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Mapping
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

__all__ = ["ALONE", "EXHAUSTED", "KINDS", "MIXED", "REFUSED", "TLS", "Faults", "Shape"]

PAGE_SIZE: Final = 20
MOST_BYTES: Final = 2000  # of a body, below the size of any page but a last one
PATIENCE: Final = 0.3
"""The attempt_timeout where an answer never comes, or not as a whole."""

BY_THE_SERVICE: Final[Mapping[str, Fault]] = {
    "408": Status(408),
    "429 with Retry-After": Status(429, {"Retry-After": "1"}),
    "500": Status(500),
    "502": Status(502),
    "503": Status(503),
    "504": Status(504),
    "empty body": Body(b""),
    "HTML with 200": HtmlPage(),
    "broken JSON": Body(b'{"pageInfo": {"currentPage": 1, "perP'),
    "cut body": CutBody(MOST_BYTES),
}
REFUSED: Final = "refused connection"
ON_THE_WIRE: Final = (
    REFUSED,
    "reset before the answer",
    "reset in the body",
    "cut in the headers",
    "garbage in place of HTTP",
    "black hole",
    "a drip of bytes",
)
TLS: Final = "half a TLS handshake"
KINDS: Final = (*BY_THE_SERVICE, *ON_THE_WIRE)

MIXED: Final[Mapping[str, float]] = {
    "503": 0.05,
    "429 with Retry-After": 0.02,
    "reset before the answer": 0.005,
    "reset in the body": 0.005,
    "cut body": 0.01,
    "HTML with 200": 0.01,
}
"""Shares of the requests: 5 % 503, 2 % 429, 1 % resets, 1 % cut bodies, 1 % HTML."""

EXHAUSTED: Final[Mapping[str, float]] = dict.fromkeys(
    [*BY_THE_SERVICE, "reset in the body", "garbage in place of HTTP"], 0.1 / 12
)
"""One request in ten fails, in twelve ways; none that aiohttp mends by itself."""

ALONE: Final = 0.1
BURSTS: Final = 0.03
Shape = Literal["alone", "bursts of 3"]


def wire_action(kind: str, chance: random.Random) -> Action:
    """Return what the proxy does for a kind of fault."""
    after = chance.randrange(300, MOST_BYTES)  # behind the headers and before the end
    actions = {
        REFUSED: Action("refuse"),
        "reset before the answer": Action("reset"),
        "reset in the body": Action("reset", after),
        "cut in the headers": Action("cut", after % 60 + 1),
        "garbage in place of HTTP": Action("garbage"),
        "black hole": Action("black hole"),
        "a drip of bytes": Action("drip", after, pause=PATIENCE / 4),
    }
    return actions.get(kind, PASS)


class Rooms(FakeVideoSDK):
    """A fake service that finds the rows of a room without a look at those of others."""

    def __init__(self) -> None:
        super().__init__(filters="ignored")
        self.by_room: dict[str, list[dict[str, Any]]] = {}

    def fill(self, room_id: str, count: int) -> list[str]:
        """Add rows of a room and return their ids."""
        self.rows = self.by_room[room_id] = []
        return [row["id"] for row in self.add_transcriptions(count, room_id=room_id)]

    def listing(self, query: Mapping[str, str]) -> Listing | None:
        """Return the page of a room."""
        self.rows = self.by_room[query["roomId"]]
        return super().listing(query)


class Script:
    """
    Says which request meets which fault, the same for the same seed.

    It is drawn from the room, the page and the number of times that this page was asked
    for, so that walks side by side do not change each other's luck.
    """

    def __init__(self, fake: FakeVideoSDK, shares: Mapping[str, float], *, seed: int, run: int):
        self.met: Counter[str] = Counter()
        self._shares, self._seed, self._run = shares, seed, run
        self._asked: Counter[tuple[str, str]] = Counter()
        self._due: dict[tuple[str, str], Fault] = {}
        fake.every(1, self.answer)

    def __call__(self, target: str) -> Action:
        """Choose for a request that passes the proxy."""
        query = parse_qs(urlsplit(target).query)
        where = (query["roomId"][0], query["page"][0])
        self._asked[where] += 1
        # Of a burst the first request decides for all.
        number = (self._asked[where] - 1) // self._run
        chance = random.Random(f"{self._seed} {where} {number}")  # noqa: S311
        if self._run > 1 and number:
            return PASS
        kinds = [*self._shares, ""]
        shares = [*self._shares.values(), 1 - sum(self._shares.values())]
        (kind,) = chance.choices(kinds, shares)
        if not kind:
            return PASS
        self.met[kind] += 1
        if kind in BY_THE_SERVICE:
            self._due[where] = BY_THE_SERVICE[kind]
        return wire_action(kind, chance)

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """Answer as was chosen."""
        query = exchange.request.query
        fault = self._due.pop((query["roomId"], query["page"]), None)
        return exchange.response() if fault is None else await fault(exchange)


class Waits:
    """Notes the waits between attempts, and does not wait."""

    def __init__(self, proxy: Proxy) -> None:
        self.shortest = 60.0
        self._proxy = proxy

    async def sleep(self, seconds: float) -> None:
        """Go on at once, with the port open again if it was closed."""
        self.shortest = min(self.shortest, seconds)
        self._proxy.listen()
        await asyncio.sleep(0)


@frozen
class Faults:
    """
    One line of the table.

    Args:
        name: what fails.
        shares: which share of the requests meets which fault.
        run: how many requests in a row.
        at_once: for each seed, from 1, the number of walks side by side on one client.
        attempts: requests for a page at most; with 1 each fault ends the client.
        pages: the length of each walk.
        readahead: pages that are read ahead. A fault that is met there ends no client.
    """

    name: str
    shares: Mapping[str, float]
    run: int = 1
    concurrency: tuple[int, ...] = (1, 1, 1, 4)
    attempts: int = 6
    pages: int = 200
    readahead: int = 8

    @classmethod
    def of(cls, kind: str, shape: Shape, **options: Any) -> Faults:
        """Make the line of one kind, alone or in bursts."""
        run, share = (1, ALONE) if shape == "alone" else (3, BURSTS)
        return cls(f"{kind}, {shape}", {kind: share}, run, **options)

    def __call__(self) -> Tally:
        """Run all of it."""
        return asyncio.run(self.walk_all())

    async def walk_all(self) -> Tally:
        """Run all of it, in a loop that is there."""
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
            await tally.look_for_leftovers()
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
        """Take the walk up in a new client after each error, from the checkpoint in that error."""
        found: list[str] = []
        checkpoint: str | None = None
        while True:
            async with TranscriptsClient(**options) as client:
                pager = client.iter_transcriptions(
                    room_id, page_size=PAGE_SIZE, readahead=self.readahead, resume=checkpoint
                )
                try:
                    async for t in pager:
                        found.append(t.id)  # noqa: PERF401 - an error must not take them along
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
        script = Script(fake, self.shares, seed=seed, run=self.run)
        async with Proxy(fake.url, script) as proxy:
            waits = Waits(proxy)
            yield self._options(fake, proxy.url) | {"clock": Clock(sleep=waits.sleep)}
        tally.faults += script.met
        if set(self.shares) == {"429 with Retry-After"} and waits.shortest < 1:
            tally.flaws["Retry-After undercut"] += 1

    @contextlib.asynccontextmanager
    async def _tls(self, fake: Rooms, seed: int, tally: Tally) -> AsyncIterator[dict[str, Any]]:
        def plan(number: str) -> Action:
            run, place = divmod(int(number), 40 if self.run > 1 else 1)
            chance = random.Random(f"{seed} {run}")  # noqa: S311
            hit = place < self.run if self.run > 1 else chance.random() < self.shares[TLS]
            if not hit:
                return PASS
            tally.faults[TLS] += 1
            # All that the server says before the first answer is some 250 bytes.
            return Action(chance.choice(("reset", "cut", "garbage")), chance.randrange(150))

        server, client = (_anonymous(side) for side in ("server", "client"))
        async with (
            Proxy(fake.url, lambda _target: PASS, tls=server) as speaks_tls,
            Proxy(speaks_tls.url, plan, blind=True) as proxy,
            # A connection for each request, so that there are handshakes to break.
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session,
        ):
            url = proxy.url.replace("http:", "https:")
            yield self._options(fake, url) | {
                "session": session,
                "ssl": client,
                "clock": Clock(sleep=_no_wait),
            }

    def _options(self, fake: Rooms, url: str) -> dict[str, Any]:
        never_whole = not {"black hole", "a drip of bytes"}.isdisjoint(self.shares)
        timeout = PATIENCE if never_whole else 30.0
        return {
            "endpoint": url,
            "api_key": fake.api_key,
            "secret": fake.secret,
            "retry": RetryPolicy(attempts=self.attempts, attempt_timeout=timeout),
        }


async def _no_wait(_seconds: float) -> None:
    await asyncio.sleep(0)


def _anonymous(side: Literal["server", "client"]) -> ssl.SSLContext:
    """Make a TLS context that works without a certificate, for loopback alone."""
    server = side == "server"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    if not server:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AECDH-AES128-SHA:@SECLEVEL=0")
    return context
