"""Signed webhooks, received by real frameworks."""

from __future__ import annotations

import base64
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from programs import EXAMPLES, ROOM, Program, Starter, wait_until

from videosdk_transcripts.testing import FakeVideoSDK

FOLDER = EXAMPLES / "webhooks"
SERVERS = {
    "flask": ("-m", "flask", "--app", "flask_app", "run", "--port", "PORT"),
    "django": ("django_app.py", "runserver", "--noreload", "PORT"),
}


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, fake: FakeVideoSDK, programs: Starter) -> Program:
    """One of the frameworks, with the key pinned."""
    key = fake.webhooks.public_key
    command = SERVERS[request.param]
    return programs.start(*command, folder=FOLDER, VIDEOSDK_PUBLIC_KEY=key).wait_for_port()


def test_framework_verifies_the_raw_body(fake: FakeVideoSDK, server: Program) -> None:
    """A signed body is accepted, a changed or unsigned one is refused."""
    row = fake.add_transcription(room_id=ROOM)
    body, headers = fake.webhooks.event("transcription-stopped", row)
    post = server.post
    assert post("/webhooks/videosdk", body, headers) == 200
    wait_until(lambda: f"transcription-stopped: {row['id']}" in server.output())
    again = json.dumps(json.loads(body), separators=(",", ":")).encode()
    assert post("/webhooks/videosdk", again, headers) == 401
    assert post("/webhooks/videosdk", body, {"Content-Type": "application/json"}) == 401


def load_lambda(monkeypatch: pytest.MonkeyPatch, key: str) -> ModuleType:
    """Import the function as Lambda does."""
    monkeypatch.setenv("VIDEOSDK_PUBLIC_KEY", key)
    path: Path = FOLDER / "lambda_function.py"
    spec = importlib.util.spec_from_file_location("lambda_function", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("is_encoded", [False, True])
def test_lambda_verifies_the_raw_body(
    fake: FakeVideoSDK,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_encoded: bool,
) -> None:
    """The body may have either form in which a gateway forwards it."""
    function = load_lambda(monkeypatch, fake.webhooks.public_key)
    row = fake.add_transcription(room_id=ROOM)
    body, headers = fake.webhooks.event("transcription-failed", row)

    def call(raw_body: bytes) -> int:
        text = base64.b64encode(raw_body).decode() if is_encoded else raw_body.decode()
        event: dict[str, Any] = {
            "body": text,
            "isBase64Encoded": is_encoded,
            "headers": {name.title(): value for name, value in headers.items()},
        }
        return int(function.handler(event, None)["statusCode"])

    assert (call(body), call(body + b" ")) == (200, 401)
    assert capsys.readouterr().out == f"transcription-failed: {row['id']}\n"
