"""Alert events: envelope, schema, identity."""

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from jsonschema import Draft202012Validator, FormatChecker

import config
from streams.catalogue.measures import SCORED
from streams.detection.alerts.alert_event import decode_event
from streams.detection.alerts.events import event_id, fingerprint
from tests.support.past_closes import weekdays
from tests.support.readings import FRIDAY, MONDAY, Run, closing, path

SCHEMA = json.loads(
    (Path(config.__file__).parent / "schemas" / "alert.v1.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
CALM, SHOCK = (0.148, 0.44, 0.10), (0.31, 0.53, 0.34)


@pytest.fixture(scope="module")
def values() -> list[bytes]:
    """A session in which every transition occurs."""
    run = Run(cap_unknown=False)
    run.play([closing(FRIDAY, *CALM), *path(MONDAY, "10:00:01", 1200, [CALM, SHOCK], step=10)])
    run.play(path(MONDAY, "10:20:02", 120, [SHOCK, SHOCK], step=5, coverage=0.5))
    run.play(path(MONDAY, "10:22:03", 120, [SHOCK, SHOCK], step=5))
    run.play(path(MONDAY, "10:24:04", 400, [CALM, CALM], step=5))
    run.play([closing(MONDAY, 0.15, 0.38, 0.10)])
    return [entry.value for output in run.outputs for entry in output.outbox]


def test_every_transition_is_there_and_fits_the_schema(values: list[bytes]) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    seen = set()
    for value in values:
        event = json.loads(value)
        VALIDATOR.validate(event)
        seen.add(event["data"]["transition"])
        assert event["type"] == f"io.dispersion.alert.{event['data']['transition']}.v1"
    assert seen == {"pending", "firing", "updated", "suspended", "resumed", "resolved"}


@pytest.mark.parametrize(
    ("where", "wrong"),
    [
        (("specversion",), "0.3"),
        (("id",), "short"),
        (("sequence",), "1"),
        (("data", "severity"), "fatal"),
        (("data", "ends_at"), "2026-07-13T14:00:00Z"),
        (("data", "direction"), "adverse"),
        (("data", "values", "index_vol"), "0.2"),
        (("data", "starts_at"), "yesterday"),
        (("data", "labels"), {"index": "SPX"}),
    ],
)
def test_the_schema_refuses(values: list[bytes], where: tuple[str, ...], wrong: Any) -> None:
    event = json.loads(
        next(value for value in values if b'"vix_spike_unwind"' in value and b"firing.v1" in value)
    )
    part = event
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = wrong
    assert not VALIDATOR.is_valid(event)


def test_the_cloudevents_library_reads_it(values: list[bytes]) -> None:
    event = JSONFormat().read(CloudEvent, values[0])
    assert event.get_source() == "/dispersion/monitor/spx"
    assert event.get_subject() == "SPX/30d/vix_spike_unwind"
    assert event.get_extension("partitionkey") == fingerprint(
        "vix_spike_unwind", "SPX", "30d", "intraday"
    )
    assert event.get_extension("sequence") == "00000001"


def test_identities_are_hashes_of_what_they_name() -> None:
    text = "vol_convergence\x1fSPX\x1f30d\x1fdaily-5s"
    alert = fingerprint("vol_convergence", "SPX", "30d", "daily-5s")
    assert alert == blake2b(text.encode()).hexdigest()[:16]
    text = f"{alert}\x1f3\x1ffiring\x1f1783951931000000000"
    assert (
        event_id(alert, "3", "firing", 1783951931000000000)
        == blake2b(text.encode()).hexdigest()[:20]
    )


def test_ids_are_unique_and_sequences_count_per_alert(values: list[bytes]) -> None:
    events = [decode_event(value) for value in values]
    assert len({event.id for event in events}) == len(events)
    for alert in {event.partitionkey for event in events}:
        sequence = [int(event.sequence) for event in events if event.partitionkey == alert]
        assert sequence == list(range(1, len(sequence) + 1))


def test_what_only_the_publisher_knows_is_null(values: list[bytes]) -> None:
    assert {json.loads(value)["data"]["detected_at"] for value in values} == {None}


def test_contributors_sum_to_the_move_that_the_values_tell(values: list[bytes]) -> None:
    data = decode_event(values[1]).data
    assert data.transition == "firing"
    assert sum(part.contribution for part in data.contributors) == pytest.approx(
        data.values["basket_vol_change"], abs=1e-15
    )
    assert len(data.contributors) == 6
    assert data.group_key == "SPX/unwind"
    assert data.replay


def test_events_carry_the_scores_on_the_common_set() -> None:
    """The basket's widest name goes away, and its level falls with it.

    The scores of the change hardly do.
    """
    rng = np.random.default_rng(3)
    past = [
        closing(day, CALM[0] + step, CALM[1] + 2 * step, CALM[2] - step)
        for day, step in zip(weekdays(70), rng.normal(0, 0.004, 70).tolist(), strict=True)
    ]
    singles_stay = (SHOCK[0], CALM[1], 0.5)
    found = []
    for dropped in ((), ("N11",)):
        events = Run(cap_unknown=False).play(
            [
                *past,
                *path(
                    MONDAY, "10:00:00", 200, [singles_stay, singles_stay], step=10, dropped=dropped
                ),
            ]
        )
        found.append(next(event.data for event in events if event.data.rule == "vix_spike_unwind"))
    whole, short = found
    assert short.values["basket_vol"] == pytest.approx(0.42, abs=0.01)
    assert (whole.values["common_names"], short.values["common_names"]) == (12.0, 11.0)
    for measure in SCORED:
        assert whole.values[f"{measure}_change_z"] == pytest.approx(
            short.values[f"{measure}_change_z"] or 0.0, rel=0.05
        ), measure
        assert None not in {
            whole.values[f"{measure}_{kind}"] for kind in ("robust_z", "cusum_up", "cusum_down")
        }
