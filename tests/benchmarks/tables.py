"""How figures are written: Markdown tables, ratios, the machine."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from attrs import frozen

__all__ = ["Target", "machine", "markdown", "megabytes", "targets_table", "times"]

_LIBRARIES: Final = ("aiohttp", "attrs", "cattrs", "PyJWT", "tenacity", "click")


@frozen
class Target:
    """
    A ratio that is aimed at.

    Args:
        name: what is compared.
        limit: the ratio that is still good.
        ratio: the one that was measured.
        at_least: whether the limit is the lowest good one, and not the highest.
    """

    name: str
    limit: float
    ratio: float
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Return whether it was reached."""
        return self.ratio >= self.limit if self.at_least else self.ratio <= self.limit


def markdown(lines: Sequence[Mapping[str, object]]) -> str:
    """Write a table, with the names of the first line at its head."""
    rows = [list(lines[0]), ["---"] * len(lines[0]), *(line.values() for line in lines)]
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in rows)


def times(value: float | None, floor: float | None) -> str:
    """Write a ratio."""
    return "" if value is None or not floor else f"{value / floor:.2f}"


def megabytes(size: float) -> str:
    """Write a size in MB."""
    return f"{size / 1e6:.1f}"


def targets_table(targets: Sequence[Target]) -> str:
    """Write what is aimed at, and what was reached."""
    return markdown(
        [
            {
                "what": target.name,
                "aim": f"at {'least' if target.at_least else 'most'} {target.limit:g}",
                "measured": f"{target.ratio:.2f}",
                "reached": "yes" if target.is_met else "no",
            }
            for target in targets
        ]
    )


def machine() -> str:
    """Name the machine, the Python and the libraries."""
    info = Path("/proc/cpuinfo")
    text = info.read_text("utf-8") if info.exists() else ""
    found = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    processor = found[1].strip() if found else platform.machine()
    parts = [
        f"{os.cpu_count()} cores of {processor}",
        f"{platform.system()} {platform.release()}",
        f"{platform.python_implementation()} {platform.python_version()}",
        *(f"{name} {version(name)}" for name in _LIBRARIES),
    ]
    return ", ".join(parts)
