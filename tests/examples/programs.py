"""Start the examples as processes, like a user."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from attrs import define, field

EXAMPLES: Final = Path(__file__).resolve().parents[2] / "docs" / "examples"
ROOM: Final = "abcd-efgh-ijkl"


@define
class Program:
    """A running example."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def get(self, path: str) -> tuple[int, str]:
        """Send a GET, and return status and text."""
        return self._send(urllib.request.Request(self.url + path))  # noqa: S310 - loopback

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        """Send a POST, and return the status."""
        return self._send(urllib.request.Request(self.url + path, body, headers))[0]  # noqa: S310

    def lines(self, path: str) -> list[Any]:
        """Return the values of a stream of JSON lines."""
        status, text = self.get(path)
        assert status == 200, text
        return [json.loads(line) for line in text.splitlines()]

    def output(self) -> str:
        """Return what the program printed so far."""
        return self.log.read_text("utf-8")

    def stop(self) -> int:
        """Send SIGTERM, and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def wait_for_port(self) -> Program:
        """Wait until the program accepts connections."""
        port = int(self.url.rpartition(":")[2])

        def accepts() -> bool:
            assert self.process.poll() is None, self.output()
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_until(accepts)
        return self

    def _send(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


@define
class Starter:
    """Starts programs, and kills those that are left at the end."""

    folder: Path
    environment: dict[str, str]
    running: list[Program] = field(factory=list)

    def start(self, *arguments: str, folder: Path = EXAMPLES, **variables: str) -> Program:
        """Run Python with these arguments, in which PORT stands for a free port."""
        port = _free_port()
        log = self.folder / f"log-{len(self.running)}.txt"
        environment = {**os.environ, **self.environment, "PORT": str(port), **variables}
        command = [sys.executable, *(text.replace("PORT", str(port)) for text in arguments)]
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - a program of this repository
                command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
        program = Program(process, f"http://127.0.0.1:{port}", log)
        self.running.append(program)
        return program

    def fastapi(self) -> Program:
        """Start the FastAPI backend, with its database in the folder."""
        return self.start(
            *("-m", "uvicorn", "app:app", "--port", "PORT"),
            folder=EXAMPLES / "fastapi_backend",
            DATABASE=str(self.folder / "transcripts.db"),
        ).wait_for_port()

    def kill_all(self) -> None:
        """Kill what is still running."""
        for program in self.running:
            program.process.kill()
            program.process.wait()


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Poll until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not become true in time"
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
