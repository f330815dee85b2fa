"""Hostile text in every place where others can put it, through every screen on a real stack."""

import json
from collections.abc import Sequence
from io import StringIO
from typing import Any

import msgspec
import pytest

from agents.cli.main import main
from agents.cli.safe_console import SafeConsole
from agents.lookup.board import plain_line, render
from agents.lookup.monitor_watcher import MonitorWatcher
from agents.store.keys import snapshot
from agents.store.sync import connect_sync
from config.settings import Settings
from streams.detection.alerts import events
from streams.detection.views.snapshot import decode_snapshot, encode_snapshot
from streams.reading import encode_reading
from tests.support.alert_values import event_value
from tests.support.fleet import Fleet
from tests.support.hostile_texts import HOSTILE, judge_screen
from tests.support.readings import FRIDAY, MONDAY, Run, closing, eastern, path, toy
from tests.support.stack import RealStack, create_flow_topics, environment_for, settings_for

pytestmark = pytest.mark.stack

CALM, SHOCK = (0.148, 0.44, 0.10), (0.31, 0.53, 0.34)
FOREIGN = (
    b"",
    b"[]",
    b"null",
    b"{",
    b"\xff\x1b[2J",
    b'"\x1b[2J"',
    b'{"a":' * 5_000,
    b'{"id": "a", "type": 7}',
    event_value("no-time").replace(b"2026-07-10T15:00:00Z", b"now"),
    event_value("naive").replace(b"00:00Z", b"00:00"),
    event_value("another").replace(b"io.dispersion.alert", b"com.example.alert"),
    event_value("no-data").replace(b'"fingerprint"', b'"finger"'),
)
"""Records that are no events of ours, each for another reason."""


@pytest.fixture(scope="module")
def firing() -> Run:
    """A scripted unwind: events as the detector makes them, and the snapshot of the index."""
    run = Run(cap_unknown=False)
    run.play([closing(FRIDAY, *CALM), *path(MONDAY, "10:00:01", 1200, [CALM, SHOCK], step=10)])
    return run


