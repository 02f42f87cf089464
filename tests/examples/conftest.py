"""A fake service, and programs that use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import Starter

from videosdk_transcripts.testing import FakeVideoSDK


@pytest.fixture
def fake() -> Iterator[FakeVideoSDK]:
    """The service, empty."""
    with FakeVideoSDK().in_thread() as service:
        yield service


@pytest.fixture
def programs(fake: FakeVideoSDK, tmp_path: Path) -> Iterator[Starter]:
    """Starts programs whose environment names the fake service."""
    starter = Starter(tmp_path, fake.environ)
    yield starter
    starter.kill_all()
