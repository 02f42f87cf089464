"""The answers of the fake service."""

from __future__ import annotations

import random
from collections.abc import Callable
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from ._exchange import Exchange, Fault, Respond, SeenRequest, redirect, refusal
from ._files import FILE_PATH
from ._jobs import add_routes
from ._listing import Listing
from ._openapi import openapi_text
from ._script import Script
from ._tokens import judge_token
from ._webhooks import KEY_PATH

if TYPE_CHECKING:
    from ._server import FakeVideoSDK


_LIST: Final = "/ai/v1/realtime-transcriptions"


def make_app(fake: FakeVideoSDK, script: Script, source: random.Random) -> web.Application:
    """
    Make what a server answers with.

    Args:
        fake: what there is.
        script: what goes wrong.
        source: makes the ids.
    """
    handlers = _Handlers(fake, script, source)
    app = web.Application()
    app.router.add_get(_LIST, handlers.answer_list)
    app.router.add_get(f"{_LIST}/", handlers.answer_list)
    app.router.add_get(f"{_LIST}/{{id}}", handlers.answer_one)
    add_routes(app, fake, handlers.answer, source)
    app.router.add_get(KEY_PATH, handlers.answer_key)
    app.router.add_get(FILE_PATH, handlers.answer_file)
    app.router.add_get("/", handlers.answer_page)
    app.router.add_get("/openapi.json", handlers.answer_openapi)
    return app


class _Handlers:
    def __init__(self, fake: FakeVideoSDK, script: Script, source: random.Random) -> None:
        self._fake = fake
        self._script = script
        self._source = source

    async def answer_list(self, request: web.Request) -> web.StreamResponse:
        fake = self._fake

        def respond(shape: Callable[[Listing], Any]) -> web.Response:
            if elsewhere := redirect(fake, request):
                return elsewhere
            if fake.drifting is not None:
                fake.drifting.apply(fake, self._source)
            listing = fake.listing(request.query)
            if listing is None:
                return refusal(400, "page and perPage must be numbers of 1 or more")
            return web.json_response(shape(listing))

        return await self.answer(request, respond)

    async def answer_one(self, request: web.Request) -> web.StreamResponse:
        def respond(_shape: Callable[[Listing], Any]) -> web.Response:
            wanted = request.match_info["id"]
            row = next((row for row in self._fake.rows if row["id"] == wanted), None)
            if row is None:
                return refusal(404, "Transcription not found")
            return web.json_response(row)

        return await self.answer(request, respond)

    async def answer_file(self, request: web.Request) -> web.StreamResponse:
        files = self._fake.files
        seen = _seen(request)
        files.requests.append(seen)
        exchange = Exchange(self._fake, request, lambda _shape: files.respond(request))
        return await _meet(exchange, files.next_fault(), seen)

    async def answer_key(self, request: web.Request) -> web.StreamResponse:
        def respond(_shape: Callable[[Listing], Any]) -> web.Response:
            return web.json_response(self._fake.webhooks.give_key())

        return await self.answer(request, respond, is_public=True)

    async def answer_page(self, request: web.Request) -> web.StreamResponse:
        # For people, and none of what is asked of the service.
        from ._page import show_page

        self._fake.jobs.deliver(self._fake.files, self._fake.now())
        return show_page(self._fake, request.query.get("room"))

    async def answer_openapi(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(text=openapi_text())

    async def answer(
        self, request: web.Request, respond: Respond, *, is_public: bool = False
    ) -> web.StreamResponse:
        fake = self._fake
        body = await request.read()
        fake.jobs.deliver(fake.files, fake.now())
        seen = _seen(request, body)
        fake.requests.append(seen)
        fake.in_flight += 1
        fake.most_in_flight = max(fake.most_in_flight, fake.in_flight)
        try:
            refused = None
            if not is_public:
                refused = judge_token(
                    request.headers.get("Authorization"),
                    api_key=fake.api_key,
                    secret=fake.secret,
                    now=fake.now(),
                )
            exchange = Exchange(
                fake, request, respond if refused is None else lambda _shape: refusal(*refused)
            )
            fault = self._script.due(request.query.get("page", ""), len(fake.requests))
            answer = await _meet(exchange, fault, seen)
            # By the clock that the token was judged by.
            answer.headers.setdefault("Date", formatdate(fake.now(), usegmt=True))
            return answer
        finally:
            fake.in_flight -= 1


async def _meet(exchange: Exchange, fault: Fault | None, seen: SeenRequest) -> web.StreamResponse:
    """Answer a request, with the fault that is due, and note both."""
    seen.fault = fault
    answer = exchange.answer() if fault is None else await fault(exchange)
    transport = exchange.request.transport
    # What a fault returns behind a connection that it has closed goes nowhere.
    if answer.prepared or (transport is not None and not transport.is_closing()):
        seen.status = answer.status
    return answer


def _seen(request: web.Request, body: bytes = b"") -> SeenRequest:
    query, headers = dict(request.query), dict(request.headers)
    return SeenRequest(request.method, request.path, query, headers, body)
