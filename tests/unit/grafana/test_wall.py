"""The dashboards' JSON: complete, readable, masked against staleness and equal to its code."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from grafana.build import OUT, rendered
from grafana.colours import LEAST_CONTRAST, WHITE, contrast

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
            if panel["type"] != "row":
                yield f"{file.name}: {panel['id']} {panel['title']}", panel


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


WALL = "wall.json"
RUNBOOK = Path(__file__).parents[3] / "docs/use/runbook.md"
SCRAPE_SECONDS = 5
"""Of the slowest job."""


def test_every_panel_is_complete() -> None:
    for name, panel in panels():
        assert panel["title"] or name.startswith(WALL), name
        assert panel["description"], name
        assert panel["fieldConfig"]["defaults"]["unit"], name
        assert panel["fieldConfig"]["defaults"]["noValue"], name
        assert panel["datasource"]["uid"] == "${datasource}", name
        assert panel["targets"], name
        assert all(t["refId"] and t["expr"] for t in panel["targets"]), name
        if panel["type"] in {"stat", "bargauge"}:
            assert panel["options"]["reduceOptions"]["calcs"] == ["last"], name
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
    if file.name == WALL:
        assert max(y for _, y in cells) == 27, "the wall has 28 rows"
        assert len(cells) == 24 * 28, "and no hole"


def test_every_query_parses_and_names_its_job() -> None:
    for name, panel in panels():
        for target in panel["targets"]:
            promql_parser.parse(plain(target["expr"]))
            of_prometheus = ("ALERTS", "vector(time()", "up{", "slo:", "index:", "job:")
            assert 'job=~"$job"' in target["expr"] or any(
                word in target["expr"] for word in of_prometheus
            ), name


def test_annotations_parse() -> None:
    for file in FILES:
        for note in json.loads(file.read_text())["annotations"]["list"]:
            promql_parser.parse(plain(note["expr"]))


def test_no_market_number_outlives_its_reading() -> None:
    """Of what a passer-by reads; a chart over hours shows what was."""
    seen = 0
    for name, panel in panels():
        if panel["type"] == "timeseries" and not name.startswith(WALL):
            continue
        for target in panel["targets"]:
            if any(word in target["expr"] for word in MARKET):
                assert "dispersion_last_publish_timestamp_seconds" in target["expr"], name
                seen += 1
    assert seen >= 8


def words_of(panel: dict[str, Any]) -> dict[str, str]:
    """Colour by word, and of the thresholds."""
    defaults = panel["fieldConfig"]["defaults"]
    found = {str(step["value"]): step["color"] for step in defaults["thresholds"]["steps"]}
    for mapping in defaults.get("mappings", []):
        options = mapping["options"]
        for result in options.values() if mapping["type"] == "value" else [options["result"]]:
            if result.get("color"):
                found[result["text"]] = result["color"]
    return found


def test_what_is_not_known_has_a_word_and_a_colour_of_its_own() -> None:
    for name, panel in panels():
        if panel["type"] == "stat" and name.startswith(WALL):
            found = words_of(panel)
            unknown = {found[word] for word in ("STALE", "UNKNOWN") if word in found}
            assert len(unknown) == 1, name
            assert unknown.isdisjoint(
                colour for word, colour in found.items() if word not in {"STALE", "UNKNOWN"}
            ), name


def test_white_words_are_read_on_every_tile() -> None:
    for name, panel in panels():
        if panel["type"] == "stat":
            for word, colour in words_of(panel).items():
                assert contrast(colour, WHITE) >= LEAST_CONTRAST, f"{name}: {word} on {colour}"


def test_names_and_words_of_the_wall_are_high_enough() -> None:
    for name, panel in panels():
        if panel["type"] == "stat" and name.startswith(WALL):
            text = panel["options"]["text"]
            assert min(text["titleSize"], text["valueSize"]) >= 51, name
            assert not panel["title"], f"{name}: Grafana's titles are 14 px high"


def test_a_counter_has_a_window_of_several_scrapes() -> None:
    """With fewer samples a healthy counter has no rate, and its tile no number."""
    for name, panel in panels():
        for target in panel["targets"]:
            if target.get("instant"):
                assert "$__" not in target["expr"], f"{name}: no such interval on a tile"
            for window, unit in re.findall(r"\[(\d+)([sm])\]", target["expr"]):
                seconds = int(window) * {"s": 1, "m": 60}[unit]
                assert seconds >= 4 * SCRAPE_SECONDS, name


def test_links_lead_to_headings_of_the_runbook() -> None:
    anchors = {
        line.lstrip("# ").strip().lower()
        for line in RUNBOOK.read_text().splitlines()
        if line.startswith("#")
    }
    linked = [link["url"] for _, panel in panels() for link in panel.get("links", [])]
    assert linked
    assert {url.partition("#")[2] for url in linked} <= anchors
