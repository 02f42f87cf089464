"""
The mutants of a module: small changes of its source, each of which some test should notice.

A mutant changes an operator, a constant, a condition, a returned value or a statement. Not
changed are texts for people (docstrings, messages of raised errors, log records, f-strings),
annotations, decorators, and what is for Windows only.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from typing import Final

from attrs import frozen

_COMPARISONS: Final[dict[type[ast.cmpop], tuple[str, str]]] = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
_ARITHMETIC: Final[dict[type[ast.operator], tuple[str, str]]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
}
_FUNCTIONS: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
_NORMALIZING: Final = frozenset(
    ("strip", "lstrip", "rstrip", "lower", "upper", "removeprefix", "removesuffix", "copy")
)
# Calls whose arguments are types or texts for people.
_IGNORED_CALLS: Final = frozenset(("TypeVar", "NewType", "Protocol", "cast"))
_PATTERNS: Final = frozenset(("compile", "match", "fullmatch", "search", "sub", "split"))
_UNCHANGED: Final = (ast.JoinedStr, ast.Assert, ast.Raise, ast.Import, ast.ImportFrom)
_REPETITION: Final = re.compile(r"(?<=[{,])[0-9]+(?=[},])")


@frozen
class Mutant:
    """One change of a module."""

    module: str
    """The path of the module in the package, with slashes."""
    line: int
    """The number of the line of the change, from 1."""
    code: str
    """That line, without the whitespace around it."""
    change: str
    """What is replaced by what, in one line; numbered if the line has it more than once."""
    source: str
    """The source of the changed module."""
    scope: str | None
    """The function that contains the change; None at the level of the module or a class."""
    name: str | None
    """The name that the statement at the level of the module defines, if it does."""

    def __str__(self) -> str:
        return f"{self.module}:{self.line}: {self.change}    in    {self.code}"


def find_mutants(module: str, source: str) -> list[Mutant]:
    """
    Return the mutants of a module in the order of their lines.

    Args:
        module: its path in the package.
        source: its source.
    """
    finder = _Finder(source)
    finder.visit(ast.parse(source))
    lines = source.splitlines()
    found: dict[str, Mutant] = {}
    times: Counter[tuple[int, str]] = Counter()
    for edit in sorted(finder.edits, key=lambda edit: (edit.start, edit.end, edit.new)):
        changed = source[: edit.start] + edit.new + source[edit.end :]
        if changed == source or changed in found or not _is_valid(changed):
            continue
        line = source.count("\n", 0, edit.start) + 1
        old, new = (" ".join(text.split()) for text in (source[edit.start : edit.end], edit.new))
        change = f"{old} -> {new}"
        times[line, change] += 1
        if times[line, change] > 1:
            change += f" ({times[line, change]})"
        code = lines[line - 1].strip()
        found[changed] = Mutant(module, line, code, change, changed, edit.scope, edit.name)
    return list(found.values())


def _is_valid(source: str) -> bool:
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


@frozen
class _Edit:
    start: int
    end: int
    new: str
    scope: str | None
    name: str | None


class _Finder(ast.NodeVisitor):
    """Collect the edits of a module."""

    def __init__(self, source: str) -> None:
        self.edits: list[_Edit] = []
        self._source = source
        self._scope: list[str] = []
        self._name: str | None = None
        # Where each line starts, in characters; the columns of nodes count bytes.
        self._lines = source.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    # Positions and edits.

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def _start(self, node: ast.expr | ast.stmt) -> int:
        return self._offset(node.lineno, node.col_offset)

    def _end(self, node: ast.expr | ast.stmt) -> int:
        return self._offset(node.end_lineno or 0, node.end_col_offset or 0)

    def _text(self, node: ast.expr) -> str:
        return self._source[self._start(node) : self._end(node)]

    def _add(self, start: int, end: int, new: str) -> None:
        scope = ".".join(self._scope) or None
        self.edits.append(_Edit(start, end, new, scope, self._name if scope is None else None))

    def _replace(self, node: ast.expr | ast.stmt, *texts: str) -> None:
        for text in texts:
            self._add(self._start(node), self._end(node), text)

    def _replace_between(self, left: ast.expr, right: ast.expr, old: str, new: str) -> None:
        """Replace an operator; between its operands are only whitespace and brackets."""
        start = self._end(left)
        pattern = rf"\b{old}\b" if old[0].isalpha() else re.escape(old)
        found = re.search(pattern.replace(" ", r"\s+"), self._source[start : self._start(right)])
        if found:
            self._add(start + found.start(), start + found.end(), new)

    # What is visited.

    def visit(self, node: ast.AST) -> None:
        """Visit a node, unless it is for people or for type checkers."""
        if not isinstance(node, _UNCHANGED):
            super().visit(node)

    def visit_body(self, body: list[ast.stmt]) -> None:
        """Visit statements, without a docstring."""
        for statement in body:
            is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if not is_text:
                self.visit(statement)

    def visit_Module(self, node: ast.Module) -> None:
        for statement in node.body:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else None
            if isinstance(statement, ast.AnnAssign):
                target = statement.target
            self._name = target.id if isinstance(target, ast.Name) else None
            if self._name != "__all__":
                self.visit_body([statement])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if not any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases):
            self._name = node.name
            self.visit_body(node.body)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_function(node)

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)
        self._scope.append(node.name)
        self.visit_body(node.body)
        self._scope.pop()

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        # `Literal["a"]`, `Callable[..., None]` and the like are types.
        if not (isinstance(node.value, ast.Name) and node.value.id[:1].isupper()):
            self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        if ast.unparse(node.test) == "sys.platform == 'win32'":
            self.visit_body(node.orelse)
            return
        self._negate(node.test)
        self.visit(node.test)
        self.visit_body(node.body)
        self.visit_body(node.orelse)

    def visit_While(self, node: ast.While) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._negate(test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._replace(node, f"({self._text(node.body)})", f"({self._text(node.orelse)})")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        old, new, neutral = ("or", "and", "False")
        if isinstance(node.op, ast.And):
            old, new, neutral = ("and", "or", "True")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._replace_between(left, right, old, new)
        for value in node.values:
            # A constant is a default, which has mutants of its own.
            if not isinstance(value, ast.Constant):
                self._replace(value, neutral)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self._replace(node, f"({self._text(node.operand)})")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = [node.left, *node.comparators]
        for left, right, operator in zip(operands, operands[1:], node.ops, strict=False):
            self._replace_between(left, right, *_COMPARISONS[type(operator)])
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        # Between types `|` is an annotation, as in `isinstance(x, int | float)`.
        if type(node.op) in _ARITHMETIC and not isinstance(node.op, ast.BitOr):
            self._replace_between(node.left, node.right, *_ARITHMETIC[type(node.op)])
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._replace(node, "pass")
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
            self._replace(node, "pass")
        self.visit(node.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call | ast.Await):
            self._replace(node, "pass")
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None:
            # A condition can't tell False from None.
            if not (isinstance(node.value, ast.Constant) and node.value.value in (None, False)):
                self._replace(node.value, "None")
            self.visit(node.value)

    def visit_Break(self, node: ast.Break) -> None:
        self._replace(node, "continue")

    def visit_Continue(self, node: ast.Continue) -> None:
        self._replace(node, "break")

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if isinstance(node.type, ast.Tuple):
            kept = node.type.elts
            for one, other in zip(kept, [*kept[1:], kept[0]], strict=True):
                self._replace(one, self._text(other))
        self.visit_body(node.body)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else None
        if isinstance(function, ast.Name):
            if function.id in _IGNORED_CALLS:
                return
            if function.id in _FUNCTIONS:
                self._replace(function, _FUNCTIONS[function.id])
        elif isinstance(function, ast.Attribute) and name in _NORMALIZING:
            self._replace(node, self._text(function.value))
            if name.endswith("strip") and node.args:
                self._vary_stripped(node.args[0])
                self.visit(function.value)
                return
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            if function.value.id == "logger":
                return
            if function.value.id == "re" and name in _PATTERNS:
                self._vary_pattern(node.args[0])
                for argument in node.args[1:]:
                    self.visit(argument)
                return
        self.generic_visit(node)

    def _vary_stripped(self, argument: ast.expr) -> None:
        """Leave out the first or the last of the characters to strip."""
        value = argument.value if isinstance(argument, ast.Constant) else ""
        if isinstance(value, str) and len(value) > 1:
            self._replace(argument, repr(value[1:]), repr(value[:-1]))

    def _vary_pattern(self, pattern: ast.expr) -> None:
        """Change the limits of repetitions in a regular expression."""
        text, start = self._text(pattern), self._start(pattern)
        for number in _REPETITION.finditer(text):
            for other in (int(number[0]) + 1, int(number[0]) - 1):
                self._add(start + number.start(), start + number.end(), str(max(other, 0)))

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self._replace(node, str(not value))
        elif isinstance(value, int):
            self._replace(node, str(value + 1), *([str(value - 1)] if value > 0 else []))
        elif isinstance(value, float):
            self._replace(node, repr(value * 1.5 + 1))
        elif isinstance(value, str):
            self._replace(node, repr(f"XX{value}"))

    def _negate(self, test: ast.expr) -> None:
        # Operators have mutants of their own.
        if not isinstance(test, ast.BoolOp | ast.Compare | ast.UnaryOp):
            self._replace(test, f"(not {self._text(test)})")
