"""Run on a Dask cluster: rate limit and token on the scheduler, shards on the workers."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from attrs import frozen
from distributed import Scheduler, SchedulerPlugin, get_worker

from videosdk_transcripts import TranscriptsClient

from ._engine import Task, make_client
from ._options import Job
from ._rate_limit import EvenPace
from ._shard import export_shard
from ._shard_summary import ShardSummary
from ._store import SinkError

_PREFIX: Final = "videosdk_transcripts_"
"""The prefix of the names of the remote calls, to distinguish them from the scheduler's own."""
_MAX_DELAY: Final = 0.025
"""Seconds by which a turn may be used late. The late turns of a busy process would be a burst."""
_TURNS: Final = 4
"""Missed turns after which a request is sent anyway, because the process is always busy."""
_LONGEST_LOCK: Final = 600.0
"""Seconds to wait for a worker that still writes the part, although the scheduler dropped it."""
_LOCK_POLL: Final = 0.5


class AccountPlugin(SchedulerPlugin):
    """
    Provide the turns of the account's rate limit, and its token, on the scheduler.

    The remote calls remain after the plugin is removed, and the newest export on a cluster
    replaces them, so that one rate limit applies to all exports. There are no leases, so a killed
    worker blocks nothing. The token is not part of a task, and is sent separately, so that the
    dashboard does not show it.
    """

    def __init__(self, requests_per_second: float | None) -> None:
        self._rate = requests_per_second
        self._pace: EvenPace | None = None
        self._token: str | None = None

    def start(self, scheduler: Scheduler) -> None:
        """Add the remote calls to the scheduler."""
        self._pace = None if self._rate is None else EvenPace(self._rate)
        for call in (self.reserve, self.get_token, self.set_token):
            scheduler.handlers[f"{_PREFIX}{call.__name__}"] = call

    async def reserve(self) -> float:
        """Take the next turn, and return the seconds until then."""
        return 0.0 if self._pace is None else self._pace.reserve()

    async def get_token(self) -> str:
        """Return the newest token."""
        return self._token or ""

    async def set_token(self, token: str) -> None:
        """Replace the token."""
        self._token = token


class Account:
    """
    Call the plugin from a worker or a client.

    Args:
        rpc: the connection to the scheduler.
    """

    def __init__(self, rpc: Any) -> None:
        self._rpc = rpc

    async def acquire(self) -> None:
        """Wait for the next turn, and for another one if it was missed."""
        for _ in range(_TURNS):
            asked_at = time.monotonic()
            seconds = await getattr(self._rpc, f"{_PREFIX}reserve")()
            # The best estimate of when the scheduler responded is the middle of the call.
            turn = (asked_at + time.monotonic()) / 2 + seconds
            await asyncio.sleep(turn - time.monotonic())
            if time.monotonic() - turn <= _MAX_DELAY:
                return

    async def get_token(self) -> str:
        """Return the newest token."""
        token: str = await getattr(self._rpc, f"{_PREFIX}get_token")()
        return token

    async def set_token(self, token: str) -> None:
        """Replace the token."""
        await getattr(self._rpc, f"{_PREFIX}set_token")(token=token)


@frozen
class WorkerSettings:
    """How a worker connects to the service; everything else is in its environment."""

    is_limited: bool
    has_token: bool
    """Whether the token is requested from the scheduler."""
    endpoint: str | None = None
    file_hosts: tuple[str, ...] | None = None


async def export_on_worker(job: Job, task: Task, settings: WorkerSettings) -> ShardSummary:
    """Export a shard in a task of a worker."""
    account = Account(get_worker().scheduler)
    limiter = account if settings.is_limited else None
    options: dict[str, Any] = {}
    if settings.has_token:
        options["token"] = account.get_token
        options["endpoint"] = settings.endpoint
        options["file_hosts"] = settings.file_hosts
    async with make_client(job, limiter, **options) as client:
        return await _export(job, task, client, limiter)


async def _export(
    job: Job, task: Task, client: TranscriptsClient, limiter: Account | None
) -> ShardSummary:
    deadline = time.monotonic() + _LONGEST_LOCK
    while True:
        try:
            return await export_shard(
                job, task.shard, client, limiter=limiter, replace=task.replace
            )
        except SinkError as error:
            # Locked by a worker that the scheduler has lost, or whose client was killed.
            if not error.is_locked or time.monotonic() >= deadline:
                raise
        await asyncio.sleep(_LOCK_POLL)
