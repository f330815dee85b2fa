"""`backfill` against a real Redis.

It is idempotent, never over the monitor's own word, and found by the next owner of the partition.
"""

import json
import math
from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from typing import cast

import msgspec
import pytest
from pydantic import SecretStr
from redis import Redis

from agents.cli.main import main
from agents.process.release_deadline import Deadline
from agents.store.checkpoint_store import Checkpoint, StoreClient, WatermarkStep
from agents.store.client import connect
from agents.store.daily_facts import Filled, fill
from agents.store.keys import StageKeys, stage_keys
from agents.store.sync import connect_sync
from config.rules import load_rules
from config.settings import RedisSettings
from streams.detection.closed_sessions import TOO_OLD
from streams.detection.history.days import SESSIONS, DayFacts, decode_day
from streams.detection.history.instant import instant_of
from streams.records import NS
from tests.integration.test_checkpoint_store import Silent
from tests.support.monitor import QUOTES
from tests.support.readings import FRIDAY, INDEX, MONDAY, Run, closing, eastern, toy
from tests.support.stack import (
    EmbeddedTestStack,
    Stack,
    create_flow_topics,
    environment_for,
    settings_for,
)
from tests.support.trading_days import sessions_in

REACH = load_rules().baseline


def history(sessions: int) -> list[DayFacts]:
    """Closes of so many sessions up to the Friday, correlation in a wave."""
    days = sessions_in(FRIDAY - timedelta(days=2 * sessions + 30), FRIDAY)[-sessions:]
    return [_facts(day, 0.15 + 0.03 * math.sin(at / 7)) for at, day in enumerate(days)]


def _facts(session: date, rho: float) -> DayFacts:
    reading = closing(session, 0.148, 0.44, rho)
    now = instant_of(reading, int(reading.ts_event.timestamp()) * NS)
    known = {name: getattr(now, name) for name in now.__struct_fields__}
    return DayFacts(
        **known,
        dispersion=reading.dispersion,
        vol_spread=reading.vol_spread,
        correlation_rises={"opening": 0.02, "middle": 0.02, "closing": 0.02},
    )


@pytest.fixture
def keys(topic_prefix: str) -> StageKeys:
    return stage_keys("detector", [f"{topic_prefix}readings"], 0, [INDEX])


@pytest.fixture
def redis(stack: Stack) -> Redis:
    return connect_sync(RedisSettings(url=SecretStr(stack.redis.url)))


class Owner:
    """Takes the partition as a worker does."""

    def __init__(self, store: StoreClient, keys: StageKeys) -> None:
        self.checkpoints = store.checkpoints(keys, 1, Deadline())
        self.topic = keys.inputs[0]

    async def start(self, run: Run) -> Checkpoint:
        checkpoint = await self.checkpoints.acquire(waiting=())
        run.stage.restore(checkpoint.chunks)
        return checkpoint


@pytest.fixture
async def owner(stack: Stack, keys: StageKeys) -> AsyncIterator[Owner]:
    redis = connect(RedisSettings(url=SecretStr(stack.redis.url)))
    yield Owner(StoreClient(redis, Silent(), lease_seconds=10, instance="worker"), keys)
    await redis.aclose()


def filled(
    redis: Redis, keys: StageKeys, facts: Sequence[DayFacts], *, dry_run: bool = False
) -> Filled:
    return fill(redis, keys, facts, {}, REACH, dry_run=dry_run)


def test_twice_is_once_and_a_dry_run_is_nothing(redis: Redis, keys: StageKeys) -> None:
    facts = history(70)
    would = filled(redis, keys, facts, dry_run=True)
    assert (would.written, would.existing, would.comparable) == (70, 0, 70)
    assert not redis.exists(keys.day(INDEX))
    first = filled(redis, keys, facts)
    assert first == would
    stored = redis.hgetall(keys.day(INDEX))
    assert len(stored) == 70
    again = filled(
        redis, keys, [msgspec.structs.replace(one, implied_correlation=0.9) for one in facts]
    )
    assert (again.written, again.existing) == (0, 70)
    assert redis.hgetall(keys.day(INDEX)) == stored


def test_what_the_monitor_has_closed_stands(redis: Redis, keys: StageKeys) -> None:
    redis.hset(keys.day(INDEX), FRIDAY.isoformat(), b"the monitor's word")
    with pytest.raises(ValueError, match="not a chunk"):
        filled(redis, keys, history(3))
    assert redis.hget(keys.day(INDEX), FRIDAY.isoformat()) == b"the monitor's word"


