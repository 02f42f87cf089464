"""
Run the command line: `videosdk-transcripts`, or ``python -m videosdk_transcripts``.

It is in the extra ``[cli]``. Files in reading order:

- `_signals`: handles Ctrl-C, SIGTERM and SIGHUP; `_streams`: writes complete output in UTF-8
- `_app`: the program and its commands, each of which is loaded on first use
- `_options`: options that several commands share; `_times`: times in options; `_row_filter`:
  client-side selection of rows
- `_list` (also `post`), `_files`, `_export`, `_follow`, `_jobs`, `_token`, `_doctor`,
  `_sandbox`: the commands
- `_settings`: the account, the environment file and the client
- `_output`: rows on stdout, and messages on stderr; `_table`: rows on a terminal
- `_status`: progress and waits on a terminal; `_log`: log records of the library
- `_checkpoint_file`: resumable output
- `_token_claims`: the claims of a token, without I/O
- `_exit`: exit codes; `_messages`: messages of the library in the terms of the command line

A module imports at its top only what ``--help`` needs: click, the errors and its own package. The
client, and every module that loads a library, is imported in the function that uses it, because
loading the client takes five times as long as loading click.

The command line uses the public names of the library, `_environment` and `_redact`.
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
"""The distributions of the extra, by the names of their modules."""


def main(arguments: Sequence[str] | None = None) -> None:
    """
    Run the command line, and exit with its exit code.

    Args:
        arguments: the command and its options, without the name of the program. By default
            those of the process, which then keeps the signal handlers until it ends.
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
