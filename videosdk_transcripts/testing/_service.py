"""
Hold the state of the fake service: rows, files, jobs, faults, drift, and received requests.

Most other modules of this package depend on this one, which opens no socket. Its types are in one
file because they refer to each other: the service queues faults, a fault takes an exchange, and
an exchange holds the service.
"""

from __future__ import annotations

import math
import random
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from aiohttp import web
from attrs import define, field, frozen

from ._files import FileLinks, file_name, sample_file
from ._rows import (
    EPOCH,
    FILE_MAPS,
    ErrorShape,
    FileMaps,
    Listing,
    Row,
    fill_file_maps,
    find_id,
    make_post_row,
    make_room,
    make_row,
    new_id,
    new_session_id,
    plain,
    select_rows,
)
from ._webhooks import Webhooks

# Requests and faults.


@frozen
class Exchange:
    """
    A request in progress, and the response that the service sends without a fault.

    `respond` creates that response. It takes a function from a page to its JSON, which is called
    only if the request is for a list.

    Attributes:
        fake: the service, whose state a fault may change.
        request: the request.
        respond: creates the response that the service sends without a fault.
    """

    fake: FakeService
    request: web.Request
    respond: Callable[[Callable[[Listing], Any]], web.Response]

    def response(self) -> web.Response:
        """Return the response that the service sends without a fault."""
        return self.respond(Listing.envelope)


Fault = Callable[[Exchange], Awaitable[web.StreamResponse]]
"""Any async callable that takes an `Exchange` and returns an aiohttp response."""


