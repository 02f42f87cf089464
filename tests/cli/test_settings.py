"""The file of `--env-file`."""

import os
from pathlib import Path

import pytest

from videosdk_transcripts import ConfigurationError
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.cli._settings import load_env_file
from videosdk_transcripts.testing import FakeVideoSDK

from ..promises.canaries import KEY, SECRET, found_in, shown
from .command_line import NAME, Run


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    """Return the path of a file of variables."""
    return tmp_path / "settings.env"


PLAIN = """
VIDEOSDK_API_KEY={key}
VIDEOSDK_SECRET={secret}
VIDEOSDK_API_ENDPOINT={url}
"""


QUOTED = """
export VIDEOSDK_API_KEY='{key}'
export VIDEOSDK_SECRET="{secret}"
VIDEOSDK_API_ENDPOINT = "{url}/v2"
"""


COMMENTED = """
# VIDEOSDK_API_KEY=x
  # export VIDEOSDK_SECRET=x
  VIDEOSDK_API_KEY={key}

VIDEOSDK_SECRET_KEY={secret}
VIDEOSDK_API_ENDPOINT=http://replaced.example
VIDEOSDK_API_ENDPOINT={url}
"""


BEHIND = """
VIDEOSDK_API_KEY={key} # of the account
export VIDEOSDK_SECRET='{secret}'   # "secret"
VIDEOSDK_API_ENDPOINT={url}  # ours
"""


@pytest.mark.parametrize("lines", [PLAIN, QUOTED, COMMENTED, BEHIND])
@pytest.mark.parametrize(("mark", "newline"), [("", "\n"), ("\ufeff", "\r\n")])
def test_env_file_is_parsed(run: Run, env_file: Path, lines: str, mark: str, newline: str) -> None:
    """It may have quotes, `export`, comments, empty lines, a byte order mark and CRLF."""
    with FakeVideoSDK(
        api_key="key", secret="a secret of more than 32 bytes=?#"
    ).in_thread() as fake:
        text = lines.format(key=fake.api_key, secret=fake.secret, url=fake.url)
        env_file.write_text(mark + text.strip(), "utf-8", newline=newline)
        fake.add_transcription(row_id="t")
        code, out, err = run("list", "--env-file", str(env_file))
    assert (code, err) == (0, "")
    assert out.startswith("t\t")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("plain", "plain"),
        ("a=b==", "a=b=="),
        ("  spaces  ", "spaces"),
        ('"a b"', "a b"),
        ("'a\"b'", 'a"b'),
        ("#hash", "#hash"),
        ("a#b", "a#b"),
        ("a # b # c", "a"),
        ("a\t# c", "a"),
        ("'a' # don't 'b'", "a"),
        ("a b  # c", "a b"),
        ("'a b' # c", "a b"),
        ("'a b'\t#c", "a b"),
        ('"a # b"', "a # b"),
        ("\"a # b\"  # c 'd'", "a # b"),
        ("größe", "größe"),
    ],
)
def test_values_are_unquoted(
    account: FakeVideoSDK, run: Run, env_file: Path, written: str, meant: str
) -> None:
    """Quotes and comments are removed; all else is kept."""
    account.api_key = meant
    env_file.write_text(
        f"VIDEOSDK_API_KEY={written}\nVIDEOSDK_SECRET={account.secret}\n"
        f"VIDEOSDK_API_ENDPOINT={account.url}\n",
        "utf-8",
    )
    assert run("list", "--env-file", str(env_file)) == (0, "", "")


def test_empty_value_is_not_set(run: Run, env_file: Path) -> None:
    """It may have quotes or not."""
    env_file.write_text('VIDEOSDK_API_KEY=""\nVIDEOSDK_TOKEN=\nVIDEOSDK_SECRET=x\n')
    code, _, err = run("list", "--env-file", str(env_file))
    assert code == ExitCode.AUTH
    assert "VIDEOSDK_SECRET is set and VIDEOSDK_API_KEY is not" in err


