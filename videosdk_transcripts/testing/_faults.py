"""
Predefined faults.

A fault is any async callable that takes an `Exchange` and returns a response, so a test can
define its own faults.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiohttp import web
from attrs import field, frozen

from ._rows import Listing, Shape
from ._service import Exchange, Fault

_HTML: Final = "<!doctype html><title>502 Bad Gateway</title><h1>Bad Gateway</h1>"


@frozen
class Status:
    """
    Respond with a status and a message, like the service or a proxy in front of it.

    Attributes:
        status: the status of the response.
        headers: additional headers, such as ``Retry-After``.
        message: the message in the body.
        code: the service's own code, such as 4002 for an invalid token; None to omit it.
    """

    status: int
    headers: Mapping[str, str] = field(factory=dict)
    message: str = "injected failure"
    code: int | str | None = None

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        body = {"message": self.message} | ({} if self.code is None else {"code": self.code})
        return web.json_response(body, status=self.status, headers=self.headers)


@frozen
class Delay:
    """
    Send the usual response after a number of seconds.

    Attributes:
        seconds: the delay in seconds.
    """

    seconds: float

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        await asyncio.sleep(self.seconds)
        return exchange.response()


@frozen
class DropConnection:
    """
    Close the connection without a response.

    aiohttp itself resends a read once, so only two consecutive faults are a failed attempt of the
    client.
    """

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        _close(exchange.request)
        return web.Response()


@frozen
class CutBody:
    """
    Announce the whole body, send only some bytes of it, and close the connection.

    Attributes:
        after: the number of bytes to send.
    """

    after: int = 10

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        whole = exchange.response()
        body = bytes(whole.body) if isinstance(whole.body, bytes) else b""
        cut = web.StreamResponse(status=whole.status)
        cut.content_length = len(body)
        cut.content_type = "application/json"
        await cut.prepare(exchange.request)
        await cut.write(body[: self.after])
        _close(exchange.request)
        return cut


@frozen
class HtmlPage:
    """
    Respond with an HTML page, like a gateway.

    Attributes:
        status: the status of the response.
    """

    status: int = 200

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        return web.Response(text=_HTML, status=self.status, content_type="text/html")


@frozen
class Body:
    """
    Respond with this body.

    Attributes:
        body: the body.
        status: the status of the response.
        content_type: the media type of the body, without parameters.
    """

    body: bytes
    status: int = 200
    content_type: str = "application/json"

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        return web.Response(body=self.body, status=self.status, content_type=self.content_type)


@frozen
class EmptyPage:
    """Respond with the usual page information, but without rows."""

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        def emptied(page: Listing) -> Any:
            page.rows = []
            return page.envelope()

        return exchange.respond(emptied)


@frozen
class RepeatPage:
    """
    Respond with the rows of another page under the requested number.

    Attributes:
        page: the number of the page whose rows are sent, from 1.
    """

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
    """
    Respond with the page in another shape, or with other page information.

    Raises:
        ValueError: the shape has no page information that `info` could replace.

    Attributes:
        shape: the shape: that of this list, or one of similar lists of the service.
        info: keys of the page information with the values to send instead, such as a wrong
            ``total``.
    """

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
    """
    Change the service just before the response: rows that appear, vanish or move.

    Attributes:
        change: a function that is called with the `FakeVideoSDK`; its result is ignored.
    """

    change: Callable[[Any], object]

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        self.change(exchange.fake)
        return exchange.response()


@frozen
class Applied:
    """
    Apply the request, and then a fault.

    Use it for a start or a stop whose response is lost::

        fake.fail_next(Applied(DropConnection()))

    Without it, a fault that creates its own response prevents the request from being applied.

    Attributes:
        fault: the fault that determines the response.
    """

    fault: Fault

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        exchange.response()
        return await self.fault(exchange)


@frozen
class Redirect:
    """
    Redirect to another URL.

    Attributes:
        url: the value of the header ``Location``.
        status: the status of the response.
    """

    url: str
    status: int = 302

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        return web.Response(status=self.status, headers={"Location": self.url})


@frozen
class GzipBomb:
    """
    Respond with a small compressed body that decodes to a large one.

    Attributes:
        size: the decoded size in bytes.
    """

    size: int = 128 * 1024 * 1024

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        return web.Response(
            body=gzip.compress(bytes(self.size)), headers={"Content-Encoding": "gzip"}
        )


def _close(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()
