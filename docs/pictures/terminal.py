"""The picture of the command line: a real run on a pseudo-terminal, rendered by rich."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from io import StringIO

from rich.console import Console
from rich.text import Text

COLUMNS = 80
COMMAND = ("list", "--limit", "8")


def terminal() -> str:
    """Draw the first rows of the sandbox, as a terminal of 80 columns shows them."""
    shown = Text.from_ansi(_run())
    console = Console(record=True, width=COLUMNS, file=StringIO())
    console.print(shown)
    title = " ".join(("videosdk-transcripts", *COMMAND))
    svg = console.export_svg(title=title, unique_id="terminal")
    # Its fonts are loaded from the network, which a picture in a page may not do.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return svg.replace("<svg ", '<svg role="img" ', 1).replace(">", f"><title>{title}</title>", 1)


def _run() -> str:
    controller, terminal_end = pty.openpty()
    fcntl.ioctl(terminal_end, termios.TIOCSWINSZ, struct.pack("HHHH", 30, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "videosdk_transcripts", *COMMAND, "--sandbox"]
    with subprocess.Popen(  # noqa: S603 - this package
        command,
        stdin=terminal_end,
        stdout=terminal_end,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:
        os.close(terminal_end)
        output = b""
        while chunk := _read(controller):
            output += chunk
        if process.wait() != 0:
            raise RuntimeError(f"exit code {process.returncode}")
    os.close(controller)
    return output.decode().replace("\r\n", "\n")


def _read(controller: int) -> bytes:
    try:
        return os.read(controller, 65_536)
    except OSError:  # the other end is closed
        return b""
