"""The dashboard: its static files, its data, and what a page without a browser shows of them."""

import contextlib
import json
import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import aiohttp
import pytest

from videosdk_transcripts import TranscriptsClient
from videosdk_transcripts.testing import (
    SANDBOX_ROOMS,
    Applied,
    Delay,
    DropConnection,
    Exchange,
    FakeVideoSDK,
    Status,
    run_sandbox,
)

from .plain_http import LIST, ask

HOSTILE = "<script>alert('x')</script>\"&\x00\x1b\u2028"
FOLDER = files("videosdk_transcripts.testing.dashboard")
PAGE = (FOLDER / "index.html").read_text("utf-8")
STYLE = (FOLDER / "style.css").read_text("utf-8")


async def read(fake: FakeVideoSDK, **query: str) -> dict[str, Any]:
    """Return the data of the dashboard."""
    url = f"{fake.url}/dashboard.json"
    async with aiohttp.ClientSession() as session, session.get(url, params=query) as response:
        assert (response.status, response.content_type) == (200, "application/json")
        data: dict[str, Any] = json.loads(await response.read())
        return data


def bars(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the bars of the timeline."""
    rows = (row for lane in data["timeline"]["lanes"] for row in lane["rows"])
    return [bar for row in rows for session in row for bar in session]


# Data.


async def test_data_shows_rows_and_requests(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """The data have rooms, rows, sessions and requests, and how to connect."""
    run_sandbox(fake)
    fake.fail_next(Status(503))
    await client.count(SANDBOX_ROOMS[0])
    data = await read(fake)
    assert (data["url"], data["environ"], data["room"]) == (fake.url, fake.environ, None)
    assert data["counts"] == {
        "rooms": 4,
        "sessions": 50,
        "transcriptions": len(fake.rows),
        "recordings": len(fake.post_rows),
        "running": 1,
        "requests": 2,
    }
    assert {room["id"] for room in data["rooms"]} == set(SANDBOX_ROOMS)
    assert sum(room["running"] for room in data["rooms"]) == 1
    assert sum(room["jobs"] for room in data["rooms"]) == len(fake.rows) + len(fake.post_rows)
    shown = data["transcriptions"]
    assert [job["id"] for job in shown] == [row["id"] for row in fake.rows]
    assert [job["kind"] for job in shown[:4]] == ["running", "completed", "failed", "completed"]
    assert shown[0]["end"] is None
    assert shown[3]["files"][0]["url"].startswith(f"{fake.url}/files/")
    assert [job["id"] for job in data["recordings"]] == [row["id"] for row in fake.post_rows]
    assert "summary" in [file["name"] for file in data["recordings"][0]["files"]]
    assert [(r["number"], r["status"], r["fault"]) for r in data["requests"]] == [
        (2, 200, None),
        (1, 503, "Status(503)"),
    ]


async def test_data_of_one_room(fake: FakeVideoSDK) -> None:
    """The data have only the rows of this room, and all rooms to choose from."""
    run_sandbox(fake)
    room = SANDBOX_ROOMS[1]
    data = await read(fake, room=room)
    assert data["room"] == room
    assert data["counts"]["rooms"] == 1
    assert {one["id"] for one in data["rooms"]} == set(SANDBOX_ROOMS)
    for name in ("transcriptions", "sessions", "recordings"):
        assert {one["roomId"] for one in data[name]} == {room}
    assert [lane["roomId"] for lane in data["timeline"]["lanes"]] == [room]


async def test_data_of_an_unknown_room_is_empty(fake: FakeVideoSDK) -> None:
    """The rooms are still listed."""
    run_sandbox(fake)
    data = await read(fake, room="nowhere")
    assert data["transcriptions"] == data["sessions"] == data["recordings"] == []
    assert data["timeline"] is None
    assert len(data["rooms"]) == 4


async def test_data_of_an_empty_service(fake: FakeVideoSDK) -> None:
    """An empty room in the query means all rooms."""
    data = await read(fake, room="")
    assert (data["rooms"], data["timeline"], data["room"]) == ([], None, None)
    assert set(data["counts"].values()) == {0}


async def test_dashboard_is_not_counted_as_a_request(fake: FakeVideoSDK) -> None:
    """Nothing that a browser requests for the page appears in `requests`."""
    async with aiohttp.ClientSession(fake.url) as session:
        for path in ("/", "/style.css", "/dashboard.json"):
            async with session.get(path) as response:
                assert response.status == 200
    assert fake.requests == []


async def test_data_adds_files_that_are_due(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """A stopped transcription has its files without another request."""
    await client.start_transcription("a-room")
    await client.stop_transcription("a-room")
    data = await read(fake)
    assert [file["name"] for file in data["transcriptions"][0]["files"]] == ["txt"]


async def test_hostile_texts_stay_texts(http: aiohttp.ClientSession, fake: FakeVideoSDK) -> None:
    """Markup and control characters arrive unchanged, and only web addresses become links."""
    row = fake.add_transcription(room_id=HOSTILE, session_id=HOSTILE, row_id=HOSTILE)
    row["status"] = HOSTILE
    row["transcriptionFilePaths"] = {HOSTILE: "javascript:alert(1)", "txt": f"https://a/{HOSTILE}"}
    await ask(http, fake, roomId=HOSTILE)
    data = await read(fake, room=HOSTILE)
    (job,) = data["transcriptions"]
    assert (job["id"], job["roomId"], job["sessionId"]) == (HOSTILE, HOSTILE, HOSTILE)
    assert (job["status"], job["kind"]) == (HOSTILE.lower(), "other")
    assert job["files"][:2] == [
        {"name": HOSTILE, "url": None},
        {"name": "txt", "url": f"https://a/{HOSTILE}"},
    ]
    assert HOSTILE in data["requests"][0]["target"]


async def test_lone_surrogates_are_replaced(fake: FakeVideoSDK) -> None:
    """They are not valid in UTF-8, and a strict JSON parser rejects their escapes."""
    fake.add_transcription(room_id="\ud800a", row_id="b\udfff", status="\udc00")
    fake.rows[0]["transcriptionFilePaths"] = {"\ud83d\ude00": "https://a/\ud800"}
    data = await read(fake, room="\ufffda")
    (job,) = data["transcriptions"]
    assert (job["roomId"], job["id"], job["status"]) == ("\ufffda", "b\ufffd", "\ufffd")
    assert job["files"][0] == {"name": "\U0001f600", "url": "https://a/\ufffd"}


async def test_malformed_rows_are_shown_as_far_as_possible(fake: FakeVideoSDK) -> None:
    """Wrong types and impossible times are treated as missing."""
    fake.add_transcription(room_id=None, session_id=None, duration=None)
    odd = fake.add_transcription(status="queued", start=datetime(2026, 1, 2, tzinfo=UTC))
    odd["end"] = "2026-01-01T00:00:00Z"
    odd["summarizedFilePaths"] = {"md": "https://a/b"}
    fake.rows.append({"id": 7, "start": 7, "status": None, "extension": 3})
    fake.rows.append({"id": "b", "start": "2026-01-02T03:04:05", "extension": {}, "roomId": "flat"})
    fake.rows.append({"id": "c", "start": "0001-01-01T00:00:00+23:00", "extension": None})
    fake.rows.append({"transcriptionFilePaths": "none"})
    data = await read(fake)
    first, queued, seven, flat, ancient, empty = data["transcriptions"]
    assert (first["roomId"], first["sessionId"], first["end"]) == (None, None, None)
    assert (queued["kind"], queued["status"], queued["end"]) == ("other", "queued", None)
    assert queued["files"][1] == {"name": "md summary", "url": "https://a/b"}
    assert (seven["id"], seven["start"], seven["status"]) == ("7", None, "")
    assert (flat["roomId"], flat["start"]) == ("flat", "2026-01-02T03:04:05.000Z")
    assert ancient["start"] is None
    assert (empty["id"], empty["files"]) == ("", [])
    assert sorted(bar["kind"] for bar in bars(data)) == ["completed", "other", "other"]
    starts = {session["roomId"]: session["start"] for session in data["sessions"]}
    assert starts["flat"] == "2026-01-02T03:04:05.000Z"


async def test_requests_are_the_newest_50(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """The newest is first; a request in progress has no status yet."""
    seen = []

    async def slow(exchange: Exchange) -> Any:
        seen.append((await read(fake))["requests"])
        return exchange.response()

    for _ in range(52):
        await client.count()
    fake.fail_next(slow)
    await client.count()
    (meanwhile,) = seen
    assert (meanwhile[0]["number"], meanwhile[0]["status"]) == (53, None)
    requests = (await read(fake))["requests"]
    assert [one["number"] for one in requests] == [*range(53, 3, -1)]
    assert [one["fault"] for one in requests if one["fault"]] == ["slow"]
    assert requests[0]["target"] == f"{LIST}/?page=1&perPage=1"


@pytest.mark.parametrize(
    ("fault", "status", "name"),
    [
        (Delay(0), 401, "Delay(0)"),
        (DropConnection(), None, "DropConnection"),
        (Applied(DropConnection()), None, "Applied(DropConnection)"),
        (Status(308, {"Location": "/x"}), 308, "Status(308)"),
    ],
)
async def test_faults_have_the_name_that_a_test_writes(
    fake: FakeVideoSDK, fault: Any, status: int | None, name: str
) -> None:
    """A response that no client received has no status."""
    fake.fail_next(fault)
    async with aiohttp.ClientSession() as session:
        with contextlib.suppress(aiohttp.ServerDisconnectedError):
            await session.post(f"{fake.url}{LIST}/start", allow_redirects=False)
    (request,) = (await read(fake))["requests"]
    assert (request["status"], request["fault"]) == (status, name)
    assert request["target"] == f"{LIST}/start"


async def test_requests_for_files_are_separate(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """They are not requests of the API."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")
    await client.fetch_text(await client.get_transcription(row["id"]))
    data = await read(fake)
    (request,) = data["fileRequests"]
    assert request["target"] == f"/files/{row['id']}/{row['id']}.txt"
    assert data["counts"]["requests"] == 1


