"""What the report says of topics, given what a broker says of them."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from agents.process.exits import ActionNeededError
from agents.topics.report import DENIED, TopicsCheck, judge
from config.settings import Settings
from streams.stage import Role
from streams.topics import Topics, topic_config

SETTINGS = Settings()
NAMES = Topics("").all()
UNKNOWN = 3


def metadata(
    counts: Mapping[Role, int] | None = None, errors: Mapping[Role, int] | None = None
) -> dict[str, Any]:
    found = {}
    for role, name in NAMES.items():
        error = (errors or {}).get(role, 0)
        found[name] = {
            "name": name,
            "error_code": error,
            "partitions": [] if error else [{}] * (counts or {}).get(role, 4),
        }
    return found


def configs(role: Role | None = None, **changed: str) -> dict[str, dict[str, str]]:
    kept = {
        name: {
            "max.message.bytes": "1048588",
            **topic_config(each, SETTINGS.kafka.max_message_bytes),
        }
        for each, name in NAMES.items()
    }
    if role:
        kept[NAMES[role]] |= {key.replace("_", "."): value for key, value in changed.items()}
    return kept


def report_of(check: TopicsCheck, role: Role) -> Any:
    return next(report for report in check.topics if report.role == role)


def test_topics_as_created_are_fit() -> None:
    check = judge(SETTINGS, metadata(), configs())
    assert {report.status for report in check.topics} == {"existing"}
    assert (check.problems, check.notes) == ((), ())
    check.refuse()


def test_a_missing_topic_stops_a_worker_and_names_the_command() -> None:
    check = judge(SETTINGS, metadata(errors={"alerts": UNKNOWN}), configs())
    assert report_of(check, "alerts").status == "missing"
    with pytest.raises(
        ActionNeededError, match=r"dispersion\.alerts\.v1.*dispersion topics create"
    ):
        check.refuse()


def test_without_the_topic_of_reports_a_worker_starts_and_it_is_noted() -> None:
    check = judge(SETTINGS, metadata(errors={"reports": UNKNOWN}), configs())
    check.refuse()
    (note,) = check.notes
    assert "dispersion.reports.v1, which `dispersion reporter` alone needs" in note
    hidden = judge(SETTINGS, metadata(errors={"reports": DENIED}), configs())
    assert (hidden.problems, hidden.notes) == ((), ())


def test_a_hidden_topic_is_not_called_missing() -> None:
    check = judge(SETTINGS, metadata(errors={"points": DENIED}), configs())
    assert report_of(check, "points").status == "denied"
    assert "grant Describe" in check.problems[0]


def test_topics_of_one_index_must_have_equal_partitions() -> None:
    check = judge(SETTINGS, metadata({"readings": 8}), configs())
    assert report_of(check, "readings").status == "differing"
    assert any("equal partition counts" in problem for problem in check.problems)


def test_other_partition_counts_are_only_noted() -> None:
    check = judge(SETTINGS, metadata({"quotes": 12}), configs())
    assert check.problems == ()
    assert "partitions=12" in check.notes[0]


def test_a_smaller_message_limit_is_a_problem_and_a_larger_one_is_not() -> None:
    small = judge(SETTINGS, metadata(), configs("quotes", max_message_bytes="1048588"))
    assert "max.message.bytes=1048588" in small.problems[0]
    assert (
        judge(SETTINGS, metadata(), configs("quotes", max_message_bytes="99999999")).problems == ()
    )


def test_wrong_clean_up_is_a_problem_and_other_retention_a_note() -> None:
    compacted = judge(SETTINGS, metadata(), configs("alerts_state", cleanup_policy="delete"))
    assert "cleanup.policy=delete" in compacted.problems[0]
    shorter = judge(SETTINGS, metadata(), configs("alerts", retention_ms="1000"))
    assert (shorter.problems, len(shorter.notes)) == ((), 1)


def test_untold_configurations_are_noted() -> None:
    check = judge(SETTINGS, metadata(), None)
    assert check.problems == ()
    assert "unchecked" in check.notes[0]
    assert not report_of(check, "quotes").configs_read


def test_the_check_becomes_json() -> None:
    check = judge(SETTINGS, metadata(), configs(), frozenset({NAMES["quotes"]}))
    plain = msgspec.json.decode(msgspec.json.encode(check))
    assert {row["status"] for row in plain["topics"]} == {"created", "existing"}
    assert plain["problems"] == []


def test_partitions_without_enough_replicas_are_told_and_stop_nobody() -> None:
    found = metadata()
    for one in found.values():
        one["partitions"] = [{"isr_nodes": [1, 2]}, {"isr_nodes": [2]}]
    check = judge(SETTINGS, found, configs("alerts", min_insync_replicas="2"))
    (line,) = check.short
    assert (
        "dispersion.alerts.v1 has partitions with 1 replicas in sync where min.insync.replicas=2"
        in line
    )
    assert line in check.notes
    check.refuse()
