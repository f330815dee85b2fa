"""Where a partition starts after its takeover, and when it must not start at all."""

from collections.abc import Sequence
from typing import Literal

from agents.plan import Plan
from agents.process.exits import ActionNeededError
from agents.store.checkpoint_store import Checkpoint, WatermarkStep
from agents.store.refused import NEXT
from agents.transport.assignment import Assignment, Partition
from agents.transport.log_identity import LogState, Mark, difference

ColdStart = Literal["checkpoint", "earliest", "latest"]
"""Where a partition starts of which Redis knows nothing though its group has worked on it.

It starts not at all, at its log's start, or at its end.
"""


def skipped(
    plan: Plan, partition: int, checkpoint: Checkpoint, assignment: Assignment
) -> Sequence[WatermarkStep]:
    """For `latest`: steps to the logs' ends, to be committed before anything else.

    There are none once the partition has a commit. They are committed even where the logs are
    empty: a successor must find that what arrived since is not to be skipped.
    """
    if checkpoint.commits:
        return ()
    ends = {topic: assignment.end.get(Partition(topic, partition), 0) for topic in plan.inputs}
    return [WatermarkStep(topic, -1, end - 1) for topic, end in ends.items()]


def refuse_unknown(
    tp: Partition, checkpoint: Checkpoint, assignment: Assignment, cold: ColdStart = "checkpoint"
) -> None:
    """Raise `ActionNeededError` where the group worked on a partition of which Redis has no commit.

    With one commit, an input without a watermark is one of which that state has seen nothing: it
    starts where its log starts.
    """
    committed = assignment.committed.get(tp)
    known = checkpoint.commits or checkpoint.watermarks[tp.topic] >= 0
    if committed and not known and cold == "checkpoint":
        raise ActionNeededError(
            f"{tp.topic} partition {tp.partition}: the consumer group has committed offset "
            f"{committed}, but Redis knows nothing of it. "
            "Restore Redis from its append-only file; or start every worker with "
            "`--from earliest`, which rebuilds the state from the start of the log, "
            "or with `--from latest`, which begins anew without it"
        )


def log_mismatch(plan: Plan, tp: Partition, last: int, mark: Mark | None, seen: LogState) -> str:
    """Why a partition must not go on behind its last offset; empty when it may.

    Its log is another one, or lacks what comes next.
    """
    if last < 0:
        return ""
    place, following = f"{tp.topic} partition {tp.partition}", last + 1
    if mark is not None and (found := difference(mark, seen)):
        return (
            f"{place}: Redis has applied offset {last}, "
            f"but the log is not the one it was applied from: {found}"
        )
    if following > seen.end:
        return (
            f"{place}: Redis has applied offset {last}, but the log ends at {seen.end}: "
            "the topic was recreated, or its broker has lost the end of it"
        )
    if following < seen.first and tp.topic not in plan.external:
        return (
            f"{place}: Redis has applied offset {last}, but the log starts at {seen.first}: "
            "records were deleted before they were applied. Raise the topic's retention"
        )
    return ""


def start_offset(tp: Partition, last: int, assignment: Assignment) -> int:
    """The first offset to apply: one past the Redis watermark, or where the log starts."""
    return max(last + 1, assignment.first[tp])


def refusal_error(reasons: Sequence[str]) -> ActionNeededError:
    """What a worker says of partitions that it has just refused."""
    more = f" ({len(reasons) - 1} more partitions likewise)" if len(reasons) > 1 else ""
    return ActionNeededError(f"{reasons[0]}{more}. This stands until a person decides: {NEXT}")
