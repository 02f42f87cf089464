"""
Show the state of a fake service in a browser, as a dashboard.

``index.html`` and ``style.css`` are static. The page's script creates its content from
``/dashboard.json``, whose data is computed here. Rows may contain anything, so the data consists
of plain text and numbers of bounded length, and the page inserts it as text only.
"""

from __future__ import annotations

import functools
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final

from aiohttp import web
from attrs import Factory, frozen

from videosdk_transcripts.testing._faults import Applied
from videosdk_transcripts.testing._rows import Row, find_id, iso
from videosdk_transcripts.testing._service import FakeService, Fault, SeenRequest

PATHS: Final = ("/", "/style.css", "/dashboard.json")

_SCRIPT_TAG: Final = '<script type="module">'

_KINDS: Final = ("running", "completed", "failed")
_MAX_JOBS: Final = 200
_MAX_REQUESTS: Final = 50

_MAX_PERIODS: Final = 14
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
# In periods of the timeline, at the smallest width at which the page shows a timeline.
_MIN_BAR: Final = 0.15
_MIN_FAILED_BAR: Final = 0.35
_BAR_GAP: Final = 0.1

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


# Routes.


def dashboard_routes(service: FakeService) -> list[web.RouteDef]:
    """Return the routes of the page, its style and its data."""

    async def get_page(_request: web.Request) -> web.Response:
        return web.Response(
            text=_static("index.html"),
            content_type="text/html",
            headers={**_HEADERS, "Content-Security-Policy": _page_policy()},
        )

    async def get_style(_request: web.Request) -> web.Response:
        return web.Response(text=_static("style.css"), content_type="text/css", headers=_HEADERS)

    async def get_data(request: web.Request) -> web.Response:
        service.jobs.deliver(service.files, service.now())
        data = dashboard_data(service, request.query.get("room") or None)
        headers = {**_HEADERS, "Content-Security-Policy": "default-src 'none'"}
        return web.json_response(data, headers=headers)

    handlers = (get_page, get_style, get_data)
    return [web.get(path, handler) for path, handler in zip(PATHS, handlers, strict=True)]


@functools.cache
def _static(name: str) -> str:
    return (files(__name__) / name).read_text("utf-8")


@functools.cache
def _page_policy() -> str:
    """Return a policy that allows only the page's own script, and nothing from other origins."""
    script = _static("index.html").partition(_SCRIPT_TAG)[2].partition("</script>")[0]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'sha256-{digest}'",
            "style-src 'self'",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            # No text can become HTML, even by mistake.
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


# Data.


@frozen
class _Job:
    """One transcription of either list."""

    id: str
    room_id: str | None
    session_id: str | None
    status: str
    """The status in lower case; empty if there is none."""
    kind: str
    """``running``, ``completed``, ``failed``, or ``other`` for any other status."""
    start: datetime | None
    end: datetime | None
    files: list[dict[str, str | None]]

    def data(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "roomId": self.room_id,
            "sessionId": self.session_id,
            "status": self.status,
            "kind": self.kind,
            "start": _time(self.start),
            "end": _time(self.end),
            "files": self.files,
        }


def dashboard_data(service: FakeService, room_id: str | None = None) -> dict[str, Any]:
    """
    Return the data of the dashboard as JSON.

    Args:
        service: the service.
        room_id: the only room whose transcriptions, sessions and recordings to return.
    """
    chosen = None if room_id is None else _text(room_id)
    jobs, recordings = [*map(_job, service.rows)], [*map(_job, service.post_rows)]
    rooms = _rooms([*jobs, *recordings])
    if chosen is not None:
        jobs = [job for job in jobs if job.room_id == chosen]
        recordings = [job for job in recordings if job.room_id == chosen]
    sessions = _sessions(jobs)
    return {
        "url": service.url,
        "environ": service.environ,
        "room": chosen,
        "counts": {
            "rooms": len(rooms) if chosen is None else 1,
            "sessions": len(sessions),
            "transcriptions": len(jobs),
            "recordings": len(recordings),
            "running": sum(job.kind == "running" for job in (*jobs, *recordings)),
            "requests": len(service.requests),
        },
        "rooms": rooms,
        "timeline": _timeline(sessions),
        "transcriptions": [job.data() for job in jobs[:_MAX_JOBS]],
        "sessions": [_session_data(session) for session in sessions[:_MAX_JOBS]],
        "recordings": [job.data() for job in recordings[:_MAX_JOBS]],
        "requests": _newest(service.requests),
        "fileRequests": _newest(service.files.requests),
    }


