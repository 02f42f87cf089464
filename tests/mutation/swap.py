"""Change a function in a process that has imported its module already."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterator
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FunctionType

Functions = dict[tuple[str, str, int], list[FunctionType]]
"""The functions that exist, by file, qualified name and first line."""


def find_functions(folder: Path) -> Functions:
    """Return all functions of the modules in a folder that this process has imported."""
    found: Functions = defaultdict(list)
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename.startswith(f"{folder}/"):
            found[_key(one.__code__)].append(one)
    return found


def replace_function(functions: Functions, file: Path, line: int, old: str, new: str) -> bool:
    """
    Replace the code of the function around a line, and return whether that is possible.

    It is impossible if the line is outside all functions, or if the function does not exist yet.

    Args:
        functions: the functions that exist.
        file: the file of the module.
        line: the line of the change.
        old: the source of the module.
        new: the changed source.
    """
    before, after = (list(_function_codes(_compile(source, file))) for source in (old, new))
    around = [number for number, code in enumerate(before) if code.co_firstlineno <= line]
    if not around or len(before) != len(after):
        return False
    number = max(around, key=lambda number: before[number].co_firstlineno)
    changed = functions.get(_key(before[number]), [])
    for function in changed:
        if len(function.__code__.co_freevars) != len(after[number].co_freevars):
            return False
        function.__code__ = after[number]
    return bool(changed)


def _compile(source: str, file: Path) -> CodeType:
    return compile(source, str(file), "exec", dont_inherit=True)


def _key(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _function_codes(code: CodeType) -> Iterator[CodeType]:
    """Return the code of the functions of a module and of its classes, not of inner functions."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if inner.co_flags & CO_OPTIMIZED:
                yield inner
            else:
                yield from _function_codes(inner)
