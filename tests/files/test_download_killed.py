"""A downloading program is killed at random moments: the files on disk are complete."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from videosdk_transcripts.auth import mint_token
from videosdk_transcripts.testing import Exchange, FakeVideoSDK

from ..conftest import until
from .support import send_part

ROOM: Final = "abcd-efgh-ijkl"
COUNT: Final = 200
PROGRAM: Final = """
import asyncio, sys

from videosdk_transcripts import TranscriptsClient


async def main(url, token, directory):
    async with TranscriptsClient(endpoint=url, token=token, file_hosts=[url]) as client:
        rows = client.iter_transcriptions()
        async for done in client.download_all(rows, directory, summary=False):
            if done.error is not None:
                raise done.error


asyncio.run(main(*sys.argv[1:]))
"""


def fill(fake: FakeVideoSDK, chance: random.Random) -> dict[str, bytes]:
    """Add rows with files, and return the expected files."""
    wanted = {}
    for number, row in enumerate(fake.add_transcriptions(COUNT, room_id=ROOM)):
        # Most are small; some are larger than the write buffer.
        data = chance.randbytes(2_500_000 if number % 50 == 3 else chance.randint(0, 30_000))
        fake.files.put(row, "txt", data)
        wanted[f"{row['id']}.txt"] = data
    return wanted


def whole(directory: Path) -> dict[str, bytes]:
    """Return the files in a directory, except temporary ones."""
    paths = directory.iterdir() if directory.exists() else []
    return {path.name: path.read_bytes() for path in paths if path.name[0] != "."}


async def run_until(
    fake: FakeVideoSDK, token: str, directory: Path, moment: Callable[[], Awaitable[object]] | None
) -> int | None:
    """Run the program, kill it at a moment, and return its exit code."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, fake.url, token, str(directory)
    )
    try:
        if moment is not None:
            await moment()
            # SIGKILL, which no program can handle.
            child.kill()
        return await asyncio.wait_for(child.wait(), 30)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def test_killed_download_leaves_complete_files_and_resumes(
    fake: FakeVideoSDK, tmp_path: Path
) -> None:
    """Three times; each run continues where the one before ended, and the last one completes."""
    token = str.__str__(mint_token(fake.api_key, fake.secret))
    chance = random.Random(5)  # noqa: S311 - moments, and not secrets
    wanted = fill(fake, chance)
    directory = tmp_path / "transcripts"
    before: set[str] = set()
    stalled: list[Any] = []

    async def stall(exchange: Exchange) -> Any:
        stalled.append(exchange)
        return await send_part(exchange, 2_000_000)

    async def after_some_requests() -> None:
        most = len(fake.files.requests) + chance.randint(5, 60)
        await until(lambda: len(fake.files.requests) >= most)
        await asyncio.sleep(chance.random() * 0.02)

    async def in_the_midst_of_a_file() -> None:
        def is_half() -> bool:
            parts = [
                directory / f".{exchange.request.match_info['name']}.part" for exchange in stalled
            ]
            return any(path.exists() and path.stat().st_size >= 1_000_000 for path in parts)

        await until(is_half)

    for moment in (after_some_requests, in_the_midst_of_a_file, after_some_requests, None):
        asked = len(fake.files.requests)
        if moment is in_the_midst_of_a_file:
            missing = sorted(set(wanted) - before)
            large = next(name for name in missing if len(wanted[name]) == 2_500_000)

            async def only_large(exchange: Exchange, large: str = large) -> Any:
                is_it = exchange.request.match_info["name"] == large
                return await stall(exchange) if is_it else exchange.response()

            fake.files.fail_next(only_large, times=COUNT)
        code = await run_until(fake, token, directory, moment)
        fake.files.clear_faults()
        found = whole(directory)
        # No file is incomplete, and no complete file is fetched again.
        assert all(data == wanted[name] for name, data in found.items())
        assert before <= set(found)
        fetched = {Path(seen.path).name for seen in fake.files.requests[asked:]}
        assert not fetched & before
        assert code == (0 if moment is None else -signal.SIGKILL)
        before = set(found)
    assert found == wanted
    assert len(os.listdir(directory)) == COUNT  # noqa: PTH208
    assert len(stalled) == 1
    assert not any("Authorization" in seen.headers for seen in fake.files.requests)
