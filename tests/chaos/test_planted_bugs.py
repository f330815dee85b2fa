"""A suite that cannot fail is worth nothing.

Bugs planted on purpose are found, each by the check that is there for it.
"""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from agents.process.exits import EXIT_INTERNAL, EXIT_UNAVAILABLE
from streams.catalogue.vocabulary import FrameKind
from streams.readings.sources_seen import SourcesSeen
from streams.valuation import contracts
from streams.valuation.contract_key import SERIES_LIMIT
from streams.valuation.series_codes import SeriesCodes
from tests.chaos.market_session import play_market
from tests.chaos.script import Script, Step
from tests.chaos.session import play
from tests.property import test_cross_section_invariance as invariance
from tests.property import test_lulls
from tests.support.fleet import Fleet
from tests.support.redis_proxy import LOADING, RedisProxy
from tests.support.stack import (
    EmbeddedTestStack,
    RealStack,
    create_flow_topics,
    settings_for,
)
from tests.unit.streams.valuation import test_quotes_stage as quotes_stage

KILL = Step("worker_kill_in_commit", 1.0, 0.3, 0.5)
ANEW = Step("topic_made_anew", 1.0, 1.0, 0.2)
BACK = Step("redis_set_back", 8.0, 0.3, 0.5)
BOMB = Step("batch_bomb", 1.0, 0.0, 0.5)
FOREIGN = Step("foreign_records", 1.0, 0.0, 0.5)
FOUND = [
    (("acknowledge_before_checkpoint",), (), ("committed before its state: ",)),
    (("publish_after_checkpoint",), (KILL,) * 5, ("messages never published: ",)),
    (("any_log_will_do",), (ANEW,), ("a refusal of each partition",)),
    (("own_topics_are_trusted",), (FOREIGN, KILL), ("ended with code 70",)),
    (
        ("the_last_word_stands", "unpack_anything"),
        (BACK, BOMB),
        ("two contents of ", "a bomb was not dead-lettered"),
    ),
    (
        ("miscount", "forget_events"),
        (),
        (" lost, first ", " applied twice, first ", "alerts partition 0: never published: "),
    ),
]
"""Planted bugs, what happens to the one worker that has them, and what the judge must say."""
STUCK_SECONDS = 60.0
QUICK = settings(
    max_examples=200, deadline=None, derandomize=True, database=None, phases=(Phase.generate,)
)

pytestmark = pytest.mark.chaos


@pytest.mark.stack
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("bugs", "steps", "verdicts"), FOUND, ids=["+".join(bugs) for bugs, _, _ in FOUND]
)
def test_found_by_a_session(
    real_stack: RealStack,
    topic_prefix: str,
    tmp_path: Path,
    bugs: tuple[str, ...],
    steps: tuple[Step, ...],
    verdicts: tuple[str, ...],
) -> None:
    command = ("tests.chaos.planted", *bugs, "mixed")
    played = play(
        real_stack, topic_prefix, tmp_path, Script(1, 1, steps), command, calm=STUCK_SECONDS
    )
    for verdict in verdicts:
        assert any(verdict in violation for violation in played.violations), (
            played.violations,
            played.figures,
        )


@pytest.mark.stack
@pytest.mark.timeout(400)
def test_found_by_a_session_of_the_monitor(
    real_stack: RealStack, topic_prefix: str, tmp_path: Path
) -> None:
    """One reading dated 2030, believed."""
    command = ("tests.chaos.planted", "any_time_will_do", "monitor")
    names = ("future_reading",)
    played = play_market(real_stack, topic_prefix, tmp_path, 1, names, command, calm=STUCK_SECONDS)
    assert any("other events" in violation for violation in played.violations), played


ASKED_ONCE = {
    "server": (EXIT_INTERNAL, " in check_server\n"),
    "clock": (EXIT_INTERNAL, " in check_clock\n"),
    "growth": (EXIT_INTERNAL, " in refuse_moved_indices\n"),
    "store": (EXIT_UNAVAILABLE, "Redis refuses the takeover"),
}
"""Where a planted bug asks Redis once, how such a worker ends, and what it says."""


@pytest.mark.embedded
@pytest.mark.timeout(120)
def test_found_by_a_redis_that_refuses_each_command_at_first(
    embedded_stack: EmbeddedTestStack, topic_prefix: str, tmp_path: Path
) -> None:
    """All start at once, each behind a proxy of its own, as many are the places that ask Redis."""
    settings = settings_for(embedded_stack, topic_prefix, kafka={"partitions": {"results": 2}})
    create_flow_topics(embedded_stack, settings)
    with Fleet(settings, embedded_stack.redis.url, tmp_path) as fleet, ExitStack() as proxies:
        workers = {}
        for place in ASKED_ONCE:
            proxy = proxies.enter_context(RedisProxy(embedded_stack.redis.port))
            proxy.refuse_first(LOADING, 2)
            bug, url = f"{place}_is_asked_once", {"DISPERSION_REDIS__URL": proxy.url}
            workers[place] = fleet.start("tests.chaos.planted", bug, "mixed", **url)
        for place, worker in workers.items():
            code, words = ASKED_ONCE[place]
            assert worker.wait(60) == code, fleet.log(worker)
            assert words in fleet.log(worker)


def no_repeat_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every frame is news."""
    admit = SourcesSeen.admit

    def news(self: SourcesSeen, source: str, boundary: int, *, idle: bool) -> FrameKind:
        admit(self, source, boundary, idle=idle)
        return FrameKind.NEW

    monkeypatch.setattr(SourcesSeen, "admit", news)


def a_source_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock waits for all sources but one."""

    def reached(self: SourcesSeen) -> int:
        others = [boundary for source, boundary in self.boundary.items() if source != "ticks:0"]
        return min(others, default=0) if len(others) >= self.expected - 1 else 0

    monkeypatch.setattr(SourcesSeen, "reached", reached)


def idle_marks_are_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever speaks first after a lull makes readings alone."""
    monkeypatch.setattr(SourcesSeen, "_waited", lambda _self, _latest: [])


def test_found_by_the_property_of_lulls(monkeypatch: pytest.MonkeyPatch) -> None:
    check: Any = test_lulls.test_a_lull_makes_no_race
    idle_marks_are_said_once(monkeypatch)
    with pytest.raises((AssertionError, KeyError)):
        QUICK(
            given(
                seed=st.integers(0, 2**32),
                pauses=st.lists(st.sampled_from([4.0, 5.0, 8.0]), min_size=2, max_size=4),
                stall=st.just(1.0),
                data=st.data(),
            )(check.hypothesis.inner_test)
        )()


def test_found_by_the_test_of_a_flood_of_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may take the room of all others."""
    without_share = partial(SeriesCodes, per_underlying=SERIES_LIMIT)
    monkeypatch.setattr(contracts, "SeriesCodes", without_share)
    with pytest.raises(AssertionError):
        quotes_stage.test_a_flood_of_roots_closes_its_own_name_alone_and_for_its_session_alone()


@pytest.mark.parametrize("plant", [no_repeat_filter, a_source_left_out])
def test_found_by_the_invariance_of_readings(
    monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    check: Any = invariance.test_interleaving_and_repeats_do_not_matter
    plant(monkeypatch)
    with pytest.raises(
        (AssertionError, KeyError)
    ):  # other readings, or a frame that is released twice
        QUICK(given(data=st.data())(check.hypothesis.inner_test))()
