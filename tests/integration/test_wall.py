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

from tests.support.aged_page import INDEX_VOL, aged_page
from tests.support.dashboards import boards, empty, filled, numbers, queries, variables
from tests.support.prometheus import Prometheus, scrape
from tests.support.services import PARTITIONS, services
from tests.support.stack import RealStack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(150)]
BOARDS = boards()
QUIET = {
    **{f"{number} B": "ranks need more closes than three" for number in range(20, 25)},
    "3 B": "nothing is late",
    "3 C": "nothing is stale",
    "42 B": "so do bands",
    "42 C": "the same",
    "30 B": "no more than three alerts fire",
    "30 C": "one fires",
    "30 D": "nothing is stale",
    "31 B": "rules have distances",
    "31 C": "nothing is stale",
    "45 B": "Kafka is there",
}
"""Queries that have nothing to show in a replay of the samples, and why."""
ANY = {"annotation Configuration", "annotation Session"}
"""Those that depend on when this runs."""
NUMBERS = {
    "10 A": "index_vol",
    "11 A": "basket_vol",
    "12 A": "dispersion",
    "13 A": "implied_correlation",
    "14 A": "vol_spread",
}
"""The headlines' queries on the wall."""
DESK_QUIET = {
    "Carry A": "the samples have no prices",
    "Carry B": "the same",
    "Rank of the year A": "ranks need more closes than three",
    "Rotation A": "the samples have no prices",
    "Defensives, the seven, sectors A": "the same",
    "Published levels A": "the samples have no published level of the scenario's day",
    "Tracking error A": "the same",
}
SERVICE_QUIET = {
    "Budgets A": "a replay is not live, and no rules are recorded here",
    "Budgets B": "the same",
    "Event to publication A": "measured in live mode alone",
    "Event to publication B": "the same",
    "Dead letters A": "there are none",
    "Quotes by outcome B": "every strip has a vol",
    "Outbox B": "nothing waits",
    "Bridge A": "there is none",
}
QUIET_BY_BOARD = {"wall.json": QUIET, "desk.json": DESK_QUIET, "sre.json": SERVICE_QUIET}
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
            # What a worker counts before it is first asked is no increase.
            prometheus.wait_for("count(up == 1) == 2")
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
            at = published + 4.0  # scraped by then, and not late, however slow this machine is
            time.sleep(max(0.0, at - time.time()))
            yield Wall(prometheus, at, last)


def _unix(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp())


def shown(scene: Wall, board: str, title: str) -> list[tuple[dict[str, str], float]]:
    values = variables(scene.prometheus, BOARDS[board])
    chosen = [query for query in queries(BOARDS[board]) if query.place == title]
    return [one for query in chosen for one in numbers(scene.prometheus, query, values, scene.at)]


@pytest.mark.parametrize("name", BOARDS)
def test_no_panel_and_no_variable_is_empty(scene: Wall, name: str) -> None:
    places = {query.place for query in queries(BOARDS[name])}
    assert len(places) >= 5
    found = set(empty(scene.prometheus, BOARDS[name], scene.at)) - ANY
    quiet = QUIET_BY_BOARD[name].keys() & places
    # A chart over a few minutes may still have what is over.
    assert (found == quiet) if name == "wall.json" else (found <= quiet), found ^ quiet


@pytest.mark.parametrize("place", NUMBERS)
def test_a_misspelt_metric_empties_its_tile(scene: Wall, place: str) -> None:
    """So the test above would notice."""
    values = variables(scene.prometheus, BOARDS["wall.json"])
    (query,) = (one for one in queries(BOARDS["wall.json"]) if one.place == place)
    metric = f"dispersion_{NUMBERS[place]}_ratio"
    assert metric in query.expr
    for name in (metric, "dispersion_last_publish_timestamp_seconds"):
        wrong = query._replace(expr=re.sub(rf"\b{name}\b", f"{name}s", query.expr))
        assert numbers(scene.prometheus, wrong, values, scene.at) == []


