"""How the program ends: exit codes, and the one line on stderr that says what to do."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path

import click

from videosdk_transcripts import (
    AuthenticationError,
    ConfigurationError,
    CredentialsError,
    InvalidRowError,
    NoResponseError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    UnverifiedRowError,
    VideoSDKTranscriptsError,
)

from ._text import plain, plural, tell

__all__ = ["ExitCode", "PartialOutputError", "ends_well"]


class ExitCode(IntEnum):
    """What a shell can tell the ends apart by. Stable."""

    DONE = 0
    """Everything was printed, or the reader closed the pipe."""
    OUTPUT = 1
    """The output can't be written: the disk is full, for one."""
    USAGE = 2
    """Wrong arguments, or a setting that makes no sense."""
    AUTH = 3
    """Credentials are missing, or were refused (401, 403)."""
    NOT_FOUND = 4
    """There is no such room, session or transcription."""
    RATE_LIMITED = 5
    """The service asked to slow down for longer than we wait."""
    PARTIAL = 6
    """Some rows were printed, and then the walk failed."""
    NETWORK = 7
    """No answer: no connection, or a time limit passed."""
    SERVICE = 8
    """The service failed, refused, or sent what can't be read."""
    INTERRUPTED = 130
    """Ctrl-C."""


class PartialOutputError(Exception):
    """A walk failed after some rows had been printed; the cause says why."""

    def __init__(self, rows: int, cause: VideoSDKTranscriptsError) -> None:
        super().__init__(rows, cause)
        self.rows = rows
        self.cause = cause


def ends_well(action: Callable[[], None]) -> int:
    """Do it and return the exit code. No traceback, whatever the service does."""
    try:
        action()
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):
        # click makes a SystemExit of a broken pipe, and here of nothing else. Python would
        # complain once more when it closes stdout.
        with Path(os.devnull).open("w", encoding="ascii") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
    except (KeyboardInterrupt, click.Abort):
        return _say("interrupted", ExitCode.INTERRUPTED)
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        return error.exit_code
    except PartialOutputError as error:
        return _say(
            f"stopped after {plural(error.rows, 'row')}: {_text(error.cause)}", ExitCode.PARTIAL
        )
    except VideoSDKTranscriptsError as error:
        return _say(_text(error), _code(error))
    # Behind our own errors, of which a time-out is an OSError too.
    except OSError as error:
        return _say(f"can't write the output: {error.strerror}", ExitCode.OUTPUT)
    return ExitCode.DONE


def _text(error: VideoSDKTranscriptsError) -> str:
    match error:
        case CredentialsError():
            return f"{error} (here: --env-file FILE; --sandbox needs none)"
        case UnverifiedRowError():
            return f"{error} (here: --unverified)"
        case InvalidRowError():
            return f"{error} (here: --on-invalid)"
        case _:
            return str(error)


def _code(error: VideoSDKTranscriptsError) -> ExitCode:
    match error:
        case CredentialsError() | AuthenticationError() | PermissionDeniedError():
            return ExitCode.AUTH
        case ConfigurationError():
            return ExitCode.USAGE
        case NotFoundError():
            return ExitCode.NOT_FOUND
        case RateLimitedError():
            return ExitCode.RATE_LIMITED
        case NoResponseError():
            return ExitCode.NETWORK
        case _:
            return ExitCode.SERVICE


def _say(text: str, code: ExitCode) -> ExitCode:
    tell(f"videosdk-transcripts: {plain(text)}")
    return code
