"""Whatever arrives, the stream goes on.

One worker, real Kafka and Redis, and after each bad record a good second that gives a reading.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import pytest

from agents.monitoring.health_report import InputHealth, input_health
from config.settings import Settings
from streams.catalogue.outcomes import OUTCOMES, TICK_OUTCOMES
from streams.decoding.frames import encode_quotes
from streams.records import NS
from streams.refusals.acceptance import LET_IN
from streams.refusals.dead_letters import CRASH, MAX_VALUE_BYTES, REASONS_BY_ROLE
from streams.refusals.refused_batch import BATCH_REASONS
from streams.safe_text import is_safe
from streams.stage import Role
from streams.topics import Topics
from tests.support.bad_records import BEAT, CASES, FIRST, Bad
from tests.support.fleet import Fleet, wait_until
from tests.support.frame_bytes import START
from tests.support.option_chains import Chain, quotes_of
from tests.support.pages import Series, ready, samples, series
from tests.support.stack import RealStack, create_flow_topics, settings_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]
CHAIN = Chain("SPY", (date(2026, 7, 31), date(2026, 8, 14)))
ON_ANY = (CRASH, *BATCH_REASONS)
ROLES: tuple[Role, ...] = ("quotes", "ticks", "points", "readings")
OF_ALERTS = ("configured", "episode")
"""Why a command is refused that names an alert which is there.