def _job(row: Row) -> _Job:
    status = _text(row.get("status") or "").lower()
    start, end = _parse_time(row.get("start")), _parse_time(row.get("end"))
    return _Job(
        id=_text(row.get("id", "")),
        room_id=_optional_text(find_id(row, "roomId")),
        session_id=_optional_text(find_id(row, "sessionId")),
        status=status,
        kind=status if status in _KINDS else "other",
        start=start,
        end=end if start and end and end >= start else None,
        files=[*_job_files(row)],
    )


def _job_files(row: Row) -> Iterator[dict[str, str | None]]:
    """Iterate over the name and link of each file; a link that is not a web address is None."""
    for key, is_summary in (("transcriptionFilePaths", False), ("summarizedFilePaths", True)):
        links = row.get(key)
        for name, url in links.items() if isinstance(links, dict) else ():
            label = _text(name)
            if is_summary:
                label = "summary" if name == "txt" else f"{label} summary"
            link = _text(url)
            is_web = link.startswith(("http://", "https://"))
            yield {"name": label, "url": link if is_web else None}


def _rooms(jobs: Iterable[_Job]) -> list[dict[str, Any]]:
    rooms: dict[str | None, list[_Job]] = {}
    for job in jobs:
        rooms.setdefault(job.room_id, []).append(job)
    return [
        {
            "id": room_id,
            "sessions": len({job.session_id for job in inside}),
            "jobs": len(inside),
            "running": sum(job.kind == "running" for job in inside),
        }
        for room_id, inside in rooms.items()
    ]


def _sessions(jobs: Iterable[_Job]) -> list[list[_Job]]:
    """Return the jobs of each session, in the order of their first one."""
    sessions: dict[tuple[str | None, str | None], list[_Job]] = {}
    for job in jobs:
        sessions.setdefault((job.room_id, job.session_id), []).append(job)
    return [*sessions.values()]


def _session_data(jobs: list[_Job]) -> dict[str, Any]:
    return {
        "id": jobs[0].session_id,
        "roomId": jobs[0].room_id,
        "start": _time(min((job.start for job in jobs if job.start), default=None)),
        "jobs": len(jobs),
        "kinds": [*dict.fromkeys(job.kind for job in jobs)],
    }


def _newest(requests: Sequence[SeenRequest]) -> list[dict[str, Any]]:
    first = max(0, len(requests) - _MAX_REQUESTS)
    return [
        _request_data(number, requests[number - 1]) for number in range(len(requests), first, -1)
    ]


def _request_data(number: int, seen: SeenRequest) -> dict[str, Any]:
    query = "&".join(f"{key}={value}" for key, value in seen.query.items())
    return {
        "number": number,
        "method": seen.method,
        "target": _text(f"{seen.path}?{query}" if query else seen.path),
        "status": seen.status,
        "fault": None if seen.fault is None else _fault_name(seen.fault),
    }


def _fault_name(fault: Fault) -> str:
    """Return a fault as in the code of a test, without texts, which may be long."""
    if isinstance(fault, Applied):
        return f"Applied({_fault_name(fault.fault)})"
    declared = getattr(type(fault), "__attrs_attrs__", None)
    if declared is None:
        return str(getattr(fault, "__name__", type(fault).__name__))
    values = (getattr(fault, one.name) for one in declared)
    numbers = ", ".join(str(value) for value in values if isinstance(value, int | float))
    return f"{type(fault).__name__}({numbers})" if numbers else type(fault).__name__


def _text(value: object) -> str:
    """Return a value as text without lone surrogates, which some JSON parsers reject."""
    return str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)


