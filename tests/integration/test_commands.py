"""Commands on a real stack.

The cases are a late subscriber, an acknowledgement that outlives a killed worker, a silence, and
the end.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agents.alerts.states import AlertState, alert_states
from agents.cli.main import main
from agents.monitoring.market_gauges import MarketGauges
from agents.store.keys import snapshot
from agents.store.sync import connect_sync
from config.market import market_of
from config.settings import Settings
from streams.calendar.sessions import open_ns
from streams.detection.views.snapshot import Snapshot, decode_snapshot
from streams.framing.partitioner import partition_of
from streams.points import PointsFrame
from streams.points_codec import encode_points
from streams.reading import Reading, encode_reading
from tests.support.commands import UNWIND
from tests.support.fleet import Fleet, wait_until
from tests.support.readings import INDEX, closing, path
from tests.support.schemas import validator
from tests.support.stack import RealStack
from tests.support.subscriber import judge
from tests.support.toy_basket import toy_fleet, toy_settings

pytestmark = pytest.mark.stack

FRIDAY, MONDAY = date(2024, 7, 12), date(2024, 7, 15)
"""Long past, so that a silence of today outlasts them."""
CALM, SHOCK = (0.148, 0.44, 0.10), (0.31, 0.53, 0.34)
SECONDS = 90.0
HOME = partition_of(INDEX, 2)
"""The partition of the index's results."""


@pytest.fixture
def settings(real_stack: RealStack, topic_prefix: str, tmp_path: Path) -> Settings:
    return toy_settings(real_stack, topic_prefix, tmp_path)


@pytest.fixture
def fleet(
    real_stack: RealStack, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Fleet]:
    with toy_fleet(real_stack, settings, tmp_path, monkeypatch) as made:
        yield made


def read(fleet: Fleet, readings: Sequence[Reading]) -> None:
    """Put readings on the partition of their index, as the cross-section does."""
    fleet.put("readings", [encode_reading(reading) for reading in readings], partition=HOME)


def seen(fleet: Fleet, transition: str) -> AlertState:
    """What a subscriber finds who comes once this transition is the latest word on the unwind."""

    def there() -> bool:
        state = alert_states(fleet.settings).get(UNWIND)
        return state is not None and state.event.data.transition == transition

    wait_until(there, SECONDS, f"{transition}: {fleet.log(fleet.workers[-1])}")
    return alert_states(fleet.settings)[UNWIND]


def dated_ahead(fleet: Fleet) -> None:
    """Records of 2030, and of sources that there are not, on the inner topics.

    It returns when each has been refused.
    """
    ahead = date(2030, 7, 15)
    read(fleet, [closing(ahead, *CALM)])
    frames = [
        PointsFrame(INDEX, "quotes:0", 2, open_ns(ahead)),
        PointsFrame(INDEX, "quotes:0", 7, open_ns(MONDAY)),
    ]
    fleet.put("points", [encode_points(frame) for frame in frames], partition=HOME)
    wait_until(
        lambda: sum(fleet.ends("dead_letters", 2).values()) == 5,
        SECONDS,
        f"refused: {fleet.log(fleet.workers[-1])}",
    )


def shown(fleet: Fleet) -> Snapshot:
    """The picture of the index as the wall has it."""
    return decode_snapshot(
        fleet.redis.hget(snapshot(fleet.settings.kafka.topic_prefix, INDEX), "value")
    )


