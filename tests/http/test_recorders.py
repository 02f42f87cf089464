"""P8: requests recorded by vcrpy, which copies their headers and writes them to a file."""

import subprocess
import sys
from pathlib import Path

import vcr

from videosdk_transcripts import TranscriptsClient
from videosdk_transcripts.testing import FakeVideoSDK

ROOM = "abcd-efgh-ijkl"
RECORDER = vcr.VCR(filter_headers=["authorization"])


async def use(client: TranscriptsClient) -> tuple[int, list[str], list[str], str]:
    """Read and write through the client, and return the results."""
    count = await client.count(ROOM)
    rows = [t async for t in client.iter_transcriptions(ROOM)]
    texts = [await client.fetch_text(t) for t in rows[:2]]
    started = await client.start_transcription(ROOM)
    return count, [t.id for t in rows], texts, started.transcription.id


async def test_recorded_calls_are_replayed(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """Walks over several pages, files and writes; the cassette contains no token."""
    fake.add_transcriptions(45, room_id=ROOM)
    fake.files.serve_all()
    cassette = tmp_path / "calls.yaml"
    outcomes = []
    for _ in range(2):
        with RECORDER.use_cassette(cassette):
            async with fake.client() as client:
                outcomes.append(await use(client))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == len(outcomes[0][1]) == 45
    # The second run sent nothing.
    assert len(fake.requests) == 1 + 3 + 1
    tokens = {request.headers["Authorization"] for request in fake.requests}
    text = cassette.read_text("utf-8")
    assert not any(token in text for token in tokens)
    assert "uthorization" not in text


SCRIPT = """
import asyncio, sys
import vcr
from videosdk_transcripts.testing import FakeVideoSDK

async def main():
    async with FakeVideoSDK() as fake, fake.client() as client:
        with vcr.use_cassette(sys.argv[1]):
            print(await client.count())

asyncio.run(main())
"""


def test_recording_that_would_contain_the_token_is_not_written(tmp_path: Path) -> None:
    """The call succeeds; the error names the option that helps, and shows no token."""
    cassette = tmp_path / "calls.yaml"
    # In a process of its own: vcrpy keeps recording after a cassette that it can't write.
    command = [sys.executable, "-c", SCRIPT, str(cassette)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stdout) == (1, "0\n")
    assert done.stderr.splitlines()[-1].startswith("TypeError: a secret can't be pickled")
    assert "(vcrpy: filter_headers=['authorization'])" in done.stderr
    assert "eyJ" not in done.stderr
    assert not cassette.exists()
