"""A condition: one number of a rule against the number it has to reach.

A verdict can be read line by line with it.
"""

import msgspec


class Condition(msgspec.Struct, frozen=True):
    """`value` has to reach `enter`."""

    name: str
    """As among the values of the event."""
    value: float | None
    """None: unknown, for want of history or of a level."""
    enter: float
    below: bool
    """The value has to fall to `enter`, not to rise to it."""
    strict: bool
    """`enter` itself is not enough."""
    exit: float | None
    """Level at which a firing alert ends; None where the exit is a share of the move."""
    holds: bool | None
    """Whether the value has reached `enter`; None when it is unknown."""
    distance: float
    """Clip((enter - value) / (enter - neutral), 0, 1); 1 for a value that does not exist."""


def condition(
    name: str,
    value: float | None,
    enter: float,
    neutral: float,
    exit_level: float | None = None,
    *,
    strict: bool = False,
) -> Condition:
    """The condition that `value` reaches `enter`, coming from `neutral`, where the distance is 1.

    It does so upwards when `neutral` lies below `enter`, downwards when above.

    >>> condition("implied_correlation_change", 0.02, 0.05, 0.0).distance
    0.6
    """
    below = neutral > enter
    if value is None:
        return Condition(name, None, enter, below, strict, exit_level, None, 1.0)
    beyond = enter - value if below else value - enter
    holds = beyond > 0.0 or (beyond == 0.0 and not strict)
    distance = min(max((enter - value) / (enter - neutral), 0.0), 1.0)
    return Condition(name, value, enter, below, strict, exit_level, holds, distance)
