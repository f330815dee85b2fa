"""A backlog with a record that ends the process, in a group that is rebalanced again and again.

Record by record the backlog takes longer than any generation of the group lasts. Redis and Kafka
are real.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from streams.stage import Role
from tests.integration.test_stop_in_rebalance import one_more_member
from tests.support.counting import POISON, record_value
from tests.support.fleet import Fleet, wait_until
from tests.support.redis_proxy import RedisProxy
from tests.support.stack import RealStack, create_flow_topics, settings_for

RECORDS = 1_500
POISON_AT = 1_200
ANSWER_SECONDS = 0.01
"""So long Redis takes to answer: a record costs one answer, and the backlog about 20 s."""
GENERATION_RECORDS = 100
REBALANCES_LEAST = 2
ASSIGNED = "Setting newly assigned"
ROLES: dict[Role, int] = {"quotes": 2, "readings": 2}

if TYPE_CHECKING:
    from subprocess import Popen

pytestmark = [pytest.mark.stack, pytest.mark.chaos, pytest.mark.timeout(300)]


@pytest.fixture
def fleet(real_stack: RealStack, topic_prefix: str, tmp_path: Path) -> Iterator[Fleet]:
    settings = settings_for(
        real_stack,
        topic_prefix,
        kafka={"partitions": {"quotes": 2, "ticks": 1, "results": 2}},
        redis={"checkpoint_seconds": 0.5, "lease_seconds": 3},
    )
    create_flow_topics(real_stack, settings)
    with Fleet(settings, real_stack.redis.url, tmp_path) as fleet:
        yield fleet


def rebalanced(fleet: Fleet, worker: "Popen[bytes]") -> int:
    """Rebalance the group again and again until the worker is at the poison; how often.

    Each generation has to get further than the one before.
    """
    for times in itertools.count():
        seen, known = fleet.watermarks("quotes").get(0, -1), fleet.log(worker).count(ASSIGNED)
        wait_until(
            lambda seen=seen: (  # type: ignore[misc]
                worker.poll() is not None
                or fleet.watermarks("quotes").get(0, -1) >= seen + GENERATION_RECORDS
            ),
            60,
            f"a generation of the group gets {GENERATION_RECORDS} records beyond {seen}",
        )
        if worker.poll() is not None:
            return times
        with one_more_member(fleet):
            wait_until(
                lambda known=known: (  # type: ignore[misc]
                    worker.poll() is not None or fleet.log(worker).count(ASSIGNED) > known
                ),
                60,
                "the group is rebalanced",
            )
    raise AssertionError


def test_a_search_record_by_record_moves_on_through_rebalances(
    fleet: Fleet, real_stack: RealStack
) -> None:
    values = [record_value(number) for number in range(RECORDS)]
    values.insert(POISON_AT, POISON)
    fleet.put("quotes", values)
    with RedisProxy(real_stack.redis.port) as proxy:
        proxy.delay = ANSWER_SECONDS
        first = fleet.start(DISPERSION_REDIS__URL=proxy.url)
        wait_until(lambda: first.poll() is not None, 60, "the record ends the process")
        second = fleet.start(DISPERSION_REDIS__URL=proxy.url)
        assert rebalanced(fleet, second) >= REBALANCES_LEAST
        deaths = 1
        for _ in range(3):
            wait_until(
                lambda: fleet.workers[-1].poll() is not None or fleet.drained("quotes", 1),
                120,
                "the backlog is worked off, or the record ends the process",
            )
            if fleet.workers[-1].poll() is None:
                break
            deaths += 1
            fleet.start(DISPERSION_REDIS__URL=proxy.url)
        assert deaths == 3, "what was suspected stays so from one generation to the next"
        wait_until(lambda: fleet.drained("quotes", 1), 60, "the backlog is worked off")
    applied = fleet.applied("quotes")[:RECORDS]
    assert np.flatnonzero(applied != 1).tolist() == [], "each once, whatever came between"
