"""Every query of a dashboard, put to a Prometheus as Grafana would."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError

from tests.support.prometheus import Prometheus

FOLDER = Path(__file__).parents[2] / "grafana/dashboards"
RATE_INTERVAL = "10s"
"""What Grafana would make of `$__rate_interval` at the scrape interval of the tests, or more."""
WINDOW = 20
"""Seconds that a range query looks back on."""

_LABEL_VALUES = re.compile(r"label_values\((?:(.+),\s*)?(\w+)\)")


class Query(NamedTuple):
    """One query and where it stands."""

    place: str
    expr: str
    instant: bool
    tile: bool = False
    """One number: the last of a range stands for all of it."""


def boards() -> dict[str, dict[str, Any]]:
    """Every dashboard by file name."""
    return {file.name: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))}


def queries(board: Mapping[str, Any]) -> Iterator[Query]:
    """The queries of all panels, those in rows too, and of annotations."""
    panels = list(board["panels"])
    while panels:
        panel = panels.pop(0)
        panels += panel.get("panels", [])
        for target in panel.get("targets", []):
            yield Query(
                f"{panel['title'] or panel['id']} {target['refId']}",
                target["expr"],
                bool(target.get("instant")),
                panel["type"] == "stat",
            )
    for note in board.get("annotations", {}).get("list", []):
        if "expr" in note:
            yield Query(f"annotation {note['name']}", note["expr"], instant=False)


def label_values(prometheus: Prometheus, query: str) -> list[str]:
    """What Grafana makes of a variable's `label_values(selector, label)`."""
    found = _LABEL_VALUES.fullmatch(query.strip())
    assert found is not None, f"not understood: {query}"
    selector, label = found.groups()
    return sorted(
        prometheus.get(
            f"/api/v1/label/{label}/values", **({"match[]": selector} if selector else {})
        )["data"]
    )


def variables(prometheus: Prometheus, board: Mapping[str, Any]) -> dict[str, str]:
    """The variables as they stand when the dashboard is opened.

    One without a value is an empty text.
    """
    values: dict[str, str] = {}
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            query = variable["query"]
            offered = label_values(
                prometheus, filled(query if isinstance(query, str) else query["query"], values)
            )
            values[variable["name"]] = "" if not offered else variable.get("allValue") or offered[0]
    return values


def filled(text: str, values: Mapping[str, str]) -> str:
    """A query with the variables put in."""
    for name, value in {
        "__rate_interval": RATE_INTERVAL,
        "__interval": "1s",
        "__range": f"{WINDOW}s",
        **values,
    }.items():
        text = text.replace(f"${{{name}}}", value)
        text = re.sub(rf"\${name}\b", lambda _, value=value: value, text)  # type: ignore[misc]
    assert "$" not in re.sub(r'"[^"]*"', "", text), f"a variable is left in {text}"
    return text


def numbers(
    prometheus: Prometheus, query: Query, values: Mapping[str, str], at: float
) -> list[tuple[dict[str, str], float]]:
    """Labels and the last number of each series; NaN is no number.

    A query that is refused has none either.
    """
    expr = filled(query.expr, values)
    try:
        if query.instant:
            answer = prometheus.get("/api/v1/query", query=expr, time=str(at))
            found = [(series["metric"], [series["value"]]) for series in answer["data"]["result"]]
        else:
            answer = prometheus.get(
                "/api/v1/query_range", query=expr, start=str(at - WINDOW), end=str(at), step="1"
            )
            found = [(series["metric"], series["values"]) for series in answer["data"]["result"]]
    except HTTPError:
        return []
    known = [
        (labels, [float(value) for _, value in points if not math.isnan(float(value))])
        for labels, points in found
    ]
    return [(labels, points[-1]) for labels, points in known if points]


def empty(prometheus: Prometheus, board: Mapping[str, Any], at: float) -> list[str]:
    """Places of the queries and names of the variables that have nothing to show."""
    values = variables(prometheus, board)
    silent = [f"variable {name}" for name, value in values.items() if not value]
    return silent + [
        query.place for query in queries(board) if not numbers(prometheus, query, values, at)
    ]
