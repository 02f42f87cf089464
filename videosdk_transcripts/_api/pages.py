"""
Read the envelope of a list: its rows and its page information (P1, P4).

Only the shape ``{pageInfo, transcriptions}`` is documented; the others are those of similar
endpoints on the same host. A response of any other shape is an error, never an empty page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Generic, Literal

from attrs import define

from videosdk_transcripts.errors import PaginationError
from videosdk_transcripts.models import InvalidRow, Page

from .converter import STRUCTURE_ERRORS, ModelT, invalid_row, structure_hook
from .protocol import Request, Response, is_too_deep, read_json, refuse_failure, unreadable

OnInvalid = Literal["raise", "skip", "collect"]

_LIST_KEYS: Final = ("transcriptions", "data", "records")
_INFO_KEYS: Final = ("pageInfo", "pagination")
_MAX_NUMBER: Final = 10**15
_SLICE: Final = 100
"""Number of rows to structure before other tasks may run."""


def size_served(page: Page[Any], requested: int, received: int) -> int:
    """
    Return how many rows the service puts on a page, according to the first page.

    A service may have a limit that it does not report. Then page numbers that refer to the
    requested size would skip rows, so the next request must use the actual size.

    Args:
        page: page 1, as received.
        requested: the size that was requested.
        received: how many rows it has, including foreign and unreadable ones.
    """
    if not 0 < received < requested or page.is_last:
        return requested
    if page.last_page is None and page.total is not None and page.total <= received:
        return requested
    return received


class PageReader(Generic[ModelT]):
    """
    Convert a response to the requested page, including foreign rows.

    ::

        reader = PageReader(response, request, 1, Transcription, on_invalid="raise")
        for _ in reader.slices():
            ...  # other work may run here
        page = reader.page()

    Args:
        response: a successful response.
        request: what was requested, for error messages.
        page: the number of the page that was requested, from 1.
        model: the class of the rows.
        on_invalid: what to do with a row that can't be read: ``raise``, or ``skip`` or
            ``collect``, which both add it to `Page.invalid_rows`.

    Raises:
        InvalidResponseError: the body is not JSON, or its envelope is unknown.
        PaginationError: the page information is malformed, or is about another page.
    """

    def __init__(
        self,
        response: Response,
        request: Request,
        page: int,
        model: type[ModelT],
        *,
        on_invalid: OnInvalid,
    ) -> None:
        self._rows, self._info, self._path = _open_envelope(response, request)
        self._number = page
        self._model = model
        self._on_invalid = on_invalid
        self._items: list[ModelT] = []
        self._invalid: list[InvalidRow] = []
        self._check_number()

    def slices(self) -> Iterator[None]:
        """
        Structure all rows, and yield after each 100 of them if more follow.

        Raises:
            InvalidRowError: a row can't be read, with ``on_invalid="raise"``.
        """
        for first in range(0, len(self._rows), _SLICE):
            if first:
                yield
            self._structure(self._rows[first : first + _SLICE], first)

    def page(self) -> Page[ModelT]:
        """Return the page with the rows structured so far."""
        info = self._info
        return Page(
            number=self._number,
            items=tuple(self._items),
            page_size=info.page_size,
            # A last page of 0 may describe an empty list, but with rows it is meaningless.
            last_page=None if self._rows and info.last_page == 0 else info.last_page,
            total=info.total,
            invalid_rows=tuple(self._invalid),
        )

    def _check_number(self) -> None:
        """Reject the rows of another page."""
        current, last, number = self._info.current_page, self._info.last_page, self._number
        # The current page of an empty list is undocumented, and may be 0.
        if current in (None, number) or not (self._rows or current):
            return
        # Pages count from 1: a page 0 with rows is not the last page of a list that has shrunk.
        if not current or last != current or current > number:
            found = f"page {current}"
            if last is not None:
                found += f" of {last}" if current <= last else f", beyond its last page {last}"
            raise PaginationError(
                f"requested page {number}, but the response is {found}; start a new walk, or "
                "resume from the checkpoint later",
                page=number,
            )
        # The list has shrunk, and the service returns its last page instead of the requested one.
        self._rows = []

    def _structure(self, rows: list[Any], first: int) -> None:
        structure, model = structure_hook(self._model), self._model
        try:
            self._items += [structure(raw, model) for raw in rows]
        except STRUCTURE_ERRORS:
            pass
        else:
            return
        # Structure the rows again, one at a time. Outside the `except` block, because cattrs'
        # exception holds the row and must not become the context.
        for index, raw in enumerate(rows, first):
            self._structure_alone(raw, f"{self._path}[{index}]")

    def _structure_alone(self, raw: Any, path: str) -> None:
        """Structure one row of a slice that contains at least one unreadable row."""
        is_raised = self._on_invalid == "raise"
        try:
            self._items.append(structure_hook(self._model)(raw, self._model))
        except STRUCTURE_ERRORS as error:
            failure = invalid_row(error, raw, path=path, page=self._number, is_raised=is_raised)
        else:
            return
        if is_raised:
            raise failure
        kept = None if is_too_deep(raw) else raw
        found = (failure.path or path, failure.message, failure.row_id, kept)
        self._invalid.append(InvalidRow(self._number, *found))


# Not frozen, because one is created for each page, and a frozen class costs three times as much.
@define
class _PageInfo:
    """The four numbers of the page information; None for each that is absent."""

    current_page: int | None = None
    page_size: int | None = None
    last_page: int | None = None
    total: int | None = None


def _open_envelope(response: Response, request: Request) -> tuple[list[Any], _PageInfo, str]:
    """Return the rows, the page information, and the JSON path of the rows."""
    data = read_json(response, request)
    if isinstance(data, list):
        return data, _PageInfo(), "$"
    if not isinstance(data, dict):
        raise unreadable(response, request, "JSON that is neither an object nor an array")
    refuse_failure(data, response, request)
    info_key = _first_filled(data, _INFO_KEYS)
    key = _first_filled(data, _LIST_KEYS)
    if key is None:
        # Null counts as an empty list only if the envelope is certainly that of a list: the
        # envelope of a failure has no data either.
        may_be_null = "transcriptions" in data or info_key is not None
        if not may_be_null or data.keys().isdisjoint(_LIST_KEYS):
            raise unreadable(response, request, "an envelope without a list of rows")
        key = next(key for key in _LIST_KEYS if key in data)
    rows = [] if data[key] is None else data[key]
    if not isinstance(rows, list):
        raise unreadable(response, request, f"an envelope whose {key!r} is not an array")
    info = {} if info_key is None else data[info_key]
    if not isinstance(info, dict):
        raise unreadable(response, request, "page information that is not an object")
    return rows, _read_info(info), f"$.{key}"


def _first_filled(data: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    """Return the first of the keys that has a value."""
    for key in keys:
        if data.get(key) is not None:
            return key
    return None


def _read_info(info: Mapping[str, Any]) -> _PageInfo:
    get = info.get
    page, size, last, total = get("currentPage"), get("perPage"), get("lastPage"), get("total")
    # The documented shape is checked at once, which is faster than a search for each number.
    if (
        type(page) is int
        and type(size) is int
        and type(last) is int
        and type(total) is int
        and min(page, size, last, total) > 0
        and max(page, size, last, total) < _MAX_NUMBER
        and "totalItems" not in info
    ):
        return _PageInfo(page, size, last, total)
    return _PageInfo(
        current_page=_number(info, ("currentPage", "page")),
        page_size=_number(info, ("perPage",)) or None,
        last_page=_number(info, ("lastPage", "totalPages")),
        total=_number(info, ("totalItems", "total")),
    )


def _number(info: Mapping[str, Any], keys: tuple[str, ...]) -> int | None:
    """Read a count, which the host sends as a number or as a string of digits."""
    for key in keys:
        value = info.get(key)
        if type(value) is int and 0 <= value < _MAX_NUMBER:
            return value
        if value is None:
            continue
        if type(value) is str and re.fullmatch(r"\d{1,15}", value, re.ASCII):
            return int(value)
        raise PaginationError(
            f"invalid page information: {key} is {_shown(value)}; start a new walk, or resume "
            "from the checkpoint"
        )
    return None


def _shown(value: object) -> str:
    """Return a number as text, or the type of any other value, which may be transcript text."""
    is_shown = isinstance(value, int | float) and abs(value) < _MAX_NUMBER
    return str(value) if is_shown else f"of type {type(value).__name__}"
