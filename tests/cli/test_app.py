"""The program: help, arguments and streams."""

import io
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version

import pytest

from videosdk_transcripts.cli import main
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.testing import SANDBOX_ROOMS, FakeVideoSDK

from .command_line import NAME, SCRIPT, Run, start

ROOM = "abcd-efgh-ijkl"
SESSION = "64f1a2b3c4d5e6f708192a3b"
SANDBOX_LINE = f"sandbox rooms: {', '.join(SANDBOX_ROOMS)}\n"


# Help and version.


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_lists_every_exit_code(run: Run, option: str) -> None:
    """The help of the program and of each command lists all exit codes, and no others."""
    for arguments in ([option], ["list", option], ["post", option], ["post", "list", option]):
        code, out, err = run(*arguments)
        assert (code, err) == (0, "")
        assert out.startswith("Usage: videosdk-transcripts")
        listed = [int(number) for number in re.findall(r"^ +(\d+)  ", out, re.MULTILINE)]
        assert list(ExitCode) == listed


def test_help_of_list_names_every_option(run: Run) -> None:
    """The help of `list` names its options."""
    out = run("list", "--help").out
    assert {
        *("--json", "--jsonl", "--limit", "--page-size", "--on-unverified", "--on-invalid"),
        *("--csv", "--columns", "--status", "--since", "--until", "--checkpoint"),
        *("--env-file", "--sandbox", "--help", "--verify", "--custom-id"),
        *("--trust-env", "--verbose", "--wide"),
    } == set(re.findall(r"^  (?:-[hv], )?(--[\w-]+)", out, re.MULTILINE))
    assert "[ROOM] [SESSION]" in out


def test_version_names_program_and_version(run: Run) -> None:
    """`--version` prints the version of the installed package."""
    expected = f"videosdk-transcripts {version('videosdk-transcripts')}\n"
    assert (0, expected, "") == run("--version")


def loaded_by(*arguments: str, **environment: str) -> tuple[str, set[str]]:
    """Return what a run prints to stdout, and which modules it loads for that."""
    code = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "from videosdk_transcripts.cli import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "finally:\n"
        "    print(*set(sys.modules) - before, file=sys.stderr)"
    )
    done = subprocess.run(  # noqa: S603
        (sys.executable, "-c", code, *arguments),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    return done.stdout, set(done.stderr.splitlines()[-1].split())


COMMAND_MODULES = ("doctor", "files", "follow", "jobs", "list", "sandbox", "token")
HEAVY = {"aiohttp", "asyncio", "attr", "cattrs", "jwt", "rich", "tenacity"}


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("--help",), "List transcriptions."),
        (("list", "--help"), "--page-size"),
        (("list", "--no-such"), ""),
        ((), ""),
    ],
)
def test_help_is_quick(arguments: tuple[str, ...], shown: str) -> None:
    """Neither help nor a wrong argument loads modules that only a request or a table needs."""
    out, loaded = loaded_by(*arguments)
    assert shown in out
    assert loaded & {*HEAVY, "importlib.metadata"} == set()
    assert "click" in loaded


def test_help_loads_no_command() -> None:
    """A command is loaded when it is used."""
    commands = {f"videosdk_transcripts.cli._{name}" for name in COMMAND_MODULES}
    assert loaded_by("--help")[1] & commands == set()
    assert loaded_by("stop", "--help")[1] & commands == {"videosdk_transcripts.cli._jobs"}


def test_every_command_is_listed_with_its_help(run: Run) -> None:
    """The help has a line for each command, and each command has a help of its own."""
    listed = dict(re.findall(r"^  (\w+)  +(\w.*\.)$", run("--help").out, re.MULTILINE))
    assert {"list", "text", "wait", "start", "post", "token", "doctor", "sandbox"} < set(listed)
    for name in listed:
        assert run(name, "--help").out.startswith(f"Usage: videosdk-transcripts {name} ")


def test_version_is_quick() -> None:
    """Nothing is loaded for it."""
    out, loaded = loaded_by("--version")
    assert out == f"videosdk-transcripts {version('videosdk-transcripts')}\n"
    assert loaded & {*HEAVY, "importlib.metadata"} == set()


@pytest.mark.parametrize(
    ("words", "completed"), [("li", "plain,list\n"), ("list --on-u", "plain,--on-unverified\n")]
)
def test_completion_is_quick(words: str, completed: str) -> None:
    """A shell runs the program for each completion and waits for it."""
    out, loaded = loaded_by(
        _VIDEOSDK_TRANSCRIPTS_COMPLETE="bash_complete",
        COMP_WORDS=f"videosdk-transcripts {words}",
        COMP_CWORD=str(len(words.split())),
    )
    assert out == completed
    assert loaded & {*HEAVY, "importlib.metadata"} == set()


