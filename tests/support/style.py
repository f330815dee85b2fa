"""What `make check` holds and no linter knows.

Constructors, class names, unused modules, and the columns of the pages.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

PACKAGES = ("agents", "config", "streams", "analytics")
ROOTS = (
    "agents.cli.main",
    # Run by `python -m`.
    "agents.embedded.broker",
    "config.exchange_days_build",
    "config.pages_build",
    "config.schemas.build",
    "config.service_alerts.build",
)
"""Where programs begin."""
WITHOUT_A_CALLER: dict[str, str] = {}
"""Modules that nothing reaches yet, and what they wait for."""
COMMANDS = "agents.cli."
"""Where a decorator registers a function: nothing calls it by name."""
UNCALLED = {
    "analytics.trade.correlation_swap_pnl": "a formula of the page of the trade",
    "analytics.trade.leg_pnl": "the same",
    "analytics.trade.straddle_pnl": "the same",
}
"""Functions that nothing calls, and why they are there."""
REUSED_NAMES = 1
"""Class names that may stand for two: `DataQuality` is a rule and a part of events."""
COLUMNS = 100
WRITTEN_BY_HAND = {"sh", "python"}
"""Languages of blocks that keep to the columns; in others stands what a program has printed."""

LONGEST_FUNCTION = 60
"""Lines of a function without its docstring."""

Trees = Mapping[str, ast.Module]


def parsed(root: Path) -> dict[str, ast.Module]:
    """The product's modules by dotted name; empty ones are left out."""
    found = {}
    for package in PACKAGES:
        for file in sorted((root / package).rglob("*.py")):
            name = ".".join(file.relative_to(root).with_suffix("").parts)
            if text := file.read_text().strip():
                found[name.removesuffix(".__init__")] = ast.parse(text)
    return found


def findings(trees: Trees) -> Iterator[str]:
    """One line for each offence."""
    yield from constructors(trees)
    yield from reused_names(trees)
    yield from unreached(trees)
    yield from uncalled(trees)
    yield from lossy_waits(trees)
    yield from counted_by_string(trees)
    yield from long_functions(trees)


def constructors(trees: Trees) -> Iterator[str]:
    """Tuple assignments in constructors: two equal types may be swapped there unseen."""
    for name, tree in trees.items():
        for method in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            if method.name == "__init__":
                for line in _tuple_assignments(method):
                    yield f"{name}:{line}: a tuple assignment in a constructor; one a line"


def _tuple_assignments(method: ast.FunctionDef) -> Iterator[int]:
    for node in ast.walk(method):
        if isinstance(node, ast.Assign) and _swaps(node):
            yield node.lineno


def _swaps(node: ast.Assign) -> bool:
    of_tuples = isinstance(node.value, ast.Tuple)
    return of_tuples and any(_is_attributes(target) for target in node.targets)


def _is_attributes(target: ast.expr) -> bool:
    elements = target.elts if isinstance(target, ast.Tuple) else []
    return any(isinstance(element, ast.Attribute) for element in elements)


def reused_names(trees: Trees) -> Iterator[str]:
    """Class names with more than one class, once there are too many of them."""
    classes = defaultdict(list)
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                classes[node.name].append(f"{name}:{node.lineno}")
    reused = {name: places for name, places in classes.items() if len(places) > 1}
    if len(reused) > REUSED_NAMES:
        for name, places in reused.items():
            yield f"{places[-1]}: the class name {name} stands for {len(places)} classes: {places}"


def long_functions(trees: Trees) -> Iterator[str]:
    """Functions of more lines than one can hold in mind."""
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = _lines(node) - (_lines(node.body[0]) if ast.get_docstring(node) else 0)
                if lines > LONGEST_FUNCTION:
                    yield f"{name}:{node.lineno}: {node.name} has {lines} lines without docstring"


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def unreached(trees: Trees) -> Iterator[str]:
    """Modules that no program imports, and excuses that are no longer needed."""
    reached = _reached(trees)
    for name in trees:
        if name not in reached and name not in WITHOUT_A_CALLER:
            yield f"{name}: nothing reaches this module from the command line"
    for name in WITHOUT_A_CALLER:
        if name in reached or name not in trees:
            yield f"{name}: needs no excuse any more; take it from WITHOUT_A_CALLER"


def uncalled(trees: Trees) -> Iterator[str]:
    """Functions and classes whose name stands nowhere else, and excuses no longer needed."""
    used = {name for tree in trees.values() for name in _names(tree)}
    alone = {
        f"{module}.{node.name}": f"{module}:{node.lineno}"
        for module, tree in trees.items()
        if module not in WITHOUT_A_CALLER
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if node.name not in used and not (node.decorator_list and module.startswith(COMMANDS))
    }
    for name, place in alone.items():
        if name not in UNCALLED:
            yield f"{place}: nothing but tests uses {name.rpartition('.')[2]}"
    for name in UNCALLED.keys() - alone.keys():
        yield f"{name}: needs no excuse any more; take it from UNCALLED"


def _names(tree: ast.Module) -> Iterator[str]:
    """Every name that is read, also in a string: an annotation, an entry point."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def lossy_waits(trees: Trees) -> Iterator[str]:
    """Calls of `asyncio.wait_for`, which loses cancellations (`agents.process.await_within`)."""
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "asyncio.wait_for":
                yield f"{name}:{node.lineno}: asyncio.wait_for loses cancellations; await_within"


def counted_by_string(trees: Trees) -> Iterator[str]:
    """Counts under a string of their own: stages count by rows of `streams.catalogue`."""
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Subscript) and _names_a_metric(node):
                yield f"{name}:{node.lineno}: counted by a string; use a row of the catalogue"


def _names_a_metric(node: ast.Subscript) -> bool:
    key = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else None
    return ast.unparse(node.value).endswith("counts") and isinstance(key, ast.Constant)


def pages(root: Path) -> dict[str, str]:
    """Every page by its path."""
    files = [*root.glob("*.md"), *root.glob("docs/**/*.md")]
    return {str(file.relative_to(root)): file.read_text() for file in sorted(files)}


def page_findings(found: Mapping[str, str]) -> Iterator[str]:
    """Lines of pages that are too long. Tables and single words, such as URLs, may be."""
    for name, text in found.items():
        language = ""
        for number, line in enumerate(text.splitlines(), 1):
            if line.startswith("```"):
                language = "" if language else line.removeprefix("```") or "none"
            elif _is_too_long(line, language):
                yield f"{name}:{number}: {len(line)} columns; wrap it at {COLUMNS}"


def _is_too_long(line: str, language: str) -> bool:
    if len(line) <= COLUMNS or line.startswith("|") or " " not in line.strip():
        return False
    return not language or language in WRITTEN_BY_HAND or line.startswith("$ ")


def _reached(trees: Trees) -> set[str]:
    reached: set[str] = set()
    to_look_at = list(ROOTS)
    while to_look_at:
        name = to_look_at.pop()
        if name in reached or name not in trees:
            continue
        reached.add(name)
        to_look_at += [*_imported(trees[name]), *_parents(name)]
    return reached


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _parents(name: str) -> Iterator[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    root = Path(__file__).parents[2]
    found = [*findings(parsed(root)), *page_findings(pages(root))]
    print("\n".join(found) or "style: all well")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
