"""The commands `sandbox` and `completion`, and the option `--sandbox`."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from videosdk_transcripts import TranscriptsClient
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.testing import SANDBOX_ROOMS, FakeVideoSDK, fill_sandbox, run_sandbox

from .command_line import NAME, Run, start

SANDBOX_LINE = f"sandbox rooms: {', '.join(SANDBOX_ROOMS)}\n"
_SANDBOX = "videosdk_transcripts.testing._sandbox"


@pytest.fixture(autouse=True)
def _nothing_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox of this process does not change during a slow test."""
    monkeypatch.setattr(f"{_SANDBOX}._ENDS_AFTER", 600.0)


# The command.


def test_sandbox_serves_until_ctrl_c(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its output points a client to it, and it serves its dashboard."""
    with start("sandbox", "--port", "0", "--rooms", "6", "--seed", "1") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(4):
            line = process.stdout.readline().strip().removeprefix("export ")
            name, _, value = line.partition("=")
            monkeypatch.setenv(name, value)
            if name == "VIDEOSDK_API_ENDPOINT":
                url = value
        message = process.stderr.readline()
        assert message == f"sandbox and dashboard at {url}; press Ctrl-C to stop\n"
        rows = json.loads(run("list", "--json").out)
        rooms = {row["extension"]["extensionConfig"]["roomId"] for row in rows}
        assert len(rooms) == 6
        assert set(SANDBOX_ROOMS) < rooms
        with urllib.request.urlopen(f"{url}/dashboard.json") as page:  # noqa: S310 - our own
            assert SANDBOX_ROOMS[0].encode() in page.read()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (ExitCode.INTERRUPTED, "")
    assert err == f"\n{NAME}interrupted\n"


def test_port_in_use_is_reported(run: Run) -> None:
    """The message has the port, and the option to change it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = run("sandbox", "--port", str(port))
    assert (code, out) == (ExitCode.USAGE, "")
    assert f"127.0.0.1:{port}" in err
    assert "(see --port)" in err


@pytest.mark.parametrize("arguments", [["--port", "65536"], ["--rooms", "-1"], ["--seed", "x"]])
def test_wrong_argument_is_named(run: Run, arguments: list[str]) -> None:
    """Each is a usage error."""
    code, _, err = run("sandbox", *arguments)
    assert code == ExitCode.USAGE
    assert arguments[0] in err


def test_sandbox_output_can_be_sourced(run: Run, tmp_path: Path) -> None:
    """The documentation shows this; it works with `--env-file`, too."""
    path = tmp_path / "sandbox.env"
    with path.open("w") as file, start("sandbox", "--port", "0", stdout=file) as process:
        assert process.stderr is not None
        try:
            assert "sandbox and dashboard at " in process.stderr.readline()
            command = '. "$1" && exec "$0" -m videosdk_transcripts list --json'
            sourced = subprocess.run(  # noqa: S603 - our own program
                ["sh", "-c", command, sys.executable, str(path)],  # noqa: S607 - any shell
                capture_output=True,
                text=True,
                check=False,
            )
            given = run("list", "--json", "--env-file", str(path))
        finally:
            process.kill()
    # Rows that move during a slow walk are reported on stderr.
    assert sourced.returncode == 0, sourced.stderr
    ids = [row["id"] for row in json.loads(given.out)]
    # Meanwhile, a transcription may have ended and another one may have started.
    assert set(ids) >= {row["id"] for row in json.loads(sourced.stdout)}
    in_process = json.loads(run("list", "--json", "--sandbox").out)
    assert set(ids) >= {row["id"] for row in in_process}


def test_sandbox_prints_quoted_variables(
    run: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The options have their defaults."""
    account.secret = "it's; secret"

    async def serve(port: int, *, rooms: int, seed: int, started: object) -> None:
        assert (port, rooms, seed) == (8787, 4, 0)
        assert callable(started)
        started(account)

    monkeypatch.setattr("videosdk_transcripts.testing.serve", serve)
    code, out, _ = run("sandbox")
    assert code == 0
    assert out.splitlines() == [
        f"export VIDEOSDK_API_ENDPOINT={account.url}",
        "export VIDEOSDK_API_KEY=fake-api-key",
        """export VIDEOSDK_SECRET='it'"'"'s; secret'""",
        f"export VIDEOSDK_FILE_HOSTS={account.url}",
    ]


# The option.


def test_sandbox_needs_no_credentials(run: Run) -> None:
    """`--sandbox` needs neither credentials nor network, and names its rooms on stderr."""
    expected = FakeVideoSDK()
    fill_sandbox(expected)
    code, out, err = run("list", "--sandbox", "--json")
    assert (code, err) == (0, SANDBOX_LINE)
    assert [row["id"] for row in expected.rows] == [row["id"] for row in json.loads(out)]


def test_sandbox_filters_by_room_and_session(run: Run) -> None:
    """A room of the sandbox and a session in it can be requested."""
    room = SANDBOX_ROOMS[1]
    rows = [json.loads(line) for line in run("list", room, "--sandbox", "--jsonl").out.splitlines()]
    all_ids = [row["extension"]["extensionConfig"] for row in rows]
    assert {room} == {ids["roomId"] for ids in all_ids}
    session = all_ids[0]["sessionId"]
    found = json.loads(run("list", room, session, "--sandbox", "--json").out)
    mine = [row for row, ids in zip(rows, all_ids, strict=True) if ids["sessionId"] == session]
    # Each run serves its files at another address.
    assert [row["id"] for row in mine] == [row["id"] for row in found]


def test_sandbox_takes_precedence_over_the_environment(account: FakeVideoSDK, run: Run) -> None:
    """With credentials in the environment too, only the sandbox is used."""
    assert run("list", "--sandbox").code == 0
    assert account.requests == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["text", "148b2758-d7ab-4928-89e4-69e6ec62b2c8"],
        ["summary", "5129fb7c-6288-41a5-8c45-782198a6416d", "--json"],
        ["post", "list", "--jsonl"],
        ["post", "show", "38018b47-b29a-4b06-9af6-6c5f2577bffa", "--json"],
        ["start", "sale-call-demo", "--json"],
        ["stop", "wkly-team-sync"],
    ],
)
def test_each_command_has_sample_data(run: Run, arguments: list[str]) -> None:
    """It needs no credentials, and prints data to stdout."""
    code, out, err = run(*arguments, "--sandbox")
    assert code == 0
    assert out
    assert err.startswith("sandbox rooms: ")


async def test_stopped_transcription_does_not_end_again(
    fake: FakeVideoSDK, client: TranscriptsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the sandbox, running transcriptions end by themselves."""
    monkeypatch.setattr(f"{_SANDBOX}._ENDS_AFTER", 0.1)
    run_sandbox(fake)
    row = fake.rows[0]
    await client.stop_transcription(SANDBOX_ROOMS[0])
    end = row["end"]
    async with asyncio.timeout(10):
        while fake.rows[0] is row or fake.rows[0]["status"] == "running":  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.02)
    assert row["end"] == end


# completion.


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(run: Run, shell: str) -> None:
    """There is a script for each shell, and it runs the program."""
    code, out, err = run("completion", shell)
    assert (code, err) == (0, "")
    assert f"_VIDEOSDK_TRANSCRIPTS_COMPLETE={shell}_complete" in out
    assert "videosdk-transcripts" in out


def test_help_of_completion_has_a_line_for_each_shell(run: Run) -> None:
    """The lines to copy are neither joined nor wrapped."""
    lines = run("completion", "--help").out.splitlines()
    assert [line.split()[0] for line in lines if "videosdk-transcripts completion " in line] == [
        *("Usage:", "bash:", "zsh:", "fish:")
    ]
