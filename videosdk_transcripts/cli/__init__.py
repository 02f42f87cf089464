"""
The command line, extra ``[cli]``: `videosdk-transcripts`.

This file imports nothing of the extra, so that it can say how to get it.
"""

import sys
from collections.abc import Sequence
from importlib.util import find_spec

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """
    Run the command line and exit with its code.

    Args:
        arguments: what to do, without the name of the program; those of the process by
            default.
    """
    missing = [name for name in ("click", "rich") if find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"videosdk-transcripts: the command line needs {' and '.join(missing)}; "
            "get it with: pip install 'videosdk-transcripts[cli]'\n"
        )
        raise SystemExit(2)
    from ._app import run

    raise SystemExit(run(arguments))
