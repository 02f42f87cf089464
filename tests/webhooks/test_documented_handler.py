"""The webhook handler of the documentation, with webhooks of the fake service."""

import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from videosdk_transcripts import TranscriptsClient
from videosdk_transcripts.testing import FakeVideoSDK, Status

PAGES = Path(__file__).parents[2] / "docs"


def handler_names(client: TranscriptsClient) -> dict[str, Any]:
    """Run the example that defines a handler, and return its names."""
    pages = "".join(page.read_text("utf-8") for page in PAGES.rglob("*.md"))
    blocks = re.findall(r"^```python\n(.*?)^```", pages, re.MULTILINE | re.DOTALL)
    (code,) = [block for block in blocks if "add_post(" in block]
    names: dict[str, Any] = {"client": client}
    exec(code, names)  # noqa: S102 - our own page
    return names


@pytest.mark.parametrize("word", ["started", "stopped", "completed", "failed"])
@pytest.mark.parametrize("kind", ["realtime", "post", "post-call", None])
async def test_documented_handler_stores_each_kind(
    fake: FakeVideoSDK, client: TranscriptsClient, word: str, kind: str | None
) -> None:
    """This includes recordings; events may be repeated, and a start stores nothing."""
    rows = [fake.add_transcription(), fake.add_post_transcription()]
    fake.files.serve_all()
    names = handler_names(client)
    async with TestServer(names["app"]) as server:
        url = str(server.make_url("/videosdk"))
        for row in rows * 2:
            assert await fake.webhooks.send(url, f"transcription-{word}", row, kind=kind) == 200
    ids = set() if word == "started" else {row["id"] for row in rows}
    assert set(names["texts"]) == set(names["summaries"]) == ids


async def test_documented_handler_stores_the_summary_of_a_later_webhook(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Its type and id are those of an earlier webhook."""
    row = fake.add_transcription(summary=False)
    fake.files.serve_all()
    names = handler_names(client)
    async with TestServer(names["app"]) as server:
        url = str(server.make_url("/videosdk"))
        await fake.webhooks.send(url, "transcription-stopped", row)
        assert names["summaries"] == {}
        fake.files.put(row, "txt", b"They met.", summary=True)
        await fake.webhooks.send(url, "transcription-stopped", row)
    assert names["summaries"] == {row["id"]: "They met."}


async def test_documented_handler_reports_failures(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The status distinguishes a forged webhook from one that may be sent again."""
    row = fake.add_transcription()
    names = handler_names(client)
    async with TestServer(names["app"]) as server:
        url = str(server.make_url("/videosdk"))
        assert await fake.webhooks.send(url, "session-ended", row) == 200
        fake.fail_next(Status(503), times=3)
        assert await fake.webhooks.send(url, "transcription-stopped", row) == 503
        assert await fake.webhooks.send(url, "transcription-stopped", {"id": ""}) == 400
        fake.webhooks.rotate()
        assert await fake.webhooks.send(url, "session-ended", row) == 401
