"""Format results: Markdown tables, ratios, a description of the machine."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from attrs import frozen

__all__ = ["Target", "format_ratio", "machine", "markdown", "megabytes", "targets_table"]

_LIBRARIES: Final = ("aiohttp", "attrs", "cattrs", "PyJWT", "tenacity", "click")


@frozen
class Target:
    """
    A target for a measured ratio.

    Args:
        name: the metric.
        limit: the worst acceptable ratio.
        ratio: the measured ratio.
        at_least: whether the limit is a lower bound instead of an upper bound.
    """

    name: str
    limit: float
    ratio: float
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Return whether the measured ratio meets the target."""
        return self.ratio >= self.limit if self.at_least else self.ratio <= self.limit


def markdown(lines: Sequence[Mapping[str, object]]) -> str:
    """Format a Markdown table; the keys of the first line are its header."""
    rows = [list(lines[0]), ["---"] * len(lines[0]), *(line.values() for line in lines)]
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in rows)


def format_ratio(value: float | None, baseline: float | None) -> str:
    """Format the ratio of a value to its baseline, or return "" if one is missing."""
    return "" if value is None or not baseline else f"{value / baseline:.2f}"


def megabytes(size: float) -> str:
    """Format a size in MB."""
    return f"{size / 1e6:.1f}"


def targets_table(targets: Sequence[Target]) -> str:
    """Format the table of targets."""
    return markdown(
        [
            {
                "metric": target.name,
                "target": f"at {'least' if target.at_least else 'most'} {target.limit:g}",
                "measured": f"{target.ratio:.2f}",
                "met": "yes" if target.is_met else "no",
            }
            for target in targets
        ]
    )


def machine() -> str:
    """Describe the machine, the Python and the libraries."""
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
