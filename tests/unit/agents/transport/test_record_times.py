"""Kafka timestamps that others have made up."""

import pytest

from agents.transport.fetched_records import FetchedRecord
from agents.transport.record_times import AHEAD_MS, bound

NOW = 1_783_951_200_000
YEAR_2030 = 1_900_000_000_000


def fetched(*times: int) -> list[FetchedRecord]:
    return [FetchedRecord("t", 0, at, time, 0, None, b"x", ()) for at, time in enumerate(times)]


@pytest.mark.parametrize("times", [(), (NOW,), (1, NOW + AHEAD_MS), (NOW - 10**9, NOW)])
def test_possible_times_are_left_alone(times: tuple[int, ...]) -> None:
    records = fetched(*times)
    assert bound(records, NOW, live=True) == 0
    assert records == fetched(*times)


@pytest.mark.parametrize("false", [YEAR_2030, NOW + AHEAD_MS + 1, 0, -1, 2**62])
def test_impossible_times_become_the_latest_possible_one(false: int) -> None:
    records = fetched(NOW, false, NOW - 5)
    assert bound(records, NOW, live=True) == 1
    assert [record.timestamp for record in records] == [NOW, NOW + AHEAD_MS, NOW - 5]
    assert records[1].offset == 1


def test_a_replay_may_date_its_records_ahead_but_not_leave_the_date_out() -> None:
    records = fetched(YEAR_2030, -1)
    assert bound(records, NOW, live=False) == 1
    assert [record.timestamp for record in records] == [YEAR_2030, NOW + AHEAD_MS]
