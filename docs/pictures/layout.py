"""The picture of the package: its layers, as import-linter enforces them."""

from __future__ import annotations

import tomllib
from math import ceil
from pathlib import Path

from svg import WIDTH, Picture

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "videosdk_transcripts"


def package_layout() -> str:
    """Draw the layers of `pyproject.toml`, with the lines of code of each part."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = contracts["tool"]["importlinter"]["contracts"][0]["layers"]
    picture = Picture(
        "The package",
        "Layers of the package, from the command line at the top to errors and models at the"
        " bottom. A part may import only what is below it.",
    )
    y = 36.0
    for layer in layers:
        names = [name.strip(" ()") for name in layer.replace("|", ":").split(":")]
        names = [name for name in names if name != "__main__"]
        if not names:
            continue
        number = ceil(len(names) / ceil(len(names) / 4))  # in each row, at most 4
        rows = [names[start : start + number] for start in range(0, len(names), number)]
        for row in rows:
            width = (WIDTH - 20 - 6 * (len(row) - 1)) / len(row)
            for index, name in enumerate(row):
                x = 10 + index * (width + 6)
                picture.box(x, y, width, 32, "box")
                folder = (PACKAGE / name).is_dir()
                picture.text(
                    x + width / 2,
                    y + 14,
                    f"{name}/" if folder else name,
                    "ink mono",
                    anchor="middle",
                )
                lines = f"{_lines(name):,} lines"
                picture.text(x + width / 2, y + 26, lines, "soft small", anchor="middle")
            y += 36
        y += 8
    picture.text(
        WIDTH / 2, y + 6, "each part imports only parts below it", "soft small", anchor="middle"
    )
    return picture.svg(y + 16)


def _lines(name: str) -> int:
    path = PACKAGE / name
    files = path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]
    return sum(len(file.read_text("utf-8").splitlines()) for file in files)
