"""Exports on a Dask cluster of processes: rate limit, tokens, killed workers and schedulers."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import dask
import distributed
import pytest
from cluster import Cluster, cluster
from support import Meetings, child, texts, until

from videosdk_transcripts import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    CredentialsError,
)
from videosdk_transcripts.export import DaskEngine, export
from videosdk_transcripts.testing import Delay, FakeVideoSDK, Status

NO_CREDENTIALS = {"VIDEOSDK_API_KEY": "", "VIDEOSDK_SECRET": "", "VIDEOSDK_TOKEN": ""}


@pytest.fixture
async def account(fake: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch) -> Meetings:
    """Return meetings of a service that the environment points to."""
    for name, value in fake.environ.items():
        monkeypatch.setenv(name, value)
    return Meetings(fake)


@pytest.fixture(scope="module")
def bare() -> Iterator[str]:
    """Run a cluster of two workers without credentials, and return its address."""
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder), NO_CREDENTIALS) as running:
        yield running.address


@pytest.fixture
async def workers(account: Meetings, tmp_path: Path) -> AsyncIterator[Cluster]:
    """Run a cluster of two workers with the credentials of the account, to be killed."""
    with cluster(tmp_path, account.fake.environ) as running:
        yield running


def with_token(address: str) -> DaskEngine:
    """Return an engine whose workers get their tokens from this process."""
    return DaskEngine(address, credentials="token")


@pytest.mark.parametrize("source", ["pairs", "account"])
async def test_cluster_exports_what_this_process_would(
    account: Meetings, bare: str, sink: Path, source: str
) -> None:
    """Each row is exported once, with the digest of a local export."""
    what = account.pairs if source == "pairs" else None
    done = await export(what, sink, engine=with_token(bare), shard_size=2, rows_per_part=10)
    assert texts(sink) == account.texts
    assert account.requests == 60 + (20 if source == "pairs" else 1)
    local = await export(what, sink.with_name("local"))
    assert local.digest == done.digest


async def test_client_of_the_caller_is_used_and_left_open(
    account: Meetings, bare: str, sink: Path
) -> None:
    """The client may be synchronous or not; the transform runs on the workers."""
    with await asyncio.to_thread(partial(distributed.Client, bare, set_as_default=False)) as client:
        summary = await export(
            None, sink, engine=DaskEngine(client, credentials="token"), transform=json.dumps
        )
        assert summary.is_complete
        assert client.scheduler_info()["workers"]
    assert {json.loads(text or "") for text in texts(sink).values()} == {*account.texts.values()}


@pytest.mark.parametrize("end", ["kill_worker", "stop_worker"])
async def test_lost_worker_loses_no_row(
    account: Meetings, workers: Cluster, sink: Path, end: str
) -> None:
    """Another one continues with the rows that it had finished."""
    account.fake.files.faults.every(1, Delay(0.1))
    exporting = asyncio.create_task(
        export(account.pairs, sink, engine=DaskEngine(workers.address), shard_size=5)
    )
    await until(partial(account.has_sent, 20))
    await asyncio.to_thread(getattr(workers, end))
    assert (await exporting).is_complete
    assert texts(sink) == account.texts
    # Requested again: texts in flight, the newest text of the shard, and its pages.
    assert account.requests <= 80 + 8 + 4 + 4


async def test_lost_scheduler_is_an_error_and_the_next_run_continues(
    account: Meetings, workers: Cluster, sink: Path
) -> None:
    """The next run uses another cluster, and keeps the finished rows."""
    account.fake.files.faults.every(1, Delay(0.1))
    exporting = asyncio.create_task(
        export(account.pairs, sink, engine=DaskEngine(workers.address), shard_size=5)
    )
    await until(partial(account.has_sent, 20))
    await asyncio.to_thread(workers.kill_scheduler)
    with pytest.raises(ConnectionFailedError, match="run the same export again") as caught:
        await exporting
    assert caught.value.__context__ is None
    await asyncio.to_thread(workers.start)
    engine = DaskEngine(workers.address)
    assert (await export(account.pairs, sink, engine=engine, shard_size=5)).is_complete
    assert texts(sink) == account.texts
    assert account.requests <= 80 + 2 * (8 + 4 + 4)


async def test_killed_client_leaves_workers_that_do_not_disturb_the_next_one(
    account: Meetings, workers: Cluster, sink: Path, tmp_path: Path
) -> None:
    """The next run waits for the parts that they still write."""
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text("".join(f"{json.dumps(pair)}\n" for pair in account.pairs))
    account.fake.files.faults.every(1, Delay(0.2))
    arguments = ("export", "--pairs", str(pairs), "--to", str(sink))
    process = child(*arguments, "--scheduler", workers.address)
    await until(partial(account.has_sent, 10))
    process.kill()
    await asyncio.to_thread(process.communicate)
    again = child(*arguments, "--scheduler", workers.address)
    _, err = await asyncio.to_thread(again.communicate)
    assert again.returncode == 0, err
    assert texts(sink) == account.texts
    assert account.requests <= 80 + 2 * (8 + 4 + 4)


async def test_rate_limit_holds_for_all_workers(account: Meetings, bare: str, sink: Path) -> None:
    """The scheduler spaces turns evenly, for the process that lists, too."""
    times: list[float] = []

    async def note(exchange: Any) -> Any:
        times.append(asyncio.get_running_loop().time())
        return exchange.response()

    account.fake.every(1, note)
    account.fake.files.faults.every(1, note)
    engine = with_token(bare)
    await export(account.pairs, sink, engine=engine, shard_size=5, requests_per_second=40)
    assert len(times) == 80
    times.sort()
    assert max(_in_any_second(times)) <= 44
    assert times[-1] - times[0] >= 79 / 40 - 0.2


def _in_any_second(times: list[float]) -> list[int]:
    """Return how many of the sorted times are in the second that starts with each."""
    return [sum(first <= time < first + 1 for time in times) for first in times]


async def test_workers_get_short_lived_tokens(
    account: Meetings, bare: str, sink: Path, tmp_path: Path
) -> None:
    """They have no credentials, and no task has a secret."""
    with pytest.raises(CredentialsError, match="no credentials"):
        await export(account.pairs, sink, engine=DaskEngine(bare))
    account.fake.files.faults.every(1, Delay(0.2))
    exporting = asyncio.create_task(export(account.pairs, sink, engine=with_token(bare)))
    await until(partial(account.has_sent, 5))
    async with distributed.Client(bare, asynchronous=True, set_as_default=False) as client:
        await client.dump_cluster_state(str(tmp_path / "state"), format="yaml")
    (dumped,) = tmp_path.glob("state*")
    state = dumped.read_text("utf-8")
    assert "videosdk-export-" in state
    assert account.fake.secret not in state
    assert "eyJ" not in state
    assert (await exporting).is_complete
    assert texts(sink) == account.texts


async def test_errors_of_workers_are_those_of_the_package(
    account: Meetings, bare: str, sink: Path
) -> None:
    """They are pickled on the way through the scheduler."""
    account.fake.secret = "another-secret-of-more-than-32-bytes"
    with pytest.raises(AuthenticationError):
        await export(account.pairs, sink, engine=with_token(bare))
    account.fake.secret = "fake-secret-of-more-than-32-bytes"
    account.fake.files.fail_next(Status(400))
    engine = with_token(bare)
    summary = await export(account.pairs, sink, engine=engine)
    (error,) = summary.errors
    assert error.error == "BadRequestError"
    assert (await export(account.pairs, sink, engine=engine)).is_complete
    assert texts(sink) == account.texts


async def test_unreachable_scheduler_is_an_error(
    account: Meetings, sink: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error has the address, and no traceback of Dask."""
    engine = DaskEngine("tcp://127.0.0.1:9")
    soon = dask.config.set({"distributed.comm.timeouts.connect": "1s"})
    with soon, pytest.raises(ConnectionFailedError, match="Dask cluster failed"):
        await export(None, sink, engine=engine)
    assert not account.requests


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra to install."""
    monkeypatch.setattr("videosdk_transcripts.export._dask.find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError, match=r"videosdk-transcripts\[dask\]"):
        DaskEngine("tcp://127.0.0.1:9")
    monkeypatch.undo()
    with pytest.raises(ConfigurationError, match="credentials must be one of"):
        DaskEngine("tcp://127.0.0.1:9", credentials="secret")  # type: ignore[arg-type]
