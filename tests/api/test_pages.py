"""`_api/pages.py` (P1, P4): envelopes that are understood, and errors for all others."""

import json
from typing import Any

import pytest

from videosdk_transcripts import InvalidResponseError, InvalidRowError, Page, PaginationError
from videosdk_transcripts._api import pages
from videosdk_transcripts._api.pages import OnInvalid, PageReader, size_served
from videosdk_transcripts._api.protocol import Request, Response
from videosdk_transcripts.models import Transcription

ASKED = Request("/x", "page 2")
ROWS = [{"id": "a"}, {"id": "b"}]


def read(data: Any, page: int = 2, on_invalid: OnInvalid = "raise") -> Page[Transcription]:
    """Read a response to the request for a page."""
    response = Response(200, {}, json.dumps(data).encode())
    reader = PageReader(response, ASKED, page, Transcription, on_invalid=on_invalid)
    for _ in reader.slices():
        pass
    return reader.page()


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
                "records": ROWS,
            },
            (2, 3, 5),
        ),
        ({"pageInfo": {"totalItems": 5, "total": 2}, "data": ROWS}, (None, None, 5)),
        ({"pageInfo": None, "transcriptions": ROWS}, (None, None, None)),
        ({"transcriptions": ROWS}, (None, None, None)),
        (ROWS, (None, None, None)),
        ({"pageInfo": INFO | {"perPage": 0}, "transcriptions": ROWS}, (None, 3, 5)),
        ({"pageInfo": INFO | {"total": 10**15 - 1}, "data": ROWS}, (2, 3, 10**15 - 1)),
        ({"pageInfo": INFO | {"total": "9" * 15}, "data": ROWS}, (2, 3, 10**15 - 1)),
        ({"pageInfo": INFO | {"totalItems": 7}, "data": ROWS}, (2, 3, 7)),
        ({"pageInfo": INFO | {"totalItems": None}, "data": ROWS}, (2, 3, 5)),
        ({"pageInfo": INFO | {"total": 0}, "data": ROWS}, (2, 3, 0)),
        ({"pageInfo": {"currentPage": 2, "page": 9, "lastPage": 3}, "data": ROWS}, (None, 3, None)),
        ({"pageInfo": {"lastPage": 3, "totalPages": 9}, "data": ROWS}, (None, 3, None)),
        ({"pageInfo": INFO, "pagination": {"total": 9}, "data": ROWS}, (2, 3, 5)),
        ({"pageInfo": INFO, "transcriptions": ROWS, "data": [], "records": []}, (2, 3, 5)),
        # Rows prove that there is a page, whatever the last page is.
        ({"pageInfo": INFO | {"lastPage": 0}, "transcriptions": ROWS}, (2, None, 5)),
    ],
)
def test_known_envelopes_are_read(data: Any, numbers: tuple[int | None, ...]) -> None:
    """The envelope may have any shape that the host uses."""
    page = read(data)
    assert [t.id for t in page.items] == ["a", "b"]
    assert page.number == 2
    assert numbers == (page.page_size, page.last_page, page.total)


def test_documented_page_information_is_read_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs no search for each number, which is several times slower."""
    monkeypatch.setattr(pages, "_number", None)
    page = read({"pageInfo": INFO, "transcriptions": ROWS})
    assert (page.page_size, page.last_page, page.total) == (2, 3, 5)
    smallest = dict.fromkeys(INFO, 1)
    page = read({"pageInfo": smallest, "transcriptions": ROWS[:1]}, page=1)
    assert (page.page_size, page.last_page, page.total) == (1, 1, 1)


def test_null_list_does_not_hide_another_list() -> None:
    """The first list that is not null is read."""
    page = read({"transcriptions": None, "data": ROWS})
    assert [t.id for t in page.items] == ["a", "b"]


@pytest.mark.parametrize(
    "data",
    [
        {"transcriptions": None},
        {"transcriptions": []},
        {"data": []},
        {"pageInfo": {}, "data": None},
        {"pagination": {"total": 0}, "records": None},
    ],
)
def test_list_without_rows_is_empty(data: Any) -> None:
    """Null is a list if its key or the page information can't be those of a failure."""
    assert read(data, page=1).items == ()