@pytest.mark.parametrize(
    ("command", "lines", "message"),
    [
        ("list", "", "no credentials: set "),
        ("list", "VIDEOSDK_SECRET=x", "VIDEOSDK_SECRET is set and VIDEOSDK_API_KEY is not: "),
        ("list", "VIDEOSDK_TOKEN='a b'", "the token is empty or has "),
        ("count", "VIDEOSDK_TOKEN=t\nVIDEOSDK_API_ENDPOINT=x", "VIDEOSDK_API_ENDPOINT must look "),
        ("list", "VIDEOSDK_TOKEN=t\nVIDEOSDK_FILE_HOSTS=a/b", "VIDEOSDK_FILE_HOSTS"),
        ("token", "VIDEOSDK_SECRET=x", "VIDEOSDK_API_KEY is not set: "),
        ("token --inspect", "", "no token: set VIDEOSDK_TOKEN"),
    ],
)
def test_error_about_a_variable_names_the_env_file(
    run: Run, env_file: Path, command: str, lines: str, message: str
) -> None:
    """There may be several such files, and the environment is not used."""
    env_file.write_text(lines)
    outcome = run(*command.split(), "--env-file", str(env_file))
    assert outcome.code in (ExitCode.AUTH, ExitCode.USAGE)
    assert outcome.err.startswith(f"{NAME}{env_file}: {message}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("list", "a b"), "the room must be"), (("list", "--trust-env"), "the variable http_proxy")],
)
def test_other_errors_do_not_name_the_env_file(
    run: Run,
    env_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    """Their cause is not in the file."""
    env_file.write_text("VIDEOSDK_TOKEN=t\nVIDEOSDK_API_ENDPOINT=http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "ftp://h")
    assert run(*arguments, "--env-file", str(env_file)).err.startswith(f"{NAME}{message}")


def test_env_file_is_not_combined_with_the_environment(
    account: FakeVideoSDK, run: Run, env_file: Path
) -> None:
    """Half of a pair in the file is not completed from the environment."""
    env_file.write_text(f"VIDEOSDK_API_KEY={account.api_key}\n")
    code, _, err = run("list", "--env-file", str(env_file))
    assert code == ExitCode.AUTH
    assert "VIDEOSDK_API_KEY is set and VIDEOSDK_SECRET is not" in err
    assert account.requests == []


def test_other_variables_of_the_file_are_ignored(
    account: FakeVideoSDK, run: Run, env_file: Path
) -> None:
    """Variables that are not of the client are neither set nor replaced."""
    env_file.write_text(
        f"VIDEOSDK_API_KEY={account.api_key}\nVIDEOSDK_SECRET={account.secret}\n"
        f"VIDEOSDK_API_ENDPOINT={account.url}\nPATH=/nowhere\nNOT_OURS=1\n"
    )
    before = os.environ["PATH"]
    assert run("list", "--env-file", str(env_file)).code == 0
    assert before == os.environ["PATH"]
    assert "NOT_OURS" not in os.environ


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"VIDEOSDK_SECRET=hidden\xff", 1),
        (b"# one\r\nVIDEOSDK_API_KEY=a\r\n# gr\xfcn\r\n", 3),
        (b"\x1f\x8b\x08\x00", 1),
    ],
)
def test_env_file_that_is_not_utf8_is_rejected(
    run: Run, env_file: Path, content: bytes, line: int
) -> None:
    """The error names the line, and shows none of its content."""
    env_file.write_bytes(content)
    message = f"{NAME}{env_file}, line {line}: not valid UTF-8; save the file in UTF-8\n"
    assert (ExitCode.USAGE, "", message) == run("list", "--env-file", str(env_file))


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
        ("utf-32-be", "UTF-32"),
    ],
)
@pytest.mark.parametrize("text", ["VIDEOSDK_SECRET=hidden\n", "# größe\nVIDEOSDK_API_KEY=x"])
def test_encoding_of_an_env_file_is_named(
    run: Run, env_file: Path, encoding: str, name: str, text: str
) -> None:
    """The file may have a byte order mark, which editors and shells of Windows write."""
    env_file.write_bytes(text.encode(encoding))
    message = f"{NAME}{env_file} is encoded in {name}; save it in UTF-8\n"
    assert (ExitCode.USAGE, "", message) == run("list", "--env-file", str(env_file))


