"""Meetings to export, and the content of a dataset."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from videosdk_transcripts.export import Pair
from videosdk_transcripts.testing import Exchange, FakeVideoSDK


class Meetings:
    """Sessions in rooms of a fake service, each with transcriptions and their texts."""

    def __init__(self, fake: FakeVideoSDK, sessions: int = 20, rows: int = 3) -> None:
        self.fake = fake
        self.pairs: list[Pair] = []
        self.texts: dict[str, str] = {}
        for number in range(sessions):
            self.add(f"room-{number % 5}", rows)

    def add(self, room_id: str, rows: int) -> list[dict[str, Any]]:
        """Add a session."""
        added = self.fake.add_session(room_id, rows)
        session_id = added[0]["extension"]["extensionConfig"]["sessionId"]
        self.pairs.append(Pair(room_id, session_id))
        for row in added:
            self.put(row)
        return added

    def put(self, row: dict[str, Any], text: str | None = None) -> None:
        """Serve the text of a row."""
        self.texts[row["id"]] = text or f"Ann: This is {row['id']}.\nBob: \u00dcber, \U0001f600!\n"
        self.fake.files.put(row, "txt", self.texts[row["id"]].encode())

    def has_sent(self, count: int) -> bool:
        """Return whether the service has received this number of requests for files."""
        return len(self.fake.files.requests) >= count

    @property
    def requests(self) -> int:
        """Return how many requests the service received."""
        return len(self.fake.requests) + len(self.fake.files.requests)


def names(sink: Path) -> list[str]:
    """Return the names in a sink."""
    return sorted(path.name for path in sink.iterdir())


def records(sink: Path) -> list[dict[str, Any]]:
    """Return the records of all parts of a JSONL dataset."""
    return [
        json.loads(line)
        for part in sorted(sink.glob("part-*.jsonl"))
        for line in part.read_text("utf-8").splitlines()
    ]


def texts(sink: Path) -> dict[str, str | None]:
    """Return the texts of a JSONL dataset by id; each row must be there once."""
    found = records(sink)
    repeated = [row_id for row_id, count in Counter(r["id"] for r in found).items() if count > 1]
    assert not repeated
    return {record["id"]: record["text"] for record in found}


class Failing:
    """A fault for all requests for one session."""

    def __init__(self, pair: Pair, status: int = 503) -> None:
        self._pair = pair
        self._status = status

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        if exchange.request.query.get("sessionId") == self._pair.session_id:
            return web.json_response({"message": "made to fail"}, status=self._status)
        return exchange.response()


async def until(condition: Callable[[], object]) -> None:
    """Let other tasks run until a condition is true."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - no event signals it
            await asyncio.sleep(0.001)


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until a condition is true."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def without_coverage() -> dict[str, str]:
    """Return an environment for a process that is killed, and would leave an incomplete file."""
    return {name: value for name, value in os.environ.items() if "COVERAGE" not in name}


def child(*arguments: str, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """Start the command line in a child process."""
    code = "from videosdk_transcripts.cli import main; main()"
    return subprocess.Popen(  # noqa: S603 - this Python
        [sys.executable, "-W", "error", "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env=without_coverage(),
    )
