"""Topics are created once, as the flow needs them, on both stacks."""

import pytest

from agents.process.exits import ActionNeededError, UnavailableError
from agents.topics.admin import check_topics, create_topics
from config.settings import KafkaSettings, Settings
from streams.topics import Topics
from tests.support.stack import RealStack, Stack, create_flow_topics, settings_for

SMALL = {"partitions": {"quotes": 3, "ticks": 2, "results": 2}}


def create(stack: Stack, settings: Settings) -> dict[str, tuple[str, int]]:
    return {
        report.role: (report.status, report.partitions)
        for report in create_flow_topics(stack, settings).topics
    }


def test_what_is_missing_is_created_and_what_exists_is_left(
    stack: Stack, topic_prefix: str
) -> None:
    settings = settings_for(stack, topic_prefix, kafka=SMALL)
    with pytest.raises(ActionNeededError, match="dispersion topics create"):
        check_topics(settings).refuse()
    made = create(stack, settings)
    assert made["quotes"] == ("created", 3)
    assert made["ticks"] == ("created", 2)
    assert {
        made[role]
        for role in ("points", "readings", "alerts", "alerts_state", "commands", "dead_letters")
    } == {("created", 2)}
    assert {status for status, _ in create(stack, settings).values()} == {"existing"}
    check_topics(settings).refuse()


def test_other_partition_counts_of_one_index_refuse_a_worker(
    stack: Stack, topic_prefix: str
) -> None:
    settings = settings_for(stack, topic_prefix, kafka=SMALL)
    stack.create_topics([(Topics(topic_prefix).name("readings"), 5)])
    with pytest.raises(ActionNeededError, match="equal partition counts"):
        create(stack, settings)


def test_a_message_limit_too_small_is_found(real_stack: RealStack, topic_prefix: str) -> None:
    settings = settings_for(real_stack, topic_prefix, kafka=SMALL)
    real_stack.create_topics(
        [(Topics(topic_prefix).name("quotes"), 3)],
        {"max.message.bytes": "100000", "retention.ms": "60000"},
    )
    check = create_topics(settings)
    quotes = next(report for report in check.topics if report.role == "quotes")
    assert quotes.status == "differing"
    assert {difference.key: difference.found for difference in quotes.differences} == {
        "max.message.bytes": "100000",
        "retention.ms": "60000",
    }
    assert [problem for problem in check.problems if "max.message.bytes=100000" in problem] == list(
        check.problems
    )


def test_more_replicas_than_brokers_is_a_refusal_not_an_outage(
    real_stack: RealStack, topic_prefix: str
) -> None:
    with pytest.raises(ActionNeededError, match="eplication"):
        create_topics(settings_for(real_stack, topic_prefix, kafka={"replication_factor": 3}))


def test_an_absent_kafka_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.kafka.client.BOOTSTRAP_MS", 500)
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1 .*bootstrap_servers"):
        check_topics(Settings(kafka=KafkaSettings(bootstrap_servers="127.0.0.1:1")))
