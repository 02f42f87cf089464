"""P8: requests recorded by vcrpy, which copies their headers and writes them to a file."""

from pathlib import Path

import pytest
import vcr

from videosdk_transcripts import TranscriptsClient
from videosdk_transcripts.testing import FakeVideoSDK

ROOM = "abcd-efgh-ijkl"
RECORDER = vcr.VCR(filter_headers=["authorization"])


async def use(client: TranscriptsClient) -> tuple[int, list[str], list[str], str]:
    """Read and write through the client, and return what came back."""
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


async def test_recording_that_would_contain_the_token_is_not_written(
    fake: FakeVideoSDK, tmp_path: Path
) -> None:
    """The calls succeed; the error names the option that helps, and shows no token."""
    cassette = tmp_path / "calls.yaml"
    recording = vcr.use_cassette(cassette)
    recording.__enter__()
    async with fake.client() as client:
        assert await client.count() == 0
    with pytest.raises(TypeError, match=r"filter_headers=\['authorization'\]") as caught:
        recording.__exit__(None, None, None)
    assert "eyJ" not in str(caught.value)
    assert not cassette.exists()
