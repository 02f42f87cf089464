"""How the program ends: exit codes, and the one line on stderr that says what to do."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import Final, Self

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
    InvalidRowError,
    NoResponseError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    UnverifiedRowError,
    VideoSDKTranscriptsError,
    WaitTimedOutError,
)

from ._text import plain, plural, tell


class ExitCode(IntEnum):
    """What a shell can tell the ends apart by. Stable."""

    DONE = 0
    """Everything was printed, or the reader closed the pipe."""
    OUTPUT = 1
    """The output or a file can't be written: the disk is full, for one."""
    USAGE = 2
    """Wrong arguments, or a setting that makes no sense."""
    AUTH = 3
    """Credentials are missing, or were refused (401, 403)."""
    NOT_FOUND = 4
    """There is no such room, session or transcription, or no such file of it."""
    RATE_LIMITED = 5
    """The service asked to slow down for longer than we wait."""
    PARTIAL = 6
    """Some rows were printed or saved, and then it failed, or others could not be saved."""
    NETWORK = 7
    """No answer: no connection, or a time limit passed."""
    SERVICE = 8
    """The service failed, refused, or sent what can't be read."""
    INTERRUPTED = 130
    """Ctrl-C."""


class PartialError(Exception):
    """Some rows were printed or saved, and others were not. The text says why."""

    @classmethod
    def after(cls, rows: int, cause: VideoSDKTranscriptsError) -> Self:
        """Make the error of a walk that failed after so many rows."""
        return cls(f"stopped after {plural(rows, 'row')}: {_text(cause)}")


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
    except PartialError as error:
        return _say(str(error), ExitCode.PARTIAL)
    except VideoSDKTranscriptsError as error:
        return _say(_text(error), code_of(error))
    # Behind our own errors, of which a time-out is an OSError too.
    except OSError as error:
        return _say(f"can't write the output: {error.strerror}", ExitCode.OUTPUT)
    return ExitCode.DONE


_CODES: Final = (
    ((CredentialsError, AuthenticationError, PermissionDeniedError), ExitCode.AUTH),
    ((ConfigurationError, FileHostRefusedError), ExitCode.USAGE),
    ((NotFoundError, FileNotReadyError, FileGoneError), ExitCode.NOT_FOUND),
    ((CompletedWithoutFileError,), ExitCode.NOT_FOUND),
    ((RateLimitedError,), ExitCode.RATE_LIMITED),
    ((NoResponseError, WaitTimedOutError), ExitCode.NETWORK),
    ((FileTextError,), ExitCode.SERVICE),
    # Of files, this is what is left: a directory that can't be written, or a full disk.
    ((FileError,), ExitCode.OUTPUT),
)
"""
The first line that names the class of an error, or one above it, has its code; without one it
is the service's.
"""
_HERE: Final = (
    (CredentialsError, "--profile NAME or --env-file FILE; --sandbox needs none"),
    (UnverifiedRowError, "--on-unverified"),
    (InvalidRowError, "--on-invalid"),
    (FileHostRefusedError, "VIDEOSDK_FILE_HOSTS"),
    (FileTextError, "--errors"),
    (CompletedWithoutFileError, "--grace"),
)
"""What an argument that an error names is called here."""


def _text(error: VideoSDKTranscriptsError) -> str:
    if isinstance(error, InvalidRowError) and error.page is None:
        # One that was asked for by its id can't be gone on without.
        return str(error)
    hints = [f" (here: {hint})" for kind, hint in _HERE if isinstance(error, kind)]
    return "".join([str(error), *hints])


def code_of(error: VideoSDKTranscriptsError) -> ExitCode:
    """Return what an error ends a program with."""
    return next((code for kinds, code in _CODES if isinstance(error, kinds)), ExitCode.SERVICE)


def _say(text: str, code: ExitCode) -> ExitCode:
    tell(f"videosdk-transcripts: {plain(text)}")
    return code