async def test_long_lists_are_limited_to_200(fake: FakeVideoSDK) -> None:
    """The counts include the rest."""
    for number in range(204):
        fake.add_transcription(session_id=f"s{number}")
        fake.add_post_transcription()
    data = await read(fake)
    for name in ("transcriptions", "sessions", "recordings"):
        assert len(data[name]) == 200
        assert data["counts"][name] == 204


# Timeline.


@pytest.mark.parametrize("span", [timedelta(0), timedelta(days=3), timedelta(days=9000)])
async def test_timeline_skips_empty_periods(fake: FakeVideoSDK, span: timedelta) -> None:
    """It has at most the hours of two starts, and a running job extends to the present."""
    start = datetime(2000, 1, 1, 9, tzinfo=UTC)
    fake.add_transcription(start=start)
    fake.add_transcription(start=start + span, status="running", duration=None, session_id="b")
    data = await read(fake)
    line = data["timeline"]
    assert (line["unit"], line["total"]) == ("hour", 1 + (span > timedelta(0)))
    gaps = [period["isAfterGap"] for period in line["periods"]]
    assert gaps == ([False] if span == timedelta(0) else [False, True])
    done, running = bars(data)
    assert (done["from"], done["to"]) == (0, round(25 / 60, 4))
    assert (running["kind"], running["from"], running["to"]) == (
        "running",
        len(gaps) - 1,
        len(gaps) + 1,
    )


