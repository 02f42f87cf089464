"""The script for cron, run several times."""

from __future__ import annotations

import json
from pathlib import Path

from programs import ROOM, Program, Starter

from videosdk_transcripts.testing import FakeVideoSDK, Status


def run(programs: Starter, folder: Path) -> tuple[int, str]:
    """Run the script to its end, and return its exit code and output."""
    program: Program = programs.start("nightly.py", str(folder))
    return program.process.wait(30), program.output()


def texts(folder: Path) -> list[str]:
    """Return the stored texts."""
    return sorted(path.read_text() for path in folder.glob("*.txt"))


def test_each_run_stores_what_is_new(fake: FakeVideoSDK, programs: Starter, tmp_path: Path) -> None:
    """A transcript without a file is stored by a later run, and a failed run is repeated."""
    folder = tmp_path / "transcripts"
    fake.add_transcription(room_id=ROOM, status="failed", formats=(), summary=False)
    first, second, late = (
        fake.add_transcription(room_id=ROOM, formats=(), summary=False) for _ in range(3)
    )
    fake.files.put(first, "txt", b"one")
    fake.files.put(second, "txt", b"two")
    assert run(programs, folder) == (0, "without a file so far: 1\n")
    assert texts(folder) == ["one", "two"]

    fake.files.put(late, "txt", b"three")
    newest = fake.add_transcription(room_id=ROOM, at=0, summary=False)
    fake.files.put(newest, "txt", b"four")
    fake.fail_next(Status(403))
    code, output = run(programs, folder)
    assert (code, output.startswith("PermissionDeniedError: ")) == (1, True)
    assert texts(folder) == ["one", "two"]

    assert run(programs, folder) == (0, "without a file so far: 0\n")
    assert texts(folder) == ["four", "one", "three", "two"]
    assert json.loads((folder / "state.json").read_text())["pending"] == []
    requests = len(fake.files.requests)
    assert run(programs, folder) == (0, "without a file so far: 0\n")
    assert len(fake.files.requests) == requests
