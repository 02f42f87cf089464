"""
An aiohttp.web backend for the transcripts of an account: ``python aiohttp_backend.py``.

It streams the transcripts of a room as NDJSON, passes pagination through to its callers, and
receives webhooks. On SIGTERM it waits for the requests in progress, then closes the client.
"""

import json
import logging
import os
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.typedefs import Handler

from videosdk_transcripts import (
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    CredentialsError,
    FileGoneError,
    FileHostRefusedError,
    FileNotReadyError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    TimedOutError,
    TranscriptionEvent,
    TranscriptsClient,
    VideoSDKTranscriptsError,
    WebhookError,
    WebhookSignatureError,
)

STATUSES = {
    CredentialsError: 500,  # before its base: our configuration, not the caller's
    ConfigurationError: 400,  # an invalid id
    AuthenticationError: 500,
    PermissionDeniedError: 500,
    FileHostRefusedError: 500,
    WebhookSignatureError: 401,
    WebhookError: 400,
    NotFoundError: 404,
    FileNotReadyError: 409,
    ConflictError: 409,
    FileGoneError: 410,
    RateLimitedError: 503,
    TimedOutError: 504,
}
CLIENT = web.AppKey("client", TranscriptsClient)
log = logging.getLogger("backend")


async def open_client(app: web.Application) -> AsyncIterator[None]:
    """Open one client for all requests; it is closed after the last one."""
    async with TranscriptsClient() as client:
        app[CLIENT] = client
        yield


@web.middleware
async def map_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Respond with the status that describes the failure to our own callers."""
    try:
        return await handler(request)
    except VideoSDKTranscriptsError as error:
        log.warning("%s", error)
        return web.json_response({"error": type(error).__name__}, status=status_of(error))


def status_of(error: Exception) -> int:
    """Return the status for an error; the first class that matches counts."""
    return next((code for kind, code in STATUSES.items() if isinstance(error, kind)), 502)


async def stream_room(request: web.Request) -> web.StreamResponse:
    """Stream the transcripts of a room, one JSON object per line, as they arrive."""
    client = request.app[CLIENT]
    pager = client.iter_transcriptions(request.match_info["room_id"])
    async with client.fetch_texts(pager) as texts:
        # Before the response begins, so that an error of the first page still sets the status.
        one = await anext(texts, None)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        try:
            while one is not None:
                t = one.transcription
                await write_line(response, {"id": t.id, "start": str(t.start), "text": one.text})
                one = await anext(texts, None)
        except VideoSDKTranscriptsError as error:
            log.warning("%s", error)
            await write_line(response, {"error": type(error).__name__})
        except ConnectionError:
            log.info("the caller has disconnected")
    return response


async def write_line(response: web.StreamResponse, value: dict[str, str | None]) -> None:
    """Send one line; raise ConnectionError if the caller has disconnected."""
    await response.write(json.dumps(value).encode() + b"\n")


async def show_page(request: web.Request) -> web.Response:
    """Return one page of the account's transcriptions."""
    try:
        number = int(request.query.get("page", "1"))
    except ValueError:
        raise web.HTTPBadRequest(text="page must be a number") from None
    page = await request.app[CLIENT].get_page(page=number)
    rows = [t.to_dict() for t in page.items]
    return web.json_response({"page": page.number, "last_page": page.last_page, "rows": rows})


async def receive_webhook(request: web.Request) -> web.Response:
    """Verify a webhook and log what it announces."""
    signature = request.headers.get("videosdk-signature")
    event = await request.app[CLIENT].verify_webhook(await request.read(), signature)
    if isinstance(event, TranscriptionEvent):
        t = await event.fetch(request.app[CLIENT])
        log.info("%s: %s is %s", event.type, t.id, t.status)
    return web.Response()


def create_app() -> web.Application:
    """Return the application."""
    app = web.Application(middlewares=[map_errors])
    app.cleanup_ctx.append(open_client)
    app.router.add_get("/rooms/{room_id}/transcripts", stream_room)
    app.router.add_get("/transcriptions", show_page)
    app.router.add_post("/webhooks/videosdk", receive_webhook)
    return app


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    web.run_app(create_app(), port=int(os.environ.get("PORT", "8080")))
