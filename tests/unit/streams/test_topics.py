"""Topic names by role and how topics are kept."""

import typing

import pytest

from streams.market import REPLAYED, Mode
from streams.stage import Role
from streams.topics import EQUAL_PARTITIONS, LARGE_MESSAGES, NAMES, Topics, topic_config

ROLES: tuple[Role, ...] = typing.get_args(Role)


def test_every_role_has_a_topic() -> None:
    assert set(NAMES) == set(ROLES)
    assert len(set(NAMES.values())) == len(ROLES)
    assert all("_" not in name and name.endswith(".v1") for name in NAMES.values())


@pytest.mark.parametrize("prefix", ["", "replay-7."])
def test_names_and_roles_are_inverse(prefix: str) -> None:
    topics = Topics(prefix)
    assert all(
        topics.role_of(topics.name(role)) == role and topics.name(role).startswith(prefix)
        for role in ROLES
    )
    assert dict(topics.all()) == {role: prefix + NAMES[role] for role in ROLES}


def test_a_topic_of_another_prefix_plays_no_role() -> None:
    assert Topics("replay-7.").role_of(NAMES["quotes"]) is None
    assert Topics("").role_of("replay-7." + NAMES["quotes"]) is None


COMPACTED = {"alerts_state", "reports"}


def test_alert_states_and_reports_are_compacted_and_only_data_topics_take_large_records() -> None:
    configs = {role: topic_config(role, 8 * 2**20) for role in ROLES}
    assert {
        role for role, config in configs.items() if config["cleanup.policy"] == "compact"
    } == COMPACTED
    assert {role for role, config in configs.items() if "max.message.bytes" in config} == set(
        LARGE_MESSAGES
    )
    assert configs["alerts"]["retention.ms"] == str(30 * 86_400_000)
    assert configs["dead_letters"]["retention.ms"] == str(14 * 86_400_000)
    assert configs["quotes"]["max.message.bytes"] == "8388608"
    assert {role for role, config in configs.items() if "message.timestamp.type" in config} == {
        "commands"
    }


@pytest.mark.parametrize("mode", sorted(REPLAYED))
def test_a_day_that_is_played_again_is_kept(mode: Mode) -> None:
    kept = {role: topic_config(role, 1, mode).get("retention.ms") for role in ROLES}
    assert kept == {role: None if role in COMPACTED else "-1" for role in ROLES}
    assert topic_config("quotes", 1, "delayed") == topic_config("quotes", 1)


def test_topics_of_one_index_have_equal_partitions() -> None:
    assert set(EQUAL_PARTITIONS) == set(ROLES) - {"ticks", "quotes", "dead_letters", "reports"}
