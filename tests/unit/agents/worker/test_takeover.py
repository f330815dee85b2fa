import pytest
from msgspec.structs import replace

from agents.plan import Plan
from agents.process.exits import ActionNeededError
from agents.store.checkpoint_store import Checkpoint, WatermarkStep
from agents.transport.assignment import Assignment, Partition
from agents.transport.log_identity import LogState, Mark, pack, unpack
from agents.worker.takeover import log_mismatch, refuse_unknown, skipped, start_offset
from tests.support.counting import CountingStage

TP = Partition("points", 3)
OWN = Plan("cross_section", ("points",), lambda p, _: CountingStage(p, "readings"))
EXTERNAL = OWN._replace(external=("points",))


def assigned(committed: int | None, first: int, end: int) -> Assignment:
    return Assignment(7, {TP: committed}, {TP: first}, {TP: end})


MARK = Mark(41, "a1", 1_752_500_000_000, 0, 99)


def known(watermark: int = -1, commits: int = 0) -> Checkpoint:
    return Checkpoint({"points": watermark}, {}, commits, {"points": 0}, ())


def test_starts_one_past_the_watermark_whatever_the_group_has_committed() -> None:
    assert start_offset(TP, 41, assigned(100, 0, 200)) == 42
    assert start_offset(TP, 41, assigned(None, 0, 42)) == 42


def test_a_fresh_partition_starts_where_its_log_starts() -> None:
    assert start_offset(TP, -1, assigned(None, 17, 200)) == 17
    assert start_offset(TP, -1, assigned(0, 0, 200)) == 0


def test_refuses_an_empty_redis_under_a_group_with_commits_unless_told_where_to_start() -> None:
    with pytest.raises(
        ActionNeededError, match=r"committed offset 100.*Restore Redis.*--from earliest"
    ):
        refuse_unknown(TP, known(), assigned(100, 0, 200))
    refuse_unknown(TP, known(), assigned(100, 0, 200), "earliest")
    refuse_unknown(TP, known(), assigned(None, 0, 200))
    refuse_unknown(TP, known(41, 7), assigned(100, 0, 200))


def test_a_copy_of_redis_from_before_an_inputs_first_record_is_no_empty_redis() -> None:
    with pytest.raises(ActionNeededError):
        refuse_unknown(TP, known(commits=0), assigned(100, 0, 200))
    refuse_unknown(TP, known(commits=1), assigned(100, 0, 200))


def test_refuses_a_watermark_beyond_the_end_of_the_log() -> None:
    assert "the topic was recreated" in log_mismatch(EXTERNAL, TP, 200, None, LogState("", 0, 200))
    assert log_mismatch(EXTERNAL, TP, 199, None, LogState("", 0, 200)) == ""


def test_refuses_lost_records_between_our_own_stages_but_not_in_the_input() -> None:
    assert "log starts at 50" in log_mismatch(OWN, TP, 41, MARK, LogState("a1", 50, 200))
    assert log_mismatch(OWN, TP, 49, MARK, LogState("a1", 50, 200)) == "", (
        "all that was deleted had been applied"
    )
    assert log_mismatch(EXTERNAL, TP, 41, MARK, LogState("a1", 50, 200)) == ""
    assert start_offset(TP, 41, assigned(42, 50, 200)) == 50


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (LogState("b2", 0, 200), "made anew: the id was a1 and is b2"),
        (LogState("b2", 50, 200), "made anew"),
        (LogState("a1", 0, 200, "record", MARK), ""),
        (LogState("a1", 0, 200, "record", replace(MARK, epoch=2)), "leader epoch 2, not 0"),
        (LogState("a1", 0, 200, "record", replace(MARK, epoch=-1)), ""),
        (LogState("", 0, 200, "record", replace(MARK, topic_id="")), ""),
        (
            LogState("a1", 0, 200, "record", replace(MARK, timestamp=1)),
            "timestamp 1, not 1752500000000",
        ),
        (LogState("", 0, 200, "record", replace(MARK, topic_id="", checksum=1)), "another content"),
        (LogState("a1", 0, 200, "marker"), "marker of a transaction"),
        (LogState("a1", 0, 200), ""),
    ],
)
def test_the_record_at_the_watermark_says_which_log_it_is(seen: LogState, words: str) -> None:
    reason = log_mismatch(EXTERNAL, TP, 41, MARK, seen)
    assert words in reason
    assert bool(words) == bool(reason)


def test_a_mark_that_a_release_without_marks_has_left_behind_still_names_the_topic() -> None:
    for text in (b"", None, b"{", b'{"offset":"x"}'):
        assert unpack(text, 41) is None
    assert unpack(pack(MARK), 41) == MARK
    assert unpack(pack(MARK), 90) == Mark(90, "a1")
    found = LogState("a1", 0, 200, "record", replace(MARK, offset=90))
    assert log_mismatch(EXTERNAL, TP, 90, unpack(pack(MARK), 90), found) == ""
    assert "made anew" in log_mismatch(
        EXTERNAL, TP, 90, unpack(pack(MARK), 90), LogState("b2", 0, 200)
    )


def test_an_input_that_is_new_to_a_group_starts_where_its_log_starts_and_may_be_outrun() -> None:
    plan = OWN._replace(inputs=("points", "commands"), external=("commands",))
    commands = Partition("commands", 3)
    kept = Assignment(7, {TP: 42, commands: None}, {TP: 0, commands: 5}, {TP: 42, commands: 9})
    assert [
        start_offset(tp, last, kept) for tp, last in ((TP, 41), (commands, -1), (commands, 2))
    ] == [42, 5, 5]
    assert (
        log_mismatch(plan, commands, -1, None, LogState("", 5, 9))
        == log_mismatch(plan, commands, 2, None, LogState("", 5, 9))
        == ""
    )
    assert "commands partition 3" in log_mismatch(plan, commands, 9, None, LogState("", 5, 9))


def test_the_logs_end_is_committed_once_and_for_all() -> None:
    empty = Checkpoint({"points": -1}, {}, 0, {"points": 0}, ())
    assert skipped(OWN, 3, empty, assigned(100, 0, 200)) == [WatermarkStep("points", -1, 199)]
    assert skipped(OWN, 3, empty, assigned(None, 0, 0)) == [WatermarkStep("points", -1, -1)]
    assert not skipped(OWN, 3, empty._replace(commits=1), assigned(None, 0, 200)), (
        "what arrived since is to be applied"
    )
