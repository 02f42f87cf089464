"""What happens and what is made to happen, on the command line."""

import json
import signal
import threading
from pathlib import Path

import pytest
from aiohttp import web

from videosdk_transcripts import RetryPolicy
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.testing import Applied, DropConnection, Exchange, FakeVideoSDK

from .command_line import NAME, Run, use_policy

ROOM = "abcd-efgh-ijkl"


def test_start_and_stop(run: Run, account: FakeVideoSDK) -> None:
    """The row is printed, and on stderr how it is known that it was done."""
    code, out, err = run("start", ROOM, "--language", "en-US", "--model", "m", "--summary")
    assert (code, err) == (0, "the service answered\n")
    assert out.split("\t")[:2] == [account.rows[0]["id"], "running"]
    assert json.loads(account.requests[-1].body) == {
        "roomId": ROOM,
        "language": "en-US",
        "modelId": "m",
        "summary": {"enabled": True},
    }
    stopped = json.loads(run("stop", ROOM, "--json").out)
    assert stopped["outcome"] == "answered"
    assert stopped["transcription"]["id"] == account.rows[0]["id"]
    assert stopped["transcription"]["status"] == "completed"
    assert run("stop", ROOM).code == ExitCode.NOT_FOUND


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (["--summary-prompt", "In short."], {"enabled": True, "prompt": "In short."}),
        (["--summary", "--summary-prompt", "Short."], {"enabled": True, "prompt": "Short."}),
        (["--no-summary"], {"enabled": False}),
        ([], None),
    ],
)
def test_a_summary_is_asked_for(
    run: Run, account: FakeVideoSDK, options: list[str], sent: object
) -> None:
    """With or without a prompt, or not at all."""
    url = ("--webhook-url", "https://example.com/hook")
    assert run("start", ROOM, *options, *url).code == 0
    body = json.loads(account.requests[-1].body)
    assert body.get("summary") == sent
    assert body["webhookUrl"] == url[1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["start", ROOM, "--no-summary", "--summary-prompt", "x"], "--no-summary needs no"),
        (["start"], "ROOM"),
        (["start", "a room"], "room_id must be an id"),
        (["start", ROOM, "--webhook-url", "x"], "webhook_url must be"),
        (["watch", "--poll", "0"], "poll must be"),
        (["post"], "which verb?"),
        (["completion", "tcsh"], "'tcsh'"),
    ],
)
def test_wrong_arguments(run: Run, account: FakeVideoSDK, arguments: list[str], told: str) -> None:
    """They are named, and nothing is sent."""
    code, out, err = run(*arguments)
    assert code == ExitCode.USAGE
    assert told in out + err
    assert account.requests == []


def test_a_lost_answer(run: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it was found or sent again is told."""
    use_policy(monkeypatch, RetryPolicy(wait_initial=0, wait_max=0))
    account.fail_next(Applied(DropConnection()))
    assert "its answer was lost; this is what" in run("start", ROOM).err
    account.fail_next(DropConnection())
    assert "it was sent again" in run("stop", ROOM).err
    assert len(account.rows) == 1


def test_watch(run: Run, account: FakeVideoSDK) -> None:
    """One line for each change, with what happened before the columns of a list."""
    account.add_transcription(row_id="t-1")
    code, out, err = run("watch", ROOM, "--since", "start", "--limit", "2")
    line = run("list").out
    assert (code, out) == (0, f"new\t{line}finished\t{line}")
    assert err == "watching, each 30 s; Ctrl-C ends it\n"
    jsonl = run("watch", "--since", "start", "--limit", "1", "--jsonl").out
    assert json.loads(jsonl) == {"kind": "new", "transcription": account.rows[0]}


def test_a_watch_goes_on(run: Run, account: FakeVideoSDK, tmp_path: Path) -> None:
    """From its file, which stays."""
    account.add_transcriptions(2)
    place = tmp_path / "watch.json"
    options = ("watch", "--since", "start", "--checkpoint", str(place), "--limit", "3")
    first = run(*options)
    assert first.err.endswith(f"run the same command again: {place} says where it was\n")
    second = run(*options[:-1], "1")
    kinds = [line.split("\t")[:2] for line in (first.out + second.out).splitlines()]
    ids = [row["id"] for row in account.rows]
    assert kinds == [[kind, one] for one in ids for kind in ("new", "finished")]
    assert place.exists()


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_a_watch(run: Run, account: FakeVideoSDK) -> None:
    """With 130, and what was printed stays printed."""
    account.add_transcriptions(100)
    here = threading.get_ident()

    async def press(exchange: Exchange) -> web.StreamResponse:
        signal.pthread_kill(here, signal.SIGINT)
        return exchange.answer()

    account.add_transcriptions(1)
    account.on_page(2, press)
    code, out, err = run("watch", "--since", "start")
    assert (code, len(out.splitlines())) == (ExitCode.INTERRUPTED, 200)
    assert err.endswith(f"\n{NAME}interrupted\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(run: Run, shell: str) -> None:
    """A script for the shell, which asks the program."""
    code, out, err = run("completion", shell)
    assert (code, err) == (0, "")
    assert f"_VIDEOSDK_TRANSCRIPTS_COMPLETE={shell}_complete" in out
    assert "videosdk-transcripts" in out
