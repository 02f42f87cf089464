"""The file of profiles: its place, what it may hold, who may read it, and what comes before it."""

import inspect
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from videosdk_transcripts import ConfigurationError, CredentialsError, TranscriptsClient
from videosdk_transcripts._environment import DEFAULT_ENDPOINT
from videosdk_transcripts.cli import _config
from videosdk_transcripts.cli._config import config_file, settings
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.testing import FakeVideoSDK

from ..promises.canaries import KEY, OPAQUE, SECRET, everything, found_in, shown
from .command_line import Run

PAIR = f"""
[default]
api_key = "{KEY}"
secret = "{SECRET}"
"""
OTHER = f"""
[other]
token = "{OPAQUE}"
endpoint = "https://other.example.com"
file_hosts = ["files.example.com", " more.example.com "]
"""
HOME_FILE = Path(".config", "videosdk-transcripts", "config.toml")

Write = Callable[..., dict[str, str]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the file in a home of its own, and give an environment that leads to it."""

    def write_file(text: str | bytes, mode: int = 0o600, **variables: str) -> dict[str, str]:
        path = tmp_path / HOME_FILE
        path.parent.mkdir(parents=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)
        return home(tmp_path) | variables

    return write_file


def home(path: Path) -> dict[str, str]:
    """Return an environment with a home, on whatever system this is."""
    return {"HOME": str(path), "XDG_CONFIG_HOME": str(path / ".config"), "APPDATA": str(path)}


@pytest.fixture(autouse=True)
def _linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is in one place in all tests but those of the place."""
    monkeypatch.setattr(config_file, "__defaults__", ("linux",))


def fault(profile: str | None, environ: dict[str, str]) -> ConfigurationError:
    """Return what is raised, which shows no value of the file and of the environment."""
    with pytest.raises(ConfigurationError) as caught:
        settings(profile, environ)
    assert found_in(shown(caught.value)) == set()
    return caught.value


def options(profile: str | None, environ: dict[str, str]) -> dict[str, Any]:
    """Return what a client is told."""
    found = settings(profile, environ)
    assert found is not None
    return found.options()


# The place.


@pytest.mark.parametrize(
    ("platform", "variables", "place"),
    [
        ("linux", {"HOME": "/h"}, "/h/.config"),
        ("linux", {"HOME": "/h", "XDG_CONFIG_HOME": "/x"}, "/x"),
        ("linux", {"HOME": "/h", "XDG_CONFIG_HOME": ""}, "/h/.config"),
        ("linux", {"HOME": "/h", "XDG_CONFIG_HOME": "here"}, "/h/.config"),
        ("linux", {"HOME": ""}, None),
        ("linux", {"HOME": "here"}, None),
        ("linux", {}, None),
        ("freebsd14", {"HOME": "/h"}, "/h/.config"),
        (
            "darwin",
            {"HOME": "/h", "XDG_CONFIG_HOME": "/x"},
            "/h/Library/Application Support",
        ),
        ("darwin", {}, None),
        ("win32", {"HOME": "/h", "APPDATA": "/a"}, "/a"),
        ("win32", {"HOME": "/h"}, None),
    ],
)
def test_the_platforms_place(platform: str, variables: dict[str, str], place: str | None) -> None:
    """One that depends on the current directory is none."""
    expected = place and Path(place, "videosdk-transcripts", "config.toml")
    assert config_file(variables, platform) == expected


def test_another_file_can_be_named(write: Write, tmp_path: Path) -> None:
    """The variable comes before the platform's place, relative or not."""
    environ = write(PAIR)
    other = tmp_path / "other.toml"
    other.write_text(OTHER)
    other.chmod(0o600)
    environ["VIDEOSDK_TRANSCRIPTS_CONFIG"] = str(other)
    found = settings("other", environ)
    assert found is not None
    assert (found.path, found.profile) == (other, "other")
    assert config_file({"VIDEOSDK_TRANSCRIPTS_CONFIG": "a.toml"}) == Path("a.toml")


def test_no_file_is_needed(tmp_path: Path) -> None:
    """Where none was named, and no profile asked for, the environment is all there is."""
    assert settings(None, {}) is None
    assert settings(None, home(tmp_path)) is None
    (tmp_path / ".config").write_text("in the way")
    assert settings(None, home(tmp_path)) is None


def test_a_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    """And the error says where it would be."""
    path = tmp_path / HOME_FILE
    assert str(fault("x", home(tmp_path))) == f"there is no file {path}, to hold the profile 'x'"
    assert "the profile 'y'" in str(fault(None, home(tmp_path) | {"VIDEOSDK_PROFILE": "y"}))
    named = {"VIDEOSDK_TRANSCRIPTS_CONFIG": str(tmp_path / "no.toml")}
    assert "no.toml, which VIDEOSDK_TRANSCRIPTS_CONFIG names" in str(fault(None, named))
    assert "there is no home directory" in str(fault("x", {}))


# The profile.


async def test_the_default_profile(write: Write) -> None:
    """It is used where nothing else is said, and a client takes what it gives."""
    environ = write(PAIR + OTHER)
    found = settings(None, environ)
    assert found is not None
    assert found.profile == "default"
    given = found.options()
    assert given == {
        "api_key": KEY,
        "secret": SECRET,
        "endpoint": DEFAULT_ENDPOINT,
        "file_hosts": (),
    }
    async with TranscriptsClient(**given):
        pass


async def test_a_client_of_a_profile(write: Write, fake: FakeVideoSDK) -> None:
    """It asks the profile's service, with the profile's credentials."""
    environ = write(
        f'[default]\napi_key = "{fake.api_key}"\nsecret = " {fake.secret} "\n'
        f'endpoint = "{fake.url}/v2"\n'
    )
    fake.add_transcriptions(3)
    async with TranscriptsClient(**options(None, environ)) as client:
        assert await client.count() == 3


def test_a_profile_is_chosen(write: Write) -> None:
    """By the argument, then by the variable, then it is the default."""
    environ = write(PAIR + OTHER + '[third]\ntoken = "abc"\n')
    other = {
        "token": OPAQUE,
        "endpoint": "https://other.example.com",
        "file_hosts": ("files.example.com", "more.example.com"),
    }
    assert options("other", environ) == other
    environ["VIDEOSDK_PROFILE"] = " other "
    assert options(None, environ) == other
    assert options("third", environ)["token"] == "abc"
    environ["VIDEOSDK_PROFILE"] = " "
    assert options(None, environ)["api_key"] == KEY


def test_an_unknown_profile(write: Write, tmp_path: Path) -> None:
    """The error names those that there are. An empty name is a name, and not the default."""
    environ = write(PAIR + OTHER)
    path = tmp_path / HOME_FILE
    assert str(fault("prod", environ)) == (
        f"there is no profile 'prod' in {path}, which has default, other; choose with "
        "--profile NAME"
    )
    assert "no profile ''" in str(fault("", environ))
    path.write_text(OTHER)
    assert "no profile 'default' in" in str(fault(None, environ))
    path.write_text("# nothing so far\n")
    assert "which has none" in str(fault("prod", environ))
    assert settings(None, environ) is None


@pytest.mark.parametrize(
    ("keys", "has"),
    [
        ("", "none of them"),
        ('endpoint = "https://a.example.com"', "none of them"),
        (f'api_key = "{KEY}"', "api_key"),
        (f'secret = "{SECRET}"', "secret"),
        (f'api_key = "{KEY}"\ntoken = "{OPAQUE}"', "api_key and token"),
        (
            f'token = "{OPAQUE}"\nsecret = "{SECRET}"\napi_key = "{KEY}"',
            "api_key and secret and token",
        ),
    ],
)
def test_a_profile_has_its_credentials_whole(write: Write, keys: str, has: str) -> None:
    """Half a pair is not completed from anywhere, and nobody guesses which of two is meant."""
    environ = write(f"[default]\n{keys}\n[other]\n", VIDEOSDK_TRANSCRIPTS_CONFIG="")
    error = fault(None, environ)
    assert isinstance(error, CredentialsError)
    assert str(error).endswith(f"needs either api_key and secret, or token, and has {has}")
    environ |= {"VIDEOSDK_API_KEY": KEY, "VIDEOSDK_SECRET": SECRET, "VIDEOSDK_TOKEN": OPAQUE}
    assert str(fault("default", environ)) == str(error)


# What comes before what.


@pytest.mark.parametrize(
    "name",
    [
        *("VIDEOSDK_API_KEY", "VIDEOSDK_SECRET", "VIDEOSDK_SECRET_KEY"),
        *("VIDEOSDK_TOKEN", "VIDEOSDK_AUTH_TOKEN"),
    ],
)
def test_credentials_of_the_environment_come_before_the_file(write: Write, name: str) -> None:
    """Also half of them, which is an error of its own; a broken file does not matter then."""
    environ = write("broken", **{name: OPAQUE})
    assert settings(None, environ) is None
    assert "no TOML" in str(fault(None, environ | {name: " "}))


def test_the_argument_comes_before_the_environment(write: Write) -> None:
    """Nothing of the environment is left then: neither credentials nor endpoint nor hosts."""
    environ = write(
        PAIR + OTHER,
        VIDEOSDK_TOKEN="theirs",
        VIDEOSDK_PROFILE="other",
        VIDEOSDK_API_ENDPOINT="https://elsewhere.example.com",
        VIDEOSDK_FILE_HOSTS="elsewhere.example.com",
    )
    assert options("default", environ) == {
        "api_key": KEY,
        "secret": SECRET,
        "endpoint": DEFAULT_ENDPOINT,
        "file_hosts": (),
    }
    assert options("other", environ)["endpoint"] == "https://other.example.com"


def test_two_accounts_in_the_environment_are_one_too_many(write: Write) -> None:
    """Nobody can tell which one is meant."""
    environ = write(PAIR, VIDEOSDK_PROFILE="default", VIDEOSDK_TOKEN=OPAQUE)
    assert str(fault(None, environ)) == (
        "VIDEOSDK_PROFILE names a profile, and credentials are set as well (VIDEOSDK_TOKEN); "
        "unset the one or the other, or say --profile NAME, which comes before both"
    )


@pytest.mark.parametrize("variable", [{}, {"VIDEOSDK_PROFILE": "default"}])
def test_a_token_goes_only_where_its_source_says(write: Write, variable: dict[str, str]) -> None:
    """An endpoint of the environment gets none of the file, and is not ignored in silence."""
    elsewhere = f"https://{OPAQUE}.example.com"
    environ = write(PAIR, VIDEOSDK_API_ENDPOINT=elsewhere, **variable)
    error = fault(None, environ)
    assert "VIDEOSDK_API_ENDPOINT is set" in str(error)
    assert "--profile default to leave it out" in str(error)


def test_the_same_endpoint_is_no_other_one(write: Write) -> None:
    """Written as in the vendor's examples."""
    environ = write(PAIR + OTHER, VIDEOSDK_API_ENDPOINT=f" {DEFAULT_ENDPOINT}/v2/ ")
    assert options(None, environ)["endpoint"] == DEFAULT_ENDPOINT
    environ |= {
        "VIDEOSDK_PROFILE": "other",
        "VIDEOSDK_API_ENDPOINT": "https://other.example.com/",
    }
    assert options(None, environ)["endpoint"] == "https://other.example.com"


def test_file_hosts_of_the_environment_come_before_those_of_the_file(write: Write) -> None:
    """They get no token; the client reads them itself."""
    environ = write(OTHER, VIDEOSDK_PROFILE="other", VIDEOSDK_FILE_HOSTS="a.example.com")
    assert options(None, environ).keys() == {"token", "endpoint"}
    environ["VIDEOSDK_FILE_HOSTS"] = " "
    assert options(None, environ)["file_hosts"] == ("files.example.com", "more.example.com")


# What it may hold.


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f'[default]\nsecert = "{SECRET}"', "has an unknown key 'secert' in 'default'"),
        (f'[profile.a]\nsecret = "{SECRET}"', "has an unknown key 'a' in 'profile'"),
        (f'secret = "{SECRET}"', "has 'secret' outside of a profile; put [default] above it"),
        (f'[[default]]\nsecret = "{SECRET}"', "has 'default' outside of a profile"),
        ("[default]\napi_key = 123456", "has a wrong api_key in the profile 'default': it must be"),
        ("[default]\nsecret = 123456", "has a wrong secret in"),
        (f'[default]\ntoken = ["{OPAQUE}"]', "has a wrong token in"),
        ('[default]\ntoken = ""', "has a wrong token in"),
        ('[default]\ntoken = " \\n"', "has a wrong token in"),
        ("[default]\n[default.token]", "has a wrong token in"),
        ("[default]\nendpoint = true", "has a wrong endpoint in"),
        (f'[a]\n[b]\nfile_hosts = "{OPAQUE}"', "has a wrong file_hosts in the profile 'b': it"),
        (f'[b]\nfile_hosts = ["{OPAQUE}", 1]', "it must be a list of texts in quotes, not empty"),
        ('[b]\nfile_hosts = [""]', "has a wrong file_hosts in"),
    ],
)
def test_a_wrong_key_or_value(write: Write, tmp_path: Path, text: str, says: str) -> None:
    """The error names profile and key, and never shows the value. All profiles are looked at."""
    error = fault(None, write(text))
    assert str(error).startswith(f"{tmp_path / HOME_FILE} ")
    assert says in str(error)
    assert "123456" not in shown(error)
    if "unknown" in says:
        assert str(error).endswith("known are api_key, secret, token, endpoint, file_hosts")


