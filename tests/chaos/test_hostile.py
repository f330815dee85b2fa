"""Hostile input at the speed of the feed.

Nothing crashes, nothing is lost from the account, nothing is slow.
"""

import pytest

from streams.catalogue.outcomes import OUTCOMES
from streams.decoding.codec import REASONS
from tests.chaos.hostile import run

COUNT, SEED = 50_000, 7

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]


def test_every_hostile_message_is_accounted_for() -> None:
    done = run(SEED, COUNT, lambda _: None)
    messages, outcomes = done["messages"], done["outcomes"]
    assert sum(messages.values()) == done["count"] == COUNT
    assert sum(outcomes.values()) == done["rows"]
    assert set(messages) - {"rows", "a heartbeat", "nothing"} == REASONS - {"too_large"}
    assert set(outcomes) <= set(OUTCOMES)
    assert outcomes["accepted"] > done["rows"] / 20, "and what is good is let in"
    assert done["throughput_ratio"] >= 0.5, done
