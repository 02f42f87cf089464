"""What passes between whoever asks and the fake service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import web
from attrs import define, frozen

from ._listing import Listing

if TYPE_CHECKING:
    from ._server import FakeVideoSDK


Respond = Callable[[Callable[[Listing], Any]], web.Response]


@frozen
class Exchange:
    """
    A request under way, and the answer it would get without a fault.

    `respond` makes that answer. It takes a function from the page to its JSON, which
    is not called where the request is for one transcription.
    """

    fake: FakeVideoSDK
    request: web.Request
    respond: Respond

    def answer(self) -> web.Response:
        """Return what the service would have answered."""
        return self.respond(Listing.envelope)


Fault = Callable[[Exchange], Awaitable[web.StreamResponse]]


@define
class SeenRequest:
    """What the fake service was asked."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    status: int | None = None
    """What it was answered with; None while it is not, and where the connection was closed."""
    fault: Fault | None = None
    """What it met in place of an answer, or before it."""

    @property
    def page(self) -> int | None:
        """Return the page that was asked for, where one was."""
        return int(self.query["page"]) if "page" in self.query else None


def redirect(fake: FakeVideoSDK, request: web.Request) -> web.Response | None:
    """Return the redirect of a list's path that has a slash too many or lacks one, or None."""
    has_slash = request.path.endswith("/")
    if fake.slash == "either" or has_slash == (fake.slash == "required"):
        return None
    path = request.path.removesuffix("/") if has_slash else f"{request.path}/"
    there = request.rel_url.with_path(path, keep_query=True)
    return web.Response(status=308, headers={"Location": str(there)})


def refusal(status: int, message: str) -> web.Response:
    """Return an error in the service's own shape."""
    return web.json_response({"message": message}, status=status)