def test_no_hosts_are_a_list_too(write: Write) -> None:
    """An empty list says that there are none but the service's own."""
    assert options(None, write(f"{PAIR}file_hosts = []"))["file_hosts"] == ()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f'[default]\nsecret = "{SECRET}\n', ", at line 2, column "),
        (f"[default]\nsecret = {SECRET}\n", ", at line 2, column "),
        (f'[default]\nsecret = "{SECRET}" {OPAQUE}', ", at line 2, column "),
        (f'["{SECRET}"]\n["{SECRET}"]\n', ", at line 2, column "),
        (f'token = "{OPAQUE}"\ntoken = "{OPAQUE}"', ", at end of document; "),
        (f"[default]\n{OPAQUE}", ", at "),
        (f'[default]\r\ntoken = "{OPAQUE}\r\n', ", at line 2, column "),
        # Two that have no place.
        (f"a = {'9' * 5000}", "is no TOML; "),
        (f"a = {'[' * 5000}", "is no TOML; "),
    ],
)
def test_broken_toml(write: Write, text: str, place: str) -> None:
    """The error says where, and never what stands there."""
    error = fault(None, write(text))
    assert place in str(error)
    assert '[default], with lines such as api_key = "..." below it' in str(error)
    assert "99999" not in shown(error)


