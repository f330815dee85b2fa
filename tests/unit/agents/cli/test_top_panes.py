"""The panes of `dispersion top`: words, what is grey, and which way a lag goes."""

from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from msgspec.structs import replace
from rich.console import Console, RenderableType
from rich.text import Text

from agents.cli.top_panes import (
    alert_cells,
    distances,
    numbers,
    partitions,
    trend,
    verdict,
    verdicts,
    waiting,
)
from agents.monitoring.freshness import STALE_SECONDS
from agents.monitoring.health_report import Health, IndexHealth
from agents.monitoring.lag import PartitionLag
from grafana.promql import STALE_AFTER
from streams.detection.views.snapshot import ActiveAlert

DIM = "\x1b[2m"


def alert(rule: str, status: Any = "firing", before: str = "firing") -> ActiveAlert:
    return ActiveAlert(
        fingerprint="9f2c",
        rule=rule,
        scope="intraday",
        tenor="30d",
        severity="critical",
        status=status,
        underlying_status=before,
        label="unwind",
        direction=None,
        starts_at=datetime(2026, 7, 13, 14, tzinfo=UTC),
        summary="it is",
    )


ONE = IndexHealth(
    "SPY",
    "live",
    "2026-07-13T14:00:00+00:00",
    3.0,
    "converging",
    {"index_vol": 0.148, "coverage": 0.98},
    [],
    stale_seconds=3.0,
    event_age_seconds=4.0,
    changes={"index_vol": {"1d": 0.113}},
    percentiles={"index_vol": {"252d": 0.97}},
    distances={"vol_convergence": 0.22, "data_quality": 0.1, "correlation_regime": 0.6},
)


def health(one: IndexHealth = ONE, **more: Any) -> Health:
    return Health(True, [one], {}, [], **more)


def shown(what: RenderableType, *, colour: bool = False) -> str:
    system: Literal["truecolor"] | None = "truecolor" if colour else None
    console = Console(width=160, force_terminal=colour, color_system=system)
    with console.capture() as captured:
        console.print(what)
    return captured.get()


@pytest.mark.parametrize(
    ("one", "later", "word"),
    [
        (ONE, 0.0, "CONVERGING"),
        (ONE, 11.9, "CONVERGING"),
        (ONE, 12.0, "STALE"),
        (replace(ONE, stale_after=135.0), 120.0, "CONVERGING"),
        (replace(ONE, stale_after=135.0), 132.0, "STALE"),
        (replace(ONE, regime="unknown"), 0.0, "UNKNOWN"),
        (replace(ONE, alerts=[alert("data_quality")]), 0.0, "SUSPENDED"),
        (replace(ONE, alerts=[alert("data_quality", "pending", "pending")]), 0.0, "CONVERGING"),
    ],
)
def test_the_verdict_is_that_of_the_wall(one: IndexHealth, later: float, word: str) -> None:
    assert verdict(one, later) == word
    assert f" {word} " in shown(verdicts(health(one), later))


def test_it_is_stale_when_the_wall_is() -> None:
    assert STALE_AFTER == STALE_SECONDS
    assert not replace(ONE, stale_seconds=float(STALE_AFTER)).fresh()
    assert replace(ONE, stale_seconds=STALE_AFTER - 0.1).fresh()


def test_numbers_have_change_and_rank_and_are_grey_once_stale() -> None:
    line = next(line for line in shown(numbers(health(), 0.0)).splitlines() if "14.8 %" in line)
    assert line.split()[-2:] == ["+11.3", "97"]
    assert f"{DIM}14.8" not in shown(numbers(health(), 0.0), colour=True)
    assert f"{DIM}14.8" in shown(numbers(health(), 12.0), colour=True)


def test_distances_begin_with_the_nearest_and_say_what_is_busy() -> None:
    nearest, other = shown(distances(health(), 0.0)).splitlines()
    assert ("vol_convergence" in nearest, "78 %" in nearest) == (True, True)
    assert ("correlation_regime" in other, "40 %" in other) == (True, True)
    busy = replace(ONE, alerts=[alert("vol_convergence")], inhibited=["correlation_regime"])
    told = shown(distances(health(busy), 0.0))
    assert ("FIRING" in told, "INHIBITED" in told, "%" in told) == (True, True, False)
    assert "vol_convergence" not in shown(distances(health(), 12.0))


def test_an_alert_that_is_stale_does_not_look_alive() -> None:
    cells = alert_cells(ONE, alert("vix_spike_unwind"), 12.0)
    assert cells[4].plain == "STALE, was firing"
    assert {str(cell.style) for cell in cells} == {"dim"}
    acked = replace(alert("vix_spike_unwind"), acked_by="ann")
    assert alert_cells(ONE, acked, 0.0)[6].plain == "ann"


def test_what_waits_drains_or_grows() -> None:
    now = [PartitionLag("quotes", 0, 10), PartitionLag("quotes", 1, 500), PartitionLag("x", 0, 0)]
    before = {("quotes", 0): 20, ("quotes", 1): 499}
    told = shown(partitions(health(partitions=now), before))
    assert told.index("growing") < told.index("draining"), "the most first"
    assert "nothing waits on 1 of 3" in told
    assert [trend(one, before) for one in now] == ["draining", "growing", ""]
    assert trend(now[0], waiting(health(partitions=now))) == "standing"
    assert "does not tell" in shown(partitions(health(), before))


def test_foreign_text_is_no_markup() -> None:
    cells = alert_cells(ONE, alert("[red]x[/red]\x1b[2J"), 0.0)
    assert isinstance(cells[1], Text)
    assert "\x1b" not in cells[1].plain
    assert cells[1].plain.startswith("[red]x")
