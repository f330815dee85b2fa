"""Where a partition starts after its takeover, and when it must not start at all."""

from collections.abc import Sequence
from typing import Literal

from agents.assignment import Assignment, Partition
from agents.exits import Refusal
from agents.plans import Plan
from agents.store.ledger import Checkpoint, Progress

ColdStart = Literal["checkpoint", "earliest", "latest"]
"""Where a partition starts of which Redis knows nothing though its group has worked on it: not at all, at its log's start, at its end."""


def skipped(plan: Plan, partition: int, checkpoint: Checkpoint, assignment: Assignment) -> Sequence[Progress]:
    """For `latest`: steps to the logs' ends, to be committed before anything else; none once the partition has a commit.

    Committed even where the logs are empty: a successor must find that what arrived since is not to be skipped.
    """
    if checkpoint.commits:
        return ()
    ends = {topic: assignment.end.get(Partition(topic, partition), 0) for topic in plan.inputs}
    return [Progress(topic, -1, end - 1) for topic, end in ends.items()]


def start_offset(plan: Plan, tp: Partition, watermark: int, assignment: Assignment, cold: ColdStart = "checkpoint") -> int:
    """The first offset to apply: one past the Redis watermark. Raises `Refusal` where going on would lose or repeat silently."""
    committed, first, end = assignment.committed.get(tp), assignment.first[tp], assignment.end[tp]
    place, following = f"{tp.topic} partition {tp.partition}", watermark + 1
    state = f"the keys dispersion:v1:{{{plan.name}:{plan.inputs[0]}:{tp.partition}}}:*"
    if watermark < 0 and committed and cold == "checkpoint":
        raise Refusal(
            f"{place}: the consumer group has committed offset {committed}, but Redis knows nothing of it. Restore Redis from its "
            "append-only file; or start every worker with `--from earliest`, which rebuilds the state from the start of the log, or "
            "with `--from latest`, which begins anew without it"
        )
    if following > end:
        raise Refusal(
            f"{place}: Redis has applied offset {watermark}, but the log ends at {end}: the topic was recreated. Delete {state} "
            "in Redis and run with a new kafka.group, or use another kafka.topic_prefix"
        )
    if watermark >= 0 and following < first and tp.topic not in plan.external:
        raise Refusal(
            f"{place}: Redis has applied offset {watermark}, but the log starts at {first}: records were deleted before they were "
            f"applied. Raise the topic's retention; to accept the loss, delete {state} in Redis and run with a new kafka.group"
        )
    return max(following, first)
