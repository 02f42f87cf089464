"""
Check what the package does with a response, a header or a checkpoint of any bytes.

The result must be a page that supports all operations, or an error of this package that
contains no text of a row.
"""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeVar, cast, get_args

from attrs import frozen

from videosdk_transcripts import (
    Clock,
    InvalidRowError,
    Page,
    Pager,
    Transcription,
    VideoSDKTranscriptsError,
    WalkStats,
)
from videosdk_transcripts._api.converter import structure_row
from videosdk_transcripts._api.filter import Filter, Unverified
from videosdk_transcripts._api.pages import OnInvalid, PageReader
from videosdk_transcripts._api.protocol import (
    Request,
    Response,
    check_status,
    decode_object,
    http_date,
    retry_after,
)
from videosdk_transcripts._paging.checkpoint import Checkpoint
from videosdk_transcripts._paging.options import WalkOptions
from videosdk_transcripts._paging.repair import WrongTotals

__all__ = ["CANARY", "KINDS", "ROOM", "SESSION", "Input", "Kind", "check"]

Kind = Literal["page", "object", "refusal", "header", "checkpoint"]

T = TypeVar("T")

KINDS: Final = get_args(Kind)
CANARY: Final = "canary-of-a-row"
LIST: Final = "realtime-transcriptions"
ROOM: Final = "abc-xyzw-lmno"
SESSION: Final = "621497578bea0d0404c35c4c"
NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST: Final = Request("/x", "page 1")
FILTERS: Final = (Filter(), Filter(ROOM), Filter(ROOM, SESSION))
STATUSES: Final = (*range(300, 310), *range(400, 430), *range(500, 512), 0, 101, 199, 600, 999)
MAX_FETCHES: Final = 100
MAX_MESSAGE: Final = 5000


