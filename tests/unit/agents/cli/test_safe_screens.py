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
from agents.cli.shared import Shared
from agents.cli.worker import log_as
from agents.process.logs import SafeLines
from streams.detection.commands import decode_command
from streams.refusals.dead_letters import RejectedRecordError
from tests.support.alert_values import event_value
from tests.support.commands import command
from tests.support.hostile_texts import HOSTILE, judge_screen
from tests.support.readings import MONDAY, eastern

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


@pytest.mark.parametrize("text", HOSTILE)
def test_alertmanager_gets_safe_text(text: str) -> None:
    start = "2026-07-10T15:00:00Z"
    value = event_value(
        "a",
        rule=text,
        previous_status="pending",
        reason=text,
        severity=text,
        label=text,
        mode="live",
        unknown=[text],
        labels={"index": text, "alertname": "Watchdog", f"a{text}": "x", "tenor": "30d"},
        group_key=text,
        starts_at=start,
        ends_at=None,
        summary=text,
        values={},
        links={"runbook": text},
        notification={
            "acked_by": text,
            "ack_why": text,
            "silenced_by": text,
            "silence_why": text,
            "silenced_until": "2026-07-11T15:00:00Z",
        },
    )
    table, now = BridgeTable(ALL_MODES), datetime(2026, 7, 10, 16, tzinfo=UTC)
    table.take(b"key", value, now)
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
