"""What a seed means.

It means which faults, in which order, after which pauses, for how long, with which victims.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

from tests.chaos.faults import FAULTS, possible

PAUSE = (0.2, 3.0)
"""Seconds between the end of a fault and the next.

They are shorter than most recoveries, so faults meet each other's consequences.
"""
SIZES = {"real": (2, 3), "embedded": (2,)}
"""Workers.

The embedded broker refuses members who sync after their leader; the more members, the longer until
none does.
"""


class Step(NamedTuple):
    """One fault to come."""

    fault: str
    pause: float
    """Seconds before it."""
    seconds: float
    """How long it lasts."""
    chance: float
    """Seed of whatever the fault draws itself."""


class Script(NamedTuple):
    """One session's faults."""

    seed: int
    workers: int
    steps: Sequence[Step]


def script_of(seed: int, stack: str, faults: int, names: Sequence[str] | None = None) -> Script:
    """The script of a seed on a stack.

    Faults are dealt from a shuffled deck of `names` (default: all that the stack can have), so none
    is left out for long.
    """
    rng = random.Random(f"{stack} {seed} {faults}")
    deck: list[str] = []
    steps = []
    workers = rng.choice(SIZES[stack])
    for _ in range(faults):
        if not deck:
            deck = list(names or possible(stack))
            rng.shuffle(deck)
        name = deck.pop()
        steps.append(
            Step(name, rng.uniform(*PAUSE), rng.uniform(*FAULTS[name].seconds), rng.random())
        )
    return Script(seed, workers, steps)
