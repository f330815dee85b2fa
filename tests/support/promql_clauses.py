"""Clauses of a PromQL expression, each taken out in turn."""

import re
from collections.abc import Iterator
from itertools import pairwise

_SET = re.compile(r"\s*\b(?:and|or|unless)\b(?:\s+(?:on|ignoring)\s*\([^)]*\))?\s*")
_COMPARED = re.compile(r"\s*(?:==|!=|>=|<=|>|<)\s*(?!bool)[\d.e+-]+(?:\s*\*\s*[\d.]+)?")
_MATCHER = re.compile(r'\w+(?:=~|!~|!=|=)"[^"]*"')
_BRACES = re.compile(r"\{[^}]*\}")


def without_a_clause(expr: str) -> Iterator[str]:
    """The expression without one operand, one comparison or one label matcher."""
    found = [*_without_operand(expr), *_without_comparison(expr), *_without_matcher(expr)]
    yield from dict.fromkeys(found)


def _without_operand(expr: str) -> Iterator[str]:
    for start, end in _levels(expr):
        operators = list(_operators(expr, start, end))
        edges = [(start, start), *operators, (end, end)]
        if not operators:
            continue
        for before, after in pairwise(edges):
            if before[0] == before[1] == start:
                yield expr[:start] + expr[after[1] :]
            else:
                yield expr[: before[0]] + expr[after[0] :]


def _levels(expr: str) -> Iterator[tuple[int, int]]:
    """The whole, what stands in each pair of brackets, and there between commas."""
    opened, texts = [0], _quoted(expr)
    for at, sign in enumerate(expr):
        if at in texts:
            continue
        if sign in "([{":
            opened.append(at + 1)
        elif sign == ",":
            yield opened.pop(), at
            opened.append(at + 1)
        elif sign in ")]}":
            yield opened.pop(), at
    yield opened.pop(), len(expr)


def _quoted(expr: str) -> set[int]:
    return {at for text in re.finditer(r'"[^"]*"', expr) for at in range(*text.span())}


def _operators(expr: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Places of the set operators of one level, with what they match on."""
    deep = _deeper(expr, start, end)
    for found in _SET.finditer(expr, start, end):
        at = found.start() + len(found[0]) - len(found[0].lstrip())
        if at not in deep:
            yield found.span()


def _deeper(expr: str, start: int, end: int) -> set[int]:
    """Places within brackets and texts of a level."""
    deep, depth = _quoted(expr), 0
    for at in range(start, end):
        depth += (expr[at] in "([{") and at not in deep
        if depth:
            deep.add(at)
        depth -= expr[at] in ")]}" and depth > 0
    return deep


def _without_comparison(expr: str) -> Iterator[str]:
    texts = _quoted(expr)
    for found in _COMPARED.finditer(expr):
        if found.start() not in texts:
            yield expr[: found.start()] + expr[found.end() :]


def _without_matcher(expr: str) -> Iterator[str]:
    for braces in _BRACES.finditer(expr):
        matchers = list(_MATCHER.finditer(expr, *braces.span()))
        for one in matchers:
            kept = ",".join(other[0] for other in matchers if other is not one)
            yield f"{expr[: braces.start()]}{{{kept}}}{expr[braces.end() :]}"
