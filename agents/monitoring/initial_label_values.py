"""Counter children that exist from the start.

So the first increment of each is seen as one.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Final

from streams.catalogue.counters import ALERT_EVENTS, COUNTERS, DEAD_LETTERS
from streams.detection.alerts.own_event import FOREIGN_REASONS
from streams.detection.rules.catalogue import NAMES, POLICY
from streams.refusals.dead_letters import REASONS_BY_ROLE
from streams.topics import Topics

LOG_REASONS: Final = (*FOREIGN_REASONS, "headers", "mode", "transaction")
STATE_REASONS: Final = (*FOREIGN_REASONS, "key", "mode", "transaction")
REDIS_OPERATIONS: Final = ("acquire", "commit", "note", "outbox", "owner", "views")
REDIS_REASONS: Final = ("timeout", "connection", "refused")

Labels = Iterable[tuple[str, ...]]


def initial_label_values(indices: Sequence[str], topics: Topics) -> Mapping[str, Labels]:
    """Label values by counter, for `Metrics.declare`."""
    alerts, states = topics.name("alerts"), topics.name("alerts_state")
    inputs = [(topics.name(role),) for role in REASONS_BY_ROLE]
    configured = {"index": indices, "alert": NAMES}
    names = {str(role): name for role, name in topics.all().items()}
    return {
        **{counter.name: counter.children(configured) for counter in COUNTERS},
        # Stages know the roles of topics, metrics their names.
        DEAD_LETTERS.name: [
            (names[role], reason) for role, reason in DEAD_LETTERS.children(configured)
        ],
        ALERT_EVENTS.name: [
            child for child in ALERT_EVENTS.children(configured) if _possible(*child[:2])
        ],
        "messages_consumed": inputs,
        "offset_gaps": inputs,
        "replayed_messages": inputs,
        "topic_buffer_full": inputs,
        "foreign_records": [*product((alerts,), LOG_REASONS), *product((states,), STATE_REASONS)],
        "redis_errors": product(REDIS_OPERATIONS, REDIS_REASONS),
        "rebalances": [("completed",)],
    }


def _possible(rule: str, transition: str) -> bool:
    """Nothing suspends the one rule that suspends the others."""
    return POLICY.suspends_others != (rule,) or transition not in {"suspended", "resumed"}