def test_a_board_with_a_misspelt_variable_or_panel_is_reported(scene: Wall) -> None:
    board = copy.deepcopy(BOARDS["wall.json"])
    target = board["panels"][1]["targets"][0]
    target["expr"] = target["expr"].replace("config_info", "configuration_info")
    variable = next(one for one in board["templating"]["list"] if one["name"] == "index")
    variable["query"] = json.loads(
        json.dumps(variable["query"]).replace("config_info", "configuration_info")
    )
    found = empty(scene.prometheus, board, scene.at)
    assert "variable index" in found
    assert f"{board['panels'][1]['id']} {target['refId']}" in found


@pytest.mark.parametrize("place", NUMBERS)
def test_a_tile_shows_the_number_of_the_reading(scene: Wall, place: str) -> None:
    found = [value for _, value in shown(scene, "wall.json", place)]
    assert found == [scene.reading[NUMBERS[place]]]


def test_the_unwind_is_on_the_wall(scene: Wall) -> None:
    ((labels, verdict),) = shown(scene, "wall.json", "1 A")
    assert (labels, verdict) == ({"index": "SPY", "mode": "replay"}, 3.0)
    assert [value for _, value in shown(scene, "wall.json", "2 A")] == [2.0], "REPLAY"
    (alert,) = shown(scene, "wall.json", "30 A")
    assert (alert[0]["name"], alert[1]) == ("VIX spike unwind", 3.0)
    assert "age" not in alert[0], "event time of a replay has no age"
    nearest = {labels["name"] for labels, _ in shown(scene, "wall.json", "31 A")}
    assert "VIX spike unwind" not in nearest, "what fires is not on its way"
    assert "data quality" not in nearest
    assert [value for _, value in shown(scene, "wall.json", "45 A")] == [0.0], "nothing waits"


def test_what_has_gone_stale_leaves_the_wall(scene: Wall) -> None:
    """Sixteen seconds after the last reading was published.

    Prometheus answers for that time as if it were now. A name stays, the number is NaN.
    """
    ((_, published),) = scene.prometheus.query("dispersion_last_publish_timestamp_seconds")
    later = published + 16.0
    values = variables(scene.prometheus, BOARDS["wall.json"])
    masked = [
        query
        for query in queries(BOARDS["wall.json"])
        if query.tile and query.place.split()[0] not in {"2", "3", "5", "40", "41", "45"}
    ]
    assert len(masked) >= 20
    assert [
        query.place for query in masked if numbers(scene.prometheus, query, values, later)
    ] == []
    for place in ("1 A", *NUMBERS, "20 A", "30 D", "31 C", "44 A"):
        (query,) = (one for one in masked if one.place == place)
        answer = scene.prometheus.get(
            "/api/v1/query", query=filled(query.expr, values), time=str(later)
        )
        assert [one["value"][1] for one in answer["data"]["result"]] == ["NaN"], place


def test_a_slow_source_leaves_the_wall_a_round_later() -> None:
    """Between two rounds its number stands; of a source that tells no refresh it does not."""
    ages = {"SLOW": (0.0, 120.0), "QUICK": (0.0, 0.0), "OLDER": (0.0, None)}
    ages |= {"STOPPED": (140.0, 120.0), "LATE": (70.0, 120.0)}
    # A minute later, by when any machine has scraped it.
    at = time.time() + 60.0
    with aged_page(ages) as port, Prometheus(scrape("dispersion-exporter", port)) as prometheus:
        prometheus.wait_for("dispersion_index_vol_ratio")
        found = {
            (index, query.place): value
            for index in ages
            for query in queries(BOARDS["wall.json"])
            if query.place in {"10 A", "3 A", "3 B", "3 C"}
            for _, value in numbers(
                prometheus, query, {"job": "dispersion-exporter", "index": index}, at
            )
        }
    vols = {index: value for (index, place), value in found.items() if place == "10 A"}
    assert vols == {"SLOW": INDEX_VOL, "LATE": INDEX_VOL}
    colours = {index: place for index, place in found if place != "10 A"}
    assert colours == {
        "SLOW": "3 A",
        "QUICK": "3 C",
        "OLDER": "3 C",
        "STOPPED": "3 C",
        "LATE": "3 B",
    }, "calm between two rounds, orange once late, red once stale"
    assert found["SLOW", "3 A"] == pytest.approx(60.0, abs=5.0), "its age, not what is allowed"
