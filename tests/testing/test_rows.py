"""Rows as the API documents them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from videosdk_transcripts.testing import (
    FakeVideoSDK,
)
from videosdk_transcripts.testing._rows import Row

from .plain_http import ROOM, SESSION, ask

EXTENSION = {"enabled": True, "provider": "videosdk"}


async def test_row_has_documented_shape(http: aiohttp.ClientSession) -> None:
    """A row looks as in the API reference, with its ids in the extension only."""
    async with FakeVideoSDK() as fake:
        fake.add_transcription(row_id="t-1")
        _, data = await ask(http, fake)
    assert data["transcriptions"] == [
        {
            "id": "t-1",
            "status": "completed",
            "extension": {
                "enabled": True,
                "provider": "videosdk",
                "extensionConfig": {"roomId": ROOM, "sessionId": SESSION},
            },
            "transcriptionFilePaths": {
                "txt": "https://cdn.videosdk.live/transcriptions/t-1/t-1.txt"
            },
            "summarizedFilePaths": {
                "txt": "https://cdn.videosdk.live/transcriptions/t-1/t-1-summary.txt"
            },
            "start": "2026-03-02T09:00:00.000Z",
            "end": "2026-03-02T09:25:00.000Z",
        }
    ]


@pytest.mark.parametrize(
    ("fields", "key", "expected"),
    [
        ({"room_id": None}, "extension", {**EXTENSION, "extensionConfig": {"sessionId": SESSION}}),
        ({"session_id": None}, "extension", {**EXTENSION, "extensionConfig": {"roomId": ROOM}}),
        ({"status": "running"}, "status", "running"),
        ({"duration": None}, "end", None),
        ({"duration": timedelta(minutes=1)}, "end", "2026-03-02T09:01:00.000Z"),
        (
            {"start": datetime(2026, 1, 1, 0, 0, 0, 123456, UTC)},
            "start",
            "2026-01-01T00:00:00.123Z",
        ),
        ({"formats": ()}, "transcriptionFilePaths", None),
        ({"formats": ()}, "summarizedFilePaths", None),
        ({"summary": False}, "summarizedFilePaths", None),
        ({"webhookUrl": "https://x.example/"}, "webhookUrl", "https://x.example/"),
        ({"id": "other"}, "id", "other"),
    ],
)
async def test_row_fields_can_be_set_or_omitted(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, fields: Row, key: str, expected: Any
) -> None:
    """Arguments replace, omit or add keys of a row."""
    fake.add_transcription(**fields)
    _, data = await ask(http, fake)
    assert expected == data["transcriptions"][0].get(key)


async def test_each_format_has_its_own_url(http: aiohttp.ClientSession, fake: FakeVideoSDK) -> None:
    """The URL of a file names the row and the format."""
    fake.add_transcription(row_id="t", formats=("txt", "vtt"))
    _, data = await ask(http, fake)
    base = "https://cdn.videosdk.live/transcriptions/t/t"
    files = data["transcriptions"][0]["transcriptionFilePaths"]
    assert {"txt": f"{base}.txt", "vtt": f"{base}.vtt"} == files