@pytest.mark.parametrize("rows", [None, []])
def test_empty_list(rows: list[Any] | None) -> None:
    """Null is an empty list too, and its last page may be 0."""
    page = read({"pageInfo": {"lastPage": 0, "total": 0}, "transcriptions": rows}, page=1)
    assert (page.items, page.last_page, page.total) == ((), 0, 0)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({}, "an envelope without a list of rows"),
        ({"pageInfo": INFO, "items": []}, "an envelope without a list of rows"),
        ({"transcriptions": {"id": "a"}}, "an envelope whose 'transcriptions' is not an array"),
        ({"data": "x"}, "an envelope whose 'data' is not an array"),
        ({"pageInfo": [1], "transcriptions": []}, "page information that is not an object"),
        ("x", "JSON that is neither an object nor an array"),
        (None, "JSON that is neither an object nor an array"),
        ({"success": False, "transcriptions": []}, "a failure"),
        # Lists of endpoints that are never called.
        ({"recordings": [{"id": "a"}]}, "an envelope without a list of rows"),
        # The shape in which sibling endpoints fail with a 200.
        ({"code": 500, "data": None, "msg": "x"}, "an envelope without a list of rows"),
        ({"pageInfo": None, "records": None}, "an envelope without a list of rows"),
    ],
)
def test_unknown_envelope_raises(data: Any, found: str) -> None:
    """An empty page would end the walk."""
    with pytest.raises(InvalidResponseError) as caught:
        read(data)
    assert f"and {found}" in str(caught.value)


@pytest.mark.parametrize("key", ["currentPage", "perPage", "lastPage", "total"])
@pytest.mark.parametrize(
    "value", [-1, 1.5, True, "", "x", "1.0", "-1", [], {}, 10**15, "9" * 16, "٣"]
)
def test_invalid_page_information_raises(key: str, value: Any) -> None:
    """A valid number is a non-negative int, or a string of digits."""
    with pytest.raises(PaginationError, match=key):
        read({"pageInfo": INFO | {key: value}, "transcriptions": ROWS})


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-1, "-1"),
        (1.5, "1.5"),
        (10**15 - 0.5, "999999999999999.5"),
        (10**15, "of type int"),
        (-(10**15), "of type int"),
        (1e300, "of type float"),
        ("words", "of type str"),
        ([], "of type list"),
    ],
)
def test_invalid_number_is_shown_if_it_is_short(value: Any, shown: str) -> None:
    """Other values may be long, or may be transcript text."""
    with pytest.raises(PaginationError) as caught:
        read({"pageInfo": INFO | {"total": value}, "transcriptions": ROWS})
    assert caught.value.message.startswith(f"invalid page information: total is {shown}; ")


def test_other_name_of_the_current_page_is_checked() -> None:
    """It is checked like the documented name, which takes precedence."""
    with pytest.raises(PaginationError, match="the response is page 9, beyond its last page 3;"):
        read({"pageInfo": {"page": 9, "totalPages": 3}, "transcriptions": ROWS})
    assert read({"pageInfo": {"currentPage": 2, "page": 9}, "transcriptions": ROWS}).number == 2


def test_current_page_zero_raises_unless_list_is_empty() -> None:
    """Pages are counted from 1."""
    with pytest.raises(PaginationError, match="the response is page 0 of 3;"):
        read({"pageInfo": INFO | {"currentPage": 0}, "transcriptions": ROWS})
    for number in (1, 2):
        with pytest.raises(PaginationError, match="the response is page 0 of 0;"):
            read({"pageInfo": {"currentPage": 0, "lastPage": 0}, "data": ROWS}, page=number)
    for empty in ({"lastPage": 0}, {"lastPage": 1}, {}):
        info = {"currentPage": 0, "total": 0, **empty}
        assert read({"pageInfo": info, "transcriptions": []}, page=1).items == ()


