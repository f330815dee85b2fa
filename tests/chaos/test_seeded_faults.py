"""Faults drawn from a seed, under load.

Nothing is lost, nothing counted twice, no event missing, no partition stuck. `make chaos` plays
more of them; a seed that failed there or here fails again with the same script.
"""

from pathlib import Path

import pytest

from tests.chaos.faults import possible
from tests.chaos.market_faults import MARKET_FAULTS
from tests.chaos.market_session import play_market
from tests.chaos.script import script_of
from tests.chaos.session import play
from tests.support.stack import EmbeddedTestStack, RealStack

pytestmark = pytest.mark.chaos


@pytest.mark.stack
@pytest.mark.timeout(900)
def test_on_a_real_broker(real_stack: RealStack, topic_prefix: str, tmp_path: Path) -> None:
    """Half of the kinds that a real stack can have; `make chaos` plays the others."""
    kinds = len(possible("real")) // 2
    played = play(real_stack, topic_prefix, tmp_path, script_of(1, "real", kinds))
    assert not played.violations, played
    assert len({fault["fault"] for fault in played.faults}) == kinds
    assert played.figures["inputs"] > 10_000


@pytest.mark.stack
@pytest.mark.timeout(500)
def test_of_the_monitor_itself(real_stack: RealStack, topic_prefix: str, tmp_path: Path) -> None:
    """Readings and events are those of one undisturbed process."""
    played = play_market(real_stack, topic_prefix, tmp_path, 1)
    assert not played.violations, played
    assert len(played.faults) == len(MARKET_FAULTS)


@pytest.mark.embedded
@pytest.mark.timeout(500)
def test_on_the_embedded_broker(
    embedded_stack: EmbeddedTestStack, topic_prefix: str, tmp_path: Path
) -> None:
    played = play(embedded_stack, topic_prefix, tmp_path, script_of(1, "embedded", 5))
    assert not played.violations, played
    assert len(played.faults) == 5
