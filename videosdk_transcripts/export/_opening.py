"""Start an export: continue the generation in progress, or begin an update."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from videosdk_transcripts.errors import ConfigurationError

from ._generation import Generation, begin_update, find_generation, read_exported_pairs
from ._options import Job, Pair, Split
from ._pairs import not_included
from ._plan import Source
from ._store import Store


class Opening:
    """
    Find or begin the generation to export.

    Args:
        store: where the dataset is.
        source: what the caller passed.
        split: the jobs.
        update: whether to begin an update.
    """

    def __init__(self, store: Store, source: Source, split: Split, *, update: bool) -> None:
        self._store = store
        self._source = source
        self._split = split
        self._update = update
        self.exported = source
        """What the generation exports."""
        self.left: Sequence[Pair] = ()
        """Pairs of the caller that it does not export."""

    async def open(
        self, job: Job, first: Generation, now: datetime
    ) -> tuple[Generation, dict[str, Any] | None]:
        """
        Return the generation, with the success file if there is nothing to do.

        Args:
            job: the export.
            first: the first export.
            now: when an update begins.

        Raises:
            ConfigurationError: the pairs or the number of jobs are others than before.
        """
        while True:
            generation, success = await find_generation(self._store, job, first)
            if self._source.walked is None:
                await self._compare_pairs(job, generation)
            if success is None:
                self._check_jobs(generation)
                return generation, None
            if not self._update:
                return generation, success
            number, jobs = generation.number + 1, self._split.count
            update = Generation(number, now, jobs, tuple(self.left), success)
            await begin_update(self._store, update)

    async def _compare_pairs(self, job: Job, generation: Generation) -> None:
        """
        Compare the caller's pairs with those of a generation.

        Raises:
            ConfigurationError: pairs are missing, or there are new ones and this is no update.
        """
        given = self._source.pairs
        exported = await read_exported_pairs(self._store, job, generation)
        missing = not_included(exported, given)
        if missing:
            raise ConfigurationError(
                f"missing from the list: {_count_pairs(missing)} of the dataset in "
                f"{self._store}; add what is missing, or choose another place"
            )
        new = not_included(given, exported)
        if new and not self._update:
            raise ConfigurationError(
                f"missing from the dataset in {self._store}: {_count_pairs(new)} of the list; "
                "add what is missing by an update, or choose another place"
            )
        self.exported, self.left = Source(pairs=exported), new

    def _check_jobs(self, generation: Generation) -> None:
        jobs, count = generation.jobs, self._split.count
        if jobs is not None and jobs != count:
            raise ConfigurationError(
                f"the export in {self._store} is in progress with jobs numbered /{jobs}, not "
                f"/{count}; repeat it with the same number of jobs"
            )


def _count_pairs(pairs: Sequence[Pair]) -> str:
    """Return the number of pairs, and the first one as an example."""
    room, session = pairs[0]
    example = f"room {room}" if session is None else f"room {room}, session {session}"
    if len(pairs) == 1:
        return f"the pair {example}"
    return f"{len(pairs)} pairs, such as {example},"
