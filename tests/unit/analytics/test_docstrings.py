"""Every public formula is documented with an example that runs, and with its source."""

import ast
from pathlib import Path

import pytest

import analytics

FILES = sorted(Path(analytics.__file__).parent.glob("*.py"))
ARITHMETIC = {
    "finite",
    "segment_interp",
    "segments",
    "ewma.ew_sum",
    "otm_smile.first_above",
    "strip_arbitrage.excess_quotes",
}
"""Rooms and functions that no paper is behind."""


def documented() -> dict[str, str]:
    """Docstring of every public function.

    The last word of an overloaded one is its implementation.
    """
    nodes = (
        (path.stem, node)
        for path in FILES
        for node in ast.parse(path.read_text(encoding="utf-8")).body
    )
    return {
        f"{room}.{node.name}": ast.get_docstring(node) or ""
        for room, node in nodes
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


@pytest.mark.parametrize(("name", "text"), documented().items())
def test_example_and_source(name: str, text: str) -> None:
    assert ">>>" in text
    assert "Source:" in text or not ARITHMETIC.isdisjoint({name, name.partition(".")[0]})
