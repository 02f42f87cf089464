"""The page of the fake service, read without a browser."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import aiohttp
import pytest

from videosdk_transcripts import TranscriptsClient
from videosdk_transcripts.testing import (
    SANDBOX_ROOMS,
    Delay,
    FakeVideoSDK,
    Status,
    fill_sandbox,
    run_sandbox,
)
from videosdk_transcripts.testing._page_style import STYLE

HOSTILE = "<script>alert('x')</script>\"&"
VOID = {"meta", "path"}


class Reader(HTMLParser):
    """Reads a page, and fails where an element is left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[tuple[str, str]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._open and self._open[-1] in {"h1", "h2"}:
            self.headings.append((self._open[-1], data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


async def read(fake: FakeVideoSDK, path: str = "/") -> tuple[Reader, Any]:
    """Return the page and the headers that came with it."""
    async with aiohttp.ClientSession() as session, session.get(f"{fake.url}{path}") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/html"
        return Reader(await answer.text()), answer.headers


async def test_what_is_in_it(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Rooms, jobs, recordings and requests, in headings that stand in order."""
    run_sandbox(fake)
    fake.fail_next(Status(503))
    await client.count(SANDBOX_ROOMS[0])
    page, _ = await read(fake)
    assert page.headings == [
        ("h1", "VideoSDK sandbox"),
        ("h2", "Rooms"),
        ("h2", "Transcriptions"),
        ("h2", "Recordings"),
        ("h2", "Last requests"),
        ("h2", "How to reach it"),
    ]
    for word in (*SANDBOX_ROOMS, fake.rows[0]["id"], "running", "failed", "503", "Status"):
        assert word in page.words
    assert f"VIDEOSDK_API_ENDPOINT={fake.url}" in page.words
    assert len(page.all("rect")) == len(fake.rows)
    # What a person looks at is nothing that the service was asked.
    assert len(fake.requests) == 2


async def test_one_room(fake: FakeVideoSDK) -> None:
    """The jobs and the recordings of a room, with a way back to all."""
    run_sandbox(fake)
    room = SANDBOX_ROOMS[1]
    page, _ = await read(fake, f"/?room={room}")
    assert ("h2", f"Transcriptions of room {room}") in page.headings
    mine = [r for r in fake.rows if r["extension"]["extensionConfig"]["roomId"] == room]
    assert len(page.all("rect")) == len(mine)
    assert fake.rows[0]["id"] not in page.words
    links = [link["href"] for link in page.all("a")]
    assert "/" in links
    assert f"/?room={room}" in links
    (chosen,) = (link["href"] for link in page.all("a") if "aria-current" in link)
    assert chosen == f"/?room={room}#jobs"


async def test_nothing_in_it(fake: FakeVideoSDK) -> None:
    """An empty service says so."""
    page, _ = await read(fake)
    assert "Start a transcription, and its room appears here." in page.words
    assert "Nothing was asked yet." in page.words
    assert page.all("svg") == []


async def test_words_of_others_are_only_shown(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Whatever stands in a row or in a request is text, and no link leads where it must not."""
    row = fake.add_transcription(room_id=HOSTILE, session_id=HOSTILE, row_id=HOSTILE)
    row["status"] = HOSTILE
    row["transcriptionFilePaths"] = {HOSTILE: "javascript:alert(1)", "txt": f"https://a/{HOSTILE}"}
    fake.add_transcription(room_id=None, session_id=None, start=datetime.now(UTC), duration=None)
    odd = fake.add_transcription()
    odd.update(start=7, status=None, end=[], transcriptionFilePaths=None)
    fake.rows.append({"id": "x", "start": "no time"})
    await client.get_transcription(HOSTILE)
    page, _ = await read(fake)
    assert page.all("script") == []
    assert page.words.count(HOSTILE) >= 5
    hrefs = [str(link["href"]) for link in page.all("a")]
    assert not [href for href in hrefs if href.startswith("javascript")]
    assert "(names no room)" in page.words
    assert "since " in page.words


async def test_requests_are_the_newest(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Fifty at most, the last one first, also one that has no answer yet."""

    async def slow(exchange: Any) -> Any:
        await Delay(0)(exchange)
        page, _ = await read(fake)
        assert "no answer" in page.words
        return exchange.answer()

    for _ in range(52):
        await client.count()
    fake.fail_next(slow)
    await client.count()
    page, _ = await read(fake)
    assert "The last 50, newest first" in page.words
    assert re.findall(r"\d+", page.words.partition("newest first")[2])[0] == "53"


async def test_long_lists_are_cut(fake: FakeVideoSDK) -> None:
    """And say so."""
    fake.add_transcriptions(104)
    page, _ = await read(fake)
    assert "And 4 more." in page.words


@pytest.mark.parametrize("span", [timedelta(0), timedelta(days=3), timedelta(days=9000)])
async def test_time_line(fake: FakeVideoSDK, span: timedelta) -> None:
    """Bars lie in the picture, and a few days are named, whatever the time between."""
    start = datetime(2000, 1, 1, 9, tzinfo=UTC)
    fake.add_transcription(start=start)
    fake.add_transcription(start=start + span, status="running", duration=None)
    page, _ = await read(fake)
    for bar in page.all("rect"):
        assert 150 <= float(str(bar["x"])) <= 1000
        assert float(str(bar["width"])) >= 5
    assert len([path for path in page.all("path") if path["class"] == "tick"]) <= 8
    assert [bar["class"] for bar in page.all("rect")] == ["completed", "running"]


async def test_it_can_be_used_by_all(fake: FakeVideoSDK) -> None:
    """Names for what is scrolled, a way past the head, one of each id, and no script."""
    run_sandbox(fake)
    page, headers = await read(fake)
    assert page.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all(
        "meta"
    )
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    targets = [str(a["href"])[1:] for a in page.all("a") if str(a["href"]).startswith("#")]
    assert set(targets) <= set(ids)
    assert targets[0] == "main"
    for _, attributes in page.elements:
        if attributes.get("tabindex") == "0":
            assert attributes["role"] == "region"
            assert attributes["aria-label"]
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids
    assert all(head["scope"] == "col" for head in page.all("th"))
    assert len(page.all("table")) == len(page.all("caption"))
    assert "default-src 'none'; style-src 'sha256-" in headers["Content-Security-Policy"]
    assert page.all("script") == []
    assert not [a for _, a in page.elements if "style" in a or "src" in a]


def luminance(colour: str) -> float:
    """Return how bright a colour is, as WCAG reckons."""
    digits = colour.lstrip("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_colours_can_be_told_apart() -> None:
    """Each one has the contrast of WCAG's level AA on both grounds, by day and by night."""
    day, night = re.findall(r":root\{(.*?)\}", STYLE, re.DOTALL)
    for theme in (day, night):
        colours = dict(re.findall(r"--(\w+):(#\w+)", theme))
        for name in ("text", "soft", "link", "running", "completed", "failed", "other"):
            for ground in ("bg", "card"):
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
