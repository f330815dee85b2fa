"""Faults drawn from a seed, under load: nothing is lost, nothing counted twice, no event missing, no partition stuck.

`make chaos` plays more of them; a seed that failed there or here fails again with the same script.
"""

from pathlib import Path

import pytest

from tests.chaos.script import script_of
from tests.chaos.session import play
from tests.support.stack import EmbeddedTestStack, RealStack

pytestmark = pytest.mark.chaos


@pytest.mark.stack
@pytest.mark.timeout(600)
def test_on_a_real_broker(real_stack: RealStack, topic_prefix: str, tmp_path: Path) -> None:
    """Each kind that a real stack can have comes at least once."""
    played = play(real_stack, topic_prefix, tmp_path, script_of(1, "real", 25))
    assert not played.violations, played
    assert len(played.faults) == 25
    assert played.figures["inputs"] > 10_000


@pytest.mark.embedded
@pytest.mark.timeout(500)
def test_on_the_embedded_broker(embedded_stack: EmbeddedTestStack, topic_prefix: str, tmp_path: Path) -> None:
    played = play(embedded_stack, topic_prefix, tmp_path, script_of(1, "embedded", 5))
    assert not played.violations, played
    assert len(played.faults) == 5
