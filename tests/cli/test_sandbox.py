"""The fake service as a process, started from the command line."""

import json
import signal
import socket
import urllib.request

import pytest

from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.testing import SANDBOX_ROOMS, FakeVideoSDK

from .command_line import NAME, Run, start


def test_it_runs_until_ctrl_c(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program finds it by what it prints, and its page by what it tells."""
    with start("sandbox", "--port", "0", "--rooms", "6", "--seed", "1") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(4):
            name, _, value = process.stdout.readline().strip().partition("=")
            monkeypatch.setenv(name, value)
            if name == "VIDEOSDK_API_ENDPOINT":
                url = value
        told = process.stderr.readline()
        assert told == f"sandbox at {url}, with a page of what is in it; Ctrl-C ends it\n"
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


def test_a_port_that_is_taken(run: Run) -> None:
    """It is told with the port, and with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = run("sandbox", "--port", str(port))
    assert (code, out) == (ExitCode.USAGE, "")
    assert f"127.0.0.1:{port}" in err
    assert "(here: --port)" in err


@pytest.mark.parametrize("arguments", [["--port", "65536"], ["--rooms", "-1"], ["--seed", "x"]])
def test_wrong_arguments(run: Run, arguments: list[str]) -> None:
    """They are named."""
    code, _, err = run("sandbox", *arguments)
    assert code == ExitCode.USAGE
    assert arguments[0] in err


def test_what_is_printed_is_a_file_of_variables(
    run: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the defaults of the options."""

    async def serve(port: int, *, rooms: int, seed: int, started: object) -> None:
        assert (port, rooms, seed) == (8787, 4, 7)
        assert callable(started)
        started(account)

    monkeypatch.setattr("videosdk_transcripts.cli._sandbox.serve", serve)
    code, out, _ = run("sandbox")
    assert code == 0
    assert out == "".join(f"{name}={value}\n" for name, value in account.environ.items())
