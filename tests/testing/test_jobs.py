"""A transcription of the fake service has its files some time after it was stopped."""

from collections.abc import Callable

from videosdk_transcripts import Clock
from videosdk_transcripts.testing import FakeVideoSDK

ROOM_ID = "abcd-efgh-ijkl"


async def files_of(now: Callable[[], float], **jobs: object) -> tuple[FakeVideoSDK, list[str]]:
    """Hold a meeting with a summary, and return what its row shows after it."""
    async with FakeVideoSDK(now=now) as fake, fake.client(clock=Clock(time=now)) as client:
        for name, value in jobs.items():
            setattr(fake.jobs, name, value)
        await client.start_transcription(ROOM_ID, summary=True)
        stopped = (await client.stop_transcription(ROOM_ID)).transcription
        assert not stopped.files
        t = await client.get_transcription(stopped.id)
        return fake, [*t.files, *(f"summary {name}" for name in t.summary_files)]


async def test_files_come_after_the_stop() -> None:
    """The row of the stop has none yet, and the next look finds text and summary."""
    _, found = await files_of(lambda: 0.0)
    assert found == ["txt", "summary txt"]


async def test_files_are_late() -> None:
    """They come when the clock of the fake service says so, and only once."""
    time = [100.0]
    fake, found = await files_of(lambda: time[0], files_after=30.0, formats=("srt", "vtt"))
    assert found == []
    (row,) = fake.rows
    time[0] = 129.0
    fake.jobs.deliver(fake.files, fake.now())
    assert "transcriptionFilePaths" not in row
    time[0] = 130.0
    fake.jobs.deliver(fake.files, fake.now())
    assert list(row.pop("transcriptionFilePaths")) == ["srt", "vtt"]
    fake.jobs.deliver(fake.files, fake.now())
    assert "transcriptionFilePaths" not in row


async def test_without_files() -> None:
    """A meeting in which nobody spoke brings none, and no summary unless it was asked for."""
    async with FakeVideoSDK() as fake, fake.client() as client:
        fake.jobs.formats = ()
        await client.start_transcription(ROOM_ID, summary=False)
        stopped = (await client.stop_transcription(ROOM_ID)).transcription
        t = await client.get_transcription(stopped.id)
        assert t.is_completed
        assert not t.files
        assert not t.summary_files