async def test_timeline_shows_the_newest_14_days(fake: FakeVideoSDK) -> None:
    """Older jobs are left out, unless they end within these days or are running."""
    start = datetime(2025, 12, 20, 9, tzinfo=UTC)
    for day in range(20):
        fake.add_transcription(start=start + timedelta(days=day), session_id=f"s{day}")
    fake.add_transcription(start=start, duration=timedelta(days=19), session_id="long")
    fake.add_transcription(start=start, status="running", duration=None, session_id="on")
    data = await read(fake)
    line = data["timeline"]
    assert (line["unit"], line["total"], len(line["periods"])) == ("day", 20, 14)
    assert line["periods"][0]["start"] == "2025-12-26T00:00:00.000Z"
    assert line["periods"][-1]["start"] == "2026-01-08T00:00:00.000Z"
    assert not any(period["isAfterGap"] for period in line["periods"])
    assert len(bars(data)) == 16
    assert [bar["from"] for bar in bars(data)].count(0) == 2
    # Jobs that overlap are in different rows of the lane.
    (lane,) = line["lanes"]
    assert [len(row) for row in lane["rows"]] == [14, 1, 1]


async def test_timeline_keeps_a_moment_in_a_skipped_period(fake: FakeVideoSDK) -> None:
    """A long job over a gap is drawn up to its end."""
    start = datetime(2026, 1, 1, 9, tzinfo=UTC)
    fake.add_transcription(start=start, duration=timedelta(hours=5))
    (bar,) = bars(await read(fake))
    assert (bar["from"], bar["to"]) == (0, 1)


