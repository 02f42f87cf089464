"""
A FastAPI backend for the transcripts of an account.

It streams the transcripts of a session as NDJSON, serves subtitles, receives webhooks, and stores
finished transcripts in SQLite. Run it with ``uvicorn app:app``, and open http://127.0.0.1:8000/.
"""

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from store import Store

from videosdk_transcripts import (
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    CredentialsError,
    FetchedText,
    FileGoneError,
    FileHostRefusedError,
    FileNotReadyError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    Results,
    TimedOutError,
    Transcription,
    TranscriptionEvent,
    TranscriptsClient,
    VideoSDKTranscriptsError,
    WaitError,
    WebhookError,
    WebhookSignatureError,
    parse_transcript,
    to_vtt,
)

PAGE = Path(__file__).with_name("index.html")
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
log = logging.getLogger("backend")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
    """Open one client for all requests, and fetch announced transcripts in the background."""
    with Store(os.environ.get("DATABASE", "transcripts.db")) as store:
        async with TranscriptsClient() as client:
            app.state.client, app.state.store = client, store
            worker = asyncio.create_task(store_announced(client, store))
            yield
            worker.cancel()
            await asyncio.wait([worker])


app = FastAPI(lifespan=lifespan)


def open_client(request: Request) -> TranscriptsClient:
    """Return the client that all requests share."""
    client: TranscriptsClient = request.app.state.client
    return client


def open_store(request: Request) -> Store:
    """Return the database."""
    store: Store = request.app.state.store
    return store


Client = Annotated[TranscriptsClient, Depends(open_client)]
Database = Annotated[Store, Depends(open_store)]


@app.exception_handler(VideoSDKTranscriptsError)
async def respond_to_error(_request: Request, error: Exception) -> Response:
    """Respond with the status that describes the failure to our own callers."""
    status = next((code for kind, code in STATUSES.items() if isinstance(error, kind)), 502)
    log.warning("%s", error)
    retry_after = getattr(error, "retry_after", None)
    headers = {"Retry-After": f"{retry_after:.0f}"} if retry_after is not None else None
    return JSONResponse({"error": type(error).__name__}, status, headers)


@app.get("/")
async def show_page() -> FileResponse:
    """Serve the page that reads the stream."""
    return FileResponse(PAGE)


@app.get("/rooms/{room_id}/sessions/{session_id}/transcripts")
async def stream_session(room_id: str, session_id: str, client: Client) -> StreamingResponse:
    """Stream the transcripts of a session, one JSON object per line, as they arrive."""
    texts = client.fetch_texts(client.iter_transcriptions(room_id, session_id))
    # Before the response begins, so that an error of the first page still sets the status.
    first = await anext(texts, None)
    return StreamingResponse(write_lines(first, texts), media_type="application/x-ndjson")


async def write_lines(
    one: FetchedText[Transcription] | None, texts: Results[FetchedText[Transcription]]
) -> AsyncIterator[str]:
    """Yield a line for each transcription; a last line shows an error that ended the walk."""
    async with texts:
        try:
            while one is not None:
                t = one.transcription
                row = {"id": t.id, "start": str(t.start), "text": one.text}
                if one.error is not None and t.files:
                    row["reason"] = type(one.error).__name__
                yield json.dumps(row) + "\n"
                one = await anext(texts, None)
        except VideoSDKTranscriptsError as error:
            log.warning("%s", error)
            yield json.dumps({"error": type(error).__name__}) + "\n"


@app.get("/transcripts/{transcription_id}/subtitles.vtt")
async def serve_subtitles(transcription_id: str, client: Client) -> Response:
    """Serve subtitles, made from any format that has times."""
    t = await client.get_post_transcription(transcription_id)
    name = next((name for name in ("vtt", "srt", "json", "tsv") if name in t.files), "vtt")
    transcript = parse_transcript(await client.fetch_text(t, name), format=name)
    return Response(to_vtt(transcript.turns), media_type="text/vtt")


@app.post("/webhooks/videosdk")
async def receive_webhook(request: Request, client: Client, store: Database) -> Response:
    """Verify a webhook and store its id for the worker."""
    event = await client.verify_webhook(
        await request.body(), request.headers.get("videosdk-signature")
    )
    if isinstance(event, TranscriptionEvent) and event.type != "transcription-started":
        # Before the response: after it, a crash would lose the event.
        await store.announce(event.id)
    return Response()


@app.get("/stored")
async def list_stored(store: Database) -> list[dict[str, str]]:
    """List the transcripts in the database."""
    return await store.transcripts()


async def store_announced(client: TranscriptsClient, store: Store) -> None:
    """Fetch each announced transcript once its file exists; continue after a restart."""
    waiting: dict[str, asyncio.Task[None]] = {}
    async with asyncio.TaskGroup() as group:
        while True:
            for announced in await store.announced():
                if announced not in waiting or waiting[announced].done():
                    waiting[announced] = group.create_task(fetch(client, store, announced))
            with contextlib.suppress(TimeoutError):  # then retry the failed ones
                async with asyncio.timeout(60):
                    await store.changed.wait()
            store.changed.clear()


async def fetch(client: TranscriptsClient, store: Store, transcription_id: str) -> None:
    """Wait for one transcript and store it."""
    try:
        t = await client.wait_until_ready(transcription_id)
        await store.save(t.id, t.room_id or "", await client.fetch_text(t))
    except (WaitError, NotFoundError) as error:
        log.warning("%s", error)
        await store.forget(transcription_id)
    except VideoSDKTranscriptsError:
        log.exception("could not store %s, next attempt in a minute", transcription_id)
