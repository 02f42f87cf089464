"""Credentials and endpoint: arguments first, then the environment, never combined."""

from typing import Any

import jwt
import pytest

from videosdk_transcripts import Clock, ConfigurationError, CredentialsError, TranscriptsClient
from videosdk_transcripts._environment import (
    environment_settings,
    ignored_variables,
    resolve_endpoint,
    resolve_file_hosts,
    resolve_tokens,
)
from videosdk_transcripts._redact import HiddenProvider, mask
from videosdk_transcripts.auth import FixedToken, RenewedToken, TokenSource


def find(**given: Any) -> TokenSource:
    """Return the source for these arguments, masked as the client does."""
    arguments: dict[str, Any] = {"api_key": None, "secret": None, "token": None} | given
    return resolve_tokens(
        api_key=mask(arguments["api_key"]),
        secret=mask(arguments["secret"]),
        token=HiddenProvider(token) if callable(token := arguments["token"]) else mask(token),
        clock=Clock(),
    )


async def key_of(tokens: TokenSource) -> str:
    """Return the key in the tokens of a source."""
    return str(jwt.decode(await tokens.get(), options={"verify_signature": False})["apikey"])


@pytest.mark.parametrize("secret_name", ["VIDEOSDK_SECRET", "VIDEOSDK_SECRET_KEY"])
async def test_key_and_secret_from_environment(
    monkeypatch: pytest.MonkeyPatch, secret_name: str
) -> None:
    """Both names of the secret work."""
    monkeypatch.setenv("VIDEOSDK_API_KEY", " from-env ")
    monkeypatch.setenv(secret_name, "s")
    assert await key_of(find()) == "from-env"


@pytest.mark.parametrize("name", ["VIDEOSDK_TOKEN", "VIDEOSDK_AUTH_TOKEN"])
async def test_token_from_environment(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Both names work, and a line break at the end is removed."""
    monkeypatch.setenv(name, "abc\n")
    assert await find().get() == "abc"


async def test_key_takes_precedence_over_token_in_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A key does not expire; a key without a secret does not count."""
    monkeypatch.setenv("VIDEOSDK_TOKEN", "abc")
    monkeypatch.setenv("VIDEOSDK_API_KEY", "from-env")
    assert await find().get() == "abc"
    monkeypatch.setenv("VIDEOSDK_SECRET", "s")
    assert await key_of(find()) == "from-env"


async def test_arguments_take_precedence_and_are_never_combined(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A key of the caller is never used with a secret of the environment."""
    monkeypatch.setenv("VIDEOSDK_API_KEY", "from-env")
    monkeypatch.setenv("VIDEOSDK_SECRET", "s")
    assert await find(token="abc").get() == "abc"
    assert await key_of(find(api_key="mine", secret="t")) == "mine"
    with pytest.raises(CredentialsError, match="go together, and secret is missing"):
        find(api_key="mine")
    with pytest.raises(CredentialsError, match="go together, and api_key is missing"):
        find(secret="mine")


def test_string_and_callable_become_their_sources() -> None:
    """A string is a fixed token, a callable renews it."""

    async def provider() -> str:
        return "abc"

    assert isinstance(find(token="abc"), FixedToken)
    assert isinstance(find(token=provider), RenewedToken)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"api_key": "a", "secret": "b", "token": "c"}, "not both"),
        ({"api_key": "a", "token": "c"}, "not both"),
        ({"api_key": "", "secret": "b"}, "api_key is missing"),
        ({"api_key": "a", "secret": 5}, "secret must be a string, not int"),
        ({"api_key": "a", "secret": b"x"}, "secret must be a string, not bytes"),
        ({"token": 5}, "a token must be a string, not int"),
        ({"token": ""}, "the token is empty"),
    ],
)
def test_invalid_credentials_are_rejected_without_their_values(
    given: dict[str, Any], reason: str
) -> None:
    """The constructor raises the error."""
    with pytest.raises(CredentialsError, match=reason):
        TranscriptsClient(**given)


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({}, "no credentials: set VIDEOSDK_API_KEY and VIDEOSDK_SECRET, or VIDEOSDK_TOKEN"),
        ({"VIDEOSDK_API_KEY": "a"}, "VIDEOSDK_API_KEY is set and VIDEOSDK_SECRET is not"),
        ({"VIDEOSDK_SECRET": "a"}, "VIDEOSDK_SECRET is set and VIDEOSDK_API_KEY is not"),
        ({"VIDEOSDK_API_KEY": "a", "VIDEOSDK_SECRET": "  "}, "VIDEOSDK_SECRET is not"),
    ],
)
def test_missing_credentials_name_variables_and_arguments(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], reason: str
) -> None:
    """The error states what to do."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CredentialsError, match=reason) as caught:
        TranscriptsClient()
    assert "api_key= and secret=, or token=" in str(caught.value)


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        (None, "https://api.videosdk.live"),
        ("https://api.videosdk.live/", "https://api.videosdk.live"),
        ("https://api.videosdk.live/v2", "https://api.videosdk.live"),
        ("https://api.videosdk.live/v2/", "https://api.videosdk.live"),
        ("http://127.0.0.1:8787", "http://127.0.0.1:8787"),
        ("http://[::1]:8787/v2", "http://[::1]:8787"),
        ("https://gate.example/videosdk/v2", "https://gate.example/videosdk"),
    ],
)
def test_endpoint_is_normalised(
    monkeypatch: pytest.MonkeyPatch, given: str | None, endpoint: str
) -> None:
    """The vendor's examples include /v2, which is not part of these paths."""
    assert endpoint == resolve_endpoint(mask(given))
    if given is not None:
        monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", given)
    assert endpoint == resolve_endpoint(None)


