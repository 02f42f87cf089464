"""The lists and the single rows that the fake service serves."""

from typing import Any

import aiohttp
import pytest

from videosdk_transcripts import (
    RedirectError,
)
from videosdk_transcripts.testing import (
    FakeVideoSDK,
)
from videosdk_transcripts.testing._rows import Row

from .plain_http import LIST, OTHER, ROOM, SESSION, ask

FILTERS = [
    ({}, ["ours", "other session", "other room", "no ids", "top level"]),
    ({"roomId": ROOM}, ["ours", "other session", "top level"]),
    ({"sessionId": SESSION}, ["ours", "other room", "top level"]),
    ({"roomId": ROOM, "sessionId": SESSION}, ["ours", "top level"]),
    ({"roomId": "unknown"}, []),
]


def add_various(fake: FakeVideoSDK) -> None:
    """Add a row of each kind that a filter distinguishes."""
    fake.add_transcription(row_id="ours")
    fake.add_transcription(row_id="other session", session_id=OTHER)
    fake.add_transcription(row_id="other room", room_id=OTHER)
    nowhere = {"room_id": None, "session_id": None}
    fake.add_transcription(row_id="no ids", **nowhere)
    fake.add_transcription(row_id="top level", **nowhere, roomId=ROOM, sessionId=SESSION)


@pytest.mark.parametrize("path", [LIST, f"{LIST}/"])
async def test_list_defaults_to_first_page_of_20(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, rows: list[str], path: str
) -> None:
    """The path may have a trailing slash."""
    status, data = await ask(http, fake, path)
    assert status == 200
    assert data["pageInfo"] == {"currentPage": 1, "perPage": 20, "lastPage": 3, "total": 45}
    assert rows[:20] == [row["id"] for row in data["transcriptions"]]


@pytest.mark.parametrize(
    ("page", "per_page", "expected", "last_page"),
    [
        (1, 10, slice(0, 10), 5),
        (5, 10, slice(40, 45), 5),
        (3, 15, slice(30, 45), 3),
        (1, 45, slice(0, 45), 1),
        (1, 1000, slice(0, 45), 1),
        (45, 1, slice(44, 45), 45),
        (4, 20, slice(0, 0), 3),
    ],
)
async def test_list_returns_requested_page(
    http: aiohttp.ClientSession,
    fake: FakeVideoSDK,
    rows: list[str],
    *,
    page: int,
    per_page: int,
    expected: slice,
    last_page: int,
) -> None:
    """Pages count from 1; a page beyond the last one is empty."""
    _, data = await ask(http, fake, page=page, perPage=per_page)
    assert rows[expected] == [row["id"] for row in data["transcriptions"]]
    info = {"currentPage": page, "perPage": per_page, "lastPage": last_page, "total": 45}
    assert info == data["pageInfo"]


@pytest.mark.parametrize("name", ["page", "perPage"])
@pytest.mark.parametrize(
    "value",
    [
        "0",
        "-1",
        "x",
        "1.5",
        "",
        "+1",
        " 1",
        "1 ",
        "1_0",
        "\u0663",
        "\xb2",
        "9" * 16,
        "9" * 4400,
        "-" * 4400,
    ],
)
async def test_invalid_page_numbers_are_400(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, name: str, value: str
) -> None:
    """A page or page size is up to 15 ASCII digits, and 1 or more."""
    answer = await ask(http, fake, **{name: value})
    assert answer == (400, {"message": "page and perPage must be numbers of 1 or more"})


async def test_page_far_beyond_the_end_is_empty(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, rows: list[str]
) -> None:
    """Leading zeros are ignored."""
    _, data = await ask(http, fake, page="9" * 15, perPage="010")
    assert data["transcriptions"] == []
    assert (data["pageInfo"]["currentPage"], data["pageInfo"]["perPage"]) == (10**15 - 1, 10)


@pytest.mark.parametrize(("query", "expected"), FILTERS)
async def test_filters_apply_to_rows_and_total(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, query: dict[str, str], expected: list[str]
) -> None:
    """Ids are found in the extension and at the top level."""
    add_various(fake)
    _, data = await ask(http, fake, **query)
    assert expected == [row["id"] for row in data["transcriptions"]]
    assert len(expected) == data["pageInfo"]["total"]


@pytest.mark.parametrize("query", [query for query, _ in FILTERS])
async def test_filters_ignored_lists_all_rows(
    http: aiohttp.ClientSession, query: dict[str, str]
) -> None:
    """The switch `filters` lists and counts every row."""
    async with FakeVideoSDK(filters="ignored") as fake:
        add_various(fake)
        _, data = await ask(http, fake, **query)
    assert (len(data["transcriptions"]), data["pageInfo"]["total"]) == (5, 5)


@pytest.mark.parametrize("extension", [None, {}, {"extensionConfig": None}])
async def test_filter_reads_top_level_ids_without_extension(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, extension: Row | None
) -> None:
    """A null or empty extension counts as missing."""
    fake.add_transcription(extension=extension)
    row = fake.add_transcription(extension=extension, roomId=ROOM)
    status, data = await ask(http, fake, roomId=ROOM)
    assert (200, [row]) == (status, data["transcriptions"])


