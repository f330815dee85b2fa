"""However commands fall between readings, the lifecycle of alerts is the same.

However restarts fall, the echoes are too.
"""

from collections.abc import Iterable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from streams.detection.alerts.alert_event import decode_event, encode_event
from streams.detection.alerts.events import fingerprint
from streams.detection.alerts.notification import Notification
from streams.detection.detector_stage import DetectorStage
from streams.records import InputRecord
from streams.stage import OutboxEntry
from tests.support.commands import command
from tests.support.detector_scripts import FRESH, RULES
from tests.support.readings import MARKET, MONDAY, eastern

COMMANDS: Sequence[tuple[str, dict[str, str]]] = (
    ("acknowledge", {}),
    ("silence", {"until": "2026-07-13T14:20:00Z"}),
    (
        "acknowledge",
        {"who": "bob", "fingerprint": fingerprint("data_quality", "SPX", "30d", "intraday")},
    ),
    ("unsilence", {}),
    ("silence", {"until": "2026-07-14T13:50:00Z", "why": "known"}),
    ("silence", {}),
    ("acknowledge", {"fingerprint": "0" * 16}),
)
"""One after another; the last two are always refused."""


def mixed(places: Sequence[int]) -> list[InputRecord]:
    """The script with commands before the readings of these places."""
    orders = [
        command(verb, at, eastern(MONDAY, "10:00:00"), at, **fields)
        for at, (verb, fields) in enumerate(COMMANDS)
    ]
    records: list[InputRecord] = []
    for at, one in enumerate(FRESH.records):
        records += [
            order
            for order, place in zip(orders, sorted(places), strict=True)
            if place % len(FRESH.records) == at
        ]
        records.append(one)
    return records


def lifecycle(events: Iterable[OutboxEntry]) -> list[OutboxEntry]:
    """Events that are no echoes, without what people have said."""
    decoded = [decode_event(event.value) for event in events]
    return [
        OutboxEntry(
            event.id,
            encode_event(replace(event, data=replace(event.data, notification=Notification()))),
        )
        for event in decoded
        if event.data.command is UNSET
    ]


@settings(max_examples=8, deadline=None)
@given(
    places=st.lists(st.integers(0, 319), min_size=len(COMMANDS), max_size=len(COMMANDS)),
    restarts=st.sets(st.integers(0, 330), max_size=8),
)
def test_commands_change_no_lifecycle_and_restarts_change_no_echo(
    places: list[int], restarts: set[int]
) -> None:
    records = mixed(places)
    steady = DetectorStage(MARKET, RULES).process(records)
    assert lifecycle(steady.outbox) == FRESH.whole.outbox
    stage, store = DetectorStage(MARKET, RULES), dict[str, bytes]()
    told: list[OutboxEntry] = []
    for at, one in enumerate(records):
        told += stage.process([one]).outbox
        store = {name: value for name, value in {**store, **stage.chunks()}.items() if value}
        if at in restarts:
            stage = DetectorStage(MARKET, RULES)
            stage.restore(store)
            assert stage.process([one]).outbox == [], "what is repeated after a restart is known"
    assert told == steady.outbox


def test_a_restart_after_every_record_with_commands_changes_nothing() -> None:
    records = mixed([20, 61, 70, 90, 120, 140, 150])
    steady = DetectorStage(MARKET, RULES).process(records)
    assert [decode_event(event.value).data.transition for event in steady.outbox].count(
        "silenced"
    ) == 2
    stage, store = DetectorStage(MARKET, RULES), dict[str, bytes]()
    told: list[OutboxEntry] = []
    for one in records:
        told += stage.process([one]).outbox
        store = {name: value for name, value in {**store, **stage.chunks()}.items() if value}
        stage = DetectorStage(MARKET, RULES)
        stage.restore(store)
    assert told == steady.outbox
