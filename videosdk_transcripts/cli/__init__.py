"""
The command line, extra ``[cli]``: `videosdk-transcripts`, or ``python -m videosdk_transcripts``.

In reading order:

- `_signals`: Ctrl-C, SIGTERM and SIGHUP, `_streams`: stdout and stderr, complete and in UTF-8
- `_app`: the program and its commands, each loaded when it is used
- `_options`: options that several commands share, `_times`: times of options, `_row_filter`:
  client-side selection of rows
- `_list` (also `post`), `_files`, `_export`, `_follow`, `_jobs`, `_token`, `_doctor`,
  `_sandbox`: the commands
- `_settings`: account, environment file and client
- `_output`: rows and messages on stdout and stderr, `_table`: rows on a terminal
- `_status`: progress and waits on a terminal, `_log`: log records of the library
- `_checkpoint_file`: resumable output
- `_token_claims`: a token's claims, without I/O
- `_exit`: exit codes, `_messages`: messages of the library in terms of the command line

A module imports at its top what ``--help`` needs: click, the errors and its own package. The
client and everything that loads a library is imported inside the function that uses it, because
the client takes five times as long to load as click.

Of the library, the command line uses the public names, `_environment` and `_redact`.
"""

# This file imports nothing of the extra, so that it can report that the extra is missing.

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final, NoReturn

from ._signals import handle_signals
from ._streams import prepared_streams

__all__ = ["main"]

_REQUIRED: Final = {"click": "click", "rich": "rich", "dotenv": "python-dotenv"}
"""Distributions of the extra, by the module that each provides."""


def main(arguments: Sequence[str] | None = None) -> None:
    """
    Run the command line and exit with its code.

    Args:
        arguments: command and options, without the name of the program; by default those of the
            process, which then keeps the signal handlers until it ends.
    """
    with handle_signals(restore=arguments is not None), prepared_streams():
        _run(arguments)


def _run(arguments: Sequence[str] | None) -> NoReturn:
    missing = [name for module, name in _REQUIRED.items() if find_spec(module) is None]
    if missing:
        sys.stderr.write(
            f"videosdk-transcripts: the command line needs {' and '.join(missing)}; "
            "install it with: pip install 'videosdk-transcripts[cli]'\n"
        )
        raise SystemExit(2)
    from ._app import run

    raise SystemExit(run(arguments))
