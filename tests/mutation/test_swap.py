"""Changes of functions that this process has imported."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from .swap import find_functions, replace_function

SOURCE = """\
X = 1

def f(y=1):
    return [z + 1 for z in (y,)]

class A:
    def f(self):
        def g():
            return 3
        return g()

    def h(self):
        return super().__repr__()
"""


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    """A module with `SOURCE`."""
    file = tmp_path / "swapped.py"
    file.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("swapped", file)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.mark.parametrize(
    ("line", "change", "results"),
    [
        (4, ("z + 1", "z - 1"), (0, 3)),
        (9, ("return 3", "return 4"), (2, 4)),
        (10, ("return g()", "pass"), (2, None)),
    ],
)
def test_function_around_a_line_is_replaced(
    module: ModuleType, line: int, change: tuple[str, str], results: tuple[int, int | None]
) -> None:
    """This affects existing instances and inner functions, too."""
    file = Path(str(module.__file__))
    functions, instance, f = find_functions(file.parent), module.A(), module.f
    assert replace_function(functions, file, line, SOURCE, SOURCE.replace(*change))
    assert ([results[0]], results[1]) == (f(), instance.f())


@pytest.mark.parametrize(
    ("line", "change"),
    [(1, ("X = 1", "X = 2")), (13, ("super().__repr__()", "None"))],
)
def test_other_changes_are_refused(module: ModuleType, line: int, change: tuple[str, str]) -> None:
    """The line may be outside functions, or the function may lose its cell."""
    file = Path(str(module.__file__))
    functions = find_functions(file.parent)
    assert not replace_function(functions, file, line, SOURCE, SOURCE.replace(*change))
    assert find_functions(file.parent / "other") == {}