def freshness(fleet: Fleet) -> tuple[float, float]:
    """When the picture was published, as Redis and the exporter's gauge have it."""
    published = float(
        fleet.redis.hget(snapshot(fleet.settings.kafka.topic_prefix, INDEX), "published_at")
    )
    gauges = MarketGauges(
        connect_sync(fleet.settings.redis),
        fleet.settings.kafka.topic_prefix,
        market_of(fleet.settings).indices,
    )
    families = {family.name: family.samples for family in gauges.collect()}
    (sample,) = families["dispersion_last_publish_timestamp_seconds"]
    return published, sample.value


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """The echo that a command prints."""
    assert main(["alerts", *arguments, "--json", "--timeout", "30"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    event: dict[str, Any] = json.loads(shown.out)
    return event


def test_from_a_late_subscriber_to_the_end(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = fleet.start("agents.cli.main", "worker")
    read(fleet, [closing(FRIDAY, *CALM), *path(MONDAY, "10:00:01", 1200, [CALM, SHOCK], step=10)])
    wait_until(
        lambda: fleet.drained("readings", 2), SECONDS, f"readings applied: {fleet.log(worker)}"
    )
    late = seen(fleet, "updated")
    assert (late.partition, late.event.data.status, late.event.data.notification.acked_by) == (
        HOME,
        "firing",
        None,
    )

    before = freshness(fleet)
    echo = told(capsys, "ack", UNWIND[:6], "--why", "seen")
    wait_until(
        lambda: shown(fleet).alerts[0].acked_by == "ann",
        SECONDS,
        "the acknowledgement is on the wall",
    )
    assert freshness(fleet) == before, "a command made old data look fresh"
    assert (echo["type"], echo["sequence"]) == (
        "io.dispersion.alert.acknowledged.v1",
        late.event.sequence,
    )
    assert (echo["data"]["notification"]["acked_by"], echo["data"]["notification"]["ack_why"]) == (
        "ann",
        "seen",
    )

    worker.kill()
    worker.wait()
    assert (
        main(["alerts", "silence", UNWIND, "--for", "20h", "--why", "known", "--timeout", "0.5"])
        == 1
    )
    assert (
        "within 0.5 s: see with `dispersion status` whether a worker runs"
        in capsys.readouterr().err
    )
    fleet.put("commands", [b"{", b'{"command_id": 1}'], partition=HOME)
    fleet.start("agents.cli.main", "worker")
    silenced = seen(fleet, "silenced").event.data.notification
    assert (silenced.acked_by, silenced.silenced_by, silenced.silence_why) == (
        "ann",
        "ann",
        "known",
    )
    dated_ahead(fleet)
    letters = [
        dict(record.headers)["reason"]
        for partition in (0, 1)
        for record in fleet.records("dead_letters", partition)
    ]
    assert sorted(letters) == [b"future", b"future", b"schema", b"schema", b"sources"]
    assert freshness(fleet) == before
    read(fleet, path(MONDAY, "10:20:11", 0, [SHOCK, SHOCK], coverage=0.5))
    assert seen(fleet, "suspended").event.data.notification == silenced
    wait_until(lambda: freshness(fleet) > before, SECONDS, "a reading is news")
    assert main(["alerts", "list"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if UNWIND in line]
    assert line.split()[:5] == ["critical", "vix_spike_unwind", INDEX, "intraday", "suspended"]
    assert f"ann       {silenced.silenced_until:%Y-%m-%d %H:%M:%S}Z" in line

    echo = told(capsys, "unsilence", UNWIND, "--who", "bob")
    assert (echo["data"]["notification"]["silenced_until"], echo["data"]["command"]["who"]) == (
        None,
        "bob",
    )
    read(fleet, path(MONDAY, "10:20:15", 400, [CALM, CALM], step=5))
    assert seen(fleet, "resolved").event.data.notification.acked_by == "ann"
    _over(capsys)
    events = [
        judge(record) for record in fleet.records("alerts", HOME) if record.key == UNWIND.encode()
    ]
    told_of = [event["data"]["transition"] for event in events if "command" in event["data"]]
    assert told_of == ["acknowledged", "silenced", "unsilenced"]
    beats = [
        json.loads(record.value)
        for record in fleet.records("alerts", HOME)
        if record.key == f"heartbeat-{HOME}".encode()
    ]
    told_until = {beat["data"]["event_time"] for beat in beats}
    assert "2024-07-15T14:20:01Z" in told_until, (
        "the second worker's first heartbeat: nothing had been judged since"
    )
    assert all(until is None or until.startswith("2024-07-15T14:2") for until in told_until)
    for event in events:
        validator(f"alert.{event['data']['transition']}.v1").validate(event)
    assert len({event["id"] for event in events}) == len(events)


def _over(capsys: pytest.CaptureFixture[str]) -> None:
    """What the commands say of an alert that was resolved."""
    assert main(["alerts", "ack", UNWIND, "--why", "late"]) == 1
    assert "is resolved: there is nothing to acknowledge" in capsys.readouterr().err
    assert main(["alerts", "ack", "0123", "--why", "late"]) == 2
    assert (
        "FINGERPRINT: no alert begins with '0123'; see `dispersion alerts list --all`"
        in capsys.readouterr().err
    )
    assert main(["alerts", "list", "--json"]) == 0
    assert UNWIND not in capsys.readouterr().out
    assert main(["alerts", "show", UNWIND[:8]]) == 0
    shown = capsys.readouterr().out
    assert "SPX vix_spike_unwind is over: the move has been given back." in shown
    assert "silenced by ann until" in shown
    assert "unsilenced by bob: no reason given" in shown
    assert main(["alerts", "show", UNWIND, "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert whole["alert"] == whole["transitions"][-1]
