"""Start and stop, and transcripts of recordings, as the fake service has them."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from aiohttp import web
from attrs import define, field, frozen

from ._exchange import redirect, refusal
from ._listing import EPOCH, Listing, Row, iso, make_row, new_id

if TYPE_CHECKING:
    from ._exchange import Exchange, Fault
    from ._files import FakeFiles
    from ._server import FakeVideoSDK


_REALTIME: Final = "/ai/v1/realtime-transcriptions"
_POST: Final = "/ai/v1/post-transcriptions"
_FILES: Final = "https://cdn.videosdk.live/transcriptions"
_FORMATS: Final = ("json", "srt", "txt", "tsv", "vtt")
_Answer = Callable[..., Awaitable[web.StreamResponse]]


@define
class Jobs:
    """
    What the service does with a start and a stop, where nobody documents it.

    A start adds a running row at the top of `FakeVideoSDK.rows`; a stop completes the first
    running one of the room, whose files come later than the answer.
    """

    second_start: Literal["conflict", "running row", "another"] = "conflict"
    """A start while one runs: 409, the row that runs, or another one beside it."""
    idle_stop: int = 404
    """The status of a stop while none runs."""
    formats: Sequence[str] = ("txt",)
    """The files that a stopped one gets, with a summary if the start asked for it."""
    files_after: float = 0.0
    """Seconds after the stop at which it gets them; 0 for the next request."""
    _summaries: set[str] = field(factory=set, init=False, repr=False)
    _due: list[tuple[float, Row]] = field(factory=list, init=False, repr=False)

    def clear(self) -> None:
        """Forget the rows that were started and stopped. The switches stay."""
        self._summaries.clear()
        self._due.clear()

    def started(self, row: Row, sent: Row) -> None:
        """Take note of what a start asked for."""
        summary = sent.get("summary")
        if isinstance(summary, dict) and summary.get("enabled"):
            self._summaries.add(row["id"])

    def stopped(self, row: Row, now: float) -> None:
        """Take note of when a row gets its files."""
        self._due.append((now + self.files_after, row))

    def deliver(self, files: FakeFiles, now: float) -> None:
        """Give each row its files whose time has come."""
        for _, row in (due := [one for one in self._due if one[0] <= now]):
            for name in self.formats:
                files.put(row, name)
            if row["id"] in self._summaries:
                files.put(row, "txt", summary=True)
        self._due = [one for one in self._due if one not in due]


@frozen
class Applied:
    """
    Do what was asked, and only then meet a fault.

    For a start or a stop whose answer is lost::

        fake.fail_next(Applied(DropConnection()))

    Without it, a fault that has an answer of its own keeps the request from being applied.
    """

    fault: Fault

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        exchange.answer()
        return await self.fault(exchange)


def add_routes(
    app: web.Application,
    fake: FakeVideoSDK,
    answer: _Answer,
    source: random.Random,
) -> None:
    """
    Serve start, stop and the transcripts of recordings.

    Args:
        app: where.
        fake: what there is.
        answer: answers a request with what a function responds, or with the fault that is due.
        source: makes the ids.
    """

    async def list_posts(request: web.Request) -> web.StreamResponse:
        def respond(shape: Callable[[Listing], Any]) -> web.Response:
            if elsewhere := redirect(fake, request):
                return elsewhere
            listing = fake.listing(request.query, fake.post_rows)
            if listing is None:
                return refusal(400, "page and perPage must be numbers of 1 or more")
            return web.json_response(shape(listing))

        return await answer(request, respond)

    async def one_post(request: web.Request) -> web.StreamResponse:
        def respond(_shape: Callable[[Listing], Any]) -> web.Response:
            wanted = request.match_info["id"]
            row = next((row for row in fake.post_rows if row["id"] == wanted), None)
            return web.json_response(row) if row else refusal(404, "Transcription not found")

        return await answer(request, respond)

    app.router.add_post(f"{_REALTIME}/start", _acting(_start, fake, answer, source))
    app.router.add_post(f"{_REALTIME}/end", _acting(_stop, fake, answer, source))
    app.router.add_get(_POST, list_posts)
    app.router.add_get(f"{_POST}/", list_posts)
    app.router.add_get(f"{_POST}/{{id}}", one_post)


def _acting(
    act: Callable[[FakeVideoSDK, str, Row, random.Random], web.Response],
    fake: FakeVideoSDK,
    answer: _Answer,
    source: random.Random,
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Make the handler of a write, which is done once, however often a fault asks for it."""

    async def handle(request: web.Request) -> web.StreamResponse:
        sent = _object(await request.read())
        room_id = sent.get("roomId")
        made: list[web.Response] = []

        def respond(_shape: Callable[[Listing], Any]) -> web.Response:
            if not made:
                if isinstance(room_id, str) and room_id:
                    made.append(act(fake, room_id, sent, source))
                else:
                    made.append(refusal(400, "roomId is required"))
            return made[0]

        return await answer(request, respond)

    return handle


