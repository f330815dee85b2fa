"""What a worker keeps, writes and says of the input that it left out."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, cast

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from agents.cli.status import input_lines
from agents.monitoring import acceptance as module
from agents.monitoring.acceptance import Acceptance
from agents.monitoring.health_report import InputHealth
from agents.transport.assignment import Partition
from streams.left_out import LeftOut
from streams.refusals.acceptance import Account

PLACE = Partition("market.ticks.v1", 3)
LATE = LeftOut("late", "2 s late", "SPY", "market.ticks.v1", 3, 17)


class Views:
    """Remembers what was written."""

    def __init__(self) -> None:
        self.written: list[Mapping[Partition, Account]] = []
        self.away = False

    async def input_outcomes(self, accounts: Mapping[Partition, Account]) -> None:
        if self.away:
            raise RedisConnectionError
        self.written.append(accounts)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


def made() -> tuple[Acceptance, Views]:
    views = Views()
    return Acceptance(cast("Any", views)), views


def test_a_minute_is_written_and_forgotten_after_a_minute(clock: list[float]) -> None:
    kept, views = made()
    kept.took(PLACE, {"accepted": 3, "late": 1}, {"read": 4}, {"late": LATE})
    asyncio.run(kept.publish())
    (account,) = views.written[-1].values()
    assert (account.rows, account.records) == ({"accepted": 3, "late": 1}, 4)
    assert account.examples == {"late": LATE}
    clock[0] += 30
    kept.took(PLACE, {"accepted": 1}, {"read": 1, "refused": 1}, {})
    clock[0] += 45
    asyncio.run(kept.publish())
    (account,) = views.written[-1].values()
    assert (account.rows, account.records, account.refused) == ({"accepted": 1}, 1, 1)
    assert account.examples == {"late": LATE}, "an example outlives its minute"
    clock[0] += 61
    asyncio.run(kept.publish())
    asyncio.run(kept.publish())
    assert [account.rows for account in views.written[-2].values()] == [{}]
    assert not views.written[-1], "a silent input is written once"


def test_what_redis_did_not_take_is_written_later(clock: list[float]) -> None:
    del clock
    kept, views = made()
    views.away = True
    kept.took(PLACE, {"late": 1}, {"read": 1}, {"late": LATE})
    asyncio.run(kept.publish())
    views.away = False
    asyncio.run(kept.publish())
    assert PLACE in views.written[-1]
    kept.forget(PLACE)
    asyncio.run(kept.publish())
    assert not views.written[-1]


def test_the_log_says_it_once_a_minute(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    kept, _ = made()
    with caplog.at_level(logging.INFO):
        for _ in range(14):
            kept.took(PLACE, {"accepted": 9, "late": 1}, {"read": 10}, {"late": LATE})
            clock[0] += 10
            asyncio.run(kept.publish())
    lines = [one for one in caplog.records if "rows of the last minute" in one.getMessage()]
    assert [one.levelname for one in lines] == ["INFO", "INFO"]
    assert LATE.text in lines[0].getMessage()
    caplog.clear()
    clock[0] += 61
    kept.took(PLACE, {"late": 5}, {"read": 5}, {"late": LATE})
    asyncio.run(kept.publish())
    assert [one.levelname for one in caplog.records] == ["WARNING"]


def test_last_words_name_the_example(clock: list[float]) -> None:
    del clock
    kept, views = made()
    kept.took(PLACE, {"late": 5}, {"read": 5}, {"late": LATE})
    assert asyncio.run(kept.rejection_summary(PLACE)) == f"late 5, for example {LATE.text}"
    assert PLACE in views.written[-1]
    assert asyncio.run(kept.rejection_summary(Partition("else", 0))) == ""


def test_the_screen_has_a_line_for_each_reason() -> None:
    health = InputHealth("market.ticks.v1", 2.0, 0, 5, {"late": 5}, [LATE], "all late")
    assert input_lines(health) == [
        (
            "market.ticks.v1: 0 of 5 rows accepted in the last minute; left out: late 5; "
            "likely: all late"
        ),
        f"  late, for example {LATE.text}",
    ]
