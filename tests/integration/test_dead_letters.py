"""Dead letters read, shown and sent again, on both stacks."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer
from kafka.structs import TopicPartition

from agents.cli.main import main
from agents.dead_letters.replay import ReplayCheck
from agents.kafka.client import kafka_python_options
from agents.kafka.frame_publisher import FramePublisher
from config.settings import IngestSettings, Settings
from streams.decoding.codec import decode_quotes
from streams.records import InputRecord, Malformed
from streams.refusals.dead_letter_records import read_letter
from streams.refusals.dead_letters import MAX_VALUE_BYTES, dead_letter
from streams.stage import Role
from streams.topics import Topics
from tests.support.fleet import Fleet, wait_until
from tests.support.hostile_texts import judge_screen
from tests.support.pages import ready, samples, series
from tests.support.stack import RealStack, Stack, create_flow_topics, environment_for, settings_for

QUOTE = {
    "underlying": "AAPL",
    "expiry": "2026-08-21",
    "strike": 230,
    "right": "C",
    "bid": 4.1,
    "ask": 4.2,
    "ts_event": "2026-07-10T14:00:00Z",
}
HEADERS = (("dispersion-refresh-seconds", b"60"), ("vendor", b"x\x1b[2J"))
SENT_MS = 1_783_692_000_123
FOREIGN = (b"", b"{}", b"\xff\x1b[2J")


@pytest.fixture
def settings(stack: Stack, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The commands of this process, pointed at topics of their own."""
    made = settings_for(
        stack,
        topic_prefix,
        mode="replay",
        kafka={"partitions": {"quotes": 3, "ticks": 1, "results": 1}},
    )
    create_flow_topics(stack, made)
    for name, value in environment_for(made).items():
        monkeypatch.setenv(name, value)
    return made


def refuse(settings: Settings, values: Sequence[bytes | None], headers: Any = HEADERS) -> list[str]:
    """Dead letters of quotes, as the stage writes them; the places of the quotes."""
    topic, places = Topics(settings.kafka.topic_prefix).name("quotes"), []
    with FramePublisher(settings) as publisher:
        for offset, value in enumerate(values):
            record = InputRecord(topic, 2, offset, SENT_MS, b"AAPL", value, headers)
            (item,) = decode_quotes([record])
            assert isinstance(item, Malformed)
            publisher.publish_message(dead_letter(*item))
            places.append(f"{topic}/2/{offset}")
    return places


def records(settings: Settings, role: Role) -> list[Any]:
    """Everything on a topic."""
    topic = Topics(settings.kafka.topic_prefix).name(role)
    consumer = KafkaConsumer(**kafka_python_options(settings), consumer_timeout_ms=10_000)
    try:
        places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        consumer.seek_to_beginning()
        found = []
        while any(consumer.position(place) < ends[place] for place in places):
            found.append(next(consumer))
        return found
    finally:
        consumer.close()


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    """What a command printed."""
    assert main(["dead-letters", *arguments]) == code
    shown = capsys.readouterr()
    judge_screen(shown.out, longest=500_000)
    judge_screen(shown.err)
    return shown