def make_post_row(
    row_id: str,
    *,
    room_id: str | None,
    session_id: str | None,
    status: str = "completed",
    start: datetime = EPOCH,
    duration: timedelta | None = timedelta(minutes=25),
    formats: Sequence[str] = _FORMATS,
    summary: bool = True,
    **more: Any,
) -> Row:
    """Make one row of a transcript of a recording, with the fields of `make_row`."""
    row: Row = {"id": row_id, "status": status}
    row |= {} if room_id is None else {"roomId": room_id}
    row |= {} if session_id is None else {"sessionId": session_id}
    row["recordingId"] = row_id.replace("-", "")[:24]
    row["filePath"] = f"https://cdn.videosdk.live/recordings/{row_id}.mp4"
    if formats:
        row["transcriptionFilePaths"] = {
            ending: f"{_FILES}/{row_id}/{row_id}.{ending}" for ending in formats
        }
    if formats and summary:
        row["summarizedFilePaths"] = {"txt": f"{_FILES}/{row_id}/{row_id}-summary.txt"}
    row["start"] = iso(start)
    if duration is not None:
        row["end"] = iso(start + duration)
    row["userStorage"] = None
    return row | more


def _start(fake: FakeVideoSDK, room_id: str, sent: Row, source: random.Random) -> web.Response:
    running = _running(fake, room_id)
    if running is not None and fake.jobs.second_start == "conflict":
        return refusal(409, "Transcription is already started")
    if running is not None and fake.jobs.second_start == "running row":
        return web.json_response(running)
    row = make_row(
        new_id(source),
        room_id=room_id,
        session_id=f"{source.getrandbits(96):024x}",
        status="running",
        start=datetime.fromtimestamp(fake.now(), UTC),
        duration=None,
        formats=(),
    )
    if "webhookUrl" in sent:
        row["webhookUrl"] = sent["webhookUrl"]
    fake.jobs.started(row, sent)
    fake.rows.insert(0, row)
    return web.json_response(row)


def _stop(fake: FakeVideoSDK, room_id: str, _sent: Row, _source: random.Random) -> web.Response:
    running = _running(fake, room_id)
    if running is None:
        return refusal(fake.jobs.idle_stop, "No transcription is running")
    running["status"] = "completed"
    running["end"] = iso(datetime.fromtimestamp(fake.now(), UTC))
    fake.jobs.stopped(running, fake.now())
    return web.json_response(running)


def _running(fake: FakeVideoSDK, room_id: str) -> Row | None:
    for row in fake.rows:
        config = (row.get("extension") or {}).get("extensionConfig") or {}
        if row.get("status") == "running" and config.get("roomId") == room_id:
            return row
    return None


def _object(body: bytes) -> Row:
    try:
        sent = json.loads(body)
    except ValueError:
        return {}
    return sent if isinstance(sent, dict) else {}
