"""What ordinary servers and proxies do, each with the rows that a client should yield."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import field, frozen

from videosdk_transcripts.testing import (
    Change,
    CutBody,
    EmptyPage,
    Envelope,
    Exchange,
    FakeVideoSDK,
    HtmlPage,
    Status,
)

ROOM: Final = "abcd-efgh-ijkl"
ROWS: Final = 100


def _nothing(fake: FakeVideoSDK) -> None:
    """Leave the service as it is."""


@frozen
class Case:
    """One behaviour of a server."""

    name: str
    prepare: Callable[[FakeVideoSDK], object] = _nothing
    page_size: int = 20
    options: dict[str, Any] = field(factory=dict)
    """Arguments of the fake service."""
    has_other_rooms: bool = False
    """Whether the account has rows of other rooms, so that a filter is needed."""


def _hide_cap(fake: FakeVideoSDK) -> None:
    """Send at most 10 rows per page, with the page information of pages of 20."""

    async def capped(exchange: Exchange) -> Any:
        def first_ten(page: Any) -> Any:
            page.rows = page.rows[:10]
            return page.envelope()

        return exchange.respond(first_ten)

    fake.every(1, capped)


def _throttle(fake: FakeVideoSDK) -> None:
    """Refuse page 3 until 4 s have passed, as announced."""
    until: list[float] = []

    async def throttled(exchange: Exchange) -> Any:
        now = fake.now()
        if exchange.request.query.get("page") != "3":
            return exchange.response()
        if not until:
            until.append(now + 4)
        if now < until[0]:
            return await Status(429, {"Retry-After": "4"})(exchange)
        return exchange.response()

    fake.every(1, throttled)


CASES: Final = (
    Case("a stable list"),
    Case("one 503", lambda fake: fake.on_page(3, Status(503))),
    Case("a 429 with `Retry-After: 4`", _throttle),
    Case("a proxy's HTML page with status 200, once", lambda fake: fake.on_page(3, HtmlPage())),
    Case("one truncated response", lambda fake: fake.on_page(3, CutBody())),
    Case("a rejected token, once", lambda fake: fake.on_page(3, Status(401))),
    Case("numbers sent as text", lambda fake: fake.every(1, Envelope("numbers as text"))),
    Case("no last page", lambda fake: fake.every(1, Envelope("no last page"))),
    Case("one page that comes back empty", lambda fake: fake.on_page(3, EmptyPage())),
    Case("a page-size cap that is not reported", _hide_cap),
    Case(
        "30 rows added during the walk",
        lambda fake: fake.on_page(
            3,
            Change(lambda fake: [fake.add_transcription(room_id=ROOM, at=0) for _ in range(30)]),
        ),
    ),
    Case(
        "30 rows removed during the walk",
        lambda fake: fake.on_page(3, Change(lambda fake: fake.rows.__delitem__(slice(0, 30)))),
    ),
    Case("the room filter is ignored", options={"filters": "ignored"}, has_other_rooms=True),
)
