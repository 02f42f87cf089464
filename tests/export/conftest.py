"""Fixtures for the tests of exports: a fake service, and meetings whose texts it serves."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from support import Meetings

from videosdk_transcripts import Clock, RetryPolicy, TranscriptsClient
from videosdk_transcripts.testing import FakeVideoSDK


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the credentials and proxies of the environment from every test."""
    for name in list(os.environ):
        if name.startswith(("VIDEOSDK_", "AWS_", "FSSPEC_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", os.devnull)


@pytest.fixture(autouse=True)
async def _nothing_left() -> AsyncIterator[None]:
    """Check after the test that only its own task remains."""
    yield
    await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not {task for task in left if not task.done()}


@pytest.fixture
async def fake() -> AsyncIterator[FakeVideoSDK]:
    """Return a fake service without rows."""
    async with FakeVideoSDK() as server:
        yield server


@pytest.fixture
async def client(fake: FakeVideoSDK) -> AsyncIterator[TranscriptsClient]:
    """Return a client of the fake service that does not wait before a retry."""

    async def no_wait(_seconds: float) -> None:
        await asyncio.sleep(0)

    policy = RetryPolicy(attempts=2)
    async with fake.client(retry=policy, clock=Clock(sleep=no_wait)) as opened:
        yield opened


@pytest.fixture
def meetings(fake: FakeVideoSDK) -> Meetings:
    """Return 20 sessions in 5 rooms, each with 3 transcriptions and their texts."""
    return Meetings(fake)


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Path]:
    """Return a folder that does not exist yet."""
    return tmp_path / "dataset"
