"""The Dask engine on a cluster in this process: what runs on its scheduler and workers."""

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from distributed import LocalCluster
from support import Meetings, texts

from videosdk_transcripts import FileError
from videosdk_transcripts.export import DaskEngine, Engine, export
from videosdk_transcripts.export._dask_cluster import Account
from videosdk_transcripts.export._names import part_name
from videosdk_transcripts.export._options import Job, Options
from videosdk_transcripts.export._sink import FolderSink
from videosdk_transcripts.testing import Delay, FakeVideoSDK


@pytest.fixture
async def engine(fake: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DaskEngine]:
    """Return an engine for a cluster in this event loop, with the account in the environment."""
    for name, value in fake.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("videosdk_transcripts.export._dask._TOKEN_INTERVAL", 0.05)
    async with LocalCluster(
        n_workers=1,
        processes=False,
        asynchronous=True,
        dashboard_address="127.0.0.1:0",
    ) as cluster:
        yield DaskEngine(cluster.scheduler_address, credentials="token")


async def test_credentials_come_from_the_environment_by_default(
    engine: DaskEngine, meetings: Meetings, sink: Path
) -> None:
    """Each worker uses its own environment."""
    engine = DaskEngine(engine._cluster)
    assert (await export(None, sink, engine=engine)).is_complete
    assert texts(sink) == meetings.texts


async def test_workers_use_the_proxy_of_their_environment(
    engine: DaskEngine,
    fake: FakeVideoSDK,
    meetings: Meetings,
    sink: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They use it for the API and for files; this host can't be reached in another way."""
    port = urlsplit(fake.url).port
    for row in fake.rows:
        link = row["transcriptionFilePaths"]["txt"]
        row["transcriptionFilePaths"]["txt"] = link.replace("127.0.0.1", "host.invalid")
    monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", f"http://host.invalid:{port}")
    monkeypatch.setenv("VIDEOSDK_FILE_HOSTS", f"http://host.invalid:{port}")
    monkeypatch.setenv("HTTP_PROXY", fake.url)
    summary = await export(
        meetings.pairs, sink, engine=engine, trust_env=True, files_via_proxy=True
    )
    assert summary.is_complete
    assert texts(sink) == meetings.texts


async def test_rate_limit_and_token_come_from_the_scheduler(
    engine: Engine, meetings: Meetings, sink: Path
) -> None:
    """This applies to the requests for lists and for files."""
    began = asyncio.get_running_loop().time()
    await export(meetings.pairs, sink, engine=engine, requests_per_second=100)
    assert texts(sink) == meetings.texts
    assert asyncio.get_running_loop().time() - began >= 79 / 100


async def test_part_that_another_process_writes_is_awaited(
    engine: Engine, meetings: Meetings, sink: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker may continue after its scheduler has lost it; a missing part is exported."""
    monkeypatch.setattr("videosdk_transcripts.export._dask_cluster._LOCK_POLL", 0.05)
    meetings.fake.files.faults.every(1, Delay(0.02))
    plan = (await export(None, sink.with_name("other"), engine=engine)).plan
    job = Job(str(sink), plan, Options(), 1, datetime.now(UTC))
    sink.mkdir()
    other = FolderSink(sink).create(part_name(job, "00000"))
    other.write(b"x")
    threading.Timer(0.5, other.discard).start()
    assert (await export(None, sink, engine=engine)).is_complete
    assert texts(sink) == meetings.texts
    monkeypatch.setattr("videosdk_transcripts.export._dask_cluster._LONGEST_LOCK", 0.1)
    third = sink.with_name("third")
    third.mkdir()
    other = FolderSink(third).create(part_name(job, "00000"))
    other.write(b"x")
    with pytest.raises(FileError, match="another program"):
        await export(None, third, engine=engine)
    other.discard()


class Turns:
    """A scheduler whose turns are due immediately."""

    def __init__(self) -> None:
        self.taken = 0

    async def videosdk_transcripts_reserve(self) -> float:
        """Count a turn."""
        self.taken += 1
        return 0.0


@pytest.mark.parametrize(("latest", "taken"), [(60.0, 1), (-1.0, 4)])
async def test_missed_turn_is_left_for_another_one(
    latest: float, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a process that was busy would send a burst. It can send again later."""
    monkeypatch.setattr("videosdk_transcripts.export._dask_cluster._MAX_DELAY", latest)
    turns = Turns()
    await Account(turns).acquire()
    assert turns.taken == taken


def test_run_outside_the_block_of_limited_is_rejected() -> None:
    """Only the block has a connection to the cluster."""
    job = Job("sink", "0123abcd", Options(), 1, datetime.now(UTC))
    unused: Any = None
    with pytest.raises(RuntimeError, match=r"in the block of limited\(\)"):
        DaskEngine("tcp://127.0.0.1:9").run(job, unused, unused)
