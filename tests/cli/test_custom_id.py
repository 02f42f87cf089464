"""`--custom-id`: a room named by its custom room id."""

import json
from pathlib import Path

import jwt
import pytest

from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.testing import FakeVideoSDK

from .command_line import Run

ROOM, CUSTOM = "abcd-efgh-ijkl", "weekly-sync"


@pytest.fixture
def room(account: FakeVideoSDK) -> FakeVideoSDK:
    """Return a service with a room that has a custom room id, and with another room."""
    account.custom_ids[CUSTOM] = ROOM
    account.add_transcription(room_id=ROOM)
    account.add_transcription(room_id="other")
    account.add_post_transcription(room_id=ROOM)
    account.files.serve_all()
    return account


@pytest.mark.parametrize("command", [["list"], ["post", "list"], ["count"]])
def test_reading_commands_resolve_a_custom_room_id(
    run: Run, room: FakeVideoSDK, command: list[str]
) -> None:
    """The output is that of the room id; without the option, it matches no row."""
    plain = run(*command, ROOM)
    assert plain.code == 0
    assert run(*command, CUSTOM, "--custom-id") == plain
    assert run(*command, ROOM, "--custom-id").out == plain.out
    assert run(*command, CUSTOM).out.strip() in ("", "0")
    assert [r.path for r in room.requests].count(f"/v2/rooms/{CUSTOM}") == 1


def test_download_resolves_a_custom_room_id(run: Run, room: FakeVideoSDK, tmp_path: Path) -> None:
    """It saves the files of that room."""
    assert run("download", CUSTOM, "--custom-id", "--to", str(tmp_path)).code == 0
    (row, _) = room.rows
    assert {path.stem for path in tmp_path.iterdir()} == {row["id"], f"{row['id']}-summary"}


def test_follow_resolves_a_custom_room_id(run: Run, room: FakeVideoSDK) -> None:
    """It prints the changes of that room."""
    options = ("--custom-id", "--since", "start", "--limit", "1")
    code, out, _ = run("follow", CUSTOM, *options)
    assert code == 0
    assert room.rows[0]["id"] in out


def test_start_and_stop_resolve_a_custom_room_id(run: Run, room: FakeVideoSDK) -> None:
    """The request has the room id."""
    assert run("start", CUSTOM, "--custom-id").code == 0
    assert run("stop", "--custom-id", CUSTOM).code == 0
    sent = [json.loads(r.body) for r in room.requests if r.method == "POST"]
    assert sent == [{"roomId": ROOM}] * 2


def test_token_resolves_a_custom_room_id(run: Run, room: FakeVideoSDK) -> None:
    """The claim is the room id."""
    code, out, err = run("token", "--room", CUSTOM, "--custom-id")
    assert code == 0
    claims = jwt.decode(out.strip(), room.secret, algorithms=["HS256"])
    assert claims["roomId"] == ROOM
    assert f"room {ROOM};" in err


def test_unknown_custom_room_id_is_not_found(run: Run, room: FakeVideoSDK) -> None:
    """Nothing else is requested."""
    code, out, err = run("list", "unknown", "--custom-id")
    assert (code, out) == (ExitCode.NOT_FOUND, "")
    assert "room unknown" in err
    assert len(room.requests) == 1


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("list", "ROOM"),
        ("count", "ROOM"),
        ("follow", "ROOM"),
        ("download", "ROOM"),
        ("token", "--room"),
    ],
)
def test_custom_id_requires_a_room(run: Run, command: str, name: str) -> None:
    """Otherwise it has no meaning."""
    code, _, err = run(command, "--custom-id")
    assert code == ExitCode.USAGE
    assert f"--custom-id requires {name}" in err
