"""Export on an existing Dask cluster, with the extra ``[dask]``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Literal, TypeVar
from uuid import uuid4

from videosdk_transcripts import ConnectionFailedError, VideoSDKTranscriptsError
from videosdk_transcripts._clock import Clock
from videosdk_transcripts._environment import (
    resolve_endpoint,
    resolve_file_hosts,
    resolve_tokens,
)
from videosdk_transcripts._validation import check_word
from videosdk_transcripts.errors import ConfigurationError

from ._engine import Context, Task, run_tasks
from ._options import Job
from ._rate_limit import AcquiresTurns
from ._shard_summary import ShardSummary

if TYPE_CHECKING:
    from distributed import Client

    from ._dask_cluster import Account, WorkerSettings

T = TypeVar("T")

_MAX_SUBMITTED: Final = 256
"""Maximum number of submitted shards, so that the scheduler has few tasks."""
_RETRIES: Final = 2
_TOKEN_INTERVAL: Final = 20.0
"""Seconds between two updates of the scheduler's token, which is renewed a minute early."""


class DaskEngine:
    """
    Export the shards on a Dask cluster.

    The package must be installed on the scheduler and the workers, and the sink must be the same
    place for all of them.

    Args:
        cluster: a `distributed.Client` of the cluster, or the address of its scheduler.
        credentials: ``environment`` if the environment of each worker has the credentials, as
            for `TranscriptsClient`; ``token`` to send the workers tokens that are valid for ten
            minutes, signed with the credentials in the environment of this process.

    Raises:
        ConfigurationError: `distributed` is missing, or an argument is invalid.
    """

    def __init__(
        self,
        cluster: Client | str,
        *,
        credentials: Literal["environment", "token"] = "environment",
    ) -> None:
        check_word("credentials", credentials, ("environment", "token"))
        if find_spec("distributed") is None:
            raise ConfigurationError(
                "Dask needs distributed; install it with: pip install 'videosdk-transcripts[dask]'"
            )
        self._cluster = cluster
        self._credentials = credentials
        self._client: Client | None = None
        self._settings: WorkerSettings | None = None

    @asynccontextmanager
    async def limited(
        self, requests_per_second: float | None
    ) -> AsyncGenerator[AcquiresTurns | None]:
        """
        Limit the rate of all requests of an export, in an ``async with`` block around it.

        Args:
            requests_per_second: the rate, above 0; None for no limit.

        Yields:
            The rate limit for the requests of the exporting process; None for none.
        """
        from ._dask_cluster import Account, AccountPlugin, WorkerSettings

        is_limited, has_token = requests_per_second is not None, self._credentials == "token"
        self._settings = WorkerSettings(is_limited, has_token)
        if has_token:
            self._settings = WorkerSettings(
                is_limited,
                has_token,
                # Plain strings, because a `Secret` can't be sent, and these are not secret.
                str(resolve_endpoint(None)),
                tuple(map(str, resolve_file_hosts(None))),
            )
        async with _connected(self._cluster) as client:
            self._client = client
            # A unique name, because several exports may use the cluster.
            name = f"videosdk-transcripts-{uuid4().hex}"
            plugin = AccountPlugin(requests_per_second)
            await _explained(client.register_plugin(plugin, name=name))
            account = Account(client.scheduler)
            try:
                async with _tokens_sent(account) if has_token else contextlib.nullcontext():
                    yield account if is_limited else None
            finally:
                # Fails if the scheduler has stopped.
                with contextlib.suppress(OSError):
                    await client.unregister_scheduler_plugin(name)

    def run(
        self, job: Job, tasks: AsyncIterator[Task], context: Context
    ) -> AsyncGenerator[ShardSummary]:
        """
        Export each shard once it is listed, and yield its summary once it is committed.

        Args:
            job: the export.
            tasks: the shards, as they are listed.
            context: the resources of the exporting process.

        Yields:
            The summaries, in the order in which the shards are committed.

        Raises:
            RuntimeError: it is called outside a block of `limited`.
        """
        client, settings = self._client, self._settings
        if client is None:
            raise RuntimeError("run() is called in the block of limited()")
        from ._dask_cluster import export_on_worker

        async def start(task: Task) -> ShardSummary:
            future = client.submit(
                export_on_worker,
                job,
                task,
                settings,
                key=f"videosdk-export-{job.plan}-{task.shard.name}-{uuid4().hex[:8]}",
                pure=False,
                retries=_RETRIES,
            )
            try:
                summary = await _explained(future)
            finally:
                # Otherwise the scheduler would repeat committed shards if it loses a worker.
                future.release()
            counters = context.counters
            counters.rows += summary.rows
            counters.texts += summary.texts
            counters.missing_texts += summary.missing_texts
            counters.errors += len(summary.errors)
            return summary

        return run_tasks(tasks, start, concurrency=_MAX_SUBMITTED)


@asynccontextmanager
async def _connected(cluster: Client | str) -> AsyncGenerator[Client]:
    """Connect a separate asynchronous client, because the caller's may be synchronous."""
    from distributed import Client

    if isinstance(cluster, str):
        opened = Client(cluster, asynchronous=True, set_as_default=False)
    else:
        address = cluster.scheduler.address if cluster.scheduler is not None else None
        opened = Client(address, asynchronous=True, set_as_default=False, security=cluster.security)
    await _explained(opened)
    try:
        yield opened
    finally:
        await opened.close()


@asynccontextmanager
async def _tokens_sent(account: Account) -> AsyncGenerator[None]:
    """Send tokens to the scheduler during the block."""
    source = resolve_tokens(api_key=None, secret=None, token=None, clock=Clock())

    async def send() -> None:
        # Converted to a plain string, because a `Secret` can't be sent.
        await account.set_token(str(await source.get()))

    async def keep_sending() -> None:
        while True:
            await asyncio.sleep(_TOKEN_INTERVAL)
            # If the scheduler has stopped, the export itself fails.
            with contextlib.suppress(OSError):
                await send()

    await _explained(send())
    sending = asyncio.create_task(keep_sending())
    try:
        yield
    finally:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending


async def _explained(call: Awaitable[T]) -> T:
    """
    Await a call of the cluster.

    Raises:
        ConnectionFailedError: the cluster failed.
    """
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    try:
        return await call
    except VideoSDKTranscriptsError:
        # Not handled below, although some of them are also an OSError.
        raise
    except (OSError, FutureCancelledError, KilledWorker) as error:
        reason = f"{type(error).__name__}: {error}"
    # Raised outside the `except` block, so that Dask's exception is not the context.
    raise ConnectionFailedError(
        f"the Dask cluster failed: {reason}; run the same export again to continue: finished "
        "parts are kept"
    )
