"""Counter children that exist from the start.

So the first increment of each is seen as one.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Final

from streams.dead_letters import REASONS_BY_ROLE
from streams.detection.own_event import FOREIGN_REASONS
from streams.detection.rules.catalogue import NAMES
from streams.refused_batch import BATCH_REASONS
from streams.topics import Topics
from streams.valuation.screen import OUTCOMES

CRASH: Final = "crash"
TICK_OUTCOMES: Final = (
    *("accepted", "non_finite", "negative", "unknown", "future", "late", "outside_session"),
    *("time", "type", "missing_field"),
)
FRAME_OUTCOMES: Final = ("new", "duplicate", "idle_mark", "late", "unknown_index")
TRANSITIONS: Final = (
    "pending",
    "firing",
    "updated",
    "suspended",
    "resumed",
    "resolved",
    "acknowledged",
    "silenced",
    "unsilenced",
)
EVENT_OUTCOMES: Final = ("emitted", "published", "repeated", "error")
GATES: Final = ("width", "coverage", "range", "spike", "clock", "history")
LOG_REASONS: Final = (*FOREIGN_REASONS, "headers", "mode", "transaction")
STATE_REASONS: Final = (*FOREIGN_REASONS, "key", "mode", "transaction")
REDIS_OPERATIONS: Final = ("acquire", "commit", "note", "outbox", "owner", "views")
REDIS_REASONS: Final = ("timeout", "connection", "refused")

Labels = Iterable[tuple[str, ...]]


def initial_label_values(indices: Sequence[str], topics: Topics) -> Mapping[str, Labels]:
    """Label values by counter, for `Metrics.declare`."""
    alerts, states = topics.name("alerts"), topics.name("alerts_state")
    inputs = [(topics.name(role),) for role in REASONS_BY_ROLE]
    return {
        "messages_consumed": inputs,
        "offset_gaps": inputs,
        "replayed_messages": inputs,
        "topic_buffer_full": inputs,
        "quotes": [(outcome,) for outcome in OUTCOMES],
        "ticks": [(outcome,) for outcome in TICK_OUTCOMES],
        "points_frames": [(outcome,) for outcome in FRAME_OUTCOMES],
        "dead_letter_messages": [
            (topics.name(role), why)
            for role, reasons in REASONS_BY_ROLE.items()
            for why in (*sorted(reasons), CRASH, *BATCH_REASONS)
        ],
        "foreign_records": [*product((alerts,), LOG_REASONS), *product((states,), STATE_REASONS)],
        "alert_events": [
            (rule, transition, outcome)
            for rule in NAMES
            for transition in TRANSITIONS
            for outcome in EVENT_OUTCOMES
        ],
        "gate_failures": [(index, gate) for index in indices for gate in GATES],
        "implied_correlation_out_of_range": [
            (index, bound) for index in indices for bound in ("low", "high")
        ],
        "redis_errors": [
            (operation, reason) for operation in REDIS_OPERATIONS for reason in REDIS_REASONS
        ],
        "rebalances": [("completed",)],
    }