@pytest.mark.parametrize("rows", [ROWS, []])
@pytest.mark.parametrize(
    ("current", "last", "found"),
    [
        (1, 3, "page 1 of 3"),
        (3, 3, "page 3 of 3"),
        (9, 3, "page 9, beyond its last page 3"),
        (1, None, "page 1"),
        (9, 9, "page 9 of 9"),
    ],
)
def test_response_with_another_page_raises(
    rows: list[Any], current: int, last: int | None, found: str
) -> None:
    """The rows are not those of the requested page, if there are any."""
    with pytest.raises(PaginationError) as caught:
        read({"pageInfo": {"currentPage": current, "lastPage": last}, "transcriptions": rows})
    assert caught.value.page == 2
    text = f"requested page 2, but the response is {found}; start a new walk"
    assert caught.value.message.startswith(text)


def test_last_page_in_response_to_a_page_beyond_it_has_no_rows() -> None:
    """A list that has shrunk may return its last page; these rows are not those of page 5."""
    page = read({"pageInfo": INFO | {"currentPage": 3}, "transcriptions": ROWS}, page=5)
    assert (page.number, page.items, page.last_page, page.is_last) == (5, (), 3, True)


def test_invalid_row_raises_with_its_json_path() -> None:
    """The path has the key of the list and the index of the row."""
    with pytest.raises(InvalidRowError) as caught:
        read({"data": [{"id": "a"}, {"id": 1}]})
    assert (caught.value.path, caught.value.page) == ("$.data[1].id", 2)
    assert caught.value.__context__ is None
    with pytest.raises(InvalidRowError) as caught:
        read([{"id": "a"}, {"id": 1}])
    assert caught.value.path == "$[1].id"


@pytest.mark.parametrize("on_invalid", ["skip", "collect"])
def test_invalid_rows_are_collected_on_request(on_invalid: OnInvalid) -> None:
    """The page has the other rows."""
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
    assert "on_invalid" not in first.reason
    assert (second.path, second.row_id, second.raw) == ("$.transcriptions[3]", None, 5)


def test_large_page_is_structured_in_slices() -> None:
    """Each slice has a hundred rows, and other work can run in between."""
    body = json.dumps({"transcriptions": [{"id": f"{n}"} for n in range(250)]}).encode()
    reader = PageReader(Response(200, {}, body), ASKED, 1, Transcription, on_invalid="raise")
    done = [len(reader.page().items) for _ in reader.slices()]
    assert done == [100, 200]
    assert [row.id for row in reader.page().items] == [f"{n}" for n in range(250)]


def test_index_in_path_counts_rows_of_all_slices() -> None:
    """The index is not relative to the slice."""
    rows = [{"id": f"{n}"} for n in range(150)] + [{"id": 5}]
    page = read({"transcriptions": rows}, on_invalid="skip")
    assert [row.path for row in page.invalid_rows] == ["$.transcriptions[150].id"]


@pytest.mark.parametrize(
    ("received", "last_page", "total", "served"),
    [
        (20, 3, 50, 20),
        (7, 3, 50, 7),
        (1, 3, 50, 1),
        # The last page, an empty one, and one with more rows than requested show no limit.
        (7, 1, 7, 20),
        (0, 3, 50, 20),
        (30, 3, 50, 20),
        # Without a last page, the total shows whether another page follows.
        (7, None, 8, 7),
        (7, None, 7, 20),
        (7, None, 6, 20),
        (7, None, None, 7),
        # A last page is more reliable than a total.
        (7, 3, 7, 7),
    ],
)
def test_page_size_that_a_service_really_has(
    received: int, last_page: int | None, total: int | None, served: int
) -> None:
    """A first page with fewer rows than requested reveals it, while more pages follow."""
    page = Page[Transcription](1, (), last_page=last_page, total=total)
    assert size_served(page, 20, received) == served
