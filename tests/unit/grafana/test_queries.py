"""Dashboards and rules speak of catalogued metrics alone."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.catalogue import catalogue, known_series
from tests.support.dashboards import boards, queries

RULES = Path(__file__).parents[3] / "config/prometheus"


def unknown(text: str) -> set[str]:
    """Names in a query that are in no row of the table.

    Recorded series (with colons) are somebody else's.
    """
    plain = re.sub(r'"[^"]*"|\b\w+:[\w:]+', "", text)
    return {
        name
        for name in re.findall(r"dispersion_\w+", plain)
        if name not in catalogue() and known_series(name) not in catalogue()
    }


def expressions(file: str) -> list[str]:
    groups: list[dict[str, Any]] = yaml.safe_load((RULES / file).read_text())["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


@pytest.mark.parametrize("name", boards())
def test_dashboards(name: str) -> None:
    board = boards()[name]
    texts = [query.expr for query in queries(board)] + [
        str(one.get("query", "")) for one in board["templating"]["list"]
    ]
    assert sum("dispersion_" in text for text in texts) >= 5
    assert {text: unknown(text) for text in texts if unknown(text)} == {}


@pytest.mark.parametrize("file", ["rules.yml", "alerts.yml"])
def test_rules(file: str) -> None:
    texts = expressions(file)
    assert any("dispersion_" in text for text in texts)
    assert {text: unknown(text) for text in texts if unknown(text)} == {}


def test_a_misspelt_name_is_found() -> None:
    assert unknown('sum(rate(dispersion_quote_total{outcome="dispersion_x"}[5m]))') == {
        "dispersion_quote_total"
    }
    assert (
        unknown("rate(dispersion_redis_operation_seconds_bucket[5m]) / job:dispersion_any:max")
        == set()
    )
