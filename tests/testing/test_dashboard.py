"""The page of the fake service, read without a browser."""

import contextlib
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import aiohttp
import pytest

from videosdk_transcripts import TranscriptsClient
from videosdk_transcripts.testing import (
    SANDBOX_ROOMS,
    Applied,
    Delay,
    DropConnection,
    FakeVideoSDK,
    Status,
    fill_sandbox,
    run_sandbox,
)
from videosdk_transcripts.testing._page_style import STYLE

HOSTILE = "<script>alert('x')</script>\"&"
VOID = {"meta", "path", "link"}
ALL = ["rooms", "time", "requests", "transcriptions", "sessions", "recordings", "reach"]


class Reader(HTMLParser):
    """Reads a page, and fails where an element is left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[tuple[str, str]] = []
        self.sections: dict[str, str] = {}
        """The words below each heading of the second level, by its id."""
        self.words = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "h2":
            self.sections[str(dict(attrs)["id"])] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += f"{data} "
        if self.sections:
            last = list(self.sections)[-1]
            self.sections[last] += f"{data} "
        if self._open and self._open[-1] in {"h1", "h2", "h3"}:
            self.headings.append((self._open[-1], data))

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements of a kind, and with these among them."""
        return [
            attributes
            for name, attributes in self.elements
            if name == tag and wanted.items() <= attributes.items()
        ]

    def bars(self) -> list[dict[str, str | None]]:
        """Return the bars of the time line, those of its key left out."""
        return self.all("rect", height="18")


async def read(fake: FakeVideoSDK, path: str = "/") -> tuple[Reader, Any]:
    """Return the page and the headers that came with it."""
    async with aiohttp.ClientSession() as session, session.get(f"{fake.url}{path}") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/html"
        return Reader(await answer.text()), answer.headers


async def test_what_is_in_it(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Rooms, jobs, recordings and requests, below headings that stand in order."""
    run_sandbox(fake)
    fake.fail_next(Status(503))
    await client.count(SANDBOX_ROOMS[0])
    page, _ = await read(fake)
    assert page.headings[0] == ("h1", "VideoSDK sandbox")
    assert [level for level, _ in page.headings[1:]] == ["h2"] * len(ALL)
    assert list(page.sections) == ALL
    for room in SANDBOX_ROOMS:
        assert room in page.sections["rooms"]
    for words in (fake.rows[0]["id"], "running", "failed", "19 Mar 2026, 12:57", "summary"):
        assert words in page.sections["transcriptions"]
    assert "Show 50" in page.sections["sessions"]
    assert fake.post_rows[0]["id"] in page.sections["recordings"]
    assert re.search(r"2 +200 .* none +1 +503 .* Status\(503\)", page.sections["requests"])
    for name, value in fake.environ.items():
        assert f"{name}={value}" in page.sections["reach"]
    # What a person looks at is nothing that the service was asked.
    assert len(fake.requests) == 2


async def test_one_room(fake: FakeVideoSDK) -> None:
    """The jobs and the recordings of a room, with a way back to all."""
    run_sandbox(fake)
    room = SANDBOX_ROOMS[1]
    page, _ = await read(fake, f"/?room={room}")
    assert ("h2", f"Transcriptions of {room}") in page.headings
    assert fake.rows[0]["id"] not in page.words
    names = {r["id"] for r in fake.rows if r["extension"]["extensionConfig"]["roomId"] == room}
    assert {name for name in names if name in page.words} == names
    for other in SANDBOX_ROOMS:
        assert other in page.sections["rooms"]
        assert (other in page.sections["sessions"]) == (other == room)
    assert page.all("a", href="/")
    (chosen,) = [link for link in page.all("a") if "aria-current" in link]
    assert chosen["href"] == f"/?room={room}"
    # The page is loaded anew as it is.
    assert page.all("a", href=f"/?room={room}")[0]["class"] == "button"
    assert [details for details in page.all("details") if "open" in details] == [{"open": None}]


async def test_a_room_that_is_not_there(fake: FakeVideoSDK) -> None:
    """It is empty, and the others are still there to choose from."""
    run_sandbox(fake)
    page, _ = await read(fake, "/?room=nowhere")
    for name in ("transcriptions", "sessions", "recordings"):
        assert "None yet." in page.sections[name]
    assert "Nothing to draw yet." in page.sections["time"]
    assert page.all("a", href=f"/?room={SANDBOX_ROOMS[0]}")


async def test_nothing_in_it(fake: FakeVideoSDK) -> None:
    """An empty service says first what to do about it."""
    page, _ = await read(fake)
    assert list(page.sections) == ["reach", "rooms", "requests"]
    assert f"VIDEOSDK_API_ENDPOINT={fake.url}" in page.sections["reach"]
    assert "videosdk-transcripts start my-room" in page.sections["rooms"]
    assert "What a client asks appears here" in page.sections["requests"]
    assert page.all("svg") == []


async def test_words_of_others_are_only_shown(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Whatever stands in a row or in a request is text, and no link leads where it must not."""
    row = fake.add_transcription(room_id=HOSTILE, session_id=HOSTILE, row_id=HOSTILE)
    row["status"] = HOSTILE
    row["transcriptionFilePaths"] = {HOSTILE: "javascript:alert(1)", "txt": f"https://a/{HOSTILE}"}
    await client.get_transcription(HOSTILE)
    page, _ = await read(fake, "/?room=%3Cscript%3Ealert%28%27x%27%29%3C%2Fscript%3E%22%26")
    assert page.all("script") == []
    assert page.words.count(HOSTILE) >= 5
    hrefs = [str(link["href"]) for link in page.all("a")]
    assert not [href for href in hrefs if href.startswith("javascript")]
    assert f"https://a/{HOSTILE}" in hrefs


async def test_rows_may_hold_anything(fake: FakeVideoSDK) -> None:
    """A row that no service would send is shown as far as it can be."""
    fake.add_transcription(room_id=None, session_id=None, duration=None)
    odd = fake.add_transcription(status="queued", start=datetime(2026, 1, 2, tzinfo=UTC))
    odd["end"] = "2026-01-01T00:00:00Z"
    fake.rows.append({"id": "a", "start": 7, "status": None, "extension": 3})
    fake.rows.append({"id": "b", "start": "2026-01-02T03:04:05", "extension": {}, "roomId": "flat"})
    fake.rows.append({"id": "c", "start": "0001-01-01T00:00:00+23:00"})
    odd["summarizedFilePaths"] = {"md": "https://a/b"}
    page, _ = await read(fake)
    shown = page.sections["transcriptions"]
    for words in ("no room", "queued", "not known", "2 Jan 2026, 03:04", "flat", "md summary"):
        assert words in shown
    assert [bar["class"] for bar in page.bars()] == ["completed", "other", "other"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(9, "9 s"), (59.6, "1 min"), (3599, "1 h 0 min"), (4500, "1 h 15 min")]
)
async def test_lengths(fake: FakeVideoSDK, seconds: float, words: str) -> None:
    """In the units that are read most easily."""
    fake.add_transcription(duration=timedelta(seconds=seconds))
    page, _ = await read(fake)
    assert f" {words} " in page.sections["transcriptions"]