@pytest.mark.parametrize(("asked", "used", "last_page"), [(10, 10, 5), (15, 15, 3), (16, 15, 3)])
async def test_max_page_size_reduces_page_size(
    http: aiohttp.ClientSession, asked: int, used: int, last_page: int
) -> None:
    """The page information contains the reduced size."""
    async with FakeVideoSDK(max_page_size=15) as fake:
        fake.add_transcriptions(45)
        _, data = await ask(http, fake, perPage=asked)
    assert used == len(data["transcriptions"]) == data["pageInfo"]["perPage"]
    assert last_page == data["pageInfo"]["lastPage"]


@pytest.mark.parametrize("page_sizes", [{}, {"page_sizes": []}])
@pytest.mark.parametrize(
    ("switch", "last_page"),
    [({}, 1), ({"last_page_if_empty": 0}, 0), ({"last_page_if_empty": 1}, 1)],
)
async def test_last_page_of_empty_list_is_configurable(
    http: aiohttp.ClientSession, switch: Any, last_page: int, page_sizes: Any
) -> None:
    """It is undocumented, so it can be 0 or 1."""
    async with FakeVideoSDK(**switch, **page_sizes) as fake:
        _, data = await ask(http, fake)
    info = {"currentPage": 1, "perPage": 20, "lastPage": last_page, "total": 0}
    assert {"pageInfo": info, "transcriptions": []} == data


@pytest.mark.parametrize(
    ("page", "expected"),
    [(1, slice(0, 5)), (2, slice(5, 5)), (3, slice(5, 35)), (4, slice(0, 0))],
)
async def test_page_sizes_make_uneven_pages(
    http: aiohttp.ClientSession, page: int, expected: slice
) -> None:
    """Each page has the given number of rows, and there are as many pages."""
    async with FakeVideoSDK(page_sizes=[5, 0, 30]) as fake:
        ids = [row["id"] for row in fake.add_transcriptions(45)]
        _, data = await ask(http, fake, page=page)
    assert ids[expected] == [row["id"] for row in data["transcriptions"]]
    info = {"currentPage": page, "perPage": 20, "lastPage": 3, "total": 45}
    assert info == data["pageInfo"]


async def test_get_returns_bare_row(http: aiohttp.ClientSession, fake: FakeVideoSDK) -> None:
    """The id in the path may be percent-encoded."""
    fake.add_transcriptions(3)
    row = fake.add_transcription(row_id="a/b c")
    assert (200, row) == await ask(http, fake, f"{LIST}/a%2Fb%20c")


async def test_get_unknown_id_is_404(http: aiohttp.ClientSession, fake: FakeVideoSDK) -> None:
    """The response has a message."""
    fake.add_transcriptions(3)
    answer = await ask(http, fake, f"{LIST}/unknown")
    assert answer == (404, {"message": "Transcription not found"})


async def test_slash_switch_redirects_other_form() -> None:
    """The redirect keeps the query."""
    async with FakeVideoSDK(slash="refused") as fake, fake.client() as client:
        with pytest.raises(RedirectError, match="another path of the same host"):
            await client.count(ROOM)
        assert fake.requests[0].status == 308
        fake.slash = "required"
        assert await client.count(ROOM) == 0


async def test_slash_switch_applies_to_recordings() -> None:
    """The list of recordings redirects like the other one."""
    async with FakeVideoSDK(slash="refused") as fake, fake.client() as client:
        fake.add_post_transcription()
        with pytest.raises(RedirectError, match="another path of the same host"):
            await client.iter_post_transcriptions().__anext__()
        fake.slash = "required"
        assert len([t async for t in client.iter_post_transcriptions()]) == 1


@pytest.mark.parametrize("status", [400, 402])
@pytest.mark.parametrize("path", [LIST, "/ai/v1/post-transcriptions"])
async def test_status_of_an_unknown_id_is_configurable(
    http: aiohttp.ClientSession, status: int, path: str
) -> None:
    """It is 404 by default; other endpoints of the service use the other statuses."""
    async with FakeVideoSDK(unknown_status=status) as fake:
        found, body = await ask(http, fake, f"{path}/unknown")
        assert (found, body) == (status, {"message": "Transcription not found"})


@pytest.mark.parametrize(("file_maps", "found"), [("null", None), ("empty", {})])
async def test_file_maps_of_a_row_without_files_are_configurable(
    http: aiohttp.ClientSession, file_maps: Any, found: Any
) -> None:
    """The switch applies to a list and to a single row; a map with a file is unchanged."""
    async with FakeVideoSDK(file_maps=file_maps) as fake:
        row = fake.add_transcription(row_id="a", formats=())
        has_files = fake.add_transcription(row_id="b", summary=False)
        _, alone = await ask(http, fake, f"{LIST}/a")
        _, page = await ask(http, fake, LIST)
        maps = {"transcriptionFilePaths": found, "summarizedFilePaths": found}
        assert alone == page["transcriptions"][0] == row | maps
        assert page["transcriptions"][1] == has_files | {"summarizedFilePaths": found}