def test_what_was_refused_in_words(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = json.dumps({**QUOTE, "right": "\x1b[31mX\u202e"}, ensure_ascii=False).encode()
    places = refuse(settings, [b"{", hostile, b"\xff\x9b2J", None])
    with FramePublisher(settings) as publisher:
        for value in FOREIGN:
            publisher.publish("dead_letters", "x", value)
    tail = ("tail", "--from-beginning", "--no-follow")
    shown = told(capsys, *tail)
    lines = sorted(shown.out.splitlines(), key=lambda line: line.split("  ")[1])
    assert [line.split("  ")[1] for line in lines] == places
    assert "  json: " in lines[0]
    assert lines[0].endswith("value {")
    assert "right" in lines[1]
    assert lines[3].endswith("value none")
    assert shown.err.splitlines()[-1] == "passed over 3 records that are no dead letters of ours"
    one = told(capsys, *tail, "--limit", "1").out.splitlines()
    assert len(one) == 1
    assert len(told(capsys, *tail, "--reason", "tombstone").out.splitlines()) == 1
    assert told(capsys, *tail, "--topic", "market.ticks.v1").out == ""

    objects = [json.loads(line) for line in told(capsys, *tail, "--json").out.splitlines()]
    by_offset = {one["offset"]: one for one in objects}
    assert by_offset[1]["value"] == hostile.decode()
    assert by_offset[0]["published"] == "2026-07-10T14:00:00.123Z"
    assert by_offset[2]["value_base64"]
    shown = told(capsys, "show", places[1])
    assert f"record      {places[1]}" in shown.out
    assert "header      vendor: x\\u001b[2J" in shown.out
    assert "sent again  no" in shown.out
    assert "\\u202e" in shown.out
    letter = by_offset[1]["dead_letter"]
    again = json.loads(
        told(capsys, "show", f"{letter['partition']}/{letter['offset']}", "--json").out
    )
    assert (again["offset"], again["sent_again"]) == (1, False)
    missing = told(capsys, "show", "market.ticks.v1/0/99", code=2)
    assert "no dead letter of market.ticks.v1/0/99 is kept" in missing.err


def test_mended_records_are_sent_again_once(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = json.dumps({**QUOTE, "right": "X"}).encode()
    huge = b"{" + b" " * MAX_VALUE_BYTES
    places = refuse(settings, [wrong, b"{", huge, None])
    assert "says nothing about which records" in told(capsys, "replay", code=2).err

    asis = told(capsys, "replay", "--all", "--dry-run", code=1)
    assert f"not {places[0]}: it would be refused again, type: " in asis.out
    assert f"not {places[2]}: only 65,536 of its 65,537 bytes are kept" in asis.out
    assert f"not {places[3]}: it has no value" in asis.out
    assert "0 records would be sent, 4 not" in asis.err

    lines = told(capsys, "tail", "--from-beginning", "--no-follow", "--json").out.splitlines()
    objects = [one for one in map(json.loads, lines) if one["offset"] in {0, 2}]
    for one in objects:
        one["value"] = {**QUOTE, "bid": 1.0 + one["offset"]}
    file = tmp_path / "mended.jsonl"
    file.write_text("".join(f"{json.dumps(one)}\n" for one in objects))
    assert (
        "pass --yes to send 2 records" in told(capsys, "replay", "--mended", str(file), code=1).err
    )
    assert records(settings, "quotes") == []
    done = told(capsys, "replay", "--mended", str(file), "--yes")
    assert "2 records sent, 0 not" in done.err

    sent = sorted(records(settings, "quotes"), key=lambda record: record.offset)
    assert [record.partition for record in sent] == [2, 2]
    assert [record.key for record in sent] == [b"AAPL", b"AAPL"]
    assert sorted(json.loads(record.value)["bid"] for record in sent) == [1.0, 3.0]
    for record in sent:
        headers = dict(record.headers)
        assert [(name, headers[name]) for name, _ in HEADERS] == list(HEADERS)
        assert headers["x-replay-of"].decode() in {places[0], places[2]}
        assert (
            headers["x-dead-letter"]
            .decode()
            .startswith(Topics(settings.kafka.topic_prefix).name("dead_letters"))
        )
    (item,) = decode_quotes(sent)
    assert not isinstance(item, Malformed)

    twice = told(capsys, "replay", "--mended", str(file), "--yes", code=1)
    assert (
        "it was sent again before, or its sending was begun; --again sends it once more"
        in twice.out
    )
    assert len(records(settings, "quotes")) == 2
    assert "sent again  yes" in told(capsys, "show", places[0]).out
    shown = told(capsys, "tail", "--from-beginning", "--no-follow")
    assert (len(shown.out.splitlines()), shown.err) == (4, "")
    line = told(
        capsys, "replay", "--mended", str(file), "--yes", "--again", "--json"
    ).out.splitlines()
    assert [json.loads(one)["sent"] for one in line] == [True, True]
    assert len(records(settings, "quotes")) == 4


def test_only_inputs_are_sent_to(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """A letter may name any topic.

    Nothing is published on one that is no input of ours, and nothing is half sent.
    """
    topics = Topics(settings.kafka.topic_prefix)
    with FramePublisher(settings) as publisher:
        for offset, topic in enumerate(
            (topics.name("alerts"), topics.name("points"), "another", topics.name("quotes"))
        ):
            record = InputRecord(topic, 0, offset, SENT_MS, b"k", json.dumps(QUOTE).encode(), ())
            for _ in range(2):  # a worker that died after the letter wrote it again
                publisher.publish_message(dead_letter(record, "crash", "three times"))
    shown = told(capsys, "replay", "--reason", "crash", "--yes", code=1)
    assert shown.out.count("its topic is no input of ours") == 3
    assert shown.out.count("the same record was refused twice; once is enough") == 4
    assert "1 records sent, 7 not" in shown.err
    assert len(records(settings, "quotes")) == 1
    missing = told(capsys, "replay", "0/0", "nowhere/0/1", "--yes", "--again", code=2)
    assert "no dead letter of nowhere/0/1 is kept" in missing.err
    assert len(records(settings, "quotes")) == 1


@pytest.mark.stack
@pytest.mark.timeout(120)
def test_a_worker_takes_what_was_mended(
    real_stack: RealStack,
    topic_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From a record that a running worker refuses to the same record, mended.

    It ends in its counts of what was accepted.
    """
    settings = settings_for(
        real_stack,
        topic_prefix,
        mode="replay",
        kafka={"partitions": {"quotes": 1, "ticks": 1, "results": 1}},
        market={"indices": [{"symbol": "SPY", "references": ["VIX"]}]},
        redis={"checkpoint_seconds": 0.5},
    )
    create_flow_topics(real_stack, settings)
    for name, value in environment_for(settings).items():
        monkeypatch.setenv(name, value)
    file, tail = tmp_path / "refused.jsonl", ("tail", "--from-beginning", "--no-follow", "--json")
    tick = {"symbol": "VIX", "price": 17.5, "ts_event": "2026-07-10T14:00:00Z"}
    with Fleet(settings, real_stack.redis.url, tmp_path) as fleet:
        worker = fleet.start("agents.cli.main", "worker")
        url = ready(fleet, worker)
        fleet.put("ticks", [json.dumps({**tick, "price": "seventeen"}).encode()])
        wait_until(lambda: bool(fleet.records("dead_letters")), 60, "a dead letter")
        (letter,) = (json.loads(line) for line in told(capsys, *tail).out.splitlines())
        assert (letter["reason"], letter["offset"]) == ("type", 0)
        file.write_text(
            json.dumps({**letter, "value": letter["value"].replace('"seventeen"', "17.5")})
        )
        assert (
            f"sent {letter['topic']}/0/0"
            in told(capsys, "replay", "--mended", str(file), "--yes").out
        )
        later = {**tick, "ts_event": "2026-07-10T14:00:05Z"}  # closes the second of the first
        fleet.put("ticks", [json.dumps(later).encode()])
        accepted = series("dispersion_ticks_total", outcome="accepted")
        wait_until(lambda: samples(url).get(accepted) == 1.0, 60, "the mended tick is accepted")
        assert fleet.stop(worker) == 0, fleet.log(worker)
    assert len(told(capsys, *tail).out.splitlines()) == 1


def test_a_letter_of_the_ingest_is_sent_to_its_feed() -> None:
    record = InputRecord("vendor.quotes", 0, 7, SENT_MS, b"AAPL", json.dumps(QUOTE).encode(), ())
    letter = read_letter(record._replace(headers=dead_letter(record, "json", "cut").headers))
    with_feed, without = Settings(ingest=IngestSettings(topic="vendor.quotes")), Settings()
    assert ReplayCheck(with_feed, set(), {}, again=False).objection(letter) == ""
    assert "no input of ours" in ReplayCheck(without, set(), {}, again=False).objection(letter)
    sent = ReplayCheck(with_feed, {letter.identity}, {}, again=False).objection(letter)
    assert "it was sent again before" in sent
    other = ReplayCheck(with_feed, {(str(letter.original), "0" * 64)}, {}, again=False)
    assert other.objection(letter) == "", "a topic made anew counts its offsets anew"
