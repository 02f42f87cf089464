"""
Draw the pictures of the docs from real runs: ``python docs/pictures/make.py [FOLDER]``.

Each is written next to this file, or to another folder.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from layout import package_layout
from terminal import terminal
from walks import concurrent_modification, readahead_window, request_path


async def main(folder: Path) -> None:
    """Draw all pictures."""
    pictures = {
        "request": await request_path(),
        "readahead": await readahead_window(),
        "modification": await concurrent_modification(),
        "layout": package_layout(),
        "terminal": terminal(),
    }
    for name, svg in pictures.items():
        (folder / f"{name}.svg").write_text(svg, "utf-8")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1] if sys.argv[1:] else Path(__file__).parent)))
