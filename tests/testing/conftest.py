"""Fixtures of the tests of the fake service."""

from collections.abc import AsyncIterator

import aiohttp
import pytest


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A plain session of aiohttp, independent of the client."""
    async with aiohttp.ClientSession() as session:
        yield session
