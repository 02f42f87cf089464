"""The vendor's Node SDK, in processes of its own. npm installs it into a temporary folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

__all__ = ["PACKAGE", "installed"]

PACKAGE: Final = "@videosdk.live/server-sdk@0.1.1"
_SCRIPT: Final = Path(__file__).with_suffix(".mjs")


@contextmanager
def installed() -> Iterator[str | None]:
    """Install the SDK, and yield the program of a job; None without npm or its registry."""
    npm = shutil.which("npm")
    with TemporaryDirectory() as folder:
        command = [npm or "npm", "install", "--silent", "--prefix", folder, PACKAGE]
        if npm is None or subprocess.run(command, check=False).returncode:  # noqa: S603 - fixed
            sys.stderr.write("npm can't install the Node SDK, which is left out\n")
            yield None
            return
        # Next to its modules, so that it finds them.
        yield f"node:{shutil.copy(_SCRIPT, folder)}"
