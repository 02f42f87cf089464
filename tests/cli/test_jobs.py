"""The commands `start` and `stop`."""

import json

import pytest

from videosdk_transcripts import RetryPolicy
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.testing import Applied, DropConnection, FakeVideoSDK

from .command_line import Run, use_policy

ROOM = "abcd-efgh-ijkl"


def test_start_and_stop_print_the_transcription(run: Run, account: FakeVideoSDK) -> None:
    """How the outcome is known is printed to stderr."""
    code, out, err = run("start", ROOM, "--language", "en-US", "--model", "m", "--summary")
    assert (code, err) == (0, "confirmed by the service\n")
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
def test_summary_options_reach_the_service(
    run: Run, account: FakeVideoSDK, options: list[str], sent: object
) -> None:
    """A summary may be requested with or without a prompt, be disabled, or not be mentioned."""
    url = ("--webhook-url", "https://example.com/hook")
    assert run("start", ROOM, *options, *url).code == 0
    body = json.loads(account.requests[-1].body)
    assert body.get("summary") == sent
    assert body["webhookUrl"] == url[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["start", ROOM, "--no-summary", "--summary-prompt", "x"],
            "--no-summary and --summary-prompt are",
        ),
        (["start"], "ROOM"),
        (["start", "a room"], "the room must be"),
        (["start", ROOM, "--webhook-url", "x"], "--webhook-url"),
    ],
)
def test_invalid_argument_is_rejected_before_a_request(
    run: Run, account: FakeVideoSDK, arguments: list[str], message: str
) -> None:
    """The argument is named."""
    code, out, err = run(*arguments)
    assert (code, out) == (ExitCode.USAGE, "")
    assert message in err
    assert account.requests == []


def test_lost_response_is_reported(
    run: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message states whether the transcription was found or the request was sent again."""
    use_policy(monkeypatch, RetryPolicy(wait_initial=0, wait_max=0))
    account.fail_next(Applied(DropConnection()))
    assert "the response was lost" in run("start", ROOM).err
    account.fail_next(DropConnection())
    assert "the request was sent again" in run("stop", ROOM).err
    assert len(account.rows) == 1
