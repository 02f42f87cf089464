"""Configure the account of a command from an environment file, and open a client for it."""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from videosdk_transcripts import ConfigurationError, CredentialsError
from videosdk_transcripts._redact import Secret

from ._messages import describe
from ._output import notify
from ._signals import run_until_signal
from ._status import status_line

if TYPE_CHECKING:
    from videosdk_transcripts import TranscriptsClient

_PREFIX: Final = "VIDEOSDK_"
_BYTE_ORDER_MARKS: Final = {
    # UTF-32 first, because its mark begins with that of UTF-16.
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


class Account(NamedTuple):
    """The source of the credentials (file, sandbox or environment), and the use of a proxy."""

    env_file: Path | None = None
    sandbox: bool = False
    trust_env: bool = False
    """Use the proxy from the environment."""
    files_via_proxy: bool = False

    @property
    def proxy_options(self) -> dict[str, Any]:
        """Return the arguments for the proxy of a client, or of an export that creates one."""
        if self.sandbox:
            # It runs in this process, whatever the proxy is.
            return {}
        return {"trust_env": self.trust_env, "files_via_proxy": self.files_via_proxy}

    def open_client(self, **options: Any) -> TranscriptsClient:
        """
        Return a client for the variables of the environment.

        Raises:
            ConfigurationError: a variable is missing or invalid.
        """
        from videosdk_transcripts import TranscriptsClient

        return TranscriptsClient(**self.proxy_options, **options)


@contextmanager
def named_file(path: Path | None) -> Generator[None]:
    """
    Add the name of the environment file to errors about its variables.

    Raises:
        ConfigurationError: the error of the block, of the same class.
    """
    error: ConfigurationError | None = None
    try:
        yield
    except ConfigurationError as raised:
        error = raised
    if error is None:
        return
    text = describe(error)
    # An error about a proxy is about a variable that is not in the file.
    if path is None or not (isinstance(error, CredentialsError) or text.startswith(_PREFIX)):
        raise error
    raise type(error)(f"{path}: {text}")


def run_with_client(
    account: Account,
    work: Callable[[TranscriptsClient], Awaitable[None]],
    *,
    waiting_for: str | None = "the service",
) -> None:
    """
    Open a client for the account, and run the work with it.

    Args:
        account: the source of the credentials.
        work: a coroutine function that receives the client.
        waiting_for: what the status line shows during a long wait; None if waiting is the
            purpose of the work.

    Raises:
        CredentialsError: credentials are missing or malformed.
        ConfigurationError: the environment file cannot be used, or another setting is invalid.
    """

    async def run() -> None:
        async with use_account(account), account.open_client() as client, status_line(waiting_for):
            await work(client)

    run_until_signal(run)


@asynccontextmanager
async def use_account(account: Account) -> AsyncGenerator[str]:
    """
    Set the environment variables of the account, and run the sandbox during the block if needed.

    Yields:
        The source of the settings, for messages.

    Raises:
        ConfigurationError: the environment file cannot be used, or the block raised it.
    """
    if not account.sandbox:
        source = load_env_file(account.env_file)
        with named_file(account.env_file):
            yield source
        return
    # Imported on use, because only the sandbox needs a server.
    from videosdk_transcripts.testing import SANDBOX_ROOMS, FakeVideoSDK, run_sandbox

    async with FakeVideoSDK() as fake:
        run_sandbox(fake)
        _replace_variables(fake.environ)
        notify(f"sandbox rooms: {', '.join(SANDBOX_ROOMS)}")
        yield "the sandbox"


def load_env_file(path: Path | None) -> str:
    """
    Replace the VIDEOSDK_* variables of this process with those of a file, if there is one.

    The file takes precedence as a whole: no VIDEOSDK_* variable of the environment is kept,
    so that a key from one source is never combined with a secret from another. All other
    variables in the file are ignored.

    Returns:
        The source of the settings, for messages.

    Raises:
        ConfigurationError: the file cannot be read or parsed. The message shows no value.
    """
    if path is None:
        return "the environment"
    found = _parse(path)
    if isinstance(found, str):
        # Raised here, where no local variable holds a line of the file.
        raise ConfigurationError(f"{path}{found}")
    _replace_variables(found)
    return str(path)


def _parse(path: Path) -> dict[str, Secret] | str:
    """Return the VIDEOSDK_* variables of a file, or the error message."""
    from dotenv.parser import parse_stream

    try:
        content = path.read_bytes()
    except OSError as error:
        return f" cannot be read: {error.strerror}"
    fault = _encoding_fault(content)
    if fault is not None:
        return fault
    text = content.decode("utf-8-sig")
    variables = {}
    for binding in parse_stream(io.StringIO(text)):
        original = binding.original
        # The parser includes preceding blank lines in a line.
        before = original.string[: -len(original.string.lstrip())]
        line = original.line + before.count("\n")
        place = f", line {line}"
        if binding.error:
            return f"{place}: expected NAME=value"
        name, value = binding.key or "", binding.value
        if not name.startswith(_PREFIX):
            continue
        if value is None:
            return f"{place}: expected NAME=value"
        if "\0" in name + value:
            return f"{place}: contains a NUL character"
        variables[name] = Secret(value)
    return variables


def _encoding_fault(content: bytes) -> str | None:
    """Return the error message for a file that is not UTF-8; None if it is."""
    wide = [name for mark, name in _BYTE_ORDER_MARKS.items() if content.startswith(mark)]
    # Without a mark, such a file can be valid UTF-8, with NUL characters between the letters.
    wide += [name for name in ("UTF-32", "UTF-16") if _has_prefix(content, name)]
    if wide:
        return f" is encoded in {wide[0]}; save it in UTF-8"
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return f", line {line}: not valid UTF-8; save the file in UTF-8"
    return None


def _has_prefix(content: bytes, encoding: str) -> bool:
    return any(_PREFIX.encode(f"{encoding}-{order}") in content for order in ("LE", "BE"))


def _replace_variables(variables: Mapping[str, str]) -> None:
    for name in [name for name in os.environ if name.startswith(_PREFIX)]:
        del os.environ[name]
    os.environ.update(variables)
