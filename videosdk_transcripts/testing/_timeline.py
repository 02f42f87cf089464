"""Jobs on a time line, as a picture in SVG: a lane for each room, a column for each day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Final

from attrs import field, frozen

from ._page_data import Job, Session

_COLUMN: Final = 120
_NOW: Final = 84
_HEAD: Final = 44
_LANE: Final = 32
_BAR: Final = 18
_LEAST_BAR: Final = 6
_LEAST_CROSS: Final = 14
_LABEL: Final = 112
_LETTERS: Final = 15
_MOST_COLUMNS: Final = 14
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


@frozen
class _Columns:
    """The hours or the days in which there is anything. The others are left out."""

    starts: list[datetime]
    unit: timedelta

    @property
    def now(self) -> int:
        """Where the column of what is running begins."""
        return len(self.starts) * _COLUMN

    def place(self, moment: datetime) -> float:
        """Tell where a moment lies; one that is left out, between its neighbours."""
        before = [start for start in self.starts if start <= moment]
        if not before:
            return 0
        share = min((moment - before[-1]) / self.unit, 1)
        return (len(before) - 1 + share) * _COLUMN


@frozen
class _Bar:
    job: Job
    x: float
    width: float


@frozen
class _Lane:
    """One room, whose sessions lie below each other where they would overlap."""

    name: str
    rows: list[list[list[_Bar]]] = field(factory=list)
    """Of sessions, of bars."""

    def add(self, bars: list[_Bar]) -> None:
        for row in self.rows:
            if all(not _touch(bars, others) for others in row):
                row.append(bars)
                return
        self.rows.append([bars])


def timeline(sessions: Sequence[Session]) -> str:
    """Draw the jobs of sessions, or return nothing where none says when it began."""
    columns = _columns(job for session in sessions for job in session.jobs)
    if not columns.starts:
        return ""
    lanes: dict[str | None, _Lane] = {}
    for session in sessions:
        if bars := [*_bars(session.jobs, columns)]:
            lane = lanes.setdefault(session.room_id, _Lane(session.room_id or "no room"))
            lane.add(bars)
    drawn: list[str] = []
    labels: list[str] = []
    y = _HEAD
    for lane in lanes.values():
        drawn.append(f'<path class="rule" d="M0 {y}H{columns.now + _NOW}"/>')
        labels.append(f'<path class="rule" d="M0 {y}H{_LABEL}"/>')
        name = lane.name if len(lane.name) <= _LETTERS else f"{lane.name[: _LETTERS - 1]}…"
        labels.append(f'<text x="0" y="{y + 21}">{escape(name)}</text>')
        for row in lane.rows:
            for bars in row:
                drawn.extend(_draw(bars, y + (_LANE - _BAR) // 2))
            y += _LANE
    width = columns.now + _NOW
    shown = sum(len(bars) for lane in lanes.values() for row in lane.rows for bars in row)
    about = f"{shown} transcriptions in {len(lanes)} rooms; the tables say the same in words"
    return (
        '<div class="lanes">'
        f'<svg class="names" width="{_LABEL}" height="{y}" aria-hidden="true">{"".join(labels)}'
        '</svg><div class="wide" tabindex="0" role="region" aria-label="Time line">'
        f'<svg width="{width}" height="{y}" role="img" aria-label="{about}">'
        f"{''.join(_heads(columns, y))}{''.join(drawn)}</svg></div></div>{_keys(columns)}"
    )


def _columns(jobs: Iterator[Job]) -> _Columns:
    moments = {moment for job in jobs for moment in (job.start, job.start and job.end) if moment}
    hours = {moment.replace(minute=0, second=0, microsecond=0) for moment in moments}
    if len(hours) <= _MOST_COLUMNS:
        return _Columns(sorted(hours), _HOUR)
    days = {moment.replace(hour=0) for moment in hours}
    return _Columns(sorted(days)[-_MOST_COLUMNS:], _DAY)


def _bars(jobs: Sequence[Job], columns: _Columns) -> Iterator[_Bar]:
    for job in jobs:
        is_running = job.kind == "running"
        last = job.end or job.start
        if job.start is None or last is None or (last < columns.starts[0] and not is_running):
            continue
        x = columns.place(job.start)
        end = columns.now + _NOW if is_running else columns.place(last)
        least = _LEAST_CROSS if job.kind == "failed" else _LEAST_BAR
        yield _Bar(job, x, max(end - x, least))


def _touch(some: list[_Bar], others: list[_Bar]) -> bool:
    (start, end), (other_start, other_end) = _extent(some), _extent(others)
    return start < other_end + _LEAST_BAR and other_start < end + _LEAST_BAR


def _extent(bars: list[_Bar]) -> tuple[float, float]:
    return min(bar.x for bar in bars), max(bar.x + bar.width for bar in bars)


def _draw(bars: list[_Bar], y: int) -> Iterator[str]:
    if len(bars) > 1:
        x, end = _extent(bars)
        middle = y + _BAR // 2
        yield f'<path class="session" d="M{x:.1f} {middle}H{end:.1f}"/>'
    for bar in bars:
        job = bar.job
        said = f"{job.status or 'no status'}, from {job.start:%Y-%m-%d %H:%M}"
        said += f" to {job.end:%Y-%m-%d %H:%M}" if job.end else ""
        yield (
            f'<rect class="{job.kind}" x="{bar.x:.1f}" y="{y}" width="{bar.width:.1f}" '
            f'height="{_BAR}" rx="2"><title>{escape(said)}</title></rect>'
        )
        if job.kind == "running":
            x = bar.x + bar.width - 8
            yield f'<text class="word" x="{x:.1f}" y="{y + 13}">running ▸</text>'
        elif job.kind == "failed":
            x = bar.x + bar.width / 2
            yield f'<text class="cross" x="{x:.1f}" y="{y + 13}">✕</text>'


def _heads(columns: _Columns, bottom: int) -> Iterator[str]:
    before = None
    for number, start in enumerate(columns.starts):
        x = number * _COLUMN
        # A dashed line where something is left out.
        kind = "tick" if before is None or start - before == columns.unit else "tick gap"
        yield f'<path class="{kind}" d="M{x + 0.5} 8V{bottom}"/>'
        first, second = f"{start.day} {start:%b}", f"{start:%a}"
        if columns.unit == _HOUR:
            first, second = f"{start:%H:%M}", first if number == 0 or start.hour == 0 else ""
        elif before is None or before.year != start.year:
            second += f" {start.year}"
        yield f'<text class="head" x="{x + 6}" y="18">{first}</text>'
        yield f'<text class="foot" x="{x + 6}" y="34">{second}</text>'
        before = start
    yield f'<path class="tick" d="M{columns.now + 0.5} 8V{bottom}"/>'
    yield f'<text class="head" x="{columns.now + 6}" y="18">now</text>'


def _keys(columns: _Columns) -> str:
    kinds = ("running", "completed", "failed", "other")
    keys = "".join(
        f'<li><svg width="16" height="12" aria-hidden="true"><rect class="{kind}" x="1" y="1" '
        f'width="14" height="10" rx="2"/></svg>{kind}</li>'
        for kind in kinds
    )
    unit = "hour" if columns.unit == _HOUR else "day"
    return (
        f'<ul class="keys" aria-label="Key to the time line">{keys}</ul>'
        f'<p class="note">UTC, a column for each of the last {_MOST_COLUMNS} {unit}s '
        "that have any; a dashed line where some are left out.</p>"
    )
