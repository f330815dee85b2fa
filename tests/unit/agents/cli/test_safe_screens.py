"""What the last look at a screen, a log line and a notification makes of hostile text."""

import json
import logging
import re
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from rich.panel import Panel
from rich.table import Table

from agents.bridge.follower import ALL_MODES
from agents.bridge.table import BridgeTable
from agents.cli.safe_console import SafeConsole
from agents.cli.service_logs import log_as
from agents.cli.shared import Shared
from agents.process.logs import SafeLines
from streams.detection.alerts.alert_event import decode_event
from streams.detection.alerts.commands import decode_command
from streams.refusals.dead_letters import RejectedRecordError
from tests.support.commands import command
from tests.support.hostile_texts import HOSTILE, judge_screen
from tests.support.readings import FRIDAY, MONDAY, Run, closing, eastern, path

STYLES = re.compile(r"\x1b\[[0-9;]*m")
"""What rich itself sends to a terminal: colours."""


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("terminal", [False, True])
def test_a_console_obeys_nothing(text: str, *, terminal: bool) -> None:
    out = StringIO()
    console = SafeConsole(file=out, force_terminal=terminal, width=200)
    text = text[:500].replace("\n", " ")  # a screen may have lines of its own
    table = Table(text)
    table.add_row(text)
    console.print(text, style="bold red")
    console.print(Panel(table))
    shown = out.getvalue()
    judge_screen(STYLES.sub("", shown))
    assert ("\x1b[" in shown) == terminal


def record(text: str, *arguments: object) -> logging.LogRecord:
    """A log record of ours."""
    return logging.LogRecord("agents.x", logging.WARNING, "x.py", 1, text, arguments, None)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_log_line_is_one_line(text: str) -> None:
    judge_screen(SafeLines().format(record("no event under %s", text)) + "\n", lines=1)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_line_of_a_traceback_is_taken_for_a_line_of_the_log(text: str) -> None:
    made = record("broken")
    error = ValueError(text)
    made.exc_info = (ValueError, error, None)
    first, *others = SafeLines().format(made).split("\n")
    assert first.endswith("agents.x: broken")
    assert all(line.startswith("  | ") for line in others)
    judge_screen("\n".join(others))


def test_json_logs_are_safe_for_whoever_prints_their_texts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = logging.getLogger()
    before, root.handlers[:] = root.handlers[:], []
    try:
        log_as(Shared(json=True))
        for text in HOSTILE:
            logging.getLogger("agents.x").warning("it says %s", text)
    finally:
        root.handlers[:] = before
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(HOSTILE)
    for line in lines:
        judge_screen(json.loads(line)["message"], lines=0)


@pytest.fixture(scope="module")
def firing() -> bytes:
    """An event of an unwind that fires."""
    run, calm, shock = Run(cap_unknown=False), (0.148, 0.44, 0.10), (0.31, 0.53, 0.34)
    run.play([closing(FRIDAY, *calm), *path(MONDAY, "10:00:01", 600, [calm, shock], step=10)])
    values = [entry.value for output in run.outputs for entry in output.outbox]
    return next(value for value in values if decode_event(value).data.status == "firing")


@pytest.mark.parametrize("text", HOSTILE)
def test_alertmanager_gets_safe_text(firing: bytes, text: str) -> None:
    event = json.loads(firing)
    said = ("acked_by", "ack_why", "silenced_by", "silence_why")
    event["data"] |= dict.fromkeys(("rule", "reason", "label", "group_key", "summary"), text)
    event["data"] |= {
        "unknown": [text],
        "labels": dict.fromkeys(("index", "tenor", "scope"), text),
        "links": {"runbook": text},
        "notification": {**dict.fromkeys(said, text), "silenced_until": "2026-07-14T15:00:00Z"},
    }
    table, now = BridgeTable(ALL_MODES), datetime(2026, 7, 13, 16, tzinfo=UTC)
    table.take(b"key", decode_event(json.dumps(event).encode()), now)
    (post,) = table.posts([], now)
    (silence,), _ = table.silences([], now)
    told = [*post["labels"], *post["labels"].values(), *post["annotations"].values()]
    for one in (*told, silence["comment"]):
        judge_screen(one, lines=0, longest=8_000)
    assert post["labels"]["alertname"].startswith("Dispersion")
    assert table.posts([{**post, "endsAt": None}], now) == [post]


@pytest.mark.parametrize("text", HOSTILE[:7])
@pytest.mark.parametrize("word", ["who", "why"])
def test_the_detector_refuses_what_cannot_be_seen(word: str, text: str) -> None:
    said: dict[str, Any] = {word: text[:60]}
    sent = command("acknowledge", 1, eastern(MONDAY, "12:00:00"), **said)
    with pytest.raises(RejectedRecordError) as refused:
        decode_command(sent.value)
    assert refused.value.reason == "schema"
    judge_screen(str(refused.value), lines=0)