def test_byte_order_mark_names_the_encoding_of_any_env_file(run: Run, env_file: Path) -> None:
    """The file may have no variable of the client."""
    env_file.write_bytes("\ufeffOTHER=1\n".encode("utf-16-be"))
    message = f"{NAME}{env_file} is encoded in UTF-16; save it in UTF-8\n"
    assert (ExitCode.USAGE, "", message) == run("list", "--env-file", str(env_file))


def test_nul_character_is_rejected(run: Run, env_file: Path) -> None:
    """The error names the line, and shows none of its content."""
    env_file.write_bytes(b"VIDEOSDK_API_KEY=a\0b\nVIDEOSDK_SECRET=x\n")
    message = f"{NAME}{env_file}, line 1: contains a NUL character\n"
    assert (ExitCode.USAGE, "", message) == run("list", "--env-file", str(env_file))


def test_unreadable_env_file_is_rejected(
    run: Run, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error has the reason of the system."""
    env_file.touch()

    def denied(*_arguments: object) -> str:
        raise PermissionError(13, "denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    message = f"{NAME}{env_file} cannot be read: denied\n"
    assert (ExitCode.USAGE, "", message) == run("list", "--env-file", str(env_file))


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        ("VIDEOSDK_API_KEY hidden\n", 1),
        ("# comment\n\n\nVIDEOSDK_SECRET='hidden\n", 4),
        ('VIDEOSDK_API_KEY=a\nVIDEOSDK_SECRET="hid"den\n', 2),
        ("VIDEOSDK_API_KEY=a\n  VIDEOSDK_TOKEN\n", 2),
        ("=hidden", 1),
    ],
)
def test_line_that_cannot_be_parsed_is_named(
    run: Run, account: FakeVideoSDK, env_file: Path, lines: str, line: int
) -> None:
    """The error has the number of the line, and none of its content."""
    env_file.write_text(lines)
    expected = f"{NAME}{env_file}, line {line}: expected NAME=value\n"
    assert run("list", "--env-file", str(env_file)) == (ExitCode.USAGE, "", expected)
    assert account.requests == []


def test_variables_are_not_interpolated(
    run: Run, account: FakeVideoSDK, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret may contain a dollar sign."""
    account.secret = "a-secret-of-more-than-32-bytes-${HOME}-$x"
    monkeypatch.setenv("x", "y")
    env_file.write_text(
        f"VIDEOSDK_API_KEY={account.api_key}\nVIDEOSDK_SECRET='{account.secret}'\n"
        f"VIDEOSDK_API_ENDPOINT={account.url}\n"
    )
    assert run("count", "--env-file", str(env_file)) == (0, "0\n", "")


def test_env_file_takes_precedence_over_the_environment(
    run: Run, account: FakeVideoSDK, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No variable of the environment is used, whether or not the file has it."""
    env_file.write_text("\n".join(f"{name}={value}" for name, value in account.environ.items()))
    monkeypatch.setenv("VIDEOSDK_SECRET", "another secret")
    monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", "http://another.invalid")
    assert run("count", "--env-file", str(env_file)).code == 0
    env_file.write_text("OTHER=1\n")
    code, _, err = run("count", "--env-file", str(env_file))
    assert code == ExitCode.AUTH
    assert "no credentials" in err


def test_traceback_of_an_env_file_error_shows_no_value(env_file: Path) -> None:
    """No frame of the error holds a line of the file."""
    env_file.write_text(f"VIDEOSDK_API_KEY={KEY}\nVIDEOSDK_SECRET='{SECRET}\n")
    with pytest.raises(ConfigurationError) as caught:
        load_env_file(env_file)
    assert found_in(shown(caught.value)) == set()
