"""What the page of the fake service shows, as data, whatever the rows hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from ._exchange import Fault, SeenRequest
from ._jobs import Applied
from ._listing import Row

if TYPE_CHECKING:
    from ._server import FakeVideoSDK


_KINDS: Final = ("running", "completed", "failed")
_MOST_REQUESTS: Final = 50


@frozen
class Job:
    """One transcription, or one of a recording."""

    id: str
    room_id: str | None
    session_id: str | None
    status: str
    """The service's word, in small letters; empty where there is none."""
    kind: str
    """One of ``running``, ``completed``, ``failed``; ``other`` for any other word."""
    start: datetime | None
    end: datetime | None
    files: tuple[tuple[str, str | None], ...]
    """Name and link of each, in its order; None for a link that is no web address."""


@frozen
class Session:
    """One session, with what is known of it from its transcriptions."""

    id: str | None
    room_id: str | None
    jobs: tuple[Job, ...]


@frozen
class Room:
    """One room, and how much is in it."""

    id: str | None
    sessions: int
    jobs: int
    running: int


@frozen
class Asked:
    """One request, and what became of it."""

    number: int
    """Which one it is, from 1."""
    method: str
    target: str
    status: int | None
    """None where no answer was sent, or is not sent yet."""
    fault: str
    """The name of what it met, or nothing."""


@frozen
class Content:
    """All of it."""

    chosen: str | None
    """The room that `sessions`, `jobs` and `recordings` are of; None for all."""
    rooms: tuple[Room, ...]
    """Always all of them."""
    sessions: tuple[Session, ...]
    jobs: tuple[Job, ...]
    recordings: tuple[Job, ...]
    requests: tuple[Asked, ...]
    """The last ones, newest first."""
    file_requests: tuple[Asked, ...]
    asked: int
    """How many requests there were, files left out."""


def look(fake: FakeVideoSDK, chosen: str | None) -> Content:
    """
    Read what is in the service.

    Args:
        fake: whom to look at.
        chosen: only show the jobs of this room.
    """
    jobs, recordings = [*map(_job, fake.rows)], [*map(_job, fake.post_rows)]
    mine = [[job for job in each if chosen in (None, job.room_id)] for each in (jobs, recordings)]
    return Content(
        chosen=chosen,
        rooms=tuple(_rooms([*jobs, *recordings])),
        sessions=tuple(_sessions(mine[0])),
        jobs=tuple(mine[0]),
        recordings=tuple(mine[1]),
        requests=_last(fake.requests),
        file_requests=_last(fake.files.requests),
        asked=len(fake.requests),
    )


def _rooms(jobs: Iterable[Job]) -> Iterable[Room]:
    rooms: dict[str | None, list[Job]] = {}
    for job in jobs:
        rooms.setdefault(job.room_id, []).append(job)
    for room_id, inside in rooms.items():
        sessions = {job.session_id for job in inside}
        running = sum(job.kind == "running" for job in inside)
        yield Room(room_id, len(sessions), len(inside), running)


def _sessions(jobs: Iterable[Job]) -> Iterable[Session]:
    sessions: dict[tuple[str | None, str | None], list[Job]] = {}
    for job in jobs:
        sessions.setdefault((job.room_id, job.session_id), []).append(job)
    for (room_id, session_id), inside in sessions.items():
        yield Session(session_id, room_id, tuple(inside))


def _job(row: Row) -> Job:
    status = str(row.get("status") or "").lower()
    start = _moment(row.get("start"))
    end = _moment(row.get("end"))
    return Job(
        id=str(row.get("id", "")),
        room_id=_place(row, "roomId"),
        session_id=_place(row, "sessionId"),
        status=status,
        kind=status if status in _KINDS else "other",
        start=start,
        end=end if start and end and end >= start else None,
        files=tuple(_files(row)),
    )


def _place(row: Row, key: str) -> str | None:
    """Return an id from where either list has it."""
    config = _object(_object(row.get("extension")).get("extensionConfig"))
    found = config.get(key, row.get(key))
    return None if found is None else str(found)


def _files(row: Row) -> Iterable[tuple[str, str | None]]:
    for name, url in _object(row.get("transcriptionFilePaths")).items():
        yield str(name), _link(url)
    for name, url in _object(row.get("summarizedFilePaths")).items():
        yield "summary" if name == "txt" else f"{name} summary", _link(url)


def _link(url: object) -> str | None:
    return str(url) if str(url).startswith(("http://", "https://")) else None


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _last(requests: Sequence[SeenRequest]) -> tuple[Asked, ...]:
    first = max(0, len(requests) - _MOST_REQUESTS)
    return tuple(_asked(number, requests[number - 1]) for number in range(len(requests), first, -1))


def _asked(number: int, seen: SeenRequest) -> Asked:
    query = "&".join(f"{key}={value}" for key, value in seen.query.items())
    target = f"{seen.path}?{query}" if query else seen.path
    fault = "" if seen.fault is None else _name(seen.fault)
    return Asked(number, seen.method, target, seen.status, fault)


def _name(fault: Fault) -> str:
    """Write a fault as a test does, but for texts, which may be long."""
    if isinstance(fault, Applied):
        return f"Applied({_name(fault.fault)})"
    declared = getattr(type(fault), "__attrs_attrs__", None)
    if declared is None:
        return str(getattr(fault, "__name__", type(fault).__name__))
    values = (getattr(fault, one.name) for one in declared)
    numbers = ", ".join(str(value) for value in values if isinstance(value, int | float))
    return f"{type(fault).__name__}({numbers})" if numbers else type(fault).__name__
