"""
What can go wrong with an answer of the fake service.

A fault is any async callable that takes an `Exchange` and returns a response, so that
a test can write one of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiohttp import web
from attrs import field, frozen

from ._exchange import Exchange
from ._listing import Listing, Shape
from ._server import FakeVideoSDK

_HTML: Final = "<!doctype html><title>502 Bad Gateway</title><h1>Bad Gateway</h1>"


@frozen
class Status:
    """Answer with a status and a message, as an error of the service or on the way to it."""

    status: int
    headers: Mapping[str, str] = field(factory=dict)
    message: str = "made to fail"

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        return web.json_response(
            {"message": self.message}, status=self.status, headers=self.headers
        )


@frozen
class Delay:
    """Answer as always, but only after some seconds."""

    seconds: float

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        await asyncio.sleep(self.seconds)
        return exchange.answer()


@frozen
class DropConnection:
    """
    Close the connection without an answer.

    aiohttp sends a read once more by itself, so that it takes two in a row to be noticed.
    """

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        _hang_up(exchange.request)
        return web.Response()


@frozen
class CutBody:
    """Promise the whole body and close the connection after some bytes of it."""

    after: int = 10

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        whole = exchange.answer()
        body = bytes(whole.body) if isinstance(whole.body, bytes) else b""
        cut = web.StreamResponse(status=whole.status)
        cut.content_length = len(body)
        cut.content_type = "application/json"
        await cut.prepare(exchange.request)
        await cut.write(body[: self.after])
        _hang_up(exchange.request)
        return cut


@frozen
class HtmlPage:
    """Answer with a page of HTML, as a gateway does; with 200 unless told otherwise."""

    status: int = 200

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        return web.Response(text=_HTML, status=self.status, content_type="text/html")


@frozen
class Body:
    """Answer with this body, whatever it is."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        return web.Response(body=self.body, status=self.status, content_type=self.content_type)


@frozen
class EmptyPage:
    """Answer with the page information as it is, and no rows."""

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        def emptied(page: Listing) -> Any:
            page.rows = []
            return page.envelope()

        return exchange.respond(emptied)


@frozen
class RepeatPage:
    """Answer with the rows of another page under the number that was asked for."""

    page: int = 1

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        def repeated(page: Listing) -> Any:
            query = {**exchange.request.query, "page": str(self.page)}
            other = exchange.fake.listing(query)
            page.rows = other.rows if other else []
            return page.envelope()

        return exchange.respond(repeated)


@frozen
class Envelope:
    """Answer in another shape, or with other page information."""

    shape: Shape = "documented"
    info: Mapping[str, Any] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        if self.info and self.shape in ("no page info", "bare array"):
            raise ValueError(f"the shape {self.shape!r} has no page information to replace")

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        def shaped(page: Listing) -> Any:
            envelope = page.envelope(self.shape)
            if self.info:
                envelope["pageInfo" if "pageInfo" in envelope else "pagination"] |= self.info
            return envelope

        return exchange.respond(shaped)


@frozen
class Change:
    """Change what there is just before the answer: rows that appear, vanish or move."""

    change: Callable[[FakeVideoSDK], object]

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        self.change(exchange.fake)
        return exchange.answer()


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()
