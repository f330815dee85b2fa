"""A suite that cannot fail is worth nothing: bugs planted on purpose are found, each by the check that is there for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from streams.readings.sources_seen import Admission, SourcesSeen
from tests.chaos.script import Script, Step
from tests.chaos.session import play
from tests.property import test_cross_section_invariance as invariance
from tests.support.stack import RealStack

KILL = Step("worker_kill_in_commit", 1.0, 0.3, 0.5)
FOUND = [
    (("acknowledge_before_checkpoint",), (), ("committed before its state: ",)),
    (("publish_after_checkpoint",), (KILL, KILL, KILL), ("messages never published: ",)),
    (("miscount", "forget_events"), (), (" lost, first ", " applied twice, first ", "alerts partition 0: never published: ")),
]
"""Planted bugs, what happens to the one worker that has them, and what the judge must say."""
QUICK = settings(max_examples=200, deadline=None, derandomize=True, database=None, phases=(Phase.generate,))

pytestmark = pytest.mark.chaos


@pytest.mark.stack
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("bugs", "steps", "verdicts"), FOUND, ids=["+".join(bugs) for bugs, _, _ in FOUND])
def test_found_by_a_session(
    real_stack: RealStack, topic_prefix: str, tmp_path: Path, bugs: tuple[str, ...], steps: tuple[Step, ...], verdicts: tuple[str, ...]
) -> None:
    played = play(real_stack, topic_prefix, tmp_path, Script(1, 1, steps), ("tests.chaos.planted", *bugs))
    for verdict in verdicts:
        assert any(verdict in violation for violation in played.violations), (played.violations, played.figures)


def no_repeat_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every frame is news."""
    admit = SourcesSeen.admit

    def news(self: SourcesSeen, source: str, boundary: int, *, idle: bool) -> Admission:
        admit(self, source, boundary, idle=idle)
        return Admission.NEW

    monkeypatch.setattr(SourcesSeen, "admit", news)


def a_source_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock waits for all sources but one."""

    def reached(self: SourcesSeen) -> int:
        others = [boundary for source, boundary in self.boundary.items() if source != "ticks:0"]
        return min(others, default=0) if len(others) >= self.expected - 1 else 0

    monkeypatch.setattr(SourcesSeen, "reached", reached)


@pytest.mark.parametrize("plant", [no_repeat_filter, a_source_left_out])
def test_found_by_the_invariance_of_readings(monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None]) -> None:
    check: Any = invariance.test_interleaving_and_repeats_do_not_matter
    plant(monkeypatch)
    with pytest.raises((AssertionError, KeyError)):  # other readings, or a frame that is released twice
        QUICK(given(data=st.data())(check.hypothesis.inner_test))()
