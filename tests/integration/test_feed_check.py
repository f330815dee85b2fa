"""`feed check --topics`: what somebody else's feed has sent, as a worker would take it."""

import json
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from agents.cli.main import main
from agents.feeds.newest_records import LEAST
from agents.feeds.topic_check import InputCheck, check_topics_input
from agents.kafka.client import kafka_python_options
from agents.process.ports import free_ports
from config.settings import Settings
from streams.framing.framing import BEAT_HEADERS, beat_value
from streams.records import NS
from streams.topics import Topics
from tests.support.feed_run import MONDAY, eastern
from tests.support.stack import Stack, create_flow_topics, environment_for, settings_for

PARTITIONS = 2
NOW = eastern(MONDAY, 10, 30)
WITHOUT_QUOTES = "MSFT"
pytestmark = pytest.mark.timeout(120)


class Topic:
    """Somebody's producer; times are seconds before `NOW`."""

    def __init__(self, settings: Settings) -> None:
        self._topics = Topics(settings.kafka.topic_prefix)
        self._producer = KafkaProducer(**kafka_python_options(settings))

    def send(self, role: Any, value: Any, ago: float, partition: int = 0, **more: Any) -> None:
        name, stamp = self._topics.name(role), (NOW - round(ago * NS)) // 1_000_000
        self._producer.send(name, value, partition=partition, timestamp_ms=stamp, **more)

    def quote(self, name: str, ago: float, ahead: float = 0.0, **changes: Any) -> None:
        row = {"underlying": name, "expiry": "2026-08-21", "strike": 100.0, "right": "C"}
        at = NOW - round((ago - ahead) * NS)
        value = row | {"bid": 1.5, "ask": 1.6, "ts_event": at} | changes
        self.send("quotes", json.dumps(value).encode(), ago)

    def tick(self, symbol: str, price: float, ago: float) -> None:
        value = {"symbol": symbol, "price": price, "size": 0, "ts_event": NOW - round(ago * NS)}
        self.send("ticks", json.dumps(value).encode(), ago)

    def beats(self, ago: float, roles: tuple[str, ...] = ("quotes", "ticks")) -> None:
        for role in roles:
            for partition in range(PARTITIONS):
                value = beat_value(NOW - round(ago * NS))
                self.send(role, value, ago, partition, headers=list(BEAT_HEADERS))

    def flush(self) -> None:
        self._producer.flush()

    def close(self) -> None:
        self._producer.close()


def one_of(found: InputCheck, start: str) -> str:
    (words,) = [text for text in found.problems if start in text]
    return words


