"""Commands: what is applied, what is told of it, what is refused, and how it ends."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

import config
from streams.detection.alerts.alert_event import AlertEvent, decode_event
from streams.detection.alerts.command_handler import KEPT_MS, Obeyed
from streams.detection.alerts.commands import TimedCommand, decode_command, stamped
from streams.detection.alerts.echo import id_of_content
from streams.detection.alerts.notification import Notification
from streams.detection.state_codec import pack, unpack
from streams.detection.views.snapshot import decode_snapshot
from streams.records import InputRecord
from streams.refusals.dead_letters import REASONS_BY_ROLE, RejectedRecordError
from tests.support.commands import UNWIND, command, milliseconds
from tests.support.readings import (
    FRIDAY,
    INDEX,
    MONDAY,
    TUESDAY,
    Run,
    closing,
    eastern,
    path,
    record,
    told,
)
from tests.support.subscriber import SCHEMA

CALM, SHOCK = (0.148, 0.44, 0.10), (0.31, 0.53, 0.34)
ALERT = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
COMMAND = Draft202012Validator(
    json.loads(
        (Path(config.__file__).parent / "schemas" / "command.v1.json").read_text(encoding="utf-8")
    ),
    format_checker=FormatChecker(),
)
NOON = eastern(MONDAY, "12:00:00")


def send(run: Run, *records: InputRecord) -> list[AlertEvent]:
    """Echoes of some commands, each judged by the schema."""
    output = run.stage.process(records)
    run.outputs.append(output)
    for entry in output.outbox:
        ALERT.validate(json.loads(entry.value))
    return [decode_event(entry.value) for entry in output.outbox]


def letters(run: Run) -> list[tuple[str, str]]:
    """Reason and words of the dead letters of the last call."""
    found = [
        dict(message.headers)
        for message in run.outputs[-1].messages
        if message.role == "dead_letters"
    ]
    return [(letter["reason"].decode(), letter["x-error-message"].decode()) for letter in found]


def of_the_unwind(events: Iterable[AlertEvent]) -> list[AlertEvent]:
    """Its events alone."""
    return [event for event in events if event.partitionkey == UNWIND]


@pytest.fixture
def run() -> Run:
    """An unwind that fires."""
    return unwinding()


@pytest.fixture(scope="module")
def unmoved() -> Run:
    """The same, for tests that leave it as it is."""
    return unwinding()


def unwinding() -> Run:
    """A run in which the unwind has just begun to fire."""
    run = Run(cap_unknown=False)
    run.play([closing(FRIDAY, *CALM), *path(MONDAY, "10:00:01", 1200, [CALM, SHOCK], step=10)])
    return run


def test_an_acknowledgement_is_echoed_and_stays_with_the_alert(run: Run) -> None:
    latest = of_the_unwind(
        decode_event(entry.value) for output in run.outputs for entry in output.outbox
    )[-1]
    (echo,) = send(run, command("acknowledge", 7, NOON))
    assert (echo.type, echo.data.transition) == (
        "io.dispersion.alert.acknowledged.v1",
        "acknowledged",
    )
    assert echo.id == id_of_content(run.outputs[-1].outbox[0].value, echo.id)
    assert (echo.sequence, echo.subject, echo.partitionkey) == (
        latest.sequence,
        latest.subject,
        UNWIND,
    )
    assert echo.time == NOON
    assert (echo.data.status, echo.data.previous_status) == ("firing", "firing")
    assert echo.data.notification == Notification(acked_by="ann", acked_at=NOON, ack_why="reason 7")
    assert (echo.data.values, echo.data.contributors) == (
        latest.data.values,
        latest.data.contributors,
    )
    body = json.loads(run.outputs[-1].outbox[0].value)["data"]
    assert body["command"] == {
        "command_id": str(UUID(int=7)),
        "who": "ann",
        "why": "reason 7",
        "until": None,
    }
    assert run.count("alert_events", "vix_spike_unwind", "acknowledged", "emitted") == 1
    (alert,) = decode_snapshot(run.outputs[-1].snapshots[INDEX]).alerts
    assert (alert.acked_by, alert.silenced_until) == ("ann", None)

    (suspended,) = of_the_unwind(
        run.play(path(MONDAY, "10:20:11", 0, [SHOCK, SHOCK], coverage=0.5))
    )
    assert suspended.data.notification == echo.data.notification
    assert int(suspended.sequence) == int(echo.sequence) + 1
    assert b'"command"' not in run.outputs[-1].outbox[-1].value


def test_a_silence_ends_with_the_first_reading_at_its_end(run: Run) -> None:
    until = eastern(MONDAY, "10:21:00")
    (echo,) = send(run, command("silence", 1, eastern(MONDAY, "10:20:05"), until=until.isoformat()))
    silence = Notification(silenced_by="ann", silenced_until=until, silence_why="reason 1")
    assert echo.data.notification == silence
    run.play(path(MONDAY, "10:20:11", 40, [SHOCK, SHOCK], step=8))
    assert decode_snapshot(run.outputs[-1].snapshots[INDEX]).alerts[0].silenced_until == until
    before = of_the_unwind(run.play(path(MONDAY, "10:20:59", 0, [SHOCK, SHOCK], coverage=0.5)))
    assert [event.data.notification for event in before] == [silence]
    after = of_the_unwind(run.play(path(MONDAY, "10:21:00", 0, [SHOCK, SHOCK])))
    assert [(event.data.transition, event.data.notification) for event in after] == [
        ("resumed", Notification())
    ]
    assert decode_snapshot(run.outputs[-1].snapshots[INDEX]).alerts[0].silenced_until is None


def test_unsilence_takes_the_silence_and_leaves_the_acknowledgement(run: Run) -> None:
    until = (NOON + timedelta(hours=2)).isoformat()
    echoes = send(
        run,
        command("acknowledge", 1, NOON),
        command("silence", 2, NOON, until=until),
        command("unsilence", 3, NOON, who="bob"),
    )
    assert [echo.data.transition for echo in echoes] == ["acknowledged", "silenced", "unsilenced"]
    assert len({echo.id for echo in echoes}) == 3
    assert echoes[1].data.notification.silenced_until == NOON + timedelta(hours=2)
    assert echoes[2].data.notification == echoes[0].data.notification
    assert [
        json.loads(entry.value)["data"]["command"]["who"] for entry in run.outputs[-1].outbox
    ] == ["ann", "ann", "bob"]


def test_the_last_event_tells_and_the_next_alert_begins_anew(run: Run) -> None:
    send(
        run,
        command("acknowledge", 1, NOON),
        command("silence", 2, NOON, until=(NOON + timedelta(hours=20)).isoformat()),
    )
    (resolved,) = of_the_unwind(run.play(path(MONDAY, "10:20:15", 400, [CALM, CALM], step=5)))
    assert (resolved.data.transition, resolved.data.notification.acked_by) == ("resolved", "ann")
    assert resolved.data.notification.silenced_by == "ann"
    assert send(run, command("acknowledge", 3, NOON)) == []
    assert letters(run) == [("unknown_alert", f"no alert {UNWIND} of SPX is active")]
    chunks = run.stage.chunks()
    assert chunks[f"event/SPX/{UNWIND}"] == b"", "nothing is kept of what is over"
    again = of_the_unwind(
        run.play([closing(MONDAY, *CALM), *path(TUESDAY, "10:00:01", 1200, [CALM, SHOCK], step=10)])
    )
    assert {event.data.notification for event in again} == {Notification()}


def test_a_repeated_command_is_passed_over_also_after_a_restart(run: Run) -> None:
    first = command("acknowledge", 1, NOON)
    assert len(send(run, first, first)) == 1
    heir = Run(cap_unknown=False)
    heir.stage.restore(run.stage.chunks())
    assert send(heir, first) == []
    assert letters(heir) == []
    many = [command("acknowledge", 2 + number, NOON) for number in range(600)]
    assert len(send(heir, *many)) == 600
    assert send(heir, first, *many) == []
    week = command("acknowledge", 1000, NOON + timedelta(milliseconds=KEPT_MS + 1))
    assert len(send(heir, week)) == 1
    assert len(unpack(heir.stage.chunks()["commands/SPX"], Obeyed).applied) == 1, (
        "their topic has forgotten them too"
    )


def test_ids_of_an_older_checkpoint_are_known(run: Run) -> None:
    ids = [UUID(int=number).bytes for number in range(3)]
    heir = Run(cap_unknown=False)
    heir.stage.restore({**run.stage.chunks(), "commands/SPX": pack(ids)})
    assert send(heir, *(command("acknowledge", number, NOON) for number in range(3))) == []
    assert len(send(heir, command("acknowledge", 3, NOON))) == 1
    assert len(unpack(heir.stage.chunks()["commands/SPX"], Obeyed).applied) == 4


def test_a_command_touches_no_later_alert(run: Run) -> None:
    starts = begun(run)
    assert len(send(run, command("acknowledge", 1, NOON, starts_at=starts.isoformat()))) == 1
    run.play(path(MONDAY, "10:20:15", 400, [CALM, CALM], step=5))
    again = [closing(MONDAY, *CALM), *path(TUESDAY, "10:00:01", 1200, [CALM, SHOCK], step=10)]
    received = eastern(TUESDAY, "12:00:00")
    stamp = milliseconds(received)
    run.outputs.append(
        run.stage.process([record(reading)._replace(timestamp=stamp) for reading in again])
    )
    assert begun(run) > starts
    earlier = received - timedelta(seconds=10)
    late = (
        command("acknowledge", 2, NOON, starts_at=starts.isoformat()),
        command("acknowledge", 3, earlier),
    )
    assert send(run, *late) == []
    assert [reason for reason, _ in letters(run)] == ["episode", "episode"]
    after = received + timedelta(seconds=10)
    named = command("acknowledge", 4, earlier, starts_at=begun(run).isoformat())
    assert len(send(run, named, command("acknowledge", 5, after))) == 2


def test_a_command_waits_for_the_readings_that_begin_its_alert() -> None:
    whole = Run(cap_unknown=False)
    readings = [closing(FRIDAY, *CALM), *path(MONDAY, "10:00:01", 1200, [CALM, SHOCK], step=10)]
    whole.play(readings)
    starts = begun(whole)
    early = Run(cap_unknown=False)
    early.play(readings[:5])
    order = command("acknowledge", 1, NOON, starts_at=starts.isoformat())
    wrong = command("acknowledge", 2, NOON, starts_at=(starts - timedelta(seconds=10)).isoformat())
    assert send(early, order, wrong) == []
    assert letters(early) == []
    heir = Run(cap_unknown=False)
    heir.stage.restore({**early.stage.chunks()})
    events = of_the_unwind(heir.play(readings[5:]))
    assert [event.data.transition for event in events][:2] == ["pending", "acknowledged"]
    assert events[-1].data.notification.acked_by == "ann"
    assert [reason for reason, _ in letters(heir)] == ["unknown_alert"]
    assert send(heir, order) == []


def begun(run: Run) -> datetime:
    """When the unwind began, as its latest event says."""
    events = [decode_event(entry.value) for output in run.outputs for entry in output.outbox]
    return of_the_unwind(events)[-1].data.starts_at


def test_ack_and_silence_survive_a_restart(run: Run) -> None:
    until = eastern(MONDAY, "15:00:00")
    send(run, command("acknowledge", 1, NOON), command("silence", 2, NOON, until=until.isoformat()))
    heir = Run(cap_unknown=False)
    heir.stage.restore(run.stage.chunks())
    assert len(send(heir, command("acknowledge", 3, NOON, who="bob"))) == 1
    assert heir.outputs[-1].snapshots == {}, (
        "a picture without the latest reading would blank the wall"
    )
    (suspended,) = of_the_unwind(
        heir.play(path(MONDAY, "10:20:11", 0, [SHOCK, SHOCK], coverage=0.5))
    )
    assert (suspended.data.notification.acked_by, suspended.data.notification.silenced_until) == (
        "bob",
        until,
    )
    assert decode_snapshot(heir.outputs[-1].snapshots[INDEX]).alerts[-1].acked_by == "bob"


def test_an_alert_of_an_older_checkpoint_can_be_told_of_after_its_next_event(run: Run) -> None:
    heir = Run(cap_unknown=False)
    heir.stage.restore(
        {name: chunk for name, chunk in run.stage.chunks().items() if not name.startswith("event/")}
    )
    assert send(heir, command("acknowledge", 1, NOON)) == []
    assert letters(heir)[0][0] == "unknown_alert"
    heir.play(path(MONDAY, "10:20:11", 0, [SHOCK, SHOCK], coverage=0.5))
    assert len(send(heir, command("acknowledge", 1, NOON))) == 1


@pytest.mark.parametrize(
    ("reason", "record"),
    [
        ("schema", command("acknowledge", 1, NOON)._replace(value=None)),
        ("schema", command("acknowledge", 1, NOON)._replace(value=b"{")),
        ("schema", command("acknowledge", 1, NOON)._replace(value=b"\xff")),
        ("schema", command("acknowledge", 1, NOON)._replace(value=b"[" * 4096)),
        (
            "schema",
            command("acknowledge", 1, NOON)._replace(
                value=(command("acknowledge", 1, NOON).value or b"") + b" " * 4096
            ),
        ),
        ("schema", command("acknowledge", 1, NOON)._replace(timestamp=2**62)),
        ("schema", command("explode", 1, NOON)),
        ("schema", command("acknowledge", 1, NOON, command_id="seven")),
        ("schema", command("acknowledge", 1, NOON, who="")),
        ("schema", command("acknowledge", 1, NOON, who="a" * 65)),
        ("schema", command("acknowledge", 1, NOON, who="\x1b[31mred")),
        ("schema", command("acknowledge", 1, NOON, why="two\nlines")),
        ("schema", command("acknowledge", 1, NOON, why="line\n")),
        ("schema", command("acknowledge", 1, NOON, why="w" * 257)),
        ("schema", command("acknowledge", 1, NOON, fingerprint="9f2c")),
        ("schema", command("acknowledge", 1, NOON, untill="x")),
        ("schema", command("silence", 1, NOON, until="2026-07-13T18:00:00")),
        ("unknown_index", command("acknowledge", 1, NOON, index="DAX")),
        ("unknown_alert", command("acknowledge", 1, NOON, fingerprint="0" * 16)),
        ("until", command("silence", 1, NOON)),
        ("until", command("silence", 1, NOON, until=NOON.isoformat())),
        (
            "until",
            command("silence", 1, NOON, until=(NOON + timedelta(hours=24, seconds=1)).isoformat()),
        ),
        ("until", command("silence", 1, NOON, until="9999-12-31T23:59:59-14:00")),
        ("until", command("acknowledge", 1, NOON, until=(NOON + timedelta(hours=1)).isoformat())),
    ],
)
def test_what_is_wrong_is_a_dead_letter_with_its_reason(
    unmoved: Run, reason: str, record: InputRecord
) -> None:
    unmoved.stage.chunks()
    assert send(unmoved, record) == []
    assert [why for why, _ in letters(unmoved)] == [reason]
    assert unmoved.outputs[-1].counts == {("dead_letter_messages", "commands", reason): 1}
    assert reason in REASONS_BY_ROLE["commands"]
    assert (unmoved.outputs[-1].snapshots, unmoved.stage.chunks()) == ({}, {})


def test_a_refused_command_may_be_sent_again(run: Run) -> None:
    send(run, command("silence", 1, NOON))
    assert len(send(run, command("acknowledge", 1, NOON))) == 1


def test_a_silence_lasts_a_day_at_most() -> None:
    until = NOON + timedelta(hours=24)
    told = stamped(
        decode_command(command("silence", 1, NOON, until=until.isoformat()).value),
        milliseconds(NOON),
    )
    assert (told.command.until, told.at) == (until, NOON)


def test_a_command_alone_needs_no_reading() -> None:
    run = Run()
    assert send(run, command("acknowledge", 1, NOON)) == []
    assert (letters(run)[0][0], run.stage.chunks(), run.outputs[-1].snapshots) == (
        "unknown_alert",
        {},
        {},
    )


def test_commands_of_another_prefix_are_not_ours(run: Run) -> None:
    send(
        run, command("acknowledge", 1, NOON)._replace(topic="replay.dispersion.alerts.commands.v1")
    )
    assert run.count("dead_letter_messages", "readings", "schema") == 1


TEXT = st.text(max_size=70)
BODIES: dict[str, st.SearchStrategy[Any]] = {
    "command_id": st.uuids().map(str) | st.just("x"),
    "command": st.sampled_from(["acknowledge", "silence", "unsilence", "ack"]),
    "index": TEXT | st.just("SPX"),
    "fingerprint": st.just(UNWIND) | TEXT,
    "who": TEXT,
    "why": TEXT,
    "until": st.none()
    | st.just("2026-07-13T18:00:00Z")
    | st.just("2026-07-13T18:00:00+02:00")
    | st.just("soon"),
}


@given(body=st.fixed_dictionaries({}, optional=BODIES))
def test_the_schema_and_the_decoder_agree(body: dict[str, Any]) -> None:
    def decoded() -> TimedCommand | None:
        try:
            return stamped(
                decode_command(json.dumps(body).encode()), milliseconds(eastern(MONDAY, "11:00:00"))
            )
        except RejectedRecordError:
            return None

    assert COMMAND.is_valid(body) == (decoded() is not None)


def test_lifecycle_events_without_commands_carry_nulls(run: Run) -> None:
    for output in run.outputs:
        for entry in output.outbox:
            data = json.loads(entry.value)["data"]
            assert set(data["notification"].values()) == {None}
            assert "command" not in data
    assert told(
        of_the_unwind(
            decode_event(entry.value) for output in run.outputs for entry in output.outbox
        )
    )


def test_the_documented_command_is_one() -> None:
    text = (
        (Path(config.__file__).parents[1] / "docs/use/alerts.md")
        .read_text(encoding="utf-8")
        .partition("## Commands")[2]
    )
    example = text.partition("```json\n")[2].partition("```")[0]
    COMMAND.validate(json.loads(example))
    told = decode_command(example.encode())
    assert stamped(told, milliseconds(eastern(MONDAY, "10:30:00"))).command.command == "silence"
