"""One feed publishes to a monitor: a second is refused, and `status` tells of the first."""

import json
import signal
import time
from typing import Any

import pytest

from agents.store.feed_place import FeedAccount, FeedPlace, read_account
from agents.store.keys import feed_place
from agents.store.sync import connect_sync
from config.settings import Settings
from tests.support.command import Finished, run, start, stop
from tests.support.fleet import wait_until
from tests.support.stack import Stack, create_flow_topics, environment_for, settings_for

pytestmark = pytest.mark.timeout(240)
SECONDS = 60.0


@pytest.fixture
def settings(stack: Stack, topic_prefix: str) -> Settings:
    made = settings_for(
        stack,
        topic_prefix,
        mode="delayed",
        metrics={"port": 0},
        feed={"cboe": {"accept_terms": True, "host": "http://127.0.0.1:9"}, "key": "sesame"},
        kafka={"partitions": {"quotes": 1, "ticks": 1, "results": 1}},
    )
    create_flow_topics(stack, made)
    return made


def told(settings: Settings) -> FeedAccount | None:
    """What the feed that has the place tells."""
    with connect_sync(settings.redis) as redis:
        value: Any = redis.hget(feed_place(settings.kafka.topic_prefix), "value")
    return None if value is None else read_account(value)


def status(settings: Settings, *arguments: str) -> Finished:
    return run("status", *arguments, env=environment_for(settings))


def test_a_second_feed_is_refused_and_the_first_is_named(settings: Settings) -> None:
    variables = environment_for(settings)
    first = start("feed", "run", "cboe", env=variables)
    others = []
    try:
        wait_until(lambda: told(settings) is not None, SECONDS, "the first tells of itself")
        refused = run("feed", "run", "massive", env=variables)
        assert refused.returncode == 1
        assert "the feed cboe on " in refused.stderr
        assert f"(pid {first.pid}) publishes to these topics already" in refused.stderr
        assert run("feed", "run", "cboe", "--dry-run", "--once", env=variables).returncode != 1
        shown = json.loads(status(settings, "--json").stdout)
        assert (shown["feed"]["feed"], shown["feed"]["pid"]) == ("cboe", first.pid)
        # One that was killed leaves its place by itself, and one that is stopped at once.
        first.kill()
        second = start("feed", "run", "massive", env=variables)
        others.append(second)

        def follows() -> bool:
            account = told(settings)
            return account is not None and account.feed == "massive"

        wait_until(follows, SECONDS, "the second has the place")
        assert stop(second, signal.SIGTERM).returncode == 0
        assert told(settings) is None
    finally:
        for process in (first, *others):
            process.kill()
            process.communicate()


async def test_status_names_what_is_wrong_with_the_feed(settings: Settings) -> None:
    place, other = FeedPlace(settings), FeedPlace(settings)
    account = FeedAccount(
        feed="cboe",
        host="here",
        pid=7,
        at=time.time(),
        in_session=True,
        names={"fresh": 4, "stale": 1, "missing": 0},
        troubles={
            "limit": "cdn/MSFT.json: asks to wait for 40 s (HTTP 429)",
            "documents": "ZZZZ.json: HTTP 403",
        },
        left_out={"html": 3, "unchanged": 5},
        examples={"html": "a page in place of the document: '<!DOCTYPE html>\x1b[2J'"},
    )
    try:
        assert await place.hold(account) is None
        assert await other.hold(FeedAccount(feed="massive")) == account
        await other.leave()
        assert await place.hold(account) is None
        text = status(settings)
        assert text.returncode == 1
        assert "feed cboe on here (pid 7): names 4 fresh, 1 stale, 0 missing" in text.stdout
        assert "html 3, for example a page in place of the document" in text.stdout
        assert "\x1b[2J" not in text.stdout
        assert "! the feed cboe on here (pid 7): limit: cdn/MSFT.json: asks" in text.stdout
        assert "documents: ZZZZ" not in text.stdout
        # What was told long ago says nothing of now.
        assert await place.hold(FeedAccount(feed="cboe", at=1.0, troubles={"limit": "x"})) is None
        shown = json.loads(status(settings, "--json").stdout)
        assert not [words for words in shown["problems"] if "the feed cboe" in words]
        await place.leave()
        assert json.loads(status(settings, "--json").stdout)["feed"] is None
    finally:
        await place.close()
        await other.close()


def test_a_feed_without_redis_publishes_all_the_same(settings: Settings) -> None:
    variables = environment_for(settings) | {"DISPERSION_REDIS__URL": "redis://127.0.0.1:9/0"}
    running = start("feed", "run", "cboe", env=variables)
    try:
        assert running.stderr is not None
        words = "Redis does not tell whether another feed publishes"
        assert any(words in line for line in running.stderr)
    finally:
        assert stop(running).returncode == 0
