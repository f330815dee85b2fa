"""Every query of every dashboard on a real Prometheus.

It scrapes the real processes while the samples are replayed.
"""

import copy
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from tests.support.dashboards import boards, empty, numbers, queries, variables
from tests.support.prometheus import Prometheus
from tests.support.services import PARTITIONS, services
from tests.support.stack import RealStack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(150)]
BOARDS = boards()
QUIET = {"Sector rotation A": "the samples have no prices"}
"""Queries that have nothing to show in a replay of the samples, and why."""
SCRAPES = """
global: {{scrape_interval: 500ms, evaluation_interval: 500ms}}
scrape_configs:
- {{job_name: dispersion-exporter, static_configs: [{{targets: ['{exporter}']}}]}}
- {{job_name: dispersion-worker, static_configs: [{{targets: ['{worker}']}}]}}
"""


@dataclass(frozen=True)
class Wall:
    """A Prometheus, a moment (Unix seconds) and the unwind's last reading.

    At that moment the reading is on the wall.
    """

    prometheus: Prometheus
    at: float
    reading: dict[str, Any]


@pytest.fixture(scope="module")
def scene(real_stack: RealStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wall]:
    with services(real_stack, "wall.", tmp_path_factory.mktemp("wall")) as running:
        targets = {
            "exporter": running.exporter.removeprefix("http://"),
            "worker": running.workers[0].removeprefix("http://"),
        }
        with Prometheus(SCRAPES.format(**targets)) as prometheus:
            running.replay()
            values = [
                json.loads(record.value)
                for p in range(PARTITIONS)
                for record in running.fleet.records("readings", p)
            ]
            last = max(values, key=lambda reading: str(reading["ts_event"]))
            prometheus.wait_for(
                f"dispersion_last_reading_timestamp_seconds == {_unix(last['ts_event'])}"
            )
            ((_, published),) = prometheus.query("dispersion_last_publish_timestamp_seconds")
            at = published + 5.0  # scraped by then, and never stale, however slow this machine is
            time.sleep(max(0.0, at - time.time()))
            yield Wall(prometheus, at, last)


def _unix(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp())


def shown(scene: Wall, board: str, title: str) -> list[tuple[dict[str, str], float]]:
    values = variables(scene.prometheus, BOARDS[board])
    chosen = [query for query in queries(BOARDS[board]) if query.place.startswith(title)]
    return [one for query in chosen for one in numbers(scene.prometheus, query, values, scene.at)]


@pytest.mark.parametrize("name", BOARDS)
def test_no_panel_and_no_variable_is_empty(scene: Wall, name: str) -> None:
    places = {query.place for query in queries(BOARDS[name])}
    assert len(places) >= 5
    assert set(empty(scene.prometheus, BOARDS[name], scene.at)) == QUIET.keys() & places


@pytest.mark.parametrize("name", BOARDS)
def test_a_misspelt_metric_empties_its_panel(scene: Wall, name: str) -> None:
    """So the test above would notice: each metric of each query in turn."""
    spoilt = 0
    values = variables(scene.prometheus, BOARDS[name])
    for query in queries(BOARDS[name]):
        for metric in sorted(set(re.findall(r"dispersion_\w+", query.expr))):
            wrong = query._replace(expr=re.sub(rf"\b{metric}\b", f"{metric}s", query.expr))
            assert numbers(scene.prometheus, wrong, values, scene.at) == [], (
                f"{query.place} has numbers without {metric}"
            )
            spoilt += 1
    assert spoilt >= 10


def test_a_board_with_a_misspelt_variable_or_panel_is_reported(scene: Wall) -> None:
    board = copy.deepcopy(BOARDS["wall.json"])
    target = board["panels"][0]["targets"][0]
    target["expr"] = target["expr"].replace(
        "dispersion_market_session_open", "dispersion_market_session_opened"
    )
    variable = next(one for one in board["templating"]["list"] if one["name"] == "index")
    variable["query"] = json.loads(
        json.dumps(variable["query"]).replace("config_info", "configuration_info")
    )
    found = empty(scene.prometheus, board, scene.at)
    assert "variable index" in found
    assert f"{board['panels'][0]['title']} {target['refId']}" in found


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("Index vol", "index_vol"),
        ("Basket vol", "basket_vol"),
        ("Dispersion", "dispersion"),
        ("Implied correlation", "implied_correlation"),
        ("Basket less index vol", "vol_spread"),
        ("Coverage", "coverage"),
    ],
)
def test_a_tile_shows_the_number_of_the_reading(scene: Wall, title: str, field: str) -> None:
    assert [value for _, value in shown(scene, "wall.json", f"{title} A")][:1] == [
        scene.reading[field]
    ]


def test_the_unwind_is_on_the_wall(scene: Wall) -> None:
    assert {
        labels["severity"]: value for labels, value in shown(scene, "wall.json", "Active alerts")
    }["critical"] == 1.0
    assert {
        labels["alert"]: value for labels, value in shown(scene, "wall.json", "Distance to alert")
    }["vix_spike_unwind"] == 0.0
    assert [labels["mode"] for labels, _ in shown(scene, "wall.json", "Mode")] == ["replay"]


def test_what_has_gone_stale_leaves_the_wall(scene: Wall) -> None:
    """Sixteen seconds after the last reading was published.

    Prometheus answers for that time as if it were now.
    """
    ((_, published),) = scene.prometheus.query("dispersion_last_publish_timestamp_seconds")
    later = published + 16.0
    values = variables(scene.prometheus, BOARDS["wall.json"])
    masked = [
        query
        for query in queries(BOARDS["wall.json"])
        if query.tile and query.expr.endswith("< 15)")
    ]
    assert len(masked) >= 7
    assert [
        query.place for query in masked if not numbers(scene.prometheus, query, values, scene.at)
    ] == []
    assert [
        query.place for query in masked if numbers(scene.prometheus, query, values, later)
    ] == []
    ranged = masked[0]._replace(instant=False)
    assert numbers(scene.prometheus, ranged, values, later), (
        "a tile over a range would go on showing its last number"
    )
