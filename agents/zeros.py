"""Counter children that exist from the start, so that the first increment of each is seen as one."""

from collections.abc import Iterable, Mapping, Sequence

from streams.codec import REASONS
from streams.source_stage import OUTCOMES

CRASH = "crash"
RULES = (
    "data_quality",
    "vix_spike_unwind",
    "broad_repricing",
    "vol_convergence",
    "dispersion_extreme",
    "correlation_regime",
    "mechanical_rotation",
)
TRANSITIONS = ("pending", "firing", "updated", "suspended", "resumed", "resolved")
OUTBOX_OUTCOMES = ("published", "error")
GATES = ("width", "coverage", "range", "spike", "clock", "history")
REDIS_OPERATIONS = ("acquire", "commit", "note", "outbox", "views")
REDIS_REASONS = ("timeout", "connection")

Labels = Iterable[tuple[str, ...]]


def zeros(indices: Sequence[str]) -> Mapping[str, Labels]:
    """Label values by counter, for `Metrics.declare`."""
    return {
        "quotes": [(outcome,) for outcome in OUTCOMES],
        "ticks": [(outcome,) for outcome in OUTCOMES],
        "dead_letter_messages": [(role, reason) for role in ("quotes", "ticks", "points", "readings") for reason in (*REASONS, CRASH)],
        "alert_events": [(rule, transition, outcome) for rule in RULES for transition in TRANSITIONS for outcome in OUTBOX_OUTCOMES],
        "gate_failures": [(index, gate) for index in indices for gate in GATES],
        "implied_correlation_out_of_range": [(index, bound) for index in indices for bound in ("low", "high")],
        "redis_errors": [(operation, reason) for operation in REDIS_OPERATIONS for reason in REDIS_REASONS],
        "rebalances": [("completed",)],
    }
