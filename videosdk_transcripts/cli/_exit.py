"""End the program with an exit code, and with one line on stderr that states the reason."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import IO, TYPE_CHECKING, Any, Final, Self

import click

from videosdk_transcripts import (
    AuthenticationError,
    CompletedWithoutFileError,
    ConfigurationError,
    CredentialsError,
    FileError,
    FileGoneError,
    FileHostRefusedError,
    FileNotReadyError,
    FileTextError,
    IncompleteWalkError,
    NoResponseError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    VideoSDKTranscriptsError,
    WaitTimedOutError,
)

from ._messages import describe
from ._output import notify, plain, plural
from ._signals import exit_code as interrupted_exit_code
from ._signals import has_arrived

if TYPE_CHECKING:
    from videosdk_transcripts import WalkStats


class ExitCode(IntEnum):
    """The exit codes, each with the description that ``--help`` prints. They are stable."""

    description: str

    def __new__(cls, code: int, description: str) -> Self:
        """Create a member with its description."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.description = description
        return member

    DONE = 0, "success, or the reader closed the pipe"
    OUTPUT = 1, "cannot write the output"
    USAGE = 2, "invalid arguments or settings"
    AUTH = 3, "credentials missing or rejected"
    NOT_FOUND = 4, "not found"
    RATE_LIMITED = 5, "rate limited"
    PARTIAL = 6, "partial: failed after some rows were printed or saved"
    NETWORK = 7, "no response: network error or timeout"
    SERVICE = 8, "the service failed or sent an unreadable response"
    HUNG_UP = 129, "ended by SIGHUP"
    INTERRUPTED = 130, "interrupted"
    TERMINATED = 143, "ended by SIGTERM"


EXIT_CODES: Final = "\n".join(
    ["\b", "Exit codes:", *(f"  {code:<3}  {code.description}" for code in ExitCode)]
)
"""The list of exit codes at the end of every help text."""


class PartialError(Exception):
    """Some rows were printed or saved, and others were not. The message states the reason."""

    @classmethod
    def after(cls, rows: int, cause: VideoSDKTranscriptsError) -> Self:
        """Return the error for a walk that failed after a number of rows."""
        return cls(f"stopped after {plural(rows, 'row')}: {describe(cause)}")


class NegativeResult(click.ClickException):
    """The command succeeded, and its result is negative: a failed check, a rejected token."""

    def __init__(self, message: str, code: ExitCode) -> None:
        super().__init__(message)
        # Set this way, because click declares it as a class variable.
        vars(self)["exit_code"] = int(code)

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message to stderr, in the format of all other errors."""
        _report(self.message)


def raise_if_only_foreign(stats: WalkStats) -> None:
    """
    Raise an error if a walk found rows, but only of other rooms or sessions.

    Raises:
        NegativeResult: it found only such rows. The exit code is that of an unknown room.
    """
    if stats.only_foreign_rows:
        raise NegativeResult(
            "no row of this room or session was found; "
            "if ROOM is a custom room id, add --custom-id",
            ExitCode.NOT_FOUND,
        )


def run_with_exit_code(action: Callable[[], None]) -> int:
    """Run an action, and return the exit code. Errors are printed without a traceback."""
    try:
        action()
    except (BrokenPipeError, SystemExit):
        # click raises a SystemExit only for a broken pipe.
        pass
    except (KeyboardInterrupt, click.Abort):
        return _interrupted()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except PartialError as error:
        _report(str(error))
        return ExitCode.PARTIAL
    except VideoSDKTranscriptsError as error:
        _report(describe(error))
        return code_of(error)
    # After the errors of this package, some of which are also an OSError (TimeoutError).
    except OSError as error:
        return _output_failed(error)
    return ExitCode.DONE


def _interrupted() -> int:
    code = next(code for code in ExitCode if int(code) == interrupted_exit_code())
    _report(code.description)
    return code


def _output_failed(error: OSError) -> int:
    if has_arrived():
        # The terminal was closed, which is the reason for the signal and for this error.
        return _interrupted()
    _report(f"cannot write the output: {error.strerror}")
    return ExitCode.OUTPUT


_CODES: Final = (
    ((CredentialsError, AuthenticationError, PermissionDeniedError), ExitCode.AUTH),
    ((ConfigurationError, FileHostRefusedError), ExitCode.USAGE),
    ((NotFoundError, FileNotReadyError, FileGoneError), ExitCode.NOT_FOUND),
    ((CompletedWithoutFileError,), ExitCode.NOT_FOUND),
    ((RateLimitedError,), ExitCode.RATE_LIMITED),
    ((NoResponseError, WaitTimedOutError), ExitCode.NETWORK),
    ((IncompleteWalkError,), ExitCode.PARTIAL),
    ((FileTextError,), ExitCode.SERVICE),
    # The remaining file errors: a directory that is not writable, a full disk.
    ((FileError,), ExitCode.OUTPUT),
)
"""Exit codes by class of error. The first entry that matches an error applies."""


def code_of(error: VideoSDKTranscriptsError) -> ExitCode:
    """Return the exit code of an error; that of a failed service if there is no entry."""
    return next((code for kinds, code in _CODES if isinstance(error, kinds)), ExitCode.SERVICE)


def _report(text: str) -> None:
    notify(f"videosdk-transcripts: {plain(text)}")