@define
class SeenRequest:
    """
    A request that the fake service received.

    Attributes:
        method: the method, such as ``GET``.
        path: the path of the URL, without the query.
        query: the parameters of the query, decoded.
        headers: the headers as they were sent, including the token.
        body: the body of a start or stop with a valid token, otherwise empty; only the newest
            1,000 are kept.
        status: the status of the response; None before it is sent, or if the connection was
            closed.
        fault: the fault that was applied to it; None if there was none.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    status: int | None = None
    fault: Fault | None = None

    @property
    def page(self) -> int | None:
        """Return the requested page; None if there is none, or it is not a number."""
        return _whole_number(self.query.get("page", ""))


class FaultQueue:
    """The faults that are due, in order."""

    def __init__(self) -> None:
        self._next: deque[Fault] = deque()
        self._on_page: dict[int, deque[Fault]] = {}
        self._every: list[tuple[int, Fault]] = []

    def clear(self) -> None:
        """Remove all faults."""
        self._next.clear()
        self._on_page.clear()
        self._every.clear()

    def fail_next(self, *faults: Fault, times: int = 1) -> None:
        """Apply these faults to the next requests, one each; `times` repeats all."""
        self._next.extend(_checked(faults) * times)

    def on_page(self, page: int, *faults: Fault, times: int = 1) -> None:
        """Apply these faults to the next requests for a page, one each."""
        self._on_page.setdefault(page, deque()).extend(_checked(faults) * times)

    def every(self, nth: int, fault: Fault) -> None:
        """Apply a fault to every nth request for which no other is due."""
        if nth < 1:
            raise ValueError(f"nth must be 1 or more, not {nth}")
        self._every.append((nth, _checked((fault,))[0]))

    def next_due(self, number: int, page: str = "") -> Fault | None:
        """
        Remove and return the fault that is due for a request, or return None.

        Args:
            number: the number of the request, from 1.
            page: the requested page, as in the query.
        """
        requested = _whole_number(page)
        on_page = None if requested is None else self._on_page.get(requested)
        for queue in (on_page, self._next):
            if queue:
                return queue.popleft()
        return next((fault for nth, fault in self._every if number % nth == 0), None)


def _whole_number(text: str) -> int | None:
    """Return a number from a query; None unless it consists of up to 15 ASCII digits."""
    return int(text) if re.fullmatch("[0-9]{1,15}", text) else None


def _checked(faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    # Otherwise a request would fail much later, with a 500 that clients retry silently.
    for fault in faults:
        if isinstance(fault, type) or not callable(fault):
            raise TypeError(f"{fault!r} is not a fault; create one like this: Status(503)")
    return faults


# Parts of the service.


@define
class Drift:
    """
    Change the list before responses. Created by `FakeVideoSDK.drift`.

    New rows are added at the top, with the room and session of the first row. Removed rows are
    chosen at random from the whole list.

    Attributes:
        every: the number of pages after which the list changes, 1 or more.
        insert: the number of rows added at each change, 0 or more.
        remove: the number of rows removed at each change, 0 or more.
        inserted: the number of rows added so far.
        removed: the number of rows removed so far.
    """

    every: int
    insert: int
    remove: int
    inserted: int = field(default=0, init=False)
    removed: int = field(default=0, init=False)
    _pages: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        if self.every < 1 or min(self.insert, self.remove) < 0:
            raise ValueError("every must be 1 or more, and insert and remove 0 or more")

    def apply(self, fake: FakeService, source: random.Random) -> None:
        """
        Count a page, and change the list at every `every` pages.

        Args:
            fake: the service whose list is changed.
            source: chooses the rows to remove.
        """
        self._pages += 1
        if self._pages % self.every:
            return
        for _ in range(self.insert):
            ids: Row = {}
            if fake.rows:
                top = fake.rows[0]
                ids = {"room_id": find_id(top, "roomId"), "session_id": find_id(top, "sessionId")}
            fake.add_transcription(at=0, **ids)
            self.inserted += 1
        for _ in range(min(self.remove, len(fake.rows))):
            fake.rows.pop(source.randrange(len(fake.rows)))
            self.removed += 1


@define
class Jobs:
    """
    Control undocumented effects of a start and a stop.

    A start adds a running row at the top of `FakeVideoSDK.rows`. A stop completes the newest
    running row of the room, whose files appear later.

    Attributes:
        status: the status of a start or a stop that is applied.
        second_start: the effect of a start while a transcription is running: 400, 409, the
            running row, or another row.
        idle_stop: the status of a stop while no transcription is running.
        webhook_slash: whether `webhookUrl` in the response to a start ends with a slash.
        formats: the formats of the files of a stopped transcription, which also gets a summary if
            the start requested one.
        files_after: seconds from the stop until the files exist; 0 for the next request.
    """

    status: Literal[200, 201] = 200
    second_start: Literal["bad request", "conflict", "running row", "another"] = "bad request"
    idle_stop: int = 404
    webhook_slash: bool = False
    formats: Sequence[str] = ("txt",)
    files_after: float = 0.0
    _summaries: set[str] = field(factory=set, init=False, repr=False)
    _due: list[tuple[float, Row]] = field(factory=list, init=False, repr=False)

    def clear(self) -> None:
        """Forget the rows that were started and stopped, but keep the switches."""
        self._summaries.clear()
        self._due.clear()

    def started(self, row: Row, sent: Row) -> None:
        """
        Record what a start requested.

        Args:
            row: the running row.
            sent: the body of the request.
        """
        summary = sent.get("summary")
        if isinstance(summary, dict) and summary.get("enabled"):
            self._summaries.add(row["id"])

    def stopped(self, row: Row, now: float) -> None:
        """
        Record when the files of a row appear.

        Args:
            row: the completed row.
            now: seconds since the epoch.
        """
        self._due.append((now + self.files_after, row))

    def deliver(self, files: FakeFiles, now: float) -> None:
        """
        Add the files of each row for which they are due.

        Args:
            files: the files of the service.
            now: seconds since the epoch.
        """
        due = [row for when, row in self._due if when <= now]
        self._due = [(when, row) for when, row in self._due if when > now]
        for row in due:
            for name in self.formats:
                files.put(row, name)
            if row["id"] in self._summaries:
                files.put(row, "txt", summary=True)


class FakeFiles:
    """
    Serve the files of rows from the address of the fake service, without credentials.

    ::

        row = fake.add_transcription()
        fake.files.put(row, "txt", b"Ann: Shall we begin?")
        fake.files.fail_next(Status(503))

    Its faults are the same as for the service; `Redirect` and `GzipBomb` are intended for files.

    Attributes:
        requests: the requests for files so far, with their headers.
        faults: the faults that are due for requests for files.
        sample: returns the content of a file for which `put` receives none. Takes the row, the
            format, and whether it is the summary.
    """

    def __init__(self, fake: FakeService) -> None:
        """
        Create the files of a service, which are empty at first.

        Args:
            fake: the service.
        """
        self.requests: list[SeenRequest] = []
        self.faults = FaultQueue()
        self.sample: Callable[[Row, str, bool], bytes] = lambda _row, ending, summary: sample_file(
            ending, summary=summary
        )
        self._fake = fake
        self._links: dict[tuple[str, str], FileLinks] = {}

    def put(
        self,
        row: Row | str,
        format: str,  # noqa: A002 - the API's own word
        data: bytes | None = None,
        *,
        summary: bool = False,
    ) -> str:
        """
        Serve a file, and write its link into the row.

        Args:
            row: the row or its id, of either list.
            format: the format of the file.
            data: the content; by default the result of `sample`, a few words in this format.
            summary: whether it is the file of the summary.

        Returns:
            The link.

        Raises:
            KeyError: no row has this id.
        """
        row, format = self._row(row), plain(format)  # noqa: A001
        content = self.sample(row, format, summary) if data is None else data
        links = FileLinks(row["id"], format, summary, content)
        self._links[row["id"], file_name(row["id"], format, summary=summary)] = links
        row[FILE_MAPS[summary]] = dict(row.get(FILE_MAPS[summary]) or {})
        return self._write(row, links)

    def serve_all(self) -> None:
        """Serve each file that a row names, and replace its link to the vendor's host."""
        for row in (*self._fake.rows, *self._fake.post_rows):
            for summary in (False, True):
                for name in row.get(FILE_MAPS[summary]) or {}:
                    self.put(row, name, summary=summary)

    def expire(self, row: Row | str, *, status: int = 403, renew: bool = True) -> None:
        """
        Expire the links of a row.

        Args:
            row: the row or its id.
            status: the status of the response to an expired link.
            renew: whether the row gets new, working links.

        Raises:
            KeyError: no row has this id.
        """
        row = self._row(row)
        for (row_id, _), links in self._links.items():
            if row_id == row["id"]:
                links.expired_status = status
                links.is_gone = not renew
                if renew:
                    links.number += 1
                self._write(row, links)

    def fail_next(self, *faults: Fault, times: int = 1) -> None:
        """
        Apply these faults to the next requests for files, one each.

        Args:
            faults: the faults, in order.
            times: how many times to apply all of them.

        Raises:
            TypeError: an argument is not a fault, such as ``Status`` instead of ``Status(503)``.
        """
        self.faults.fail_next(*faults, times=times)

    def clear_faults(self) -> None:
        """Remove the faults that are still due."""
        self.faults.clear()

    def respond(self, row_id: str, name: str, number: str) -> web.Response:
        """
        Return the response to a request for a link, without a fault.

        Args:
            row_id: the id of the row in the link.
            name: the name of the file in the link.
            number: the number of the link, as in its query.

        Returns:
            The file, or 404 if there is none, or the status of an expired link.
        """
        links = self._links.get((row_id, name))
        return web.Response(status=404) if links is None else links.respond(number)

    def _row(self, row: Row | str) -> Row:
        if not isinstance(row, str):
            return row
        rows = (*self._fake.rows, *self._fake.post_rows)
        found = next((one for one in rows if one["id"] == row), None)
        if found is None:
            raise KeyError(f"no row has the id {row!r}")
        return found

    def _write(self, row: Row, links: FileLinks) -> str:
        link = f"{self._fake.url}{links.path}"
        row[FILE_MAPS[links.summary]][links.ending] = link
        return link


