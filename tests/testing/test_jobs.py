"""Start and stop: the rows that they change, and when the files of a stopped one exist."""

from typing import Any

import aiohttp
import pytest

from videosdk_transcripts import Clock, TranscriptsClient
from videosdk_transcripts.testing import Applied, DropConnection, FakeVideoSDK

from .plain_http import LIST, ROOM, signed

START = {"roomId": ROOM}


async def post(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, action: str, **options: Any
) -> tuple[int, Any]:
    """Send a start or a stop and return status and JSON."""
    headers = {"Authorization": signed(fake)}
    async with http.post(f"{fake.url}{LIST}/{action}", headers=headers, **options) as response:
        return response.status, await response.json()


async def test_start_adds_a_running_row(http: aiohttp.ClientSession, fake: FakeVideoSDK) -> None:
    """The row is at the top of the list, and has the URL of the webhook."""
    other = fake.add_transcription()
    sent = {"roomId": ROOM, "webhookUrl": "https://a.example"}
    status, row = await post(http, fake, "start", json=sent)
    assert (status, row["status"], row["webhookUrl"]) == (200, "running", "https://a.example")
    assert fake.rows == [row, other]
    assert "end" not in row


@pytest.mark.parametrize(
    ("second_start", "status", "rows"),
    [("bad request", 400, 1), ("conflict", 409, 1), ("running row", 200, 1), ("another", 200, 2)],
)
async def test_second_start_is_configurable(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, second_start: Any, status: int, rows: int
) -> None:
    """It is undocumented. Another room can always start."""
    fake.jobs.second_start = second_start
    _, first = await post(http, fake, "start", json={"roomId": ROOM})
    second = await post(http, fake, "start", json={"roomId": ROOM})
    assert (second[0], len(fake.rows)) == (status, rows)
    assert (second[1] == first) == (second_start == "running row")
    assert (await post(http, fake, "start", json={"roomId": "other"}))[0] == 200