async def test_timeline_keeps_a_session_in_one_row(fake: FakeVideoSDK) -> None:
    """Its transcriptions are one entry of a row, and other sessions do not overlap them."""
    fake.add_session("a-room", 3, status="failed")
    (lane,) = (await read(fake))["timeline"]["lanes"]
    assert [[len(session) for session in row] for row in lane["rows"]] == [[3]]
    fake.add_session("a-room", start=datetime(2026, 3, 2, 10, tzinfo=UTC))
    (lane,) = (await read(fake))["timeline"]["lanes"]
    assert [[len(session) for session in row] for row in lane["rows"]] == [[3], [1]]


# The page.


class Reader(HTMLParser):
    """Collect the elements of the static page."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(PAGE)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


def directives(policy: str) -> dict[str, str]:
    """Return the values of a Content-Security-Policy by directive."""
    return {name: value for name, _, value in (one.partition(" ") for one in policy.split("; "))}


async def test_page_has_a_strict_policy(fake: FakeVideoSDK) -> None:
    """Only its own script runs, identified by a hash; nothing can be sent or embedded."""
    async with aiohttp.ClientSession() as session, session.get(fake.url) as response:
        text, headers = await response.text(), response.headers
        assert (response.status, response.content_type) == (200, "text/html")
    script = re.findall(r'<script type="module">(.*?)</script>', text, re.DOTALL)
    assert len(script) == len(re.findall("<script", text)) == 1
    digest = b64encode(sha256(script[0].encode()).digest()).decode()
    assert directives(headers["Content-Security-Policy"]) == {
        "default-src": "'none'",
        "script-src": f"'sha256-{digest}'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }


@pytest.mark.parametrize("path", ["/", "/style.css", "/dashboard.json"])
async def test_responses_are_not_cached_nor_guessed(fake: FakeVideoSDK, path: str) -> None:
    """A reload shows the present state, and no content type is sniffed."""
    async with aiohttp.ClientSession() as session, session.get(f"{fake.url}{path}") as response:
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_style_is_served_as_a_file(fake: FakeVideoSDK) -> None:
    """It is the file of the package."""
    url = f"{fake.url}/style.css"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert (response.content_type, await response.text()) == ("text/css", STYLE)


def test_script_never_parses_text_as_html() -> None:
    """It creates elements and text nodes, and the page has no handler or style attributes."""
    for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert sink not in PAGE
    for _, attributes in Reader().elements:
        assert not [name for name in attributes if name == "style" or name.startswith("on")]


def test_page_explains_that_it_needs_its_script() -> None:
    """Without it a reader finds the data."""
    (text,) = re.findall(r"<noscript>(.*?)</noscript>", PAGE, re.DOTALL)
    assert "needs its script" in text
    assert 'href="/dashboard.json"' in text


def test_page_is_accessible_without_its_content() -> None:
    """It has a language, landmarks, labels, a skip link, and unique ids."""
    page = Reader()
    assert page.all("html") == [{"lang": "en"}]
    assert page.all("meta")[1]["content"] == "width=device-width, initial-scale=1"
    for landmark in ("header", "nav", "main", "h1"):
        assert len(page.all(landmark)) == 1
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert page.all("a")[0] == {"class": "skip", "href": "#main"}
    headings = [heading["id"] for heading in page.all("h2")]
    assert [section["aria-labelledby"] for section in page.all("section")] == headings


# Colours.


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour as WCAG defines it."""
    parts = [int(colour.lstrip("#")[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


KINDS = ("running", "completed", "failed", "other")
PAIRS = [
    *((name, ground) for name in ("text", "soft", "link", *KINDS) for ground in ("bg", "card")),
    *((kind, f"{kind}-on") for kind in KINDS),
    ("on", "link"),
]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_have_enough_contrast(theme: int) -> None:
    """Text has the contrast of WCAG's level AA on each background."""
    both = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", both[theme]))
    for name, ground in PAIRS:
        bright, dark = sorted((luminance(colours[name]), luminance(colours[ground])))[::-1]
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, (name, ground)