def test_no_text_at_all(write: Write, tmp_path: Path) -> None:
    """Neither in UTF-8, nor of a size that a configuration has, nor a file."""
    environ = write(f"[default]\ntoken = '{OPAQUE}'".encode("utf-16"))
    path = tmp_path / HOME_FILE
    assert str(fault(None, environ)) == f"{path} is no text in UTF-8"
    path.write_bytes(b"#" * (1024 * 1024 + 1))
    assert "is larger than 1048576 bytes" in str(fault(None, environ))
    path.write_bytes(b"#" * 1024 * 1024)
    assert settings(None, environ) is None
    path.unlink()
    path.mkdir()
    assert str(fault(None, environ)).startswith(f"{path} can't be read: ")


def test_a_file_of_windows(write: Write) -> None:
    """With a byte order mark and line ends of its own."""
    text = b"\xef\xbb\xbf" + PAIR.replace("\n", "\r\n").encode()
    assert options(None, write(text))["secret"] == SECRET


# Who may read it.


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o604, 0o602, 0o644, 0o666, 0o777])
@pytest.mark.parametrize("profile", [None, "open"])
def test_a_secret_that_others_can_get_at(
    write: Write, tmp_path: Path, mode: int, profile: str | None
) -> None:
    """It is refused, whichever profile is asked for, with the command that helps."""
    environ = write(PAIR + "[open]\n", mode)
    assert str(fault(profile, environ)) == (
        f"{tmp_path / HOME_FILE} holds a secret and can be read or changed by other users (its "
        f"mode is {mode:04o}); close it with: chmod 600 {tmp_path / HOME_FILE}"
    )


