"""P1 and P4: every envelope that is understood, and an error for every other one."""

import asyncio
import json
from typing import Any

import pytest

from videosdk_transcripts import InvalidResponseError, InvalidRowError, Page, PaginationError
from videosdk_transcripts._api.converter import quick_row, read_transcription
from videosdk_transcripts._api.pages import OnInvalid, read_page
from videosdk_transcripts._api.protocol import Request, Response
from videosdk_transcripts.models import Transcription

ASKED = Request("/x", "page 2")
ROWS = [{"id": "a"}, {"id": "b"}]


def read(data: Any, page: int = 2, on_invalid: OnInvalid = "raise") -> Page[Transcription]:
    """Read an answer to the request for a page."""
    answer = Response(200, {}, json.dumps(data).encode())
    return asyncio.run(
        read_page(answer, ASKED, page, quick_row, read_transcription, on_invalid=on_invalid)
    )


INFO = {"currentPage": 2, "perPage": 2, "lastPage": 3, "total": 5}


@pytest.mark.parametrize(
    ("data", "numbers"),
    [
        ({"pageInfo": INFO, "transcriptions": ROWS}, (2, 3, 5)),
        ({"pageInfo": {k: str(v) for k, v in INFO.items()}, "transcriptions": ROWS}, (2, 3, 5)),
        ({"pageInfo": INFO, "data": ROWS}, (2, 3, 5)),
        ({"pageInfo": {"page": 2, "totalPages": 3}, "records": ROWS}, (None, 3, None)),
        (
            {
                "pagination": {"page": 2, "perPage": 2, "totalPages": 3, "total": 5},
                "recordings": ROWS,
            },
            (2, 3, 5),
        ),
        ({"pageInfo": {"totalItems": 5, "total": 2}, "batchCalls": ROWS}, (None, None, 5)),
        ({"pageInfo": None, "transcriptions": ROWS}, (None, None, None)),
        ({"transcriptions": ROWS}, (None, None, None)),
        (ROWS, (None, None, None)),
        ({"pageInfo": INFO | {"perPage": 0}, "transcriptions": ROWS}, (None, 3, 5)),
        # Rows prove that there is a page, whatever the last page says.
        ({"pageInfo": INFO | {"lastPage": 0}, "transcriptions": ROWS}, (2, None, 5)),
    ],
)
def test_envelopes(data: Any, numbers: tuple[int | None, ...]) -> None:
    """The rows and the numbers are found in every shape of the host."""
    page = read(data)
    assert [t.id for t in page.items] == ["a", "b"]
    assert page.number == 2
    assert numbers == (page.page_size, page.last_page, page.total)


def test_the_list_that_is_there_is_read() -> None:
    """A key that is null beside one with rows hides none of them."""
    page = read({"transcriptions": None, "data": ROWS})
    assert [t.id for t in page.items] == ["a", "b"]


@pytest.mark.parametrize("rows", [None, []])
def test_no_rows(rows: list[Any] | None) -> None:
    """Null is an empty list, and the last page of an empty list may be 0."""
    page = read({"pageInfo": {"lastPage": 0, "total": 0}, "transcriptions": rows}, page=1)
    assert (page.items, page.last_page, page.total) == ((), 0, 0)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({}, "an envelope without a list of rows"),
        ({"pageInfo": INFO, "items": []}, "an envelope without a list of rows"),
        ({"transcriptions": {"id": "a"}}, "an envelope whose 'transcriptions' is no array"),
        ({"data": "x"}, "an envelope whose 'data' is no array"),
        ({"pageInfo": [1], "transcriptions": []}, "page information that is no object"),
        ("x", "JSON that is neither an object nor an array"),
        (None, "JSON that is neither an object nor an array"),
        ({"success": False, "transcriptions": []}, "a failure"),
        # The shape in which sibling endpoints fail with a 200.
        ({"code": 500, "data": None, "msg": "x"}, "an envelope without a list of rows"),
    ],
)
def test_what_is_not_understood_is_an_error(data: Any, found: str) -> None:
    """And never an empty page, at which a walk would end."""
    with pytest.raises(InvalidResponseError) as caught:
        read(data)
    assert f"with {found}" in str(caught.value)


@pytest.mark.parametrize("key", ["currentPage", "perPage", "lastPage", "total"])
@pytest.mark.parametrize("value", [-1, 1.5, True, "x", "1.0", "-1", [], {}, 10**15, "9" * 16, "٣"])
def test_numbers_that_make_no_sense(key: str, value: Any) -> None:
    """Page information is an int or digits in a text, and never negative."""
    with pytest.raises(PaginationError, match=key):
        read({"pageInfo": INFO | {key: value}, "transcriptions": ROWS})


def test_page_zero_makes_no_sense() -> None:
    """Pages are counted from 1; of an empty list 0 says nothing."""
    with pytest.raises(PaginationError, match="answered with page 0"):
        read({"pageInfo": INFO | {"currentPage": 0}, "transcriptions": ROWS})
    empty = {"currentPage": 0, "lastPage": 0, "total": 0}
    assert read({"pageInfo": empty, "transcriptions": []}, page=1).items == ()


@pytest.mark.parametrize(("current", "last"), [(1, 3), (3, 3), (9, 3), (1, None), (9, 9)])
def test_another_page_than_asked_for(current: int, last: int | None) -> None:
    """A page under a wrong number is not taken for the one that was asked for."""
    with pytest.raises(PaginationError, match=f"asked for page 2.*page {current}") as caught:
        read({"pageInfo": {"currentPage": current, "lastPage": last}, "transcriptions": ROWS})
    assert caught.value.page == 2


def test_the_last_page_in_place_of_one_beyond_it() -> None:
    """A list that has shrunk may answer with its last page; its rows are not page 5's."""
    page = read({"pageInfo": INFO | {"currentPage": 3}, "transcriptions": ROWS}, page=5)
    assert (page.number, page.items, page.last_page, page.is_last) == (5, (), 3, True)


def test_an_unreadable_row_is_raised_with_its_place() -> None:
    """The path counts the rows of the answer, under the key that they stand in."""
    with pytest.raises(InvalidRowError) as caught:
        read({"data": [{"id": "a"}, {"id": 1}]})
    assert (caught.value.path, caught.value.page) == ("$.data[1].id", 2)


@pytest.mark.parametrize("on_invalid", ["skip", "collect"])
def test_an_unreadable_row_does_not_lose_the_page(on_invalid: OnInvalid) -> None:
    """Asked to go on, the page has the other rows, and says what is not among them."""
    bad = {"id": "b", "start": "yesterday"}
    page = read({"transcriptions": [{"id": "a"}, bad, {"id": "c"}, 5]}, on_invalid=on_invalid)
    assert [t.id for t in page.items] == ["a", "c"]
    first, second = page.invalid_rows
    assert (first.page, first.path, first.row_id, first.raw) == (
        2,
        "$.transcriptions[1].start",
        "b",
        bad,
    )
    assert "yesterday" not in first.reason
    assert (second.path, second.row_id, second.raw) == ("$.transcriptions[3]", None, 5)


async def test_a_large_page_lets_others_have_their_turn() -> None:
    """Each hundred rows, so that a page holds the event loop for a millisecond or two."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(count())
    body = json.dumps({"transcriptions": [{"id": f"{n}"} for n in range(1000)]}).encode()
    page = await read_page(
        Response(200, {}, body), ASKED, 1, quick_row, read_transcription, on_invalid="raise"
    )
    other.cancel()
    assert [row.id for row in page.items] == [f"{n}" for n in range(1000)]
    assert turns == 9
