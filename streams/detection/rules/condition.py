"""A condition: one number of a rule against the number it has to reach.

A verdict can be read line by line with it.
"""

import msgspec


class Condition(msgspec.Struct, frozen=True):
    """`value` has to reach `enter`, coming from `neutral`.

    It does so upwards when `neutral` lies below `enter`, downwards when above.
    """

    name: str
    """As among the values of the event."""
    value: float | None
    """None: unknown, for want of history or of a level."""
    enter: float
    neutral: float
    """Where the distance is 1."""
    exit: float | None = None
    """Level at which a firing alert ends; None where the exit is a share of the move."""
    strict: bool = False
    """`enter` itself is not enough."""

    @property
    def downwards(self) -> bool:
        """Whether the condition holds below `enter`."""
        return self.neutral > self.enter

    @property
    def holds(self) -> bool | None:
        """Whether the value has reached the threshold; None when it is unknown."""
        if self.value is None:
            return None
        beyond = self.enter - self.value if self.downwards else self.value - self.enter
        return beyond > 0.0 or (beyond == 0.0 and not self.strict)

    @property
    def distance(self) -> float:
        """Clip((enter - value) / (enter - calm), 0, 1); 1 for a value that does not exist.

        >>> Condition("implied_correlation_change", 0.02, 0.05, 0.0).distance
        0.6
        """
        if self.value is None:
            return 1.0
        return min(max((self.enter - self.value) / (self.enter - self.neutral), 0.0), 1.0)
