"""
The envelope of a list: where the rows and the page information stand in an answer.

One page is documented, ``{pageInfo, transcriptions}``; the other shapes read here are
those that the same host uses on sibling endpoints.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Final, Generic, Literal, Protocol, TypeVar, cast

from attrs import define, fields

from videosdk_transcripts.errors import InvalidRowError, PaginationError
from videosdk_transcripts.models import InvalidRow, Page

from .protocol import Request, Response, is_deep, read_json, refuse_failure, unreadable

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
OnInvalid = Literal["raise", "skip", "collect"]

_LIST_KEYS: Final = ("transcriptions", "data", "records", "recordings", "batchCalls")
_MOST: Final = 10**15
_SLICE: Final = 100
"""Rows that are read in one go, before others that share the event loop get their turn."""
_INFO_KEYS: Final = ("pageInfo", "pagination")


class ReadRow(Protocol[T_co]):
    """Turns one row into a model, or raises InvalidRowError."""

    def __call__(self, raw: Any, *, path: str, page: int) -> T_co: ...


# Not frozen: one is made a page, at half the cost.
@define
class _PageInfo:
    """The four numbers; None for each that is absent."""

    current_page: int | None = None
    page_size: int | None = None
    last_page: int | None = None
    total: int | None = None


class _Draft(Generic[T]):
    """A page before it is frozen: the way of `_rows`, which says why."""

    __slots__ = tuple(field.name for field in fields(Page))


async def read_page(
    answer: Response,
    request: Request,
    page: int,
    quick_row: Callable[[Any], T | None],
    read_row: ReadRow[T],
    *,
    on_invalid: OnInvalid,
) -> Page[T]:
    """
    Turn an answer into the page that was asked for, with all the rows of all owners.

    Args:
        answer: a success.
        request: what was asked, for the text of an error.
        page: the page that was asked for, from 1.
        quick_row: turns one row into a model, or returns None for what it does not like.
        read_row: turns such a row into a model all the same, or raises InvalidRowError.
        on_invalid: what becomes of a row that can't be read.

    Raises:
        InvalidResponseError: no JSON, or an envelope that is not understood.
        InvalidRowError: a row can't be read and `on_invalid` is ``raise``.
        PaginationError: the page information makes no sense, or is about another page.
    """
    rows, info, path = _open(answer, request)
    # Nobody documents the page of an empty list; without rows, 0 says nothing.
    if info.current_page not in (None, page) and (rows or info.current_page):
        if info.last_page != info.current_page or info.current_page > page:
            raise PaginationError(
                f"asked for page {page}, the service answered with page {info.current_page} of "
                f"{info.last_page}; start a new walk, or go on from the checkpoint",
                page=page,
            )
        # The list has shrunk, and the service shows its last page in place of one beyond it.
        rows = []
    items: list[T] = []
    invalid: list[InvalidRow] = []
    for first in range(0, len(rows), _SLICE):
        if first:
            await asyncio.sleep(0)
        part = rows[first : first + _SLICE]
        found = [quick_row(raw) for raw in part]
        # No model is false.
        if all(found):
            items += cast("list[T]", found)
            continue
        for index, raw, row in zip(count(first), part, found, strict=False):
            try:
                items.append(row or read_row(raw, path=f"{path}[{index}]", page=page))
            except InvalidRowError as error:
                if on_invalid == "raise":
                    raise
                invalid.append(_invalid(error, raw, page, path))
    made: Any = _Draft()
    made.number = page
    made.items = tuple(items)
    made.page_size = info.page_size
    # Nobody documents the last page of an empty list; with rows, 0 says nothing.
    made.last_page = None if rows and info.last_page == 0 else info.last_page
    made.total = info.total
    made.foreign_rows_dropped = made.unverified_rows = 0
    made.invalid_rows = tuple(invalid)
    made.__class__ = Page
    return cast("Page[T]", made)


def _open(answer: Response, request: Request) -> tuple[list[Any], _PageInfo, str]:
    data = read_json(answer, request)
    if isinstance(data, list):
        return data, _PageInfo(), "$"
    if not isinstance(data, dict):
        raise unreadable(answer, request, "JSON that is neither an object nor an array")
    refuse_failure(data, answer, request)
    info_key = _filled(data, _INFO_KEYS)
    key = _filled(data, _LIST_KEYS)
    if key is None:
        # Null is an empty list, but not in every envelope: a failure has no data either.
        may_be_null = "transcriptions" in data or info_key is not None
        if not may_be_null or data.keys().isdisjoint(_LIST_KEYS):
            raise unreadable(answer, request, "an envelope without a list of rows")
        key = next(key for key in _LIST_KEYS if key in data)
    rows = [] if data[key] is None else data[key]
    if not isinstance(rows, list):
        raise unreadable(answer, request, f"an envelope whose {key!r} is no array")
    info = {} if info_key is None else data[info_key]
    if not isinstance(info, dict):
        raise unreadable(answer, request, "page information that is no object")
    return rows, _read_info(info), f"$.{key}"


def _filled(data: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    """Return the first of the keys that has a value."""
    for key in keys:
        if data.get(key) is not None:
            return key
    return None


def _invalid(error: InvalidRowError, raw: Any, page: int, path: str) -> InvalidRow:
    kept = None if is_deep(raw) else raw
    return InvalidRow(page, error.path or path, error.message, error.row_id, kept)


def _read_info(info: Mapping[str, Any]) -> _PageInfo:
    get = info.get
    page, size, last, total = get("currentPage"), get("perPage"), get("lastPage"), get("total")
    # As documented, with nothing amiss: one look in place of a search for each number.
    if (
        type(page) is int
        and type(size) is int
        and type(last) is int
        and type(total) is int
        and min(page, size, last, total) > 0
        and max(page, size, last, total) < _MOST
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
    """Read a count that the same host writes as a number or as digits in a text."""
    for key in keys:
        value = info.get(key)
        if type(value) is int and 0 <= value < _MOST:
            return value
        if value is None:
            continue
        if type(value) is str and re.fullmatch(r"\d{1,15}", value, re.ASCII):
            return int(value)
        raise PaginationError(
            f"the page information says {key} {_told(value)}, which makes no sense there; "
            "start a new walk, or go on from the checkpoint"
        )
    return None


def _told(value: object) -> str:
    """Tell a number, and of all else, which may be anything, the type alone."""
    is_told = isinstance(value, int | float) and abs(value) < _MOST
    return str(value) if is_told else f"of type {type(value).__name__}"