@pytest.fixture
def settings(real_stack: RealStack, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The commands of this process, pointed at topics of their own."""
    made = settings_for(
        real_stack,
        topic_prefix,
        mode="replay",
        kafka={"partitions": {"quotes": 1, "ticks": 1, "results": 1}},
        market={"indices": [{"symbol": "SPX", "tenors": [30]}]},
    )
    create_flow_topics(real_stack, made)
    for name, value in environment_for(made).items():
        monkeypatch.setenv(name, value)
    return made


def put(
    stack: RealStack, settings: Settings, role: Any, values: Sequence[tuple[bytes, bytes]]
) -> None:
    """Publish pairs of key and value."""
    fleet = Fleet(settings, stack.redis_url, None)  # type: ignore[arg-type]
    producer = fleet.producer()
    for key, value in values:
        producer.send(fleet.topics.name(role), value, key=key, partition=0)
    producer.flush()
    producer.close()


def shown(capsys: pytest.CaptureFixture[str], *arguments: str, codes: Sequence[int] = (0,)) -> Any:
    """What a command printed, judged."""
    assert main(arguments) in codes
    output = capsys.readouterr()
    judge_screen(output.out, longest=10**6 if "--json" in arguments else 15_000)
    judge_screen(output.err)
    return output


def whole(firing: Run, number: int, text: str) -> tuple[bytes, bytes]:
    """A whole alert event with the text wherever the sender may write one.

    No two are of one fingerprint.
    """
    event = json.loads([entry.value for output in firing.outputs for entry in output.outbox][-1])
    data = event["data"]
    text = text[:9_000]  # an event has a quarter of a mebibyte at most
    fingerprint = events.fingerprint(text, text, text, text)
    data |= {
        "fingerprint": fingerprint,
        "rule": text,
        "summary": text,
        "reason": text,
        "label": text,
    }
    data |= {"rule_version": text, "unknown": [text], "values": {text: 1.0, f"{text}2": None}}
    data["labels"] = {"index": text, "tenor": text, "scope": text}
    data["contributors"] = [{"symbol": text, "contribution": 0.1, "share": None}]
    data["data_quality"] |= {"flags": [text]}
    data["notification"] |= {"acked_by": text, "ack_why": text, "acked_at": data["starts_at"]}
    data["notification"] |= {"silenced_by": text, "silence_why": text}
    event |= {"id": f"id-{number}", "subject": text, "partitionkey": fingerprint}
    return fingerprint.encode(), json.dumps(event, ensure_ascii=False).encode()


def test_the_tail_survives_and_shows_everything(
    real_stack: RealStack, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [
        event_value(f"a-{at}", rule=text, severity=text, status=text, summary=text)
        for at, text in enumerate(HOSTILE)
    ]
    commands = [
        event_value(
            f"c-{at}",
            transition="acknowledged",
            labels={"index": text, "scope": text},
            command={"command_id": "x", "who": text, "why": text, "until": None},
        )
        for at, text in enumerate(HOSTILE)
    ]
    pretty = json.dumps(
        json.loads(event_value("pretty", summary="a\u202eb")), indent=1, ensure_ascii=False
    )
    values = [texts[0], *FOREIGN, *texts[1:], *commands, pretty.encode(), event_value("last")]
    put(real_stack, settings, "alerts", [(b"fp", value) for value in values])

    ours = len(values) - len(FOREIGN)
    tail = ("alerts", "tail", "--from-beginning", "--no-follow")
    output = shown(capsys, *tail)
    judge_screen(output.out, lines=ours)
    assert "\\u001b]0;owned" in output.out
    assert "12\\u202e34" in output.out
    assert "[red]x[/red] [/] :skull:" in output.out
    assert "(19,500 more)" in output.out
    noted, summed = output.err.splitlines()
    assert noted.startswith(
        "passed over a record that is no alert event of ours (partition 0, offset 1): "
    )
    assert summed == f"passed over {len(FOREIGN)} records that are no alert events of ours"
    output = shown(capsys, *tail, "--json")
    lines = output.out.split("\n")[:-1]
    assert len(lines) == ours
    kept = [json.loads(value) for value in values if value not in FOREIGN]
    assert [json.loads(line) for line in lines] == kept
    assert shown(capsys, *tail, "--quiet").err == ""


def test_the_alert_screens(
    real_stack: RealStack,
    settings: Settings,
    firing: Run,
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = [whole(firing, number, text) for number, text in enumerate(HOSTILE, 1)]
    put(real_stack, settings, "alerts_state", [(b"x", value) for value in FOREIGN] + told)
    put(real_stack, settings, "alerts", told)
    output = shown(capsys, "alerts", "list")
    judge_screen(output.out, lines=1 + len(told))
    lines = shown(capsys, "alerts", "list", "--json").out.splitlines()
    assert len(lines) == len(told)
    for key, value in told:
        shown(capsys, "alerts", "show", key.decode())
        both = json.loads(shown(capsys, "alerts", "show", key.decode(), "--json").out)
        assert both["alert"] == json.loads(value)
        assert both["transitions"] == [json.loads(value)]


@pytest.mark.parametrize("text", HOSTILE[:7])
@pytest.mark.parametrize("option", ["--who", "--why"])
def test_a_sender_is_refused(
    text: str,
    option: str,
    real_stack: RealStack,
    settings: Settings,
    firing: Run,
    capsys: pytest.CaptureFixture[str],
) -> None:
    alert = whole(firing, 1, "plain")
    put(real_stack, settings, "alerts_state", [alert])
    words = {"--who": "ann", "--why": "seen", option: text[:40]}
    given = [part for pair in words.items() for part in pair]
    output = shown(capsys, "alerts", "ack", alert[0].decode(), *given, codes=(2,))
    assert "error: " in output.err
    assert output.err.count("\n") == 1


def test_status_board_and_explain(
    real_stack: RealStack,
    settings: Settings,
    firing: Run,
    capsys: pytest.CaptureFixture[str],
) -> None:
    texts = [*HOSTILE, "plain"]
    found = decode_snapshot(next(iter(firing.outputs[-1].snapshots.values())))
    alerts = [
        msgspec.structs.replace(found.alerts[0], summary=text, rule=text, scope=text)
        for text in texts
    ]
    value = encode_snapshot(msgspec.structs.replace(found, alerts=alerts))
    with connect_sync(settings.redis) as redis:
        redis.hset(
            snapshot(settings.kafka.topic_prefix, "SPX"),
            mapping={"value": value, "published_at": "1783700000"},
        )
    short = tuple(text[:64] for text in HOSTILE)
    reasons = dict(zip(short, HOSTILE, strict=True))
    reading = toy(eastern(MONDAY, "10:30:00"), *SHOCK, flags=short, reasons=reasons)
    put(real_stack, settings, "readings", [(b"SPX", encode_reading(reading))])
    output = shown(capsys, "status", codes=(0, 1))
    assert "[red]x[/red]" in output.out
    for line in shown(capsys, "status", "--json", codes=(0, 1)).out.splitlines():
        json.loads(line)
    assert "[red]x[/red]" in shown(capsys, "explain", "SPX").out
    judge_screen(shown(capsys, "explain", "SPX", "--json").out, longest=10**6)
    shown(capsys, "doctor", codes=(0, 1))

    state = MonitorWatcher(settings, "SPX", "[bold]title[/]").state()
    screen = StringIO()
    SafeConsole(file=screen, width=200).print(render(state), render(state, 80))
    judge_screen(screen.getvalue())
    judge_screen(plain_line(state))
    assert "[bold]title[/]" in screen.getvalue()