def _parse_time(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


# The timeline has a lane for each room, and a column for each hour or day that is not empty.


@frozen
class _Periods:
    """The newest hours or days in which a job starts or ends; empty ones are omitted."""

    starts: list[datetime]
    unit: timedelta
    total: int
    """How many periods there are, including older ones."""

    def position(self, moment: datetime) -> float:
        """Return the position of a moment, in periods from the first one."""
        before = [start for start in self.starts if start <= moment]
        if not before:
            return 0
        # A moment in an omitted period is placed between the adjacent periods.
        share = min((moment - before[-1]) / self.unit, 1)
        return len(before) - 1 + share


@frozen
class _Bar:
    job: _Job
    start: float
    end: float

    def data(self) -> dict[str, Any]:
        return {
            "kind": self.job.kind,
            "status": self.job.status,
            "start": _time(self.job.start),
            "end": _time(self.job.end),
            "from": round(self.start, 4),
            "to": round(self.end, 4),
        }


@frozen
class _Lane:
    """One room. Sessions that would overlap are in different rows."""

    room_id: str | None
    rows: list[list[list[_Bar]]] = Factory(list)
    """Rows of sessions, each a list of bars."""

    def add(self, bars: list[_Bar]) -> None:
        for row in self.rows:
            if not any(_overlap(bars, others) for others in row):
                row.append(bars)
                return
        self.rows.append([bars])

    def data(self) -> dict[str, Any]:
        rows = [[[bar.data() for bar in bars] for bars in row] for row in self.rows]
        return {"roomId": self.room_id, "rows": rows}


def _timeline(sessions: Iterable[list[_Job]]) -> dict[str, Any] | None:
    """Return the timeline of sessions, or None if no job has a start."""
    sessions = [*sessions]
    periods = _periods(job for jobs in sessions for job in jobs)
    if not periods.starts:
        return None
    lanes: dict[str | None, _Lane] = {}
    for jobs in sessions:
        if bars := [*_bars(jobs, periods)]:
            room_id = bars[0].job.room_id
            lanes.setdefault(room_id, _Lane(room_id)).add(bars)
    gaps = [False, *(b - a > periods.unit for a, b in pairwise(periods.starts))]
    return {
        "unit": "hour" if periods.unit == _HOUR else "day",
        "total": periods.total,
        "periods": [
            {"start": _time(start), "isAfterGap": is_after_gap}
            for start, is_after_gap in zip(periods.starts, gaps, strict=True)
        ],
        "lanes": [lane.data() for lane in lanes.values()],
    }


def _periods(jobs: Iterable[_Job]) -> _Periods:
    moments = {moment for job in jobs for moment in (job.start, job.start and job.end) if moment}
    hours = {moment.replace(minute=0, second=0, microsecond=0) for moment in moments}
    if len(hours) <= _MAX_PERIODS:
        return _Periods(sorted(hours), _HOUR, len(hours))
    days = {moment.replace(hour=0) for moment in hours}
    return _Periods(sorted(days)[-_MAX_PERIODS:], _DAY, len(days))


def _bars(jobs: Sequence[_Job], periods: _Periods) -> Iterator[_Bar]:
    # A running job extends to the end of the column for the current time, after the last period.
    now = len(periods.starts) + 1
    for job in jobs:
        is_running = job.kind == "running"
        last = job.end or job.start
        if job.start is None or last is None or (last < periods.starts[0] and not is_running):
            continue
        start = periods.position(job.start)
        yield _Bar(job, start, now if is_running else periods.position(last))


def _overlap(some: list[_Bar], others: list[_Bar]) -> bool:
    (start, end), (other_start, other_end) = _extent(some), _extent(others)
    return start < other_end + _BAR_GAP and other_start < end + _BAR_GAP


def _extent(bars: list[_Bar]) -> tuple[float, float]:
    """Return the start and end of bars, with the minimum width at which the page draws them."""
    widths = [_MIN_FAILED_BAR if bar.job.kind == "failed" else _MIN_BAR for bar in bars]
    ends = [max(bar.end, bar.start + width) for bar, width in zip(bars, widths, strict=True)]
    return min(bar.start for bar in bars), max(ends)
