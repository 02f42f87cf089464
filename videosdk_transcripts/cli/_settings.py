"""Which service to talk to, and with which credentials."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from videosdk_transcripts import ConfigurationError, TranscriptsClient

from ._config import settings
from ._options import Account
from ._text import tell

__all__ = ["open_client"]

_PREFIX = "VIDEOSDK_"


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
    found = None
    if account.env_file is not None:
        _take_environment_from(account.env_file)
    else:
        found = settings(account.profile, os.environ)
    async with TranscriptsClient(**(found.options() if found else {})) as client:
        yield client


def _take_environment_from(path: Path) -> None:
    """Replace the variables of this process that the client reads, and no others."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} can't be read: {type(error).__name__}") from None
    pairs = [line.strip().removeprefix("export ").partition("=") for line in lines]
    # Not mixed with what the process was given: half of one pair and half of another.
    for name in [name for name in os.environ if name.startswith(_PREFIX)]:
        del os.environ[name]
    for name, _, value in pairs:
        if name.strip().startswith(_PREFIX):
            try:
                os.environ[name.strip()] = _unquoted(value)
            except ValueError:
                raise ConfigurationError(f"{path} has a line that no variable can hold") from None


def _unquoted(value: str) -> str:
    quoted = re.fullmatch(r"""(['"])(.*?)\1(\s+#.*)?""", value.strip())
    return quoted[2] if quoted else re.split(r"\s#", value, maxsplit=1)[0].strip()