@pytest.mark.parametrize(
    "text", [OTHER, f'token = "{OPAQUE}"', f'[default]\nsecret = ["{SECRET}"]']
)
def test_a_secret_in_any_place_counts(write: Write, text: str) -> None:
    """A token too, and one that is used wrongly: it is open to others all the same."""
    assert "chmod 600 " in str(fault("other", write(text, 0o644)))


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o700, 0o711])
def test_a_secret_of_our_own(write: Write, mode: int) -> None:
    """Nobody else can read or write it."""
    assert options(None, write(PAIR, mode))["secret"] == SECRET


def test_a_file_without_a_secret_may_be_open(write: Write) -> None:
    """There is nothing in it to be kept."""
    environ = write(f'[default]\napi_key = "{KEY}"\n', 0o644)
    assert isinstance(fault(None, environ), CredentialsError)


def test_the_opened_file_counts(write: Write, tmp_path: Path) -> None:
    """A link is followed, and it is the file behind it that must be closed to others."""
    environ = write(PAIR)
    path, kept = tmp_path / HOME_FILE, tmp_path / "it's kept.toml"
    path.rename(kept)
    path.symlink_to(kept)
    assert options(None, environ)["secret"] == SECRET
    kept.chmod(0o640)
    # Quoted, so that it can be pasted.
    environ["VIDEOSDK_TRANSCRIPTS_CONFIG"] = str(kept)
    assert str(fault(None, environ)).endswith(f"""chmod 600 '{tmp_path}/it'"'"'s kept.toml'""")


