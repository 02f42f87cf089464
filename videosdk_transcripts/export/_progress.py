"""Count the progress of an export, and report it to the caller."""

from __future__ import annotations

import time
from collections.abc import Callable

from attrs import define, field, frozen


@frozen
class ExportProgress:
    """
    The progress of an export. Counts include the results of earlier runs.

    Attributes:
        shards: the number of shards that are committed.
        shards_total: the number of all shards; None while rows are still listed.
        rows: the number of rows that are finished.
        rows_total: the number of all rows according to the service; None if unknown.
        texts: the number of rows with a text.
        missing_texts: the number of rows without a file, or whose file was deleted.
        errors: the number of sessions, rows and texts that could not be exported.
        elapsed: seconds since the start of this run.
        rows_per_second: the number of rows that this run finishes per second, on average.
        seconds_left: an estimate of the seconds until the end; None if unknown.
    """

    shards: int
    shards_total: int | None
    rows: int
    rows_total: int | None
    texts: int
    missing_texts: int
    errors: int
    elapsed: float
    rows_per_second: float
    seconds_left: float | None


@define
class Counters:
    """The counters of an export, updated while it runs."""

    clock: Callable[[], float] = time.monotonic
    started_at: float = field(init=False)
    shards: int = 0
    shards_total: int | None = None
    rows: int = 0
    rows_total: int | None = None
    rows_before: int = 0
    """Rows that earlier runs have committed."""
    texts: int = 0
    missing_texts: int = 0
    errors: int = 0

    def __attrs_post_init__(self) -> None:
        self.started_at = self.clock()

    def add_row(self, text_bytes: int | None) -> None:
        """Count a finished row."""
        self.rows += 1
        if text_bytes is not None:
            self.texts += 1

    def snapshot(self) -> ExportProgress:
        """Return the progress so far."""
        elapsed = self.clock() - self.started_at
        done = self.rows - self.rows_before
        rate = done / elapsed if elapsed > 0 else 0.0
        return ExportProgress(
            shards=self.shards,
            shards_total=self.shards_total,
            rows=self.rows,
            rows_total=self.rows_total,
            texts=self.texts,
            missing_texts=self.missing_texts,
            errors=self.errors,
            elapsed=elapsed,
            rows_per_second=rate,
            seconds_left=self._seconds_left(elapsed, rate),
        )

    def _seconds_left(self, elapsed: float, rate: float) -> float | None:
        if self.rows_total is not None:
            return max(0, self.rows_total - self.rows) / rate if rate else None
        if self.shards_total is not None and self.shards:
            return elapsed * (self.shards_total - self.shards) / self.shards
        return None
