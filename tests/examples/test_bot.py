"""The bot, as a process, with a chat that records what it is sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from attrs import define, field
from programs import ROOM, Program, Starter, wait_until

from videosdk_transcripts.testing import FakeVideoSDK


@define
class Chat:
    """An incoming webhook, and what it received."""

    url: str = ""
    messages: list[str] = field(factory=list)


@pytest.fixture
def chat() -> Iterator[Chat]:
    """A chat server on loopback."""
    received = Chat()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.messages.append(json.loads(body)["text"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield received
    server.shutdown()
    thread.join()
    server.server_close()


def hold_meeting(fake: FakeVideoSDK, summary: bytes) -> str:
    """Add a meeting that has ended, and return its id."""
    row = fake.add_transcription(room_id=ROOM, session_id=fake.new_session_id(), at=0)
    fake.files.put(row, "txt", summary, summary=True)
    return str(row["id"])


def test_bot_posts_each_summary_once_and_survives_restarts(
    fake: FakeVideoSDK, programs: Starter, chat: Chat, tmp_path: Path
) -> None:
    """This includes a meeting that ended while the bot was not running."""
    hold_meeting(fake, b"Before the bot.")
    state = tmp_path / f"{ROOM}.json"

    def run_bot() -> Program:
        return programs.start("bot.py", ROOM, CHAT_URL=chat.url, BOT_STATE=str(tmp_path))

    bot = run_bot()
    wait_until(lambda: state.exists() and len(fake.requests) >= 2)
    assert bot.stop() == 0
    hold_meeting(fake, b"They met.")
    again = run_bot()
    wait_until(lambda: len(chat.messages) == 1)
    wait_until(lambda: json.loads(state.read_text())["pending"] == [])
    assert again.stop() == 0
    assert "Traceback" not in bot.output() + again.output()
    (message,) = chat.messages
    assert message.startswith(f"{ROOM}, 20")
    assert message.endswith("They met.")


def test_bot_keeps_what_it_could_not_post(
    fake: FakeVideoSDK, programs: Starter, tmp_path: Path
) -> None:
    """They are in its file, for the next attempt or the next start."""
    state = tmp_path / f"{ROOM}.json"
    transcription_id = hold_meeting(fake, b"They met.")
    state.write_text(json.dumps({"pending": [transcription_id]}))
    nowhere = "http://127.0.0.1:9/hook"
    bot = programs.start("bot.py", ROOM, CHAT_URL=nowhere, BOT_STATE=str(tmp_path))
    wait_until(lambda: "next attempt in a minute" in bot.output())
    assert bot.stop() == 0
    assert json.loads(state.read_text())["pending"] == [transcription_id]
