import pytest

from agents.assignment import Assignment, Partition
from agents.exits import Refusal
from agents.plans import Plan
from agents.store.ledger import Checkpoint, Progress
from agents.takeover import skipped, start_offset
from tests.support.counting import CountingStage

TP = Partition("points", 3)
INTERNAL = Plan("cross_section", ("points",), lambda p, _: CountingStage(p, "readings"))
EXTERNAL = INTERNAL._replace(external=("points",))


def assigned(committed: int | None, first: int, end: int) -> Assignment:
    return Assignment(7, {TP: committed}, {TP: first}, {TP: end})


def test_starts_one_past_the_watermark_whatever_the_group_has_committed() -> None:
    assert start_offset(INTERNAL, TP, 41, assigned(100, 0, 200)) == 42
    assert start_offset(INTERNAL, TP, 41, assigned(None, 0, 42)) == 42


def test_a_fresh_partition_starts_where_its_log_starts() -> None:
    assert start_offset(INTERNAL, TP, -1, assigned(None, 17, 200)) == 17
    assert start_offset(INTERNAL, TP, -1, assigned(0, 0, 200)) == 0


def test_refuses_an_empty_redis_under_a_group_with_commits() -> None:
    with pytest.raises(Refusal, match=r"committed offset 100.*Restore Redis.*--from earliest"):
        start_offset(INTERNAL, TP, -1, assigned(100, 0, 200))


def test_refuses_a_watermark_beyond_the_end_of_the_log() -> None:
    with pytest.raises(Refusal, match=r"recreated.*\{cross_section:points:3\}"):
        start_offset(EXTERNAL, TP, 200, assigned(150, 0, 200))


def test_refuses_lost_records_between_our_own_stages_but_not_in_the_input() -> None:
    with pytest.raises(Refusal, match="log starts at 50"):
        start_offset(INTERNAL, TP, 41, assigned(42, 50, 200))
    assert start_offset(EXTERNAL, TP, 41, assigned(42, 50, 200)) == 50


def test_an_input_that_is_new_to_a_group_starts_where_its_log_starts_and_may_be_outrun() -> None:
    plan = INTERNAL._replace(inputs=("points", "commands"), external=("commands",))
    commands = Partition("commands", 3)
    kept = Assignment(7, {TP: 42, commands: None}, {TP: 0, commands: 5}, {TP: 42, commands: 9})
    assert start_offset(plan, TP, 41, kept) == 42
    assert start_offset(plan, commands, -1, kept) == 5
    assert start_offset(plan, commands, 2, kept) == 5
    with pytest.raises(Refusal, match=r"commands partition 3.*recreated.*\{cross_section:points:3\}"):
        start_offset(plan, commands, 9, kept)


def test_an_empty_redis_is_no_reason_to_refuse_when_told_where_to_start() -> None:
    assert start_offset(INTERNAL, TP, -1, assigned(100, 30, 200), "earliest") == 30
    assert start_offset(INTERNAL, TP, 41, assigned(100, 30, 200), "earliest") == 42
    with pytest.raises(Refusal, match="recreated"):
        start_offset(INTERNAL, TP, 200, assigned(150, 0, 200), "latest")


def test_the_logs_end_is_committed_once_and_for_all() -> None:
    empty = Checkpoint({"points": -1}, {}, 0, {"points": 0}, ())
    assert skipped(INTERNAL, 3, empty, assigned(100, 0, 200)) == [Progress("points", -1, 199)]
    assert skipped(INTERNAL, 3, empty, assigned(None, 0, 0)) == [Progress("points", -1, -1)]
    assert not skipped(INTERNAL, 3, empty._replace(commits=1), assigned(None, 0, 200)), "what arrived since is to be applied"
