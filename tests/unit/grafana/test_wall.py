"""The wall's JSON: complete, readable, masked against staleness and equal to its code."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from grafana.build import OUT, rendered

MARKET = (
    "index_vol",
    "basket_vol",
    "dispersion_dispersion",
    "implied_correlation",
    "vol_spread",
    "coverage_ratio",
    "alert_distance",
    "sector_rotation",
)
"""Words of the metrics that describe the market: these may never be shown stale."""

FILES = sorted(OUT.glob("*.json"))


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in FILES:
        for panel in json.loads(file.read_text())["panels"]:
            yield f"{file.name}: {panel['title']}", panel


def plain(expr: str) -> str:
    """The expression as Grafana sends it."""
    return expr.replace("$__rate_interval", "5s").replace("$job", ".+").replace("$index", "SPY")


def test_the_files_are_what_the_code_draws() -> None:
    assert {f.name: f.read_text() for f in FILES} == rendered(), "run make dashboards"


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_classic_model(file: Path) -> None:
    board = json.loads(file.read_text())
    assert not {"elements", "layout"} & set(board), "file provisioning refuses the newer models"
    assert board["schemaVersion"] >= 36
    assert board["editable"] is False
    assert [v["name"] for v in board["templating"]["list"]][:2] == ["datasource", "job"]


def test_every_panel_is_complete() -> None:
    for name, panel in panels():
        assert panel["title"], name
        assert panel["description"], name
        assert panel["fieldConfig"]["defaults"]["unit"], name
        assert panel["fieldConfig"]["defaults"]["noValue"], name
        assert panel["datasource"]["uid"] == "${datasource}", name
        assert panel["targets"], name
        assert all(t["refId"] and t["expr"] for t in panel["targets"]), name
        if panel["type"] in {"stat", "bargauge"}:
            assert panel["options"]["reduceOptions"]["calcs"] == ["lastNotNull"], name
            assert all(t["instant"] and not t["range"] for t in panel["targets"]), (
                f"{name}: a range keeps a number that has gone stale"
            )


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_ids_are_unique_and_panels_neither_overlap_nor_leave_the_screen(file: Path) -> None:
    board = json.loads(file.read_text())
    assert len({p["id"] for p in board["panels"]}) == len(board["panels"])
    cells = Counter(
        (x, y)
        for p in board["panels"]
        for x in range(p["gridPos"]["x"], p["gridPos"]["x"] + p["gridPos"]["w"])
        for y in range(p["gridPos"]["y"], p["gridPos"]["y"] + p["gridPos"]["h"])
    )
    assert max(cells.values()) == 1
    assert max(x for x, _ in cells) == 23
    assert max(y for _, y in cells) <= 27, "the wall has 28 rows"


def test_every_query_parses_and_names_its_job() -> None:
    for name, panel in panels():
        for target in panel["targets"]:
            promql_parser.parse(plain(target["expr"]))
            assert 'job=~"$job"' in target["expr"], name


def test_no_market_number_outlives_its_reading() -> None:
    seen = 0
    for name, panel in panels():
        for target in panel["targets"]:
            if any(word in target["expr"] for word in MARKET):
                assert "dispersion_last_publish_timestamp_seconds" in target["expr"], name
                assert panel["fieldConfig"]["defaults"]["noValue"] == "STALE", name
                seen += 1
    assert seen >= 8