async def test_stop_completes_the_running_row(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """A second stop finds none."""
    fake.add_transcription(status="running", duration=None, room_id="other")
    row = fake.add_transcription(status="running", duration=None)
    assert await post(http, fake, "end", json={"roomId": ROOM}) == (200, row)
    assert (row["status"], "end" in row) == ("completed", True)
    fake.jobs.idle_stop = 406
    status, body = await post(http, fake, "end", json={"roomId": ROOM})
    assert (status, body) == (406, {"message": "No transcription is running"})
    assert fake.rows[0]["status"] == "running"


async def test_stop_completes_the_newest_running_row(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """The latest start counts, as in a similar endpoint, and not the position in the list."""
    old = fake.add_transcription(status="running", duration=None)
    new = fake.add_transcription(status="running", duration=None)
    assert (await post(http, fake, "end", json={"roomId": ROOM}))[1] == new
    assert (old["status"], new["status"]) == ("running", "completed")


async def test_second_start_is_a_400_by_default(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """This is the most likely of the undocumented responses."""
    await post(http, fake, "start", json={"roomId": ROOM})
    status, body = await post(http, fake, "start", json={"roomId": ROOM})
    assert (status, body) == (400, {"message": "Transcription is already running"})


async def test_status_of_start_and_stop_is_configurable(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """It is undocumented whether it is 200 or 201."""
    fake.jobs.status = 201
    assert (await post(http, fake, "start", json={"roomId": ROOM}))[0] == 201
    assert (await post(http, fake, "end", json={"roomId": ROOM}))[0] == 201
    assert (await post(http, fake, "end", json={"roomId": ROOM}))[0] == 404


@pytest.mark.parametrize("url", ["https://a.example/hook", "https://a.example/hook/"])
async def test_webhook_url_can_get_a_slash(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, url: str
) -> None:
    """Only the response to a start has it, as in the documented samples."""
    fake.jobs.webhook_slash = True
    sent = {"roomId": ROOM, "webhookUrl": url}
    started = (await post(http, fake, "start", json=sent))[1]
    stopped = (await post(http, fake, "end", json=sent))[1]
    assert (started["webhookUrl"], stopped["webhookUrl"]) == ("https://a.example/hook/", url)


@pytest.mark.parametrize(("file_maps", "found"), [("null", None), ("empty", {})])
async def test_file_maps_of_a_started_row_are_configurable(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, file_maps: Any, found: Any
) -> None:
    """They are missing by default, as documented; the row itself does not change."""
    assert "transcriptionFilePaths" not in (await post(http, fake, "start", json=START))[1]
    fake.file_maps = file_maps
    row = (await post(http, fake, "end", json=START))[1]
    assert (row["transcriptionFilePaths"], row["summarizedFilePaths"]) == (found, found)
    assert "summarizedFilePaths" not in fake.rows[0]


async def read_all(http: aiohttp.ClientSession, fake: FakeVideoSDK) -> None:
    """Read the dashboard and a list, which contain the rows."""
    for path in ("/", "/dashboard.json", "/dashboard.json?room=%ED%A0%80", f"{LIST}/"):
        headers = {"Authorization": signed(fake)}
        async with http.get(f"{fake.url}{path}", headers=headers) as response:
            assert response.status == 200
            assert b"\\ud" not in await response.read()


@pytest.mark.parametrize("value", [7, True, ["https://a.example"], {"url": "https://a.example"}])
async def test_webhook_url_must_be_a_string(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, value: Any
) -> None:
    """So a row contains only what every reader of it expects."""
    refused = await post(http, fake, "start", json={"roomId": ROOM, "webhookUrl": value})
    assert refused == (400, {"message": "webhookUrl must be a string"})
    assert fake.rows == []


async def test_webhook_url_may_be_null(http: aiohttp.ClientSession, fake: FakeVideoSDK) -> None:
    """It is treated like a missing one."""
    status, row = await post(http, fake, "start", json={"roomId": ROOM, "webhookUrl": None})
    assert (status, "webhookUrl" in row) == (200, False)


@pytest.mark.parametrize("action", ["start", "end"])
@pytest.mark.parametrize(
    "body",
    [
        rb'{"roomId": "\ud800"}',
        rb'{"roomId": "a\udfffb"}',
        b'{"roomId": "\xed\xa0\x80"}',
        rb'{"roomId": "a", "webhookUrl": "\ud800"}',
        rb'{"roomId": "a", "webhookUrl": {"b": ["\udc00\ud800"]}}',
        rb'{"roomId": "a", "\ud800": 1}',
        rb'{"roomId": "a", "summary": {"\udbff": {}}}',
    ],
)
async def test_lone_surrogate_changes_nothing(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, action: str, body: bytes
) -> None:
    """Dashboard and lists work as before, and they are valid UTF-8 without escapes."""
    row = fake.add_transcription(room_id="a", status="running", duration=None)
    before = dict(row)
    assert await post(http, fake, action, data=body) == (400, {"message": "roomId is required"})
    assert fake.rows == [before]
    await read_all(http, fake)


@pytest.mark.parametrize("action", ["start", "end"])
@pytest.mark.parametrize("key", ["roomId", "webhookUrl", "summary", "other"])
@pytest.mark.parametrize("depth", [300, 980, 3000, 7000])
async def test_extreme_nesting_does_not_break_responses(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, action: str, key: str, depth: int
) -> None:
    """The depth that Python's JSON module supports depends on the version."""
    nested = b"[" * depth + b"]" * depth
    body = b'{"roomId": "a", "%s": %s}' % (key.encode(), nested)
    assert (await post(http, fake, action, data=body))[0] in (200, 400, 404)
    await read_all(http, fake)


@pytest.mark.parametrize("action", ["start", "end"])
@pytest.mark.parametrize("body", [b"", b"[", b"[]", b"{}", b'{"roomId": ""}', b'{"roomId": 7}'])
async def test_request_without_a_room_is_400(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, action: str, body: bytes
) -> None:
    """The body may be anything else."""
    assert await post(http, fake, action, data=body) == (400, {"message": "roomId is required"})
    assert fake.rows == []


async def test_applied_start_is_applied_once(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """The fault uses the response after it was built."""

    async def respond_twice(exchange: Any) -> Any:
        assert exchange.response() is exchange.response()
        return exchange.response()

    fake.fail_next(Applied(respond_twice), Applied(DropConnection()))
    assert (await post(http, fake, "start", json={"roomId": ROOM}))[0] == 200
    assert len(fake.rows) == 1
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await post(http, fake, "end", json={"roomId": ROOM})
    assert fake.rows[0]["status"] == "completed"


async def stopped(client: TranscriptsClient, **options: Any) -> str:
    """Start and stop a transcription and return its id."""
    await client.start_transcription(ROOM, **options)
    t = (await client.stop_transcription(ROOM)).transcription
    assert not t.files
    return t.id


async def test_files_exist_from_the_request_after_the_stop(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """There is a summary if the start requested one."""
    t = await client.get_transcription(await stopped(client, summary=True))
    assert (list(t.files), list(t.summary_files)) == (["txt"], ["txt"])
    t = await client.get_transcription(await stopped(client, summary=False))
    assert (list(t.files), list(t.summary_files)) == (["txt"], [])


async def test_files_after_delays_files() -> None:
    """The clock of the service counts, and the files are added once."""
    time = [100.0]
    async with (
        FakeVideoSDK(now=lambda: time[0]) as fake,
        fake.client(clock=Clock(time=lambda: time[0])) as client,
    ):
        fake.jobs.files_after, fake.jobs.formats = 30.0, ("srt", "vtt")
        row_id = await stopped(client)
        time[0] = 129.0
        assert not (await client.get_transcription(row_id)).files
        time[0] = 130.0
        assert list((await client.get_transcription(row_id)).files) == ["srt", "vtt"]
        del fake.rows[0]["transcriptionFilePaths"]
        assert not (await client.get_transcription(row_id)).files


async def test_no_formats_means_no_files(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """The transcription is completed nevertheless."""
    fake.jobs.formats = ()
    t = await client.get_transcription(await stopped(client, summary=False))
    assert t.is_completed
    assert not t.files
    assert not t.summary_files
