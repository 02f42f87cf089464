"""Which service to talk to, and with which credentials."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from videosdk_transcripts import ConfigurationError, TranscriptsClient

from ._account import Account
from ._config import settings
from ._text import tell

_PREFIX = "VIDEOSDK_"
_NAMES = {
    "api_key": "VIDEOSDK_API_KEY",
    "secret": "VIDEOSDK_SECRET",
    "token": "VIDEOSDK_TOKEN",
    "endpoint": "VIDEOSDK_API_ENDPOINT",
    "file_hosts": "VIDEOSDK_FILE_HOSTS",
}


@asynccontextmanager
async def open_client(account: Account) -> AsyncGenerator[TranscriptsClient]:
    """
    Open a client of the real service, or of a fake one in this process.

    Args:
        account: whose credentials.

    Raises:
        CredentialsError: there are no credentials, or they are malformed.
        ConfigurationError: the file can't be read.
    """
    if account.sandbox:
        # Imported here, since a server is nothing that every call should load.
        from videosdk_transcripts.testing import SANDBOX_ROOMS, FakeVideoSDK, run_sandbox

        async with FakeVideoSDK() as fake:
            run_sandbox(fake)
            tell(f"sandbox with made-up rooms: {', '.join(SANDBOX_ROOMS)}")
            async with fake.client() as client:
                yield client
        return
    use_account(account)
    async with TranscriptsClient() as client:
        yield client


def use_account(account: Account) -> str:
    """
    Let the file or the profile of an account stand in for the variables of this process.

    Returns:
        Where they are from, in words; nothing where they are the environment's own.

    Raises:
        ConfigurationError: it can't be read, or makes no sense.
        CredentialsError: the profile has no credentials, or half of them.
    """
    if account.env_file is not None:
        _take_environment_from(account.env_file)
        return str(account.env_file)
    found = settings(account.profile, os.environ)
    if found is None:
        return ""
    options = found.options()
    # Those of the environment are meant where the profile gives none.
    hosts = options.pop("file_hosts", None)
    hosts = os.environ[_NAMES["file_hosts"]] if hosts is None else ",".join(hosts)
    _forget_environment()
    for name, value in {**options, "file_hosts": hosts}.items():
        # One that is empty would count as not set, and be told as odd.
        if value:
            _set(_NAMES[name], value, found.path)
    return f"the profile {found.profile!r} of {found.path}"


def _take_environment_from(path: Path) -> None:
    """Replace the variables of this process that the client reads, and no others."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} can't be read: {type(error).__name__}") from None
    pairs = [line.strip().removeprefix("export ").partition("=") for line in lines]
    # Not mixed with what the process was given: half of one pair and half of another.
    _forget_environment()
    for name, _, value in pairs:
        if name.strip().startswith(_PREFIX):
            _set(name.strip(), _unquoted(value), path)


def _forget_environment() -> None:
    for name in [name for name in os.environ if name.startswith(_PREFIX)]:
        del os.environ[name]


def _set(name: str, value: str, path: Path) -> None:
    try:
        os.environ[name] = value
    except ValueError:
        raise ConfigurationError(f"{path} has a line that no variable can hold") from None


def _unquoted(value: str) -> str:
    quoted = re.fullmatch(r"""(['"])(.*?)\1(\s+#.*)?""", value.strip())
    return quoted[2] if quoted else re.split(r"\s#", value, maxsplit=1)[0].strip()