# The service.


class FakeService:
    """
    Hold the state of a fake service. `FakeVideoSDK` serves it and describes its attributes.

    A fault receives it as `Exchange.fake`, and the function of a `Change` as its argument.
    """

    def __init__(
        self,
        *,
        api_key: str = "fake-api-key",
        secret: str = "fake-secret-of-more-than-32-bytes",
        filters: Literal["honoured", "ignored"] = "honoured",
        max_page_size: int | None = None,
        last_page_if_empty: int = 1,
        page_sizes: list[int] | None = None,
        order: Literal["as stored", "newest first", "oldest first"] = "as stored",
        slash: Literal["either", "required", "refused"] = "either",
        token_status: Literal[400, 401] = 401,
        unknown_status: int = 404,
        error_shape: ErrorShape = "message",
        file_maps: FileMaps = "missing",
        now: Callable[[], float] = time.time,
        port: int = 0,
        seed: int = 0,
    ) -> None:
        self.api_key = plain(api_key)
        self.secret = plain(secret)
        self.filters = filters
        self.max_page_size = max_page_size
        self.last_page_if_empty = last_page_if_empty
        self.page_sizes = page_sizes
        self.order = order
        self.slash = slash
        self.token_status: Literal[400, 401] = token_status
        self.unknown_status = unknown_status
        self.error_shape: ErrorShape = error_shape
        self.file_maps: FileMaps = file_maps
        self.now = now
        self.port = port
        self.url = ""
        self.rows: list[Row] = []
        self.post_rows: list[Row] = []
        self.custom_ids: dict[str, str] = {}
        self.requests: list[SeenRequest] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.faults = FaultQueue()
        self.drifting: Drift | None = None
        self.jobs = Jobs()
        self.files = FakeFiles(self)
        self.webhooks = Webhooks()
        self._random = random.Random(seed)  # noqa: S311 - ids, not secrets

    @property
    def environ(self) -> dict[str, str]:
        """Return the environment variables that configure a client for this service."""
        return {
            "VIDEOSDK_API_ENDPOINT": self.url,
            "VIDEOSDK_API_KEY": self.api_key,
            "VIDEOSDK_SECRET": self.secret,
            "VIDEOSDK_FILE_HOSTS": self.url,
        }

    # Rows.

    def new_id(self) -> str:
        """Return a new id of a transcription, which depends only on the seed."""
        return new_id(self._random)

    def new_session_id(self) -> str:
        """Return a new id of a session, which depends only on the seed."""
        return new_session_id(self._random)

    def add_transcription(
        self,
        *,
        room_id: str | None = "abcd-efgh-ijkl",
        session_id: str | None = "64f1a2b3c4d5e6f708192a3b",
        at: int | None = None,
        **fields: Any,
    ) -> Row:
        """
        Add one row, and return it in the documented shape.

        Args:
            room_id: its room; None to omit it.
            session_id: its session; None to omit it.
            at: its position in the list, from 0; by default at the end.
            fields: ``row_id``, ``status``, ``start``, ``duration``, ``formats``, ``summary``,
                and any other key of the row.

        Returns:
            The row itself, so that a change of it changes the list.
        """
        fields.setdefault("row_id", self.new_id())
        fields.setdefault("start", EPOCH + timedelta(hours=len(self.rows)))
        row = make_row(room_id=room_id, session_id=session_id, **fields)
        self.rows.insert(len(self.rows) if at is None else at, row)
        return row

    def add_transcriptions(self, count: int, **fields: Any) -> list[Row]:
        """
        Add several rows of one room and session at the end, and return them.

        Args:
            count: the number of rows.
            fields: the arguments of `add_transcription`, the same for each row.

        Returns:
            The rows themselves, in order.
        """
        return [self.add_transcription(**fields) for _ in range(count)]

    def add_session(self, room_id: str, count: int = 1, **fields: Any) -> list[Row]:
        """
        Add a session with a number of transcriptions at the end, and return its rows.

        Args:
            room_id: the room of the session, whose id is new.
            count: the number of transcriptions.
            fields: the other arguments of `add_transcription`, the same for each row.

        Returns:
            The rows themselves, in order.
        """
        session_id = self.new_session_id()
        return self.add_transcriptions(count, room_id=room_id, session_id=session_id, **fields)

    def add_post_transcription(
        self,
        *,
        room_id: str | None = "abcd-efgh-ijkl",
        session_id: str | None = "64f1a2b3c4d5e6f708192a3b",
        **fields: Any,
    ) -> Row:
        """
        Add one transcription of a recording at the end of its list, and return it.

        Args:
            room_id: its room; None to omit it.
            session_id: its session; None to omit it.
            fields: as for `add_transcription`.

        Returns:
            The row itself, so that a change of it changes the list.
        """
        fields.setdefault("start", EPOCH + timedelta(hours=len(self.post_rows)))
        row_id = fields.pop("row_id", None) or self.new_id()
        row = make_post_row(row_id, room_id=room_id, session_id=session_id, **fields)
        self.post_rows.append(row)
        return row

    def find_room(self, room_id: str) -> Row | None:
        """
        Return a room by its room id or its custom room id, or None if there is none.

        A room exists if a row or `custom_ids` names it.

        Args:
            room_id: the room id or the custom room id.

        Returns:
            The room in the documented shape, or None.
        """
        room_id = self.custom_ids.get(room_id, room_id)
        named = (find_id(row, "roomId") for row in (*self.rows, *self.post_rows))
        if room_id not in {*self.custom_ids.values(), *named}:
            return None
        custom_ids = (custom for custom, room in self.custom_ids.items() if room == room_id)
        return make_room(room_id, next(custom_ids, None))

    def listing(self, query: Mapping[str, str], of: list[Row] | None = None) -> Listing | None:
        """
        Return the page that a query requests.

        Args:
            query: the query of a list request.
            of: the rows to list; by default `rows`.

        Returns:
            The page, or None if the page or the page size is not a number of 1 or more.
        """
        page = _whole_number(query.get("page", "1"))
        per_page = _whole_number(query.get("perPage", "20"))
        if not page or not per_page:
            return None
        per_page = min(per_page, self.max_page_size or per_page)
        rows = self.rows if of is None else of
        rows = list(rows) if self.filters == "ignored" else select_rows(rows, query)
        if self.order != "as stored":
            rows.sort(
                key=lambda row: str(row.get("start") or ""), reverse=self.order == "newest first"
            )
        sizes = self.page_sizes
        if sizes is None:
            start, size = (page - 1) * per_page, per_page
            last_page = math.ceil(len(rows) / per_page) or self.last_page_if_empty
        else:
            start = sum(sizes[: page - 1])
            size = sizes[page - 1] if page <= len(sizes) else 0
            last_page = len(sizes) or self.last_page_if_empty
        shown = [fill_file_maps(row, self.file_maps) for row in rows[start : start + size]]
        return Listing(shown, page, per_page, last_page, len(rows))

    def clear(self) -> None:
        """
        Remove all rows, files, requests and faults, for example between two tests.

        Custom room ids and drift are removed as well. Switches keep their values, including
        those of `jobs`.
        """
        self.rows.clear()
        self.post_rows.clear()
        self.custom_ids.clear()
        self.requests.clear()
        self.most_in_flight = 0
        self.drifting = None
        self.files = FakeFiles(self)
        self.jobs.clear()
        self.clear_faults()

    # Faults.

    def fail_next(self, *faults: Fault, times: int = 1) -> None:
        """
        Apply these faults to the next requests, one each.

        Args:
            faults: the faults, in order.
            times: how many times to apply all of them.

        Raises:
            TypeError: an argument is not a fault, such as ``Status`` instead of ``Status(503)``.
        """
        self.faults.fail_next(*faults, times=times)

    def on_page(self, page: int, *faults: Fault, times: int = 1) -> None:
        """
        Apply these faults to the next requests for a page, one each.

        Args:
            page: the number of the page, from 1.
            faults: the faults, in order.
            times: how many times to apply all of them.

        Raises:
            TypeError: an argument is not a fault, such as ``Status`` instead of ``Status(503)``.
        """
        self.faults.on_page(page, *faults, times=times)

    def every(self, nth: int, fault: Fault) -> None:
        """
        Apply a fault to every nth request for which no other is due.

        Args:
            nth: 1 for all requests.
            fault: the fault.

        Raises:
            ValueError: `nth` is below 1.
            TypeError: `fault` is not a fault, such as ``Status`` instead of ``Status(503)``.
        """
        self.faults.every(nth, fault)

    def clear_faults(self) -> None:
        """Remove the faults that are still due, including those for files."""
        self.faults.clear()
        self.files.clear_faults()

    def drift(self, *, every: int = 1, insert: int = 0, remove: int = 0) -> Drift:
        """
        Add and remove rows while they are listed, until `drift` is called again.

        Args:
            every: the number of pages after which the list changes, 1 or more.
            insert: how many rows to add at the top.
            remove: how many rows to remove, at random.

        Returns:
            The object that counts the changes.

        Raises:
            ValueError: a number is out of bounds.
        """
        self.drifting = Drift(every, insert, remove)
        return self.drifting

    def apply_drift(self) -> None:
        """Change the list if `drift` was called and a change is due."""
        if self.drifting is not None:
            self.drifting.apply(self, self._random)
