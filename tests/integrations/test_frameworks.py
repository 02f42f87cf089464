"""FastAPI, pydantic and pandas, as `docs/guides/frameworks.md` uses them."""

import ast
import inspect
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pandas as pd
import pyarrow.parquet as pq
import pytest

from videosdk_transcripts import TranscriptsClient, parse_transcript
from videosdk_transcripts.testing import FakeVideoSDK

PAGE: Final = Path(__file__).parents[2] / "docs" / "guides" / "frameworks.md"
BLOCKS: Final = re.findall(r"^```py\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
ROOM: Final = "abcd-efgh-ijkl"
TEXT: Final = "Ann: Good morning.\n\nBob: Yes."


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeVideoSDK]:
    """Return a service whose environment the clients of the page read."""
    async with FakeVideoSDK() as service:
        for row in service.add_transcriptions(3, room_id=ROOM):
            service.files.put(row, "txt", TEXT.encode())
        for name, value in service.environ.items():
            monkeypatch.setenv(name, value)
        yield service


async def run(block: str, **names: Any) -> dict[str, Any]:
    """Run a block of the page and return its names."""
    code = compile(block, PAGE.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, names)  # noqa: S307 - our own page
    if inspect.isawaitable(result):
        await result
    return names


def test_page_has_three_blocks() -> None:
    """Otherwise the tests below would run others."""
    assert [block.partition("\n")[0] for block in BLOCKS] == [
        "from fastapi import FastAPI",
        "from typing import Annotated, Any",
        "import pandas as pd",
    ]


async def test_route_returns_page_row_and_turns(fake: FakeVideoSDK) -> None:
    """With one registered encoder, they may be a response or a part of one."""
    names = await run(BLOCKS[0])
    transport = httpx.ASGITransport(names["app"])
    async with (
        names["client"] as client,
        httpx.AsyncClient(transport=transport, base_url="http://app") as http,
    ):
        listed = await http.get(f"/rooms/{ROOM}/transcriptions")
        assert (listed.status_code, listed.json()["transcriptions"]) == (200, fake.rows)
        assert listed.json() == (await client.get_page(ROOM)).to_dict()
        row_id = fake.rows[0]["id"]
        turns = await http.get(f"/transcriptions/{row_id}/turns")
        assert turns.json() == {
            "transcription": fake.rows[0],
            "turns": [turn.to_dict() for turn in parse_transcript(TEXT).turns],
        }
        assert (await http.get("/openapi.json")).status_code == 200


async def test_route_returns_a_row_of_a_pydantic_annotation(fake: FakeVideoSDK) -> None:
    """The row may be in a model or alone, and is validated by its class."""
    from fastapi import FastAPI
    from pydantic import ValidationError

    names = await run(BLOCKS[1])
    annotation: Any = names["Row"]
    with pytest.raises(ValidationError):
        names["Meeting"](title="Weekly", transcription={"id": "abc"})
    app = FastAPI()
    async with fake.client() as client:
        row = await client.get_transcription(fake.rows[0]["id"])

    async def get_row() -> Any:
        return row

    app.get("/row", response_model=annotation)(get_row)
    app.get("/rows", response_model=list[annotation])(lambda: [row, row])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as http:
        assert (await http.get("/row")).json() == fake.rows[0]
        assert (await http.get("/rows")).json() == [fake.rows[0]] * 2
        assert (await http.get("/openapi.json")).status_code == 200


async def test_data_frame_is_accepted_by_parquet(
    fake: FakeVideoSDK, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have empty objects and columns of several types, which the service sends."""
    monkeypatch.chdir(tmp_path)
    fake.rows[0].update(new={}, mixed=5, listed=[1, "a"], nested={"a": {"b": {}}})
    fake.rows[1].update(new={"x": 1}, mixed="five", transcriptionFilePaths={})
    fake.rows[2].update(mixed=None, status="running")
    del fake.rows[2]["end"]
    async with fake.client() as client:
        table = (await run(BLOCKS[2], client=client))["table"]
        rows = [t async for t in client.iter_transcriptions()]
    found = pd.read_parquet("transcriptions.parquet")
    assert list(found["id"]) == [row.id for row in rows]
    assert list(found["extension.extensionConfig.roomId"]) == [ROOM] * 3
    assert list(found["mixed"][:2]) == ["5", "five"]
    types = {str(type_) for type_ in pq.read_schema("transcriptions.parquet").types}
    assert types <= {"string", "large_string"}
    lengths = pd.to_datetime(table["end"]) - pd.to_datetime(table["start"])
    assert lengths[0] == rows[0].duration == timedelta(minutes=25)
    assert pd.isna(lengths[2])


async def test_empty_list_is_an_empty_table(
    fake: FakeVideoSDK, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without rows there are no columns."""
    monkeypatch.chdir(tmp_path)
    fake.clear()
    async with TranscriptsClient() as client:
        await run(BLOCKS[2], client=client)
    assert len(pd.read_parquet("transcriptions.parquet")) == 0
