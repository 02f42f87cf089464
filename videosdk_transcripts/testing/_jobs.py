"""Start and stop transcriptions. `Jobs` holds the switches, and the jobs that were started."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from ._exchange import refusal
from ._rows import Row, fill_file_maps, find_id, iso, make_row
from ._service import FakeService


def start(service: FakeService, body: bytes) -> web.Response:
    """Add a running row for the requested room, unless `Jobs.second_start` forbids it."""
    sent = _object(body)
    room_id = _room_id(sent)
    if room_id is None:
        return refusal(service, 400, "roomId is required")
    webhook_url = sent.get("webhookUrl")
    if not isinstance(webhook_url, str | None):
        return refusal(service, 400, "webhookUrl must be a string")
    running = _newest_running(service, room_id)
    if running is not None and service.jobs.second_start in _SECOND_START:
        status = _SECOND_START[service.jobs.second_start]
        return refusal(service, status, "Transcription is already running")
    if running is not None and service.jobs.second_start == "running row":
        return _applied(service, running)
    row = make_row(
        service.new_id(),
        room_id=room_id,
        session_id=service.new_session_id(),
        status="running",
        start=_now(service),
        duration=None,
        formats=(),
    )
    if webhook_url is not None:
        row["webhookUrl"] = webhook_url
    service.jobs.started(row, sent)
    service.rows.insert(0, row)
    if webhook_url and service.jobs.webhook_slash:
        return _applied(service, row | {"webhookUrl": webhook_url.removesuffix("/") + "/"})
    return _applied(service, row)


def stop(service: FakeService, body: bytes) -> web.Response:
    """Complete the newest running row of the requested room."""
    room_id = _room_id(_object(body))
    if room_id is None:
        return refusal(service, 400, "roomId is required")
    running = _newest_running(service, room_id)
    if running is None:
        return refusal(service, service.jobs.idle_stop, "No transcription is running")
    running["status"] = "completed"
    running["end"] = iso(_now(service))
    service.jobs.stopped(running, service.now())
    return _applied(service, running)


_SECOND_START: Final = {"bad request": 400, "conflict": 409}


def _applied(service: FakeService, row: Row) -> web.Response:
    shown = fill_file_maps(row, service.file_maps)
    return web.json_response(shown, status=service.jobs.status)


def _newest_running(service: FakeService, room_id: str) -> Row | None:
    running = (
        row
        for row in service.rows
        if row.get("status") == "running" and find_id(row, "roomId") == room_id
    )
    # If several have the same start, the first one.
    return max(running, key=lambda row: str(row.get("start") or ""), default=None)


def _now(service: FakeService) -> datetime:
    return datetime.fromtimestamp(service.now(), UTC)


def _object(body: bytes) -> Row:
    """Return the JSON object in a body; empty if there is none, or it is not valid Unicode."""
    try:
        sent = json.loads(body)
        # A row with a lone surrogate would make every list that contains it unreadable.
        json.dumps(sent, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return {}
    return sent if isinstance(sent, dict) else {}


def _room_id(sent: Row) -> str | None:
    room_id = sent.get("roomId")
    return room_id if isinstance(room_id, str) and room_id else None