def test_a_file_of_another_user(tmp_path: Path) -> None:
    """Whoever owns it can change where a token goes; the administrator can anyway."""
    path = tmp_path / "config.toml"
    path.touch(0o600)
    status = path.stat()
    mine, another = status.st_uid, status.st_uid + 1
    assert _config._user() == mine
    assert _config._exposure(status, mine) == ""
    assert "another user" in _config._exposure(status, another) or mine == 0
    theirs = os.stat_result([*status[:4], another, *status[5:]])
    assert _config._exposure(theirs, mine).startswith("belongs to another user")
    roots = os.stat_result([*status[:4], 0, *status[5:]])
    assert _config._exposure(roots, another) == ""
    path.chmod(0o644)
    assert "mode is 0644" in _config._exposure(path.stat(), mine)


def test_where_there_are_no_permissions(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, where the mode says nothing, they are not looked at."""
    monkeypatch.delattr(os, "geteuid", raising=False)
    environ = write(PAIR, 0o666)
    assert options(None, environ)["secret"] == SECRET


# What shows.


def test_settings_show_no_value(write: Write) -> None:
    """Neither in their repr, nor in that of what they give, whatever key it is under."""
    found = settings("other", write(OTHER.replace("files.example.com", SECRET)))
    assert found is not None
    text = repr(found)
    assert "other" in text
    assert found_in(
        "\n".join([text, *everything(found, {}), *everything(found.options(), {})])
    ) == (set())
    assert "example" not in repr(found.options())


def test_an_error_is_one_of_the_librarys(write: Write) -> None:
    """It can be pickled, and comes from nothing that has seen the file."""
    error = fault(None, write(f"secret = {SECRET}"))
    assert error.__cause__ is error.__context__ is None
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_the_names_of_the_keys_are_those_of_the_client() -> None:
    """What stands in the file is given to it as it is."""
    assert set(_config._KEYS) <= inspect.signature(TranscriptsClient).parameters.keys()


def test_a_value_that_no_variable_can_hold(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused by the name of the file, and not shown."""
    place = tmp_path / "config.toml"
    place.write_text(f'[default]\ntoken = "{OPAQUE}\\u0000"\nfile_hosts = ["a.example.com"]\n')
    place.chmod(0o600)
    monkeypatch.setenv("VIDEOSDK_TRANSCRIPTS_CONFIG", str(place))
    code, _, err = run("count")
    assert code in (ExitCode.USAGE, ExitCode.AUTH)
    assert OPAQUE not in err


def test_a_profile_is_used_by_a_verb(
    account: FakeVideoSDK, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the environment says, and without an argument where it says nothing."""
    account.add_transcriptions(3)
    place = tmp_path / "config.toml"
    place.write_text(
        f"[default]\napi_key = '{account.api_key}'\nsecret = '{account.secret}'\n"
        f"endpoint = '{account.url}'\n"
    )
    place.chmod(0o600)
    monkeypatch.setenv("VIDEOSDK_TRANSCRIPTS_CONFIG", str(place))
    monkeypatch.setenv("VIDEOSDK_SECRET", "wrong")
    assert run("count").code == ExitCode.AUTH
    code, _, err = run("count", "--profile", "other")
    assert code == ExitCode.USAGE
    assert "default" in err
    with monkeypatch.context() as patched:
        for name in ("API_KEY", "SECRET", "API_ENDPOINT"):
            patched.delenv(f"VIDEOSDK_{name}")
        with patch.dict(os.environ):
            assert run("count") == (0, "3\n", "")
            assert os.environ["VIDEOSDK_FILE_HOSTS"] == account.url
    assert run("count", "--profile", "default") == (0, "3\n", "")