@pytest.mark.parametrize(
    ("endpoint", "base", "found"),
    [
        (None, "https://b.example/v2", "https://b.example"),
        (" ", "https://b.example", "https://b.example"),
        ("https://a.example", "https://b.example", "https://a.example"),
        ("https://a.example", None, "https://a.example"),
    ],
)
def test_endpoint_has_an_alternative_variable(
    monkeypatch: pytest.MonkeyPatch, endpoint: str | None, base: str | None, found: str
) -> None:
    """VIDEOSDK_API_ENDPOINT takes precedence if it is not blank."""
    for name, value in (("VIDEOSDK_API_ENDPOINT", endpoint), ("VIDEOSDK_API_BASE", base)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert resolve_endpoint(None) == found


@pytest.mark.parametrize("name", ["VIDEOSDK_API_ENDPOINT", "VIDEOSDK_API_BASE"])
def test_invalid_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """An argument that was never passed is not blamed."""
    monkeypatch.setenv(name, "nowhere")
    with pytest.raises(ConfigurationError, match=f"^{name} must look like https://api"):
        resolve_endpoint(None)


def test_ignored_variables_have_another_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same value under both names is not a contradiction."""
    monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", "https://a.example")
    monkeypatch.setenv("VIDEOSDK_API_BASE", "https://b.example")
    monkeypatch.setenv("VIDEOSDK_TOKEN", "abc")
    monkeypatch.setenv("VIDEOSDK_AUTH_TOKEN", " abc ")
    monkeypatch.setenv("VIDEOSDK_SECRET_KEY", "a-secret")
    ((ignored, used),) = ignored_variables()
    assert (ignored.name, used.name) == ("VIDEOSDK_API_BASE", "VIDEOSDK_API_ENDPOINT")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("api.videosdk.live", "with its scheme and host"),
        ("", "with its scheme and host"),
        ("ftp://api.videosdk.live", "with its scheme and host"),
        ("https://", "with its scheme and host"),
        ("https://api.videosdk.live:x", "is not a URL"),
        ("https://[::1", "is not a URL"),
        (5, "is not a string"),
        ("https://user:pass@api.videosdk.live", "without credentials"),
        ("https://api.videosdk.live?x=1", "without credentials, query"),
        ("https://api.videosdk.live#x", "without credentials, query or fragment"),
    ],
)
def test_invalid_endpoint_is_rejected(given: Any, reason: str) -> None:
    """No token is sent there, and the error does not contain its credentials."""
    with pytest.raises(ConfigurationError, match=reason) as caught:
        resolve_endpoint(mask(given))
    assert "pass" not in str(caught.value)


def test_file_hosts_from_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are comma-separated, and are read only without the argument."""
    assert list(resolve_file_hosts(None)) == []
    monkeypatch.setenv("VIDEOSDK_FILE_HOSTS", " a.example, https://b.example:8443,, ")
    assert list(resolve_file_hosts(None)) == ["a.example", "https://b.example:8443"]
    assert list(resolve_file_hosts([])) == []
    monkeypatch.setenv("VIDEOSDK_FILE_HOSTS", "https://user@b.example")
    with pytest.raises(ConfigurationError):
        TranscriptsClient(token="abc")


def test_environment_settings_name_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first variable that is not blank counts, and no repr shows its value."""
    monkeypatch.setenv("VIDEOSDK_API_KEY", " a-key\n")
    monkeypatch.setenv("VIDEOSDK_SECRET", " ")
    monkeypatch.setenv("VIDEOSDK_SECRET_KEY", "a-secret")
    monkeypatch.setenv("VIDEOSDK_OTHER", "x")
    found = environment_settings()
    assert found == {
        "api_key": ("VIDEOSDK_API_KEY", "a-key"),
        "secret": ("VIDEOSDK_SECRET_KEY", "a-secret"),
    }
    assert "a-secret" not in repr(found)
