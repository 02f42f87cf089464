"""The two backends, over real HTTP."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from programs import ROOM, Program, Starter, wait_until

from videosdk_transcripts.testing import FakeVideoSDK, Status

VTT = b"WEBVTT\n\n00:00:01.000 --> 00:00:02.500\n<v Ann>Shall we begin?\n"


@pytest.fixture
def session_id(fake: FakeVideoSDK) -> str:
    """A session with 25 transcriptions, the last one without a file."""
    rows = fake.add_session(ROOM, 24)
    for number, row in enumerate(rows):
        fake.files.put(row, "txt", f"Ann: This is number {number}.\n".encode())
    session = rows[0]["extension"]["extensionConfig"]["sessionId"]
    fake.add_transcription(room_id=ROOM, session_id=session, status="running", formats=())
    fake.add_transcription(room_id="zzzz-zzzz-zzzz")
    return str(session)


@pytest.fixture
def fastapi(programs: Starter) -> Program:
    """The FastAPI backend."""
    return programs.fastapi()


@pytest.fixture
def backend(programs: Starter) -> Program:
    """The aiohttp.web backend."""
    return programs.start("aiohttp_backend.py").wait_for_port()


def send_event(
    fake: FakeVideoSDK, program: Program, row: dict[str, Any], *, change: bytes = b""
) -> int:
    """Post a webhook, changed on its way or not, and return the status."""
    body, headers = fake.webhooks.event("transcription-stopped", row)
    return program.post("/webhooks/videosdk", body + change, headers)


def test_fastapi_streams_a_session(fastapi: Program, session_id: str) -> None:
    """Every row is there once, with its text if it has one."""
    lines = fastapi.lines(f"/rooms/{ROOM}/sessions/{session_id}/transcripts")
    texts = [line.get("text", line) for line in lines]
    assert texts == [*(f"Ann: This is number {n}.\n" for n in range(24)), None]
    assert fastapi.lines(f"/rooms/{ROOM}/sessions/{'0' * 24}/transcripts") == []


def test_fastapi_maps_errors(fake: FakeVideoSDK, fastapi: Program, session_id: str) -> None:
    """An error is a status before the first line, and a last line afterwards."""
    path = f"/rooms/{ROOM}/sessions/{session_id}/transcripts"
    assert fastapi.get("/rooms/a%20b/sessions/c/transcripts")[0] == 400
    fake.fail_next(Status(403))
    assert fastapi.get(path) == (500, '{"error":"PermissionDeniedError"}')
    fake.on_page(2, Status(403))
    assert fastapi.lines(path)[20:] == [{"error": "PermissionDeniedError"}]
    assert fastapi.get("/transcripts/unknown/subtitles.vtt")[0] == 404


def test_fastapi_serves_subtitles(fake: FakeVideoSDK, fastapi: Program) -> None:
    """The source is a format that has times."""
    row = fake.add_post_transcription(room_id=ROOM)
    fake.files.put(row, "vtt", VTT)
    status, text = fastapi.get(f"/transcripts/{row['id']}/subtitles.vtt")
    assert status == 200
    assert "00:00:01.000 --> 00:00:02.500" in text
    assert "Shall we begin?" in text


def test_fastapi_stores_announced_transcripts(
    fake: FakeVideoSDK, programs: Starter, fastapi: Program
) -> None:
    """Each is stored once; after a restart, those that were not ready before are stored, too."""
    row = fake.add_transcription(room_id=ROOM, session_id=fake.new_session_id())
    fake.files.put(row, "txt", b"Ann: Good morning.\n")
    assert send_event(fake, fastapi, row, change=b" ") == 401
    assert send_event(fake, fastapi, row) == 200
    assert send_event(fake, fastapi, row) == 200
    stored = [{"id": row["id"], "room_id": ROOM, "text": "Ann: Good morning.\n"}]
    wait_until(lambda: json.loads(fastapi.get("/stored")[1]) == stored)
    late = fake.add_transcription(room_id=ROOM, session_id=fake.new_session_id(), formats=())
    assert send_event(fake, fastapi, late) == 200
    fastapi.stop()
    assert "Application shutdown complete" in fastapi.output()
    assert "Traceback" not in fastapi.output()
    fake.files.put(late, "txt", b"Bob: Late.\n")
    again = programs.fastapi()
    wait_until(lambda: len(json.loads(again.get("/stored")[1])) == 2)


def test_aiohttp_streams_a_room(backend: Program, session_id: str) -> None:
    """The stream has every row of the room, of all its sessions."""
    assert session_id
    lines = backend.lines(f"/rooms/{ROOM}/transcripts")
    assert len(lines) == 25
    assert lines[3]["text"] == "Ann: This is number 3.\n"


def test_aiohttp_lists_a_page_and_maps_errors(
    fake: FakeVideoSDK, backend: Program, session_id: str
) -> None:
    """It does this like the FastAPI backend."""
    assert session_id
    page = json.loads(backend.get("/transcriptions?page=2")[1])
    assert (page["page"], page["last_page"], len(page["rows"])) == (2, 2, 6)
    assert backend.get("/transcriptions?page=two")[0] == 400
    assert backend.get("/transcriptions?page=0")[0] == 400
    fake.on_page(2, Status(403))
    assert backend.lines(f"/rooms/{ROOM}/transcripts")[20:] == [{"error": "PermissionDeniedError"}]


def test_aiohttp_receives_webhooks_and_stops(fake: FakeVideoSDK, backend: Program) -> None:
    """A forged one is refused; SIGTERM ends the program with 0."""
    row = fake.add_transcription(room_id=ROOM)
    assert send_event(fake, backend, row, change=b" ") == 401
    assert send_event(fake, backend, row) == 200
    assert f"transcription-stopped: {row['id']} is completed" in backend.output()
    assert backend.stop() == 0
    assert "Traceback" not in backend.output()


def test_stream_ends_when_the_caller_leaves(fake: FakeVideoSDK, backend: Program) -> None:
    """No file is fetched for a caller that is gone."""
    for row in fake.add_transcriptions(400, room_id=ROOM):
        fake.files.put(row, "txt", b"Ann: " + b"word " * 20_000)

    async def leave() -> None:
        host, port = backend.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET /rooms/{ROOM}/transcripts HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await reader.readline()
        writer.close()
        await writer.wait_closed()

    asyncio.run(leave())
    wait_until(lambda: "the caller has disconnected" in backend.output())
    assert backend.stop() == 0
    assert "Traceback" not in backend.output()
    assert len(fake.files.requests) < 400