@pytest.fixture
def settings(
    stack: Stack, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    basket = tmp_path / "few.toml"
    names = ("AAPL", WITHOUT_QUOTES)
    basket.write_text(
        "".join(f'[[constituents]]\nsymbol = "{name}"\nweight = 1\n' for name in names)
    )
    index: dict[str, Any] = {"symbol": "SPY", "basket": str(basket), "tenors": [30]}
    made = settings_for(
        stack,
        topic_prefix,
        market={"indices": [index]},
        kafka={"partitions": {"quotes": PARTITIONS, "ticks": PARTITIONS, "results": 1}},
    )
    create_flow_topics(stack, made)
    for name, value in environment_for(made).items():
        monkeypatch.setenv(name, value)
    return made


def test_what_a_feed_of_somebody_else_sends(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = check_topics_input(settings, NOW)
    assert [text.partition(": ")[2] for text in empty.problems] == [
        "no records; does a feed publish to this topic?"
    ] * 2
    topic = Topic(settings)
    # Of another hour: what is of the latest minutes counts.
    topic.quote("TSLA", 7200)
    for ago in (20.0, 10.0):
        topic.quote("SPY", ago)
        topic.quote("AAPL", ago)
        topic.tick("VIX", 17.25, ago)
        topic.beats(ago)
    topic.quote("SPY", 2.0)
    topic.flush()
    found = check_topics_input(settings, NOW)
    assert found.session_open
    assert one_of(found, "have no quotes").endswith(
        f"1 of 3 names have no quotes: {WITHOUT_QUOTES}"
    )
    assert len(found.problems) == 1
    quotes, ticks = found.topics
    assert (quotes.accepted, quotes.rows, quotes.left_out) == (5, 5, {})
    assert (quotes.record_age_seconds, quotes.delay_seconds) == (2.0, 0.0)
    assert (quotes.beat_age_seconds, quotes.without_beat) == (10.0, [])
    assert (ticks.names_seen, "VIX" in ticks.names_missing) == (1, False)

    topic.quote(WITHOUT_QUOTES, 1.5)
    topic.flush()
    assert check_topics_input(settings, NOW).problems == []

    # Foreign records, a clock that is an hour ahead, and one behind what a heartbeat has promised.
    topic.send("quotes", b'{"bid": "cheap"}', 1.4)
    topic.send("quotes", b"\xff\xfe no JSON", 1.3)
    topic.quote("AAPL", 1.2, ahead=3600.0)
    topic.quote("AAPL", 1.1, ahead=-60.0)
    topic.quote("TSLA", 1.0)
    topic.quote("AAPL", 0.9, bid=2.0)
    topic.flush()
    found = check_topics_input(settings, NOW)
    quotes = found.topics[0]
    wanted = {"type": 1, "format": 1, "future": 1, "late": 1, "unknown": 1, "crossed": 1}
    assert (quotes.accepted, quotes.left_out) == (6, dict(sorted(wanted.items())))
    examples = {one.reason: one for one in quotes.examples}
    assert examples.keys() == wanted.keys()
    assert "3600.0 s ahead of its record" in examples["future"].value
    assert examples["future"].offset == examples["format"].offset + 1
    assert "1 of 12 rows are ahead of their records" in one_of(found, "ahead")
    assert "TSLA is none of the names" in examples["unknown"].value

    # An hour later the feed has stopped, and what it sent last is told all the same.
    later = check_topics_input(settings, NOW + 3600 * NS)
    assert "the newest record is 3601 s old" in later.problems[-2]
    assert later.topics[0].rows > 6
    assert later.topics[0].records <= LEAST * PARTITIONS
    # At night nothing need come.
    night = check_topics_input(settings, eastern(MONDAY, 20))
    assert not night.session_open
    assert night.problems == [one_of(night, "ahead of their records")]
    # This machine's clock is ten minutes behind.
    behind = check_topics_input(settings, NOW - 600 * NS)
    ahead = [words for words in behind.problems if "NTP" in words]
    assert len(ahead) == 2
    assert "dated 599 s ahead of this machine's clock" in ahead[0]

    monkeypatch.setenv("DISPERSION_MODE", "replay")
    assert main(["feed", "check"]) == 0
    shown = capsys.readouterr().out
    assert "names: 3 of 3 seen" in shown
    assert "crossed 1, for example AAPL 2026-08-21 C 100: bid 2, ask 1.6" in shown
    topic.send("ticks", b"<html>", 0.5)
    for _ in range(9):
        topic.send("quotes", b"<html>", 0.5)
    topic.flush()
    topic.close()
    assert main(["feed", "check", "--topics", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert "likely" not in told["problems"][0]
    assert "format 10" in told["problems"][0]
    (port,) = free_ports(1)
    monkeypatch.setenv("DISPERSION_KAFKA__BOOTSTRAP_SERVERS", f"127.0.0.1:{port}")
    assert main(["feed", "check", "--topics"]) == 3
    assert main(["feed", "check", "cboe", "--topics"]) == 2


def test_two_feeds_at_once_and_prices_in_cents(settings: Settings) -> None:
    topic = Topic(settings)
    for ago in range(20, 0, -1):
        topic.beats(ago)
        for name in ("SPY", "AAPL", WITHOUT_QUOTES):
            topic.quote(name, ago - 0.5, right="P", bid=4.0, ask=4.2)
    for _ in range(LEAST):
        topic.quote("SPY", 0.45)
    topic.flush()
    # The other names are further back than the last records.
    assert check_topics_input(settings, NOW).problems == []
    for ago in range(20, 0, -1):
        # Of a second feed that is ten seconds behind, and in cents.
        topic.beats(ago + 10.0)
        topic.quote("SPY", 0.4, right="P", strike=3.0 + ago, bid=40.0, ask=42.0)
    topic.flush()
    topic.close()
    found = check_topics_input(settings, NOW)
    assert len([words for words in found.problems if "two feeds publish at once?" in words]) == 2
    assert "partitions 0, 1 come twice" in found.problems[0]
    assert "20 of 80 bids for puts are above their strikes" in one_of(found, "in cents?")


def test_a_slow_feed_without_heartbeats_and_a_delayed_one_as_live(settings: Settings) -> None:
    topic = Topic(settings)
    rows = [
        {
            "underlying": name,
            "expiry": "2026-08-21",
            "strike": 100.0,
            "right": "C",
            "bid": 1.5,
            "ask": 1.6,
            "ts_event": NOW - 905 * NS,
        }
        for name in ("SPY", "AAPL", WITHOUT_QUOTES)
    ]
    slow = [("dispersion-refresh-seconds", b"120")]
    topic.send("quotes", json.dumps(rows).encode(), 5.0, headers=slow)
    topic.beats(5.0, ("ticks",))
    topic.flush()
    topic.close()
    found = check_topics_input(settings, NOW)
    assert "no heartbeat on 2 of 2 partitions (0, 1)" in one_of(found, "heartbeat")
    assert 'wants mode = "delayed"' in one_of(found, "behind their records")
    assert found.topics[0].delay_seconds == 900.0
    assert len(found.problems) == 2
