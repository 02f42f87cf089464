"""``--trust-env`` and ``--files-via-proxy``, through a proxy of the environment."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from videosdk_transcripts import RetryPolicy
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.testing import FakeVideoSDK

from ..forwarding import forwarding_in_thread
from .command_line import Run, use_policy

API, FILES = "api.invalid", "files.invalid"
CONNECTING = (
    *("list", "show", "count", "text", "summary", "download", "wait", "follow", "start", "stop"),
    *("export", "post list", "post show", "token", "doctor"),
)
FETCHING = ("text", "summary", "download", "export")


@pytest.fixture
def proxy(account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """An environment whose hosts only the proxy can find; what it receives."""
    port = urlsplit(account.url).port or 0
    row = account.add_transcription(row_id="t-1")
    link = account.files.put(row, "txt", b"Ann: Hello.\n")
    row["transcriptionFilePaths"]["txt"] = link.replace("127.0.0.1", FILES)
    monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", f"http://{API}:{port}")
    monkeypatch.setenv("VIDEOSDK_FILE_HOSTS", f"http://{FILES}:{port}")
    use_policy(monkeypatch, RetryPolicy(attempts=1))
    with forwarding_in_thread({API: port, FILES: port}) as (address, heads):
        monkeypatch.setenv("HTTP_PROXY", f"http://{address}")
        yield heads


@pytest.mark.parametrize("command", CONNECTING)
def test_every_command_that_connects_can_use_the_proxy(run: Run, command: str) -> None:
    """Files use it only where a command fetches them."""
    shown = run(*command.split(), "--help").out
    assert re.search(r"--trust-env +Use the proxy from the environment\.", shown)
    assert ("--files-via-proxy" in shown) == (command in FETCHING)


@pytest.mark.parametrize(
    "arguments", [("list",), ("count",), ("show", "t-1"), ("post", "list"), ("doctor",)]
)
def test_proxy_of_the_environment_is_used_with_trust_env(
    run: Run, proxy: list[bytes], arguments: tuple[str, ...]
) -> None:
    """Without the option, it is not used."""
    assert run(*arguments).code == ExitCode.NETWORK
    assert proxy == []
    assert run(*arguments, "--trust-env").code == ExitCode.DONE
    assert f"GET http://{API}:".encode() in proxy[0]


def test_files_go_through_the_proxy_with_files_via_proxy(run: Run, proxy: list[bytes]) -> None:
    """The option includes --trust-env."""
    assert run("text", "t-1", "--files-via-proxy").out == "Ann: Hello.\n"
    assert [head.split()[1].split(b":")[1] for head in proxy] == [
        f"//{name}".encode() for name in (API, FILES)
    ]


def test_export_uses_the_proxy_for_each_client(
    run: Run, account: FakeVideoSDK, proxy: list[bytes], tmp_path: Path
) -> None:
    """The custom room id, the list and the texts use it, each only with its option."""
    account.custom_ids["weekly"] = str(account.rows[0]["extension"]["extensionConfig"]["roomId"])
    command = ("export", "weekly", "--custom-id", "--to", str(tmp_path / "dataset"))
    assert run(*command).code == ExitCode.NETWORK
    assert proxy == []
    assert run(*command, "--trust-env").code == ExitCode.PARTIAL
    assert {urlsplit(head.split()[1]).hostname for head in proxy} == {API.encode()}
    assert run(*command, "--files-via-proxy").code == ExitCode.DONE
    assert {urlsplit(head.split()[1]).hostname for head in proxy} == {API.encode(), FILES.encode()}


def test_unreachable_file_host_has_advice_about_the_proxy(run: Run, proxy: list[bytes]) -> None:
    """The advice uses the terms of the command line."""
    outcome = run("text", "t-1", "--trust-env")
    assert outcome.code == ExitCode.NETWORK
    assert (
        "files bypass the proxy of the API: to use it for files too, use --files-via-proxy"
    ) in outcome.err


def test_sandbox_ignores_the_proxy(run: Run, proxy: list[bytes], tmp_path: Path) -> None:
    """It runs in the same process."""
    assert run("count", "--sandbox", "--trust-env").code == ExitCode.DONE
    assert run("doctor", "--sandbox", "--trust-env").code == ExitCode.DONE
    exported = run("export", "--to", str(tmp_path / "dataset"), "--sandbox", "--files-via-proxy")
    assert exported.code == ExitCode.DONE
    assert proxy == []


def test_invalid_proxy_variable_is_a_usage_error(
    run: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the variable."""
    monkeypatch.setenv("ALL_PROXY", "socks5://user:word@127.0.0.1:9")
    assert run("count").code == ExitCode.DONE
    outcome = run("count", "--trust-env")
    assert outcome.code == ExitCode.USAGE
    assert "the variable ALL_PROXY must look like http://proxy.example:3128" in outcome.err
    assert "SOCKS proxies are not supported" in outcome.err
    assert "word" not in outcome.err
