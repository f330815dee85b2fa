"""Alerts by the beginning of their fingerprint, and one alert in words."""

import pytest

from agents.alerts.read_event import read_event
from agents.alerts.states import AlertState, find
from agents.cli.alerts import alert_line
from agents.cli.alerts_list import COLUMNS, cells
from agents.cli.alerts_show import words
from config.errors import ConfigError
from streams.detection.alerts.alert_event import decode_event
from tests.support.commands import UNWIND, command
from tests.support.readings import FRIDAY, MONDAY, Run, closing, eastern, path

NOON = eastern(MONDAY, "12:00:00")


@pytest.fixture(scope="module")
def value() -> bytes:
    """The echo of a silence on an acknowledged unwind."""
    run = Run()
    calm, shock = (0.148, 0.44, 0.10), (0.31, 0.53, 0.34)
    run.play([closing(FRIDAY, *calm), *path(MONDAY, "10:00:01", 1200, [calm, shock], step=10)])
    until = eastern(MONDAY, "13:30:00").isoformat()
    output = run.stage.process(
        [command("acknowledge", 1, NOON), command("silence", 2, NOON, until=until, who="[red]bob")]
    )
    return output.outbox[-1].value


def test_a_beginning_suffices_where_it_is_the_only_one(value: bytes) -> None:
    state = AlertState(0, value, decode_event(value))
    states = {UNWIND: state, UNWIND[:4] + "0" * 12: state}
    assert find(states, UNWIND[:5].upper()) is state
    with pytest.raises(
        ConfigError,
        match=rf"2 alerts begin with '{UNWIND[:4]}'; write more of one: {UNWIND} "
        r"\(vix_spike_unwind SPX intraday\)",
    ):
        find(states, UNWIND[:4])
    with pytest.raises(
        ConfigError, match="no alert begins with 'x'; see `dispersion alerts list --all`"
    ):
        find(states, "x")


def test_an_echo_says_who_and_why(value: bytes) -> None:
    line = alert_line(read_event(value))
    assert line.endswith(
        "vix_spike_unwind  SPX 30d intraday  firing  "
        "silenced by [red]bob until 2026-07-13T17:30:00Z: reason 2"
    )


def test_a_line_of_the_list(value: bytes) -> None:
    shown = dict(zip(COLUMNS, cells(AlertState(0, value, decode_event(value))), strict=True))
    assert (shown["acked by"], shown["silenced until"], shown["fingerprint"]) == (
        "ann",
        "2026-07-13 17:30:00Z",
        UNWIND,
    )


def test_one_alert_in_words(value: bytes) -> None:
    data = decode_event(value).data
    text = "\n".join(words(data))
    assert data.summary in text
    assert (
        "acknowledged by ann at 2026-07-13 16:00:00Z: reason 1\n"
        "silenced by [red]bob until 2026-07-13 17:30:00Z: reason 2\n" in text
    )
    for name, number in data.values.items():
        assert name in text
        assert number is None or f"{number:.4f}" in text
    assert all(part.symbol in text for part in data.contributors)
    assert "not tested for want of history: correlation_change_rank" in text
    assert "held for 180 s" in text