async def test_requests_are_the_newest(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Fifty at most, the last one first, also one that has no answer yet."""
    seen = []

    async def slow(exchange: Any) -> Any:
        page, _ = await read(fake)
        seen.append(page.sections["requests"])
        return exchange.answer()

    for _ in range(52):
        await client.count()
    fake.fail_next(slow)
    await client.count()
    (meanwhile,) = seen
    assert re.search(r"53 +no answer", meanwhile)
    page, _ = await read(fake)
    numbers = re.findall(r"(\d+) +200 +GET", page.sections["requests"])
    assert numbers == [str(number) for number in range(53, 3, -1)]
    assert page.sections["requests"].count("slow") == 1
    assert "Show 38 more" in page.sections["requests"]


async def test_faults_are_named_as_a_test_names_them(
    fake: FakeVideoSDK,
) -> None:
    """An answer that nobody got is none, whatever the server made."""
    for fault, shown in (
        (Delay(0), r"401 .* Delay\(0\)"),
        (DropConnection(), r"no answer .* DropConnection +"),
        (Applied(DropConnection()), r"no answer .* Applied\(DropConnection\)"),
        (Status(308, {"Location": "/x"}), r"308 .* Status\(308\)"),
    ):
        fake.requests.clear()
        fake.fail_next(fault)
        async with aiohttp.ClientSession() as session:
            with contextlib.suppress(aiohttp.ServerDisconnectedError):
                await session.post(
                    f"{fake.url}/ai/v1/realtime-transcriptions/start", allow_redirects=False
                )
        page, _ = await read(fake)
        assert re.search(shown, page.sections["requests"]), fault


async def test_requests_of_files(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """They are shown apart, since they are none of the API's."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")
    await client.fetch_text(await client.get_transcription(row["id"]))
    page, _ = await read(fake)
    assert ("h3", "Of files") in page.headings
    assert f"/files/{row['id']}/{row['id']}.txt" in page.sections["requests"]


async def test_long_lists_are_cut(fake: FakeVideoSDK) -> None:
    """And say so."""
    for number in range(204):
        fake.add_transcription(session_id=f"s{number}")
    page, _ = await read(fake)
    for name in ("transcriptions", "sessions"):
        assert "These are 200 of 204." in page.sections[name]
    assert len(page.all("table")) == 4


@pytest.mark.parametrize("span", [timedelta(0), timedelta(days=3), timedelta(days=9000)])
async def test_time_line(fake: FakeVideoSDK, span: timedelta) -> None:
    """Bars lie in the picture, a running one goes on to its end, whatever the time between."""
    start = datetime(2000, 1, 1, 9, tzinfo=UTC)
    fake.add_transcription(start=start)
    fake.add_transcription(start=start + span, status="running", duration=None, session_id="b")
    page, _ = await read(fake)
    (picture,) = page.all("svg", role="img")
    done, running = page.bars()
    assert (done["class"], running["class"]) == ("completed", "running")
    assert float(str(done["width"])) == 50
    assert float(str(running["x"])) + float(str(running["width"])) == int(str(picture["width"]))
    # Two hours at most, since the time between is left out.
    assert int(str(picture["width"])) <= 2 * 120 + 84
    assert len(page.all("path", **{"class": "tick gap"})) == (span > timedelta(0))


async def test_time_line_of_days(fake: FakeVideoSDK) -> None:
    """Where there is much, a column is a day, and the last ones are drawn."""
    start = datetime(2025, 12, 20, 9, tzinfo=UTC)
    for day in range(20):
        fake.add_transcription(start=start + timedelta(days=day), session_id=f"s{day}")
    # One that began before, and one that has been running all the time.
    fake.add_transcription(start=start, duration=timedelta(days=19), session_id="long")
    fake.add_transcription(start=start, status="running", duration=None, session_id="on")
    page, _ = await read(fake)
    assert len(page.bars()) == 16
    assert [bar["x"] for bar in page.bars()[-2:]] == ["0.0", "0.0"]
    for words in ("26 Dec", "Fri 2025", "1 Jan", "Thu 2026", "8 Jan", "now"):
        assert f"{words} " in page.sections["time"]
    # Those that overlap are in rows of their own.
    assert len({bar["y"] for bar in page.bars()}) == 3


async def test_a_session_is_drawn_as_one(fake: FakeVideoSDK) -> None:
    """Its transcriptions are joined by a line; others of the room make room for it."""
    fake.add_session("wxyz-wxyz-wxyz-wxyz", 3, status="failed")
    page, _ = await read(fake)
    assert len(page.all("path", **{"class": "session"})) == 1
    assert "wxyz-wxyz-wxyz…" not in page.sections["rooms"]
    assert "wxyz-wxyz-wxyz…" in page.sections["time"]
    assert page.sections["time"].count("✕") == 3


async def test_it_can_be_used_by_all(fake: FakeVideoSDK) -> None:
    """Names for what is scrolled, a way past the head, one of each id, and no script."""
    run_sandbox(fake)
    page, headers = await read(fake)
    assert page.all("html") == [{"lang": "en"}]
    assert page.all("meta", content="width=device-width, initial-scale=1")
    for landmark in ("header", "nav", "main"):
        assert len(page.all(landmark)) == 1
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    targets = [str(a["href"])[1:] for a in page.all("a") if str(a["href"]).startswith("#")]
    assert targets == ["main", *ALL]
    assert set(targets) <= set(ids)
    for _, attributes in page.elements:
        if attributes.get("tabindex") == "0":
            assert attributes["role"] == "region"
            assert attributes["aria-label"]
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids
    assert all(head["scope"] == "col" for head in page.all("th"))
    assert len(page.all("table")) == len(page.all("caption"))
    # The layout of cards takes the roles of a table from it in some browsers.
    for tag, role in (("table", "table"), ("tr", "row"), ("th", "columnheader"), ("td", "cell")):
        assert page.all(tag, role=role) == page.all(tag)
    assert page.all("script") == []
    assert not [a for _, a in page.elements if "style" in a or "src" in a]
    policy = headers["Content-Security-Policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    assert re.fullmatch(r"style-src 'sha256-[\w+/]+=*'", policy[1])
    assert "script-src" not in headers["Content-Security-Policy"]


def luminance(colour: str) -> float:
    """Return how bright a colour is, as WCAG reckons."""
    digits = colour.lstrip("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
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


@pytest.mark.parametrize("theme", [0, 1], ids=["day", "night"])
def test_colours_can_be_told_apart(theme: int) -> None:
    """Words have the contrast of WCAG's level AA on each ground that they stand on."""
    both = re.findall(r":root\{(.*?)\}", STYLE, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+):(#\w+)", both[theme]))
    for name, ground in PAIRS:
        bright, dark = sorted((luminance(colours[name]), luminance(colours[ground])))[::-1]
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, (name, ground)


def test_more_rooms_leave_the_first_ones() -> None:
    """The same for the same seed, and others for another one."""
    made = []
    for rooms, seed in ((9, 1), (9, 1), (9, 2), (2, 1)):
        fake = FakeVideoSDK()
        fill_sandbox(fake, seed, rooms)
        places = (row["extension"]["extensionConfig"]["roomId"] for row in fake.rows)
        made.append(sorted(set(places)))
    assert made[0] == made[1] != made[2]
    assert [len(one) for one in made] == [9, 9, 9, 2]
    assert set(SANDBOX_ROOMS) <= set(made[0])
    assert set(made[3]) == set(SANDBOX_ROOMS[:2])
