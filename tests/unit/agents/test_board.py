"""The board on a small terminal, and the subscriber that is written beside a monitor."""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from agents.embedded.subscriber import subscriber
from agents.lookup.board import AlertLine, BoardState, Progress, plain_line, render
from streams.catalogue.measures import HEADLINES

AT = datetime(2026, 7, 13, 14, 11, tzinfo=UTC)
PAGE = Path(__file__).parents[3] / "docs/use/alerts.md"


def screen(state: BoardState, width: int = 80, height: int = 24) -> list[str]:
    target = StringIO()
    Console(file=target, width=width, height=height).print(render(state, width, height))
    return target.getvalue().splitlines()


@pytest.mark.parametrize("alerts", [0, 1, 3, 9])
@pytest.mark.parametrize("notes", [(), ("limit: asks to wait " * 9, "names: 3 of 9")])
def test_it_fits_into_80_columns_and_24_lines(alerts: int, notes: tuple[str, ...]) -> None:
    alert = AlertLine(
        AT, "vix_spike_unwind intraday", "critical", "firing", "SPY index vol 14.9 to 22.3" * 5
    )
    state = BoardState(
        "Dispersion monitor: SPY, cboe",
        "SPY",
        "delayed",
        event_time=AT,
        age_seconds=3.0,
        event_age_seconds=912.0,
        delay_seconds=900.0,
        coverage=0.95,
        regime="unwinding",
        history={one.field: [0.1, 0.2, None] * 60 for one in HEADLINES},
        ranks={"index_vol": (0.12, "252d"), "implied_correlation": (0.934, "252d")},
        progress=Progress("cboe: 3 of 9 names fresh", 0.3),
        notes=notes,
        alerts=[alert] * alerts,
    )
    lines = screen(state)
    assert len(lines) < 24
    assert {len(line) for line in lines} == {80}
    text = "\n".join(lines)
    assert "event age 15 min 12 s   delay 15 min" in text
    assert "3 of 9 names fresh" in text
    shown = text.count("vix_spike_unwind")
    assert shown == text.count("SPY index vol 14.9 to 22.3S") >= min(alerts, 2)
    assert (f"and {alerts - shown} more" in text) == (shown < alerts)
    assert all(one.heading in text for one in HEADLINES)
    assert text.count("rank ") == 2
    assert any("implied correlation" in line and "rank 0.93 of 252d" in line for line in lines)
    assert "rank 0.93 of 252d" in "\n".join(screen(state, 150, 40))
    assert "rank 0.12 of 252d" in plain_line(state)


def test_a_bar_stands_before_there_is_anything() -> None:
    state = BoardState("title", "SPY", "live", progress=Progress("starting Kafka", 0.1))
    assert any("━━━╌╌" in line and "starting Kafka" in line for line in screen(state))
    assert plain_line(state).startswith("waiting  index vol —")
    assert plain_line(state).endswith("alerts 0  starting Kafka  10%")
    assert "event age —   delay —" in "\n".join(screen(state))


def test_the_subscriber_is_that_of_the_page() -> None:
    page = PAGE.read_text().partition("```python\n")[2].partition("```")[0]
    assert subscriber("127.0.0.1:9092", "", "") == page
    own = subscriber("127.0.0.1:1", "live.", "2.0")
    assert '"127.0.0.1:1", "api_version": (2, 0)' in own
    assert '"live.dispersion.alerts.v1"' in own
    compile(own, "subscriber", "exec")
