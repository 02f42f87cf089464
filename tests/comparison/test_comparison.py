"""The documented comparison is what the clients do now."""

from __future__ import annotations

from pathlib import Path

import pytest

from .cases import CASES, ROOM, ROWS, Case
from .clients import Job, ours
from .run import CLIENTS, compare, measure

pytestmark = pytest.mark.tool
PAGE = Path(__file__).parent.parent.parent / "docs" / "project" / "comparison.md"
# The others wait between attempts, for seconds.
QUICK = [case for case in CASES if case.name[:5] not in ("one 5", "a 429", "a res", "a pro")]


def cells(table: str) -> dict[str, dict[str, str]]:
    """Return the cells of a table: row name, column name, text."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    (_, *columns), _, *rows = ([cell.strip() for cell in line[1:-1].split("|")] for line in lines)
    return {name: dict(zip(columns, row, strict=True)) for name, *row in rows}


@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.name)
async def test_documented_cells_are_measured(case: Case) -> None:
    """This covers the clients that need no Node."""
    documented = cells(PAGE.read_text("utf-8"))[case.name]
    measured = cells(await compare([case], CLIENTS))[case.name]
    assert measured == {name: documented[name] for name in CLIENTS}


def test_every_case_is_documented() -> None:
    """No other case is documented."""
    assert list(cells(PAGE.read_text("utf-8"))) == [case.name for case in CASES]


async def test_outcome_counts_missing_repeated_and_foreign_rows() -> None:
    """A client that yields the wrong rows is not counted as right."""

    async def wrong(job: Job):  # type: ignore[no-untyped-def]
        ids = [row["id"] for row in job.fake.rows]
        for row_id in (*ids[10:], ids[10], "another"):
            yield row_id
        raise OSError

    outcome = await measure(CASES[0], wrong)
    assert (outcome.missing, outcome.repeated, outcome.foreign) == (10, 1, 1)
    assert (str(outcome), outcome.is_right) == ("error: OSError", False)


async def test_all_rows_once_is_right() -> None:
    """Any other result is wrong."""
    outcome = await measure(Case("stable"), ours)
    assert (str(outcome), outcome.is_right) == ("all, once", True)
    assert (ROWS, ROOM) == (100, "abcd-efgh-ijkl")
