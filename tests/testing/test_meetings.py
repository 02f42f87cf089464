"""What is said in the sandbox: transcripts and summaries of its rows."""

import csv
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from videosdk_transcripts import TranscriptsClient, parse_transcript
from videosdk_transcripts.testing import SANDBOX_ROOMS, FakeVideoSDK, run_sandbox
from videosdk_transcripts.testing._meetings import meeting_file
from videosdk_transcripts.testing._rows import make_row


@pytest.fixture
async def sandbox() -> AsyncIterator[TranscriptsClient]:
    """Return a client of a sandbox."""
    async with FakeVideoSDK() as fake, fake.client() as client:
        run_sandbox(fake)
        yield client


@pytest.mark.parametrize("room", SANDBOX_ROOMS)
async def test_meetings_have_several_speakers(sandbox: TranscriptsClient, room: str) -> None:
    """The speakers alternate; another meeting of the room has other words."""
    rows = [t async for t in sandbox.iter_transcriptions(room) if t.files]
    texts = [await sandbox.fetch_text(t) for t in rows[:4]]
    assert len(set(texts)) > 1
    for text in texts:
        transcript = parse_transcript(text)
        assert transcript.unread == ()
        assert len({turn.speaker for turn in transcript.turns}) >= 2
        assert len(transcript.turns) > 8
        assert await sandbox.fetch_text(rows[0]) == texts[0]


async def test_summary_has_decisions_and_next_steps(sandbox: TranscriptsClient) -> None:
    """They belong to the people who spoke."""
    rows = [t async for t in sandbox.iter_transcriptions() if t.summary_files]
    summary = await sandbox.fetch_summary(rows[0])
    title, decisions, steps = summary.split("\n\n")
    assert decisions.count("\n- ") == steps.count("\n- ") == 3
    text = await sandbox.fetch_text(rows[0])
    for name in title.partition(" with ")[2].split(", "):
        assert f"{name}: " in text


async def test_recording_has_the_same_words_in_each_format(sandbox: TranscriptsClient) -> None:
    """They are those of the realtime transcription of its session."""
    post = await anext(sandbox.iter_post_transcriptions())
    texts = {name: await sandbox.fetch_text(post, name) for name in post.files}
    words = [[turn.text for turn in parse_transcript(text).turns] for text in texts.values()]
    assert set(texts) == {"json", "srt", "txt", "tsv", "vtt"}
    assert all(found == words[0] for found in words)
    rows = sandbox.iter_transcriptions(post.room_id, post.session_id)
    (live,) = [t async for t in rows if t.start == post.start]
    assert await sandbox.fetch_text(live) == texts["txt"]
    assert (live.end, live.duration) == (post.end, post.duration)


async def test_running_transcription_gets_its_words_when_it_ends() -> None:
    """This applies to all others in its room, too."""
    async with FakeVideoSDK() as fake, fake.client() as client:
        run_sandbox(fake)
        fake.jobs.files_after = 0
        await client.stop_transcription(SANDBOX_ROOMS[0])
        row = await anext(client.iter_transcriptions(SANDBOX_ROOMS[0]))
        assert "Ann: Good morning." in await client.fetch_text(row)


@pytest.mark.parametrize("seconds", [0, 3, 1500])
def test_times_are_within_the_meeting(seconds: int) -> None:
    """They are in order, however short the meeting was."""
    row = make_row("a", room_id="x", session_id="y", duration=timedelta(seconds=seconds))
    lines = meeting_file(row, "tsv").decode().splitlines()
    found = [(int(r["start"]), int(r["end"])) for r in csv.DictReader(lines, delimiter="\t")]
    assert found == sorted(found)
    assert all(0 <= start <= end <= 1000 * seconds + 100 for start, end in found)


def test_meeting_that_has_not_ended_has_times() -> None:
    """It has the times of 25 minutes; other rooms share the meetings of the sandbox."""
    row = make_row("a", room_id="any", session_id="y", duration=None)
    assert meeting_file(row, "srt").startswith(b"1\n00:00:00,000 --> ")
