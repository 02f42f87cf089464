"""The mutants of a module, and which tests run for them."""

import textwrap
from pathlib import Path

import pytest

from .covering import Covering, mirror_file, mirror_folder
from .mutants import Mutant, find_mutants


def changes(source: str) -> list[str]:
    """Return the changes of a source."""
    return [mutant.change for mutant in find_mutants("a.py", textwrap.dedent(source))]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", ["< -> <="]),
        ("x = a is  not b", ["is not -> is"]),
        ("x = a not in (b)", ["not in -> in"]),
        (
            "x = a and (b or c)",
            [
                *("a -> True", "and -> or", "b or c -> True"),
                *("b -> False", "or -> and", "c -> False"),
            ],
        ),
        ("x = not a", ["not a -> (a)"]),
        ("x = a if b else c", ["a if b else c -> (a)", "a if b else c -> (c)"]),
        ("x = 7, 0, 0.5, True", ["7 -> 6", "7 -> 8", "0 -> 1", "0.5 -> 1.75", "True -> False"]),
        ("x = 'a'", ["'a' -> 'XXa'"]),
        ("x = a - b // c", ["- -> +", "// -> /"]),
        ("x = any(a)", ["any -> all"]),
        ("x = a.strip().b", ["a.strip() -> a"]),
        ("x = a.strip('[]')", ["a.strip('[]') -> a", "'[]' -> '['", "'[]' -> ']'"]),
        ("x = a.strip('.')", ["a.strip('.') -> a"]),
        ("x = re.compile(r'[0-9]{1,9}')", ["1 -> 0", "1 -> 2", "9 -> 10", "9 -> 8"]),
        ("if a:\n    f()", ["a -> (not a)", "f() -> pass"]),
        ("x.y = a", ["x.y = a -> pass"]),
        ("x += a", ["x += a -> pass"]),
        ("for x in y:\n    continue", ["continue -> break"]),
        ("def f():\n    return a", ["a -> None"]),
        ("try:\n    a\nexcept (B, C):\n    b", ["B -> C", "C -> B"]),
        ("é = 'é' < 'b'  # ç", ["< -> <=", "'é' -> 'XXé'", "'b' -> 'XXb'"]),
    ],
)
def test_each_operator_is_changed(source: str, expected: list[str]) -> None:
    """The changes are exactly those that are listed."""
    assert sorted(changes(source)) == sorted(expected)


def test_texts_for_people_and_types_are_not_changed() -> None:
    """No test should depend on them word for word."""
    source = '''
        """Module 1."""
        from a import b
        __all__ = ["f"]
        T = TypeVar("T", bound="A")
        Words = Literal["a", "b"]

        class P(Protocol):
            x: int = 1

        @decorated(1)
        def f(a: Literal["x"]) -> "B":
            """Function 1."""
            assert a == 1
            logger.info("text %d", 1)
            if TYPE_CHECKING:
                g(1)
            if sys.platform == "win32":
                h(1)
            x: Literal["a"]
            raise ValueError(f"text {a + 1}", 1)
        '''
    assert changes(source) == ['logger.info("text %d", 1) -> pass']


def test_mutant_has_its_place() -> None:
    """It has the line, the function, and the whole changed source."""
    source = "A = 1\n\ndef f(x):\n    return A\n"
    first, _, third = find_mutants("a/b.py", source)
    assert (first.line, first.scope, first.name) == (1, None, "A")
    changed = "A = 1\n\ndef f(x):\n    return None\n"
    assert third == Mutant("a/b.py", 4, "return A", "A -> None", changed, "f", None)
    assert str(third) == "a/b.py:4: A -> None    in    return A"


def test_repeated_changes_of_a_line_are_numbered() -> None:
    """The numbers make their names unique."""
    assert changes("x = a == b == c != d") == ["== -> !=", "== -> != (2)", "!= -> =="]


def test_tests_of_the_line_file_and_folder_come_first(tmp_path: Path) -> None:
    """The other tests of the module follow, as far as the time allows."""
    source = "A = 5\n\ndef f(x):\n    return A\n\ndef g(x):\n    return 1\n"
    own, near, far = "tests/a/test_b.py::own", "tests/a/test_c.py::near", "tests/d.py::far"
    slow, other = "tests/a/test_c.py::slow", "tests/a/test_c.py::other"
    lines = {4: frozenset((near, far, slow, "failed")), 7: frozenset((other, own))}
    covering = Covering({own: 1.0, near: 2.0, far: 1.0, slow: 3.0, other: 1.0}, {"_a/_b.py": lines})
    covering.save(tmp_path / "saved")
    assert Covering.load(tmp_path / "saved") == covering
    mutants = {mutant.change: mutant for mutant in find_mutants("_a/_b.py", source)}
    assert covering.choose(mutants["A -> None"], source, 9) == [near, slow, far, own, other]
    assert covering.choose(mutants["A -> None"], source, 4.5) == [near, far, own]
    assert covering.choose(mutants["5 -> 6"], source, 9) == [own, near, slow, far, other]
    assert covering.choose(mutants["1 -> None"], source, 9) == [own, other, near, slow, far]
    assert covering.of_module("_a/_b.py") == covering.times
    assert covering.of_module("_a/b/c.py") == {}
    assert covering.of_module("a/b.py") == {own: 1.0}
    unknown = find_mutants("other.py", "a = 1")[0]
    assert covering.choose(unknown, "", 9) == []


@pytest.mark.parametrize(
    ("module", "folder", "file"),
    [
        ("_api/pages.py", "tests/api/", "tests/api/test_pages.py"),
        ("parsing/_txt.py", "tests/parsing/", "tests/parsing/test_txt.py"),
        ("auth.py", "tests/test_auth.py", "tests/test_auth.py"),
    ],
)
def test_folders_of_the_tests_mirror_the_package(module: str, folder: str, file: str) -> None:
    """A file without a folder mirrors only itself."""
    assert (mirror_folder(module), mirror_file(module)) == (folder, file)