def test_import_loads_nothing_of_the_extra() -> None:
    """Importing the command line loads neither click nor rich, which may be missing."""
    code = "import sys, videosdk_transcripts.cli; print({'click', 'rich'} & set(sys.modules))"
    done = subprocess.run(  # noqa: S603
        (sys.executable, "-c", code), capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


def test_no_option_takes_a_secret(run: Run) -> None:
    """No option takes a key, a secret or a token, which a process list would show."""
    out = run("list", "--help").out
    assert re.findall(r"--[\w-]*(?:key|secret|token)", out) == []


def test_module_runs_the_command_line() -> None:
    """`python -m videosdk_transcripts` is the program, with the same name in its help."""
    command = (sys.executable, "-W", "error", "-m", "videosdk_transcripts")
    shown = subprocess.run((*command, "--version"), capture_output=True, text=True, check=True)  # noqa: S603
    assert shown.stdout == f"videosdk-transcripts {version('videosdk-transcripts')}\n"
    failed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert failed.returncode == ExitCode.USAGE
    assert "missing command" in failed.stderr


# Arguments.


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--no-such"], "--no-such"),
        (["no-such"], "no-such"),
        ([], "missing command"),
        (["post"], "missing command"),
        (["completion", "tcsh"], "'tcsh'"),
        (["list", "--no-such"], "--no-such"),
        (["list", ROOM, SESSION, "third"], "third"),
        (["list", "--limit", "0"], "--limit"),
        (["list", "--page-size", "x"], "--page-size"),
        (["list", "--on-unverified", "drop"], "--on-unverified"),
        (["list", "--on-invalid", "collect"], "--on-invalid"),
        (["list", "--env-file", "/no/such/file"], "--env-file"),
        (["list", "--env-file", "/"], "--env-file"),
        (
            ["list", "--env-file", __file__, "--sandbox"],
            "--sandbox and --env-file are mutually exclusive",
        ),
    ],
)
def test_wrong_argument_is_a_usage_error_that_names_it(
    run: Run, arguments: list[str], named: str
) -> None:
    """A wrong argument exits with 2 and is named on stderr."""
    code, out, err = run(*arguments)
    assert (code, out) == (ExitCode.USAGE, "")
    assert named in err
    assert "Usage: " in err


@pytest.mark.parametrize(
    ("missing", "words"),
    [(("click",), "click"), (("rich",), "rich"), (("click", "rich"), "click and rich")],
)
def test_missing_distribution_is_named_with_the_command_to_install(
    run: Run, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...], words: str
) -> None:
    """Without the extra, the error names what is missing and how to install it."""
    monkeypatch.setattr(
        "videosdk_transcripts.cli.find_spec", lambda name: None if name in missing else name
    )
    message = f"{NAME}the command line needs {words}; install it with: pip install "
    assert (2, "", f"{message}'videosdk-transcripts[cli]'\n") == run("--version")


@pytest.fixture
def _signal_handlers() -> Iterator[None]:
    """Restore the signal handlers, which the program itself keeps until the process ends."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_signal_handlers")
def test_arguments_of_the_process_are_the_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Called without arguments, `main` takes those of the process."""
    monkeypatch.setattr(sys, "argv", ["anything", "--version"])
    for _ in range(2):
        with pytest.raises(SystemExit):
            main()
    assert capsys.readouterr().out.startswith("videosdk-transcripts ")


# Streams.


def test_missing_stderr_is_ignored(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Python has no stderr, rows are printed as usual."""
    account.add_transcription(row_id="t")
    monkeypatch.setattr(sys, "stderr", None)
    code, out, err = run("list")
    assert sys.stderr is None
    assert (code, out[:2], err) == (0, "t\t", "")


def test_missing_stdout_is_an_output_error(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that can't be written are not reported as success."""
    account.add_transcription()
    monkeypatch.setattr(sys, "stdout", None)
    code, out, err = run("list")
    assert sys.stdout is None
    assert (code, out) == (1, "")
    assert err == "videosdk-transcripts: cannot write the output: Bad file descriptor\n"


@pytest.mark.parametrize(
    ("redirection", "code", "message"),
    [
        (">&-", 1, f"{SANDBOX_LINE}videosdk-transcripts: cannot write the output: Bad file desc"),
        ("2>&- >/dev/null", 0, ""),
        (">&- 2>&-", 1, ""),
    ],
)
def test_process_with_closed_stdout_fails(redirection: str, code: int, message: str) -> None:
    """A process without stderr works silently; one without stdout can't do its work."""
    command = ("sh", "-c", f'exec "$0" -W error -c "$1" list --sandbox {redirection}')
    done = subprocess.run(  # noqa: S603
        (*command, sys.executable, SCRIPT), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(message)
    assert bool(done.stderr) == bool(message)


def test_replaced_stdout_is_used(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that calls `main` may have replaced stdout."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    assert run("list", "--sandbox", "--limit", "1").code == 0
    assert out.getvalue().count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "lines"), [(("list", "--sandbox"), 0, 55), (("list", "--no-such"), 2, 0)]
)
def test_closed_stderr_changes_neither_rows_nor_code(
    arguments: tuple[str, ...], code: int, lines: int
) -> None:
    """Rows are printed and the exit code is set although nothing reads stderr."""
    with start(*arguments) as process:
        assert process.stderr is not None
        process.stderr.close()
        assert process.stdout is not None
        assert (process.stdout.read().count("\n"), process.wait()) == (lines, code)


def test_warning_is_printed_once_per_run(account: FakeVideoSDK, run: Run) -> None:
    """A run leaves no handler at the library's logger."""
    before = list(logging.getLogger("videosdk_transcripts").handlers)
    account.filters = "ignored"
    account.add_transcription(room_id="another-room")
    first, second = run("list", ROOM), run("list", ROOM)
    assert first == second
    assert second.err.count("filter") == 1
    assert before == logging.getLogger("videosdk_transcripts").handlers
