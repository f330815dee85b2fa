"""Where a partition starts after its takeover, and when it must not start at all."""

from agents.exits import Refusal
from agents.plans import Plan
from agents.transport import Assignment, Partition


def start_offset(plan: Plan, tp: Partition, watermark: int, assignment: Assignment) -> int:
    """The first offset to apply: one past the Redis watermark. Raises `Refusal` where going on would lose or repeat silently."""
    committed, first, end = assignment.committed.get(tp), assignment.first[tp], assignment.end[tp]
    place, following = f"{tp.topic} partition {tp.partition}", watermark + 1
    state = f"the keys dispersion:v1:{{{plan.name}:{plan.inputs[0]}:{tp.partition}}}:*"
    if watermark < 0 and committed:
        raise Refusal(
            f"{place}: the consumer group has committed offset {committed}, but Redis knows nothing of it. Restore Redis from its "
            "append-only file; or, to rebuild the state from the start of the log, run with a new kafka.group"
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
