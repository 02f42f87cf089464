"""Which account a verb works with."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Account(NamedTuple):
    """Where the credentials come from."""

    env_file: Path | None = None
    profile: str | None = None
    sandbox: bool = False
