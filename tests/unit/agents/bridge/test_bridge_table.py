"""What Alertmanager is told, given the alert states and what it holds."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agents.bridge.bridged_alert import BridgedAlert
from agents.bridge.follower import ALL_MODES, MODES
from agents.bridge.table import CREATOR, BridgeTable
from streams.detection.alerts.alert_event import decode_event
from tests.support.readings import FRIDAY, MONDAY, Run, closing, path

CALM, SHOCK = (0.148, 0.44, 0.10), (0.31, 0.53, 0.34)
KEY = b"1b4fcf187b5f922b"
NOW = datetime(2026, 7, 20, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def events() -> dict[str, bytes]:
    """The intraday unwind of a scripted session: its events by transition."""
    run = Run(cap_unknown=False)
    run.play([closing(FRIDAY, *CALM), *path(MONDAY, "10:00:01", 1200, [CALM, SHOCK], step=10)])
    run.play(path(MONDAY, "10:20:02", 120, [SHOCK, SHOCK], step=5, coverage=0.5))
    run.play(path(MONDAY, "10:22:03", 120, [SHOCK, SHOCK], step=5))
    run.play(path(MONDAY, "10:24:04", 400, [CALM, CALM], step=5))
    found = [
        (entry.value, json.loads(entry.value)["data"])
        for output in run.outputs
        for entry in output.outbox
    ]
    return {
        data["transition"]: value
        for value, data in found
        if data["rule"] == "vix_spike_unwind" and data["labels"]["scope"] == "intraday"
    }


def changed(value: bytes, **data: Any) -> bytes:
    event = json.loads(value)
    event["data"] |= data
    return json.dumps(event).encode()


def table(
    *values: bytes | None, modes: frozenset[str] = ALL_MODES, published: datetime = NOW
) -> BridgeTable:
    made = BridgeTable(modes)
    for value in values:
        made.take(KEY, None if value is None else decode_event(value), published)
    return made


def held(post: dict[str, Any]) -> dict[str, Any]:
    """A post as Alertmanager would list it."""
    return {
        "labels": post["labels"],
        "annotations": post["annotations"],
        "startsAt": post["startsAt"],
    }


def test_a_firing_alert_is_posted_without_an_end(events: dict[str, bytes]) -> None:
    data = json.loads(events["firing"])["data"]
    (post,) = table(events["firing"]).posts([], NOW)
    assert post["labels"] == {
        "alertname": "DispersionVixSpikeUnwind",
        "index": "SPX",
        "tenor": "30d",
        "scope": "intraday",
        "fingerprint": data["fingerprint"],
        "group_key": "SPX/unwind",
        "label": "early",
        "mode": "replay",
        "severity": data["severity"],
    }
    assert "endsAt" not in post
    assert datetime.fromisoformat(post["startsAt"]) == datetime.fromisoformat(data["starts_at"])
    assert post["annotations"]["summary"] == data["summary"]
    assert (
        f"index vol {data['values']['index_vol']:.4f}, basket vol" in post["annotations"]["values"]
    )
    assert post["annotations"]["runbook_url"] == "docs/use/runbook.md#vix_spike_unwind"
    assert all(isinstance(text, str) and text for text in post["annotations"].values())


def test_what_has_not_fired_is_not_sent(events: dict[str, bytes]) -> None:
    assert table(events["pending"]).posts([], NOW) == []
    assert table(changed(events["suspended"], previous_status="pending")).posts([], NOW) == []


def test_lost_data_resolves_nothing(events: dict[str, bytes]) -> None:
    (before,) = table(events["firing"]).posts([], NOW)
    suspended = changed(
        events["firing"],
        transition="suspended",
        status="suspended",
        previous_status="firing",
        reason="coverage",
    )
    (post,) = table(events["firing"], suspended).posts([held(before)], NOW)
    assert "endsAt" not in post
    assert "suspended (coverage)" in post["annotations"]["description"]


@pytest.mark.parametrize("standing", ["pending", "firing"])
def test_an_echo_on_a_suspended_alert_keeps_what_it_was(
    events: dict[str, bytes], standing: str
) -> None:
    suspended = changed(events["suspended"], previous_status=standing)
    echo = changed(events["suspended"], previous_status="suspended", transition="acknowledged")
    assert table(suspended, echo).active == (standing == "firing")
    assert table(echo).active == 1


@pytest.mark.parametrize(("old", "new"), [("warning", "critical"), ("critical", "info")])
def test_a_changed_severity_ends_the_old_alert_first(
    events: dict[str, bytes], old: str, new: str
) -> None:
    (before,) = table(changed(events["firing"], severity=old)).posts([], NOW)
    assert before["labels"]["label"] == "early"
    end, post = table(changed(events["updated"], severity=new)).posts([held(before)], NOW)
    assert (end["labels"], end["endsAt"]) == (before["labels"], NOW.isoformat())
    assert post["labels"] == {**before["labels"], "severity": new, "label": "unwind"}
    assert "endsAt" not in post


def test_an_end_is_told_until_it_has_been_heard(events: dict[str, bytes]) -> None:
    resolved, later = events["resolved"], NOW + timedelta(hours=5)
    data = json.loads(resolved)["data"]
    (before,) = table(events["firing"]).posts([], NOW)
    before["labels"] = {**before["labels"], "severity": data["severity"], "label": data["label"]}
    for now, known, told in ((NOW, [], 1), (later, [held(before)], 1), (later, [], 0)):
        posts = table(resolved).posts(known, now)
        assert [datetime.fromisoformat(post["endsAt"]) for post in posts] == [
            datetime.fromisoformat(data["ends_at"])
        ] * told


def test_event_time_ahead_of_the_wall_stays_behind_it(events: dict[str, bytes]) -> None:
    early = datetime(2026, 7, 1, tzinfo=UTC)
    (post,) = table(events["firing"]).posts([], early)
    assert post["startsAt"] == early.isoformat()
    (end,) = table(events["resolved"], published=early).posts([], early)
    assert (end["startsAt"], end["endsAt"]) == (early.isoformat(), early.isoformat())


def test_replays_are_sent_only_when_asked_for(events: dict[str, bytes]) -> None:
    assert table(events["firing"], modes=MODES).posts([], NOW) == []
    (post,) = table(changed(events["firing"], mode="delayed"), modes=MODES).posts([], NOW)
    assert post["labels"]["mode"] == "delayed"


def test_alerts_of_others_are_left_alone(events: dict[str, bytes]) -> None:
    (one,) = table(events["firing"]).posts([], NOW)
    stranger = held({**one, "labels": {**one["labels"], "fingerprint": "0" * 16}})
    other_mode = held({**one, "labels": {**one["labels"], "mode": "live"}})
    assert table(events["firing"]).posts([stranger, other_mode], NOW) == [one]
    assert table(events["firing"], None).posts([held(one)], NOW) == []


def silenced(value: bytes, until: datetime) -> bytes:
    said = {
        "silenced_by": "jo",
        "silenced_until": until.isoformat(),
        "silence_why": "known gap",
        "acked_by": "sam",
    }
    return changed(value, notification=said)


def as_held(silence: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": "s1", "status": {"state": "active"}, **silence, **fields}


def test_a_silence_is_made_once_moved_and_taken_back(events: dict[str, bytes]) -> None:
    until = NOW + timedelta(hours=1)
    quiet = table(silenced(events["updated"], until))
    (made,), over = quiet.silences([], NOW)
    assert over == []
    assert (made["createdBy"], made["comment"], made["endsAt"]) == (
        CREATOR,
        "jo: known gap",
        until.isoformat(),
    )
    assert [matcher["value"] for matcher in made["matchers"]] == list(
        BridgedAlert(decode_event(events["updated"]), NOW).key
    )
    assert quiet.silences([as_held(made)], NOW) == ([], [])
    (moved,), over = table(silenced(events["updated"], until + timedelta(hours=1))).silences(
        [as_held(made)], NOW
    )
    assert (moved["id"], moved["startsAt"], over) == ("s1", made["startsAt"], [])
    for lifted in (events["updated"], silenced(events["resolved"], until)):
        assert table(lifted).silences([as_held(made)], NOW) == ([], ["s1"])
    assert quiet.silences([], until) == ([], [])


def test_silences_of_people_and_expired_ones_are_left_alone(events: dict[str, bytes]) -> None:
    (made,), _ = table(silenced(events["updated"], NOW + timedelta(hours=1))).silences([], NOW)
    held_by_others = [as_held(made, createdBy="jo"), as_held(made, status={"state": "expired"})]
    assert table(events["updated"]).silences(held_by_others, NOW) == ([], [])


def test_who_acknowledged_is_an_annotation(events: dict[str, bytes]) -> None:
    (post,) = table(silenced(events["updated"], NOW)).posts([], NOW)
    assert post["annotations"]["acked_by"] == "sam"
    (plain,) = table(events["updated"]).posts([], NOW)
    assert "acked_by" not in plain["annotations"]