No alert is, here (tests/unit/streams/detection/test_commands.py has some).
"""
INPUTS: tuple[Role, ...] = ("quotes", "ticks")


def second_of(case: Bad) -> int:
    """The second (ns) in which a case is sent."""
    return START + 2 * (CASES.index(case) + 1) * NS


def dead(settings: Settings, role: Role, reason: str) -> Series:
    return series(
        "dispersion_dead_letter_messages_total",
        topic=Topics(settings.kafka.topic_prefix).name(role),
        reason=reason,
    )


@dataclass(frozen=True)
class Outcome:
    """What the run left behind."""

    fleet: Fleet
    before: Mapping[Series, float]
    after: Mapping[Series, float]
    sent: Mapping[str, tuple[int, bytes | None]]
    """Offset and value by case."""
    letters: Mapping[tuple[str, int], Any]
    """Dead letters by topic and offset."""
    readings: Mapping[int, dict[str, Any]]
    """By second (ns)."""
    good: Counter[str]
    """Outcomes of the good quotes."""
    log: str
    """What the worker wrote after it was ready."""
    told: Mapping[Role, InputHealth]
    """What the status says of the input, by role."""


@pytest.fixture(scope="module")
def outcome(real_stack: RealStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    settings = settings_for(
        real_stack,
        f"bad{START}.",
        mode="replay",
        kafka={
            "partitions": {"quotes": 1, "ticks": 1, "results": 1},
            "max_message_bytes": 10 * 2**20,
        },
        market={"indices": [{"symbol": "SPY", "references": ["VIX"]}]},
        redis={"checkpoint_seconds": 0.5},
    )
    create_flow_topics(real_stack, settings)
    with Fleet(settings, real_stack.redis.url, tmp_path_factory.mktemp("bad")) as fleet:
        worker = fleet.start("agents.cli.main", "worker")
        url = ready(fleet, worker)
        before, started = samples(url), len(fleet.log(worker))
        sent, good = _send(fleet)
        wait_until(
            lambda: worker.poll() is not None or _all_applied(fleet), 60, "everything applied"
        )
        assert worker.poll() is None, fleet.log(worker)
        letters = {
            (
                dict(one.headers)["x-error-topic"].decode(),
                int(dict(one.headers)["x-error-offset"]),
            ): one
            for one in fleet.records("dead_letters")
        }
        wait_until(
            lambda: all(_missing(role, _told(fleet).get(role)) == set() for role in INPUTS),
            30,
            "every example in Redis",
        )
        told, log = _told(fleet), fleet.log(worker)[started:]
        yield Outcome(fleet, before, samples(url), sent, letters, _readings(fleet), good, log, told)
        assert fleet.stop(worker) == 0, fleet.log(worker)


def _send(fleet: Fleet) -> tuple[dict[str, tuple[int, bytes | None]], Counter[str]]:
    """Each bad record, then good ones of its second, then heartbeats that close it."""
    producer = fleet.producer(max_request_size=12 * 2**20)
    sent: dict[str, tuple[int, bytes | None]] = {}
    good: Counter[str] = Counter()
    futures = {}
    for case in CASES:
        at = second_of(case)
        for bad in FIRST if case is CASES[0] else () if case in FIRST else (case,):
            value = bad.make(at)
            futures[str(bad)] = (
                producer.send(fleet.topics.name(bad.role), value, b"SPY", list(bad.headers), 0),
                value,
            )
        quotes = quotes_of([CHAIN], at)
        good.update(
            {"accepted": int((quotes.bid > 0).sum()), "no_bid": int((quotes.bid == 0).sum())}
        )
        producer.send(fleet.topics.name("quotes"), encode_quotes(quotes), partition=0)
        producer.send(
            fleet.topics.name("ticks"),
            json.dumps({"symbol": "VIX", "price": 17.5, "ts_event": at}).encode(),
            partition=0,
        )
        for role in ("quotes", "ticks"):
            producer.send(
                fleet.topics.name(role), b'{"ts_event": %d}' % at, headers=list(BEAT), partition=0
            )
    for name, (future, value) in futures.items():
        sent[name] = (future.get(30).offset, value)
    producer.flush()
    producer.close()
    return sent, good


def _all_applied(fleet: Fleet) -> bool:
    return all(fleet.drained(role, 1) for role in ROLES) and fleet.committed(
        "commands", 1
    ) == fleet.ends("commands", 1)


def _reasons(role: Role) -> set[str]:
    """Why rows and records of an input are left out in this run."""
    cases = [case for case in CASES if case.role == role]
    outcomes = {outcome for case in cases for outcome in case.outcomes} - LET_IN
    return outcomes | {case.reason for case in cases if case.reason}


def _told(fleet: Fleet) -> dict[Role, InputHealth]:
    inputs, _ = input_health(fleet.settings, opened=True)
    return {role: one for role in INPUTS for one in inputs if one.topic == fleet.topics.name(role)}


def _missing(role: Role, told: InputHealth | None) -> set[str]:
    return _reasons(role) - {one.reason for one in told.examples} if told else _reasons(role)


def _readings(fleet: Fleet) -> dict[int, dict[str, Any]]:
    found = {}
    for record in fleet.records("readings"):
        try:
            reading = json.loads(record.value or b"")
        except ValueError:
            continue
        if reading["index"] == "SPY":
            found[
                round(datetime.fromisoformat(reading["ts_event"]).astimezone(UTC).timestamp()) * NS
            ] = reading
    return found


def test_every_reason_and_every_outcome_has_its_bad_record() -> None:
    refused = {(case.role, case.reason) for case in CASES if case.reason}
    every = {(role, reason) for role, reasons in REASONS_BY_ROLE.items() for reason in reasons}
    assert refused == every - {("commands", reason) for reason in OF_ALERTS}
    for role, outcomes in (("quotes", OUTCOMES), ("ticks", (*TICK_OUTCOMES,))):
        assert {one for case in CASES if case.role == role for one in case.outcomes} | {
            "accepted"
        } == set(outcomes)


def test_every_counter_is_there_at_zero_before_anything_is_wrong(outcome: Outcome) -> None:
    settings = outcome.fleet.settings
    expected = {
        dead(settings, role, reason)
        for role, reasons in REASONS_BY_ROLE.items()
        for reason in (*reasons, *ON_ANY)
    }
    expected |= {series("dispersion_quotes_total", outcome=one) for one in OUTCOMES}
    expected |= {series("dispersion_ticks_total", outcome=one) for one in TICK_OUTCOMES}
    assert {one: outcome.before.get(one) for one in expected} == dict.fromkeys(expected, 0.0)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_stream_goes_on(outcome: Outcome, case: Bad) -> None:
    reading = outcome.readings[second_of(case)]
    assert reading["index_vol"] == pytest.approx(0.2, abs=0.005)
    assert "no_input" not in reading["flags"]
    assert reading["references"] == {"VIX": 0.175}


@pytest.mark.parametrize("case", [case for case in CASES if case.reason], ids=str)
def test_what_cannot_be_read_is_kept_for_people(outcome: Outcome, case: Bad) -> None:
    offset, value = outcome.sent[str(case)]
    topic = outcome.fleet.topics.name(case.role)
    letter = outcome.letters[topic, offset]
    headers = dict(letter.headers)
    assert letter.key == b"SPY"
    assert letter.value == (value or b"")[:MAX_VALUE_BYTES]
    assert headers["reason"] == headers["x-error-class"] == case.reason.encode()
    assert headers["x-error-message"]
    assert headers["x-error-partition"] == b"0"
    assert headers["x-original-size"] == (
        b"tombstone" if value is None else str(len(value)).encode()
    )
    assert headers["x-original-sha256"] == sha256(value or b"").hexdigest().encode()
    assert set(case.headers) <= set(letter.headers), "a cured record can be sent again as it was"


def test_nothing_else_became_a_dead_letter(outcome: Outcome) -> None:
    refused = {
        (outcome.fleet.topics.name(case.role), outcome.sent[str(case)][0])
        for case in CASES
        if case.reason
    }
    assert set(outcome.letters) == refused


def test_every_bad_record_is_counted_by_its_reason(outcome: Outcome) -> None:
    settings = outcome.fleet.settings
    expected = Counter(
        {
            dead(settings, role, reason): 0
            for role, reasons in REASONS_BY_ROLE.items()
            for reason in (*reasons, *ON_ANY)
        }
    )
    expected.update(dead(settings, case.role, case.reason) for case in CASES if case.reason)
    assert {one: outcome.after[one] for one in expected} == expected
    assert all(
        count > 0
        for one, count in expected.items()
        if dict(one[1])["reason"] not in (*ON_ANY, *OF_ALERTS)
    )
    extra = {
        one for one in outcome.after if one[0] == "dispersion_dead_letter_messages_total"
    } - set(expected)
    assert not extra, "a reason that was not there at zero"


@pytest.mark.parametrize("role", ["quotes", "ticks"])
def test_every_row_is_counted_by_its_outcome(outcome: Outcome, role: Role) -> None:
    expected: Counter[str] = Counter(outcome.good if role == "quotes" else {"accepted": len(CASES)})
    for case in CASES:
        if case.role == role:
            expected.update(case.outcomes)
    metric = f"dispersion_{role}_total"
    assert {
        dict(labels)["outcome"]: count
        for (name, labels), count in outcome.after.items()
        if name == metric
    } == expected
    assert all(expected.values())


def test_bad_input_is_no_error_of_the_worker(outcome: Outcome) -> None:
    assert not [
        line
        for line in outcome.log.splitlines()
        if any(word in line for word in ("WARNING", "ERROR", "CRITICAL", "Traceback"))
        # A commit that takes longer than its interval is the machine's.
        and "mode.timers" not in line
    ]


@pytest.mark.parametrize("role", INPUTS)
def test_every_reason_has_an_example_with_its_place(outcome: Outcome, role: Role) -> None:
    told = outcome.told[role]
    places = {
        (reason, outcome.sent[str(case)][0])
        for case in CASES
        if case.role == role
        for reason in ({case.reason} if case.reason else set(case.outcomes) - LET_IN)
    }
    found = {(one.reason, one.offset) for one in told.examples}
    assert {one.reason for one in told.examples} == _reasons(role)
    assert found <= places
    assert all(
        one.topic == told.topic and one.partition == 0 and one.value for one in told.examples
    )
    assert all(is_safe(f"{one.symbol}{one.value}") for one in told.examples)


def test_examples_say_what_is_wrong(outcome: Outcome) -> None:
    words = {one.reason: one for one in outcome.told["quotes"].examples}
    assert words["late"].value.endswith("s after its second was closed")
    assert (
        "no session on that day" in words["outside_session"].value
        or "the session is 09:30 to 16:15" in words["outside_session"].value
    )
    assert words["unknown"].value == "SPXW is a root of SPX: name that as underlying, SPXW as root"
    assert words["crossed"].symbol == "SPY 2026-08-28 C 100"
    assert words["crossed"].value == "bid 4.2, ask 4.1"
    assert words["non_finite"].symbol == "SPY 2026-08-28 C 100"
    assert words["symbol"].row == 1


def test_a_stream_in_milliseconds_is_a_problem_with_its_example(outcome: Outcome) -> None:
    """It comes last, for it is most of what the worker has had."""
    fleet = outcome.fleet
    tick = {"symbol": "VIX", "price": 17.0, "ts_event": START // 1_000_000}
    # More records than all before, which may stand in the same minute.
    fleet.put("ticks", [json.dumps(tick).encode()] * 1_000)

    def problems() -> list[str]:
        return [one for one in input_health(fleet.settings, opened=True)[1] if "ticks" in one]

    wait_until(lambda: bool(problems()), 60, "the problem is told")
    assert any("rows of the last minute were accepted" in one for one in problems())
    (example,) = [one for one in _told(fleet)["ticks"].examples if one.reason == "time"]
    assert "milliseconds?" in example.value
