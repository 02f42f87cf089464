"""The routes of the fake service: the API, files, the OpenAPI document and the dashboard."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any, Final

from aiohttp import web
from attrs import evolve

from ._exchange import MAX_BODY, handle_api_request, handle_file_request, read_body, refusal
from ._files import FILE_PATH
from ._hosts import check_host
from ._jobs import start, stop
from ._rows import Listing, Row, fill_file_maps
from ._service import FakeService
from ._webhooks import KEY_PATH
from .dashboard import dashboard_routes

_REALTIME: Final = "/ai/v1/realtime-transcriptions"
_POST: Final = "/ai/v1/post-transcriptions"

_Handler = Callable[[web.Request], Any]


def make_app(service: FakeService) -> web.Application:
    """Return the application that serves a fake service."""
    handlers = _Handlers(service)
    app = web.Application(client_max_size=MAX_BODY)
    routes = [
        web.get(_REALTIME, handlers.list_realtime),
        web.get(f"{_REALTIME}/", handlers.list_realtime),
        web.get(f"{_REALTIME}/{{id}}", handlers.get_realtime),
        web.post(f"{_REALTIME}/start", handlers.write(start)),
        web.post(f"{_REALTIME}/end", handlers.write(stop)),
        web.get(_POST, handlers.list_post),
        web.get(f"{_POST}/", handlers.list_post),
        web.get(f"{_POST}/{{id}}", handlers.get_post),
        web.get("/v2/rooms/{id}", handlers.get_room),
        web.get(KEY_PATH, handlers.get_key),
        web.get(FILE_PATH, handlers.get_file),
        web.get("/openapi.json", handlers.get_openapi),
        *dashboard_routes(service),
    ]
    app.add_routes(evolve(route, handler=check_host(route.handler, service)) for route in routes)
    return app


class _Handlers:
    def __init__(self, service: FakeService) -> None:
        self._service = service

    async def list_realtime(self, request: web.Request) -> web.StreamResponse:
        def respond(shape: Callable[[Listing], Any]) -> web.Response:
            if redirect := self._redirect(request):
                return redirect
            self._service.apply_drift()
            return self._page(self._service.listing(request.query), shape)

        return await handle_api_request(self._service, request, respond)

    async def list_post(self, request: web.Request) -> web.StreamResponse:
        def respond(shape: Callable[[Listing], Any]) -> web.Response:
            if redirect := self._redirect(request):
                return redirect
            return self._page(self._service.listing(request.query, self._service.post_rows), shape)

        return await handle_api_request(self._service, request, respond)

    async def get_realtime(self, request: web.Request) -> web.StreamResponse:
        return await handle_api_request(
            self._service, request, lambda _shape: self._one(self._service.rows, request)
        )

    async def get_post(self, request: web.Request) -> web.StreamResponse:
        return await handle_api_request(
            self._service, request, lambda _shape: self._one(self._service.post_rows, request)
        )

    def write(self, act: Callable[[FakeService, bytes], web.Response]) -> _Handler:
        """Return the handler of a start or a stop."""

        async def handle(request: web.Request) -> web.StreamResponse:
            body = await read_body(request)
            done: list[web.Response] = []

            def respond(_shape: Callable[[Listing], Any]) -> web.Response:
                if body is None:
                    return refusal(self._service, 413, f"The body is larger than {MAX_BODY} bytes")
                # A fault may request the response twice, but the request is applied once.
                if not done:
                    done.append(act(self._service, body))
                return done[0]

            return await handle_api_request(self._service, request, respond, body=body or b"")

        return handle

    async def get_room(self, request: web.Request) -> web.StreamResponse:
        def respond(_shape: Callable[[Listing], Any]) -> web.Response:
            room = self._service.find_room(request.match_info["id"])
            if room is None:
                return refusal(self._service, 404, "Room not found")
            return web.json_response(room)

        return await handle_api_request(self._service, request, respond)

    async def get_key(self, request: web.Request) -> web.StreamResponse:
        return await handle_api_request(
            self._service,
            request,
            lambda _shape: web.json_response(self._service.webhooks.key_response()),
            is_public=True,
        )

    async def get_file(self, request: web.Request) -> web.StreamResponse:
        return await handle_file_request(self._service, request)

    async def get_openapi(self, _request: web.Request) -> web.StreamResponse:
        # Derived from the vendor's public pages. It marks what they leave open.
        document = files("videosdk_transcripts.testing") / "openapi.json"
        return web.json_response(text=document.read_text("utf-8"))

    def _redirect(self, request: web.Request) -> web.Response | None:
        """Return a redirect if the path of a list has the wrong form, with or without a slash."""
        slash, has_slash = self._service.slash, request.path.endswith("/")
        if slash == "either" or has_slash == (slash == "required"):
            return None
        path = request.path.removesuffix("/") if has_slash else f"{request.path}/"
        target = request.rel_url.with_path(path, keep_query=True)
        return web.Response(status=308, headers={"Location": str(target)})

    def _page(self, listing: Listing | None, shape: Callable[[Listing], Any]) -> web.Response:
        if listing is None:
            return refusal(self._service, 400, "page and perPage must be numbers of 1 or more")
        return web.json_response(shape(listing))

    def _one(self, rows: list[Row], request: web.Request) -> web.Response:
        service = self._service
        row = next((row for row in rows if row["id"] == request.match_info["id"]), None)
        if row is None:
            return refusal(service, service.unknown_status, "Transcription not found")
        return web.json_response(fill_file_maps(row, service.file_maps))