def test_closes_before_a_gap_are_written_and_not_counted_as_comparable(
    redis: Redis, keys: StageKeys
) -> None:
    facts = history(80)
    done = filled(redis, keys, [*facts[:20], *facts[30:]])
    assert (done.written, done.comparable, done.comparable_from) == (70, 50, facts[30].session)
    assert done.comparable < done.needed


async def test_the_next_owner_has_ranks(redis: Redis, keys: StageKeys, owner: Owner) -> None:
    bare = Run()
    bare.play([toy(eastern(MONDAY, "11:00:00"), 0.15, 0.44, 0.16)])
    assert bare.snapshot()["percentiles"] == {}
    assert not filled(redis, keys, history(70)).owned
    run = Run()
    checkpoint = await owner.start(run)
    assert len(checkpoint.chunks) == 70
    run.play([toy(eastern(MONDAY, "11:00:00"), 0.15, 0.44, 0.16)])
    assert 0.3 < run.snapshot()["percentiles"]["implied_correlation"]["252d"] < 0.8
    assert filled(redis, keys, history(71)).owned, (
        "the running worker has to be restarted to see more"
    )


async def test_no_more_than_the_kept_sessions(redis: Redis, keys: StageKeys, owner: Owner) -> None:
    done = filled(redis, keys, history(SESSIONS + 10))
    assert done.written == SESSIONS
    assert list(done.skipped.values()) == [TOO_OLD] * 10
    run = Run()
    await owner.start(run)
    run.play([closing(MONDAY, 0.15, 0.44, 0.16)])
    await owner.checkpoints.commit([WatermarkStep(owner.topic, -1, 0)], run.stage.chunks())
    fields = redis.hkeys(keys.day(INDEX))
    sessions = sorted(field.decode() for field in fields)  # type: ignore[union-attr]
    assert len(sessions) == SESSIONS
    assert sessions[-1] == MONDAY.isoformat()
    assert sessions[0] == history(SESSIONS - 1)[0].session.isoformat()


@pytest.mark.embedded
def test_the_command(
    embedded_stack: EmbeddedTestStack,
    topic_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = settings_for(
        embedded_stack, topic_prefix, kafka={"partitions": {"quotes": 1, "ticks": 1, "results": 3}}
    )
    create_flow_topics(embedded_stack, settings)
    for name, value in environment_for(settings).items():
        monkeypatch.setenv(name, value)
    key = stage_keys("detector", [f"{topic_prefix}dispersion.readings.v1"], 2, ["SPY"]).day("SPY")
    redis = connect_sync(settings.redis)

    def stored() -> dict[bytes, bytes]:
        return cast("dict[bytes, bytes]", redis.hgetall(key))

    def said(*arguments: str) -> tuple[str, str]:
        assert main(["backfill", *arguments]) == 0
        return capsys.readouterr()

    quotes = ["--quotes", *map(str, QUOTES)]
    dry = json.loads(said(*quotes, "--dry-run", "--json")[0])
    assert (dry["written"], dry["skipped"]) == (2, {"2026-07-08": "no_index_vol"})
    assert stored() == {}

    out, err = said(*quotes)
    assert out == "SPY: 2 sessions written, 0 there already, 1 skipped\n"
    assert "compared with 2 closes from 2026-07-09 on, too few for ranks, which need 60" in err
    first = stored()
    assert sorted(first) == [b"2026-07-09", b"2026-07-10"]
    facts = decode_day(first[b"2026-07-10"])
    assert facts.index_vol == pytest.approx(0.1488, abs=1e-3)
    assert facts.constituents is not None

    again = json.loads(said(*quotes, "--json")[0])
    assert (again["written"], again["existing"], again["dry_run"]) == (0, 2, False)
    assert stored() == first

    out, err = said(
        "--daily", str(QUOTES[0].parent), "--index", "SPY", "--to", "2026-07-09", "--json"
    )
    published, both = json.loads(out), stored()
    assert (published["written"], published["existing"]) == (len(both) - 2, 1), (
        "2026-07-09 stays as the quotes have it"
    )
    assert both.items() > first.items()
    assert {decode_day(value).basis for value in both.values()} == {"published", "quotes"}
    assert published["comparable"] == len(both) > 20
    assert "no file vixeq_daily, dspx_daily, cor1m_daily" in err
