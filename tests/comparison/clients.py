"""
Four ways to list the transcriptions of a room.

Each function yields the ids that it receives until the list ends or an error is raised. The first
is a loop without retries, as in a short example; the second has the usual precautions.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import aiohttp
from attrs import frozen

from videosdk_transcripts import mint_token
from videosdk_transcripts.testing import FakeVideoSDK

LIST: Final = "/ai/v1/realtime-transcriptions/"
NODE_PACKAGE: Final = "@videosdk.live/server-sdk@0.1.1"
_NODE_SCRIPT: Final = Path(__file__).with_name("list.mjs")


@frozen
class Job:
    """What to list."""

    fake: FakeVideoSDK
    room_id: str
    page_size: int


Lister = Callable[[Job], AsyncIterator[str]]


async def raw_aiohttp(job: Job) -> AsyncIterator[str]:
    """Read the pages up to the last one, with plain aiohttp."""
    token = mint_token(api_key=job.fake.api_key, secret=job.fake.secret, lifetime=600)
    headers = {"Authorization": token}
    async with aiohttp.ClientSession(job.fake.url, headers=headers) as session:
        page = last_page = 1
        while page <= last_page:
            query = {"roomId": job.room_id, "page": page, "perPage": job.page_size}
            async with session.get(LIST, params=query) as response:
                response.raise_for_status()
                data = await response.json()
            for row in data["transcriptions"]:
                yield row["id"]
            last_page = data["pageInfo"]["lastPage"]
            page += 1


async def handwritten_loop(job: Job) -> AsyncIterator[str]:
    """Retry what is transient, three times with backoff, and stop after an empty page."""
    token = mint_token(api_key=job.fake.api_key, secret=job.fake.secret, lifetime=600)
    headers = {"Authorization": token}
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(job.fake.url, headers=headers, timeout=timeout) as session:
        page = 1
        while True:
            query = {"roomId": job.room_id, "page": page, "perPage": job.page_size}
            data = await _get(session, query)
            for row in data["transcriptions"]:
                yield row["id"]
            if not data["transcriptions"] or page >= int(data["pageInfo"]["lastPage"]):
                return
            page += 1


async def _get(session: aiohttp.ClientSession, query: dict[str, Any]) -> Any:
    for attempt in range(4):
        try:
            async with session.get(LIST, params=query) as response:
                response.raise_for_status()
                return await response.json()
        except aiohttp.ClientResponseError as error:
            if attempt == 3 or (error.status != 429 and error.status < 500):
                raise
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError):
            if attempt == 3:
                raise
        await asyncio.sleep(0.5 * 2**attempt)
    raise AssertionError


async def ours(job: Job) -> AsyncIterator[str]:
    """Use this package, with its defaults."""
    async with job.fake.client() as client:
        async for t in client.iter_transcriptions(job.room_id, page_size=job.page_size):
            yield t.id


class NodeSDK:
    """Use the vendor's Node SDK, which has no filter by room, in a separate process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        """Where the SDK is installed."""

    async def __call__(self, job: Job) -> AsyncIterator[str]:
        """Iterate over the ids that the program printed, then raise what it reported."""
        script = self._folder / _NODE_SCRIPT.name
        script.write_bytes(_NODE_SCRIPT.read_bytes())
        process = await asyncio.create_subprocess_exec(
            "node",
            str(script),
            str(job.page_size),
            env={**os.environ, **job.fake.environ},
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        for line in output.decode().splitlines():
            result = json.loads(line)
            if "error" in result:
                raise NodeError(result["error"])
            yield result["id"]


class NodeError(Exception):
    """An error of the Node SDK, by its name."""