@frozen
class Input:
    """A fuzzed body, with the options from the first four bytes of the input."""

    kind: Kind
    on_invalid: OnInvalid
    on_unverified: Unverified
    row_filter: Filter
    page: int
    status: int
    body: bytes

    @classmethod
    def of(cls, data: bytes) -> Input:
        """Parse an input; any bytes are valid."""
        kind, options, page, status = data[:4].ljust(4, b"\0")
        return cls(
            KINDS[kind % len(KINDS)],
            get_args(OnInvalid)[options % 3],
            get_args(Unverified)[options // 3 % 3],
            FILTERS[options // 9 % 3],
            (1, 1, 1, 1, 2, 3)[page % 6],
            STATUSES[status % len(STATUSES)],
            data[4:],
        )


def check(data: bytes) -> str:
    """
    Process an input as the package would, and return the name of its outcome.

    Raises:
        Exception: any exception is a defect.
    """
    given = Input.of(data)
    try:
        match given.kind:
            case "page":
                return _page(given)
            case "object":
                return _object(given)
            case "refusal":
                _response_of(given, given.status)
                raise AssertionError(f"{given.status} was accepted as a success")
            case "header":
                return _header(given)
            case "checkpoint":
                return _checkpoint(given)
    except VideoSDKTranscriptsError as error:
        _check_error(error, given)
        return type(error).__name__


def _response_of(given: Input, status: int) -> Response:
    # Header values have no line breaks; aiohttp decodes them in the same way.
    value = given.body[:200].decode("utf-8", "surrogateescape").replace("\n", " ")
    names = ("retry-after", "date", "content-type", "x-request-id", "location")
    response = Response(status, dict.fromkeys(names, "" if status == 200 else value), given.body)
    check_status(response, REQUEST, now=NOW.timestamp())
    return response


def _header(given: Input) -> str:
    value = given.body.decode("utf-8", "surrogateescape")
    seconds, moment = retry_after({"retry-after": value}, NOW), http_date(value)
    assert seconds is None or 0 <= seconds < math.inf, seconds
    assert moment is None or moment.tzinfo is UTC, moment
    return "no header" if seconds is None and moment is None else "header"


def _object(given: Input) -> str:
    found = decode_object(_response_of(given, 200), REQUEST)
    _check_row(structure_row(found, Transcription, path="$"))
    return "object"


def _checkpoint(given: Input) -> str:
    text = given.body.decode("utf-8", "surrogateescape")
    found = Checkpoint.loads(text, given.row_filter, 20, LIST)
    assert Checkpoint.loads(found.dumps(), given.row_filter, 20, LIST) == found
    return "checkpoint"


def _page(given: Input) -> str:
    response = _response_of(given, 200)
    page = _read(response, given.page, given)
    in_body = json.loads(given.body)
    keys = ("transcriptions", "data", "records")
    if isinstance(in_body, dict):
        in_body = next((in_body[key] for key in keys if in_body.get(key) is not None), [])
    read = len(page.items) + len(page.invalid_rows)
    # Beyond the last page the service may repeat that page; its rows do not count here.
    beyond = page.last_page is not None and given.page > page.last_page and not read
    assert read == len(in_body) or beyond, "a row is missing"
    assert given.on_invalid != "raise" or not page.invalid_rows
    for row in page.items:
        _check_row(row)
    again = pickle.loads(pickle.dumps(page))
    assert again == page == copy.deepcopy(page)
    assert [row.raw for row in again.invalid_rows] == [row.raw for row in page.invalid_rows]
    assert hash(again) == hash(page)
    assert repr(page).isprintable()
    return _walk(given, response)


def _read(response: Response, page: int, given: Input) -> Page[Transcription]:
    reader = PageReader(response, REQUEST, page, Transcription, on_invalid=given.on_invalid)
    for _ in reader.slices():
        pass
    return reader.page()


def _check_row(row: Transcription) -> None:
    assert isinstance(row.id, str)
    assert row.id
    for moment in (row.start, row.end):
        assert moment is None or moment.tzinfo is UTC
    shown = (repr(row), row.duration, row.is_running, row.is_finished, row.is_failed)
    assert shown[0].isprintable()
    assert structure_row(json.loads(json.dumps(row.to_dict())), Transcription, path="$") == row
    assert pickle.loads(pickle.dumps(row)) == row == copy.copy(row)
    assert len({row, copy.deepcopy(row)}) == 1


async def _skip(_seconds: float) -> None:
    """Skip a wait, which requires a running event loop."""


def _walk(given: Input, response: Response) -> str:
    """Walk a list whose every page is this response, and resume from its checkpoint."""
    fetches = 0

    async def fetch(page: int, page_size: int, *, deadline: float | None) -> Page[Transcription]:
        nonlocal fetches
        fetches += 1
        assert fetches < MAX_FETCHES, "the walk does not end"
        return _read(response, page, given)

    def pager(resume: str | None) -> Pager[Transcription]:
        options = WalkOptions(
            given.row_filter,
            limit=None,
            page_size=20,
            resume=resume,
            on_unverified=given.on_unverified,
            on_invalid=given.on_invalid,
            consistency="once",
            max_empty_pages=3,
            readahead=0,
            walk_timeout=None,
        )
        return Pager(
            fetch,
            options,
            options.load_checkpoint(LIST),
            WalkStats(),
            clock=Clock(sleep=_skip),
            list_name=LIST,
            wrong_totals=WrongTotals(),
        )

    whole = pager(None)
    ids, outcome = _ids(whole, given)
    assert len(set(ids)) == len(ids), "a row was duplicated"
    assert all(found is not None for found in (repr(whole), whole.stats, whole.invalid_rows))
    for stop in {len(ids), len(ids) // 2}:
        part = pager(None)
        first, _ = _ids(part, given, limit=stop)
        rest, _ = _ids(pager(part.checkpoint), given)
        assert not set(first) & set(rest), "a row was duplicated after the checkpoint"
        # A walk that starts on a later page may meet other errors.
        assert len(ids) > 200 or outcome != "page" or [*first, *rest] == ids, "a row was lost"
    return outcome


def _run_step(step: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that only yields to the event loop, without an event loop."""
    while True:
        try:
            step.send(None)
        except StopIteration as end:
            return cast("T", end.value)


def _ids(
    pager: Pager[Transcription], given: Input, limit: int | None = None
) -> tuple[list[str], str]:
    """Return the ids of a pager and the outcome, without an event loop."""
    ids: list[str] = []
    while limit is None or len(ids) < limit:
        try:
            row = _run_step(pager.__anext__())
        except StopAsyncIteration:
            return ids, "page"
        except VideoSDKTranscriptsError as error:
            _check_error(error, given)
            assert error.checkpoint == pager.checkpoint
            return ids, f"walk: {type(error).__name__}"
        ids.append(row.id)
        assert given.row_filter.matches(row) is not False, "a row of another room or session"
    return ids, "page"


def _check_error(error: VideoSDKTranscriptsError, given: Input) -> None:
    text = str(error)
    assert text.isprintable(), "an unprintable message"
    assert len(text) < MAX_MESSAGE, "an unbounded message"
    if isinstance(error, InvalidRowError):
        assert (error.path or "").startswith("$"), "no JSON path"
    assert vars(pickle.loads(pickle.dumps(error))) == vars(error)
    # Messages may quote the body of a refusal, ids and, in paths, keys.
    quoted = list(_quotable(given.body))
    if given.kind in ("page", "object") and "success" not in quoted:
        is_allowed = any(CANARY in name for name in quoted)
        assert is_allowed or CANARY not in f"{text} {error!r} {vars(error)}", (
            "the message contains text of a row"
        )


def _quotable(body: bytes) -> Iterator[str]:
    try:
        below = [json.loads(body)]
    except (ValueError, RecursionError):
        return
    while below:
        value = below.pop()
        if isinstance(value, dict):
            yield from value
            yield str(value.get("id")) if isinstance(value.get("id"), str) else ""
            below.extend(value.values())
        elif isinstance(value, list):
            below.extend(value)
