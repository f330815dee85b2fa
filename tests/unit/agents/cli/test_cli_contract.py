"""What every command promises.

It promises examples in the help, exit codes, one line of error, results on stdout alone.
"""

import json
import logging
import os
import pty
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.metadata import version
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from agents.cli.backtest_output import Table
from agents.cli.examples import EXAMPLES
from agents.cli.main import COMMANDS, main
from agents.cli.service_logs import log_as
from agents.cli.shared import Shared
from agents.process.ports import free_ports
from tests.support import readings
from tests.support.command import DISPERSION, environment, run
from tests.support.own_wait import own_wait

SAMPLE = "samples/option_closes_2026-07-10.parquet"
REQUIRED = [
    "explain",
    "worker",
    "exporter",
    "bridge",
    "reporter",
    "feed check",
    "feed list",
    "feed run",
    "ingest",
    "replay",
    "backfill",
    "backtest",
    "evaluate",
    "report",
    "study rotation",
    "demo",
    "live",
    "alerts tail",
    "alerts list",
    "alerts show",
    "alerts ack",
    "alerts silence",
    "alerts unsilence",
    "alerts retire",
    "status",
    "top",
    "doctor",
    "dead-letters tail",
    "dead-letters show",
    "dead-letters replay",
    "takeover",
    "topics create",
    "config check",
    "schema print",
    "init",
    "files check",
    "basket import",
    "basket show",
    "basket diff",
    "export readings",
    "plot",
    "history import",
    "history show",
]


def test_the_commands() -> None:
    assert sorted(COMMANDS) == sorted(REQUIRED)


@pytest.mark.parametrize("command", EXAMPLES)
def test_help_shows_the_examples_before_the_options(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command.split(), "--help"]) == 0
    page = capsys.readouterr().out
    text, _, options = page.partition("\nOptions:")
    assert options
    for example in EXAMPLES[command]:
        assert f"  {example}\n" in text.partition("Examples:")[2]
        assert len(example) < 79
    assert "Exit code" not in options


def test_short_help_is_the_same_page(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ([], ["alerts"], ["backtest"]):
        assert main([*command, "--help"]) == 0
        page = capsys.readouterr().out
        assert main([*command, "-h"]) == 0
        assert capsys.readouterr().out == page


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith(f"dispersion {version('dispersion-monitor')} ")


def test_every_command_has_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for command in REQUIRED:
        assert f"\n  {command.split()[0]} " in shown
        assert EXAMPLES[command]


@pytest.mark.parametrize(
    "group", [[], ["alerts"], ["topics"], ["dead-letters"], ["config"], ["schema"]]
)
def test_a_group_alone_shows_its_page_and_is_usage(
    group: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(group) == 2
    shown = capsys.readouterr()
    assert "Examples:" in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bcktest"], "error: no such command 'bcktest'"),
        (["status", "--wach"], "error: no such option: --wach"),
        (["replay", "--refresh", "x"], "error: invalid value for '--refresh'"),
        (
            ["replay", "--speed", "fast", "--quotes", SAMPLE],
            "error: invalid value for --speed: 'fast' is no speed: write max, or",
        ),
        (["replay", "--speed", "-3x", "--quotes", SAMPLE], "is no speed"),
        (
            ["replay", "--quotes", "absent.parquet"],
            "error: absent.parquet: no such file; expected a Parquet or CSV file",
        ),
        (["replay", "--quotes", SAMPLE, "--basket", "absent.toml"], "no such basket file"),
        (["evaluate", "alerts.jsonl"], "error: missing option '--labels'"),
        (
            ["backtest", "--from", "yesterday", "--quotes", SAMPLE],
            "error: invalid value for '--from'",
        ),
        (
            ["backfill", "--daily", "samples"],
            (
                "error: --index: the settings have no index SPX; "
                "one of SPY, or add it to market.indices"
            ),
        ),
        (
            ["backfill", "--daily", "samples", "--quotes", SAMPLE],
            "error: --daily: excludes --quotes; leave one of them away",
        ),
        (["backfill", "--quotes", "absent.parquet"], "error: absent.parquet: no such file"),
        (
            ["explain", "SPY", "--run", "absent"],
            "error: --run: no absent/readings.jsonl; name the folder that",
        ),
        (["explain"], "error: missing argument 'INDEX'"),
        (["demo", "--scenario", "moon"], "error: --scenario: no scenario 'moon'"),
        (["alerts", "shwo"], "error: no such command 'shwo'"),
        (["alerts", "show"], "error: missing argument 'FINGERPRINT'"),
        (["alerts", "ack", "9f2c"], "error: missing option '--why'"),
        (
            ["alerts", "ack", "9f2c", "--why", "x", "--who", ""],
            "error: --who: nobody is named and $USER is not set; say whose word it is",
        ),
        (
            ["alerts", "silence", "9f2c", "--why", "x"],
            "error: --for or --until: a silence needs an end; give one of the two",
        ),
        (
            ["alerts", "silence", "9f2c", "--why", "x", "--for", "soon"],
            "error: --for: 'soon' is no length of time; write 90s, 30m or 2h",
        ),
        (
            ["alerts", "silence", "9f2c", "--why", "x", "--until", "16:00"],
            "error: --until: '16:00' is no time with an offset from UTC",
        ),
        (
            ["dead-letters", "show", "ticks"],
            "error: PLACE: 'ticks' is no place; write TOPIC/PARTITION/OFFSET of the record",
        ),
        (
            ["dead-letters", "replay"],
            "error: replay: says nothing about which records; name places, --mended, --topic",
        ),
        (["dead-letters", "replay", "--mended", "absent"], "error: absent: cannot be read"),
        (["schema", "print", "alert"], "error: NAME: no schema 'alert'; one of asyncapi, alert."),
        (["status", "--config", "absent.toml"], "error: absent.toml: no such file; check the path"),
        (["worker", "--config", "absent.toml"], "error: absent.toml: no such file"),
    ],
)
def test_wrong_usage_is_code_two_and_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Addresses of Kafka and Redis at which nobody listens."""
    kafka, redis = (f"127.0.0.1:{port}" for port in free_ports(2))
    monkeypatch.setenv("DISPERSION_KAFKA__BOOTSTRAP_SERVERS", kafka)
    monkeypatch.setenv("DISPERSION_REDIS__URL", f"redis://:hunter2@{redis}/0")
    return kafka, redis


@pytest.fixture
def listener(
    monkeypatch: pytest.MonkeyPatch, nothing_runs: tuple[str, str]
) -> Iterator[socket.socket]:
    """Something that takes Kafka's connections, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv(
            "DISPERSION_KAFKA__BOOTSTRAP_SERVERS", f"127.0.0.1:{server.getsockname()[1]}"
        )
        thread = threading.Thread(target=_hang_up, args=(server,))
        thread.start()
        yield server
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def _hang_up(server: socket.socket) -> None:
    with suppress(OSError):
        while True:
            server.accept()[0].close()


@pytest.mark.parametrize(
    "command",
    [
        *(
            "worker",
            "bridge",
            "status",
            "topics create",
            "alerts tail",
            f"replay --quotes {SAMPLE}",
            "status --json",
        ),
        *("alerts list", "alerts show 9f2c", "alerts ack 9f2c --why seen --who ann"),
        *("dead-letters tail", "dead-letters show t/0/0", "dead-letters replay --all"),
    ],
)
def test_kafka_down_is_code_three_at_once(
    command: str, nothing_runs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with own_wait() as waited:
        assert main(command.split()) == 3
    assert waited.seconds < 5
    shown = capsys.readouterr()
    assert shown.err.startswith(
        f"error: Kafka at {nothing_runs[0]} cannot be reached (connection refused): "
        "start it, or correct kafka."
    )
    assert shown.err.count("\n") == 1
    assert shown.out == ""


@pytest.mark.usefixtures("listener")
@pytest.mark.parametrize(
    "command",
    ["worker", "status", "exporter", "reporter", f"replay --quotes {SAMPLE} --ahead 1000000"],
)
def test_redis_down_is_code_three_at_once(
    command: str, nothing_runs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command.split()) == 3
    shown = capsys.readouterr()
    assert shown.err.startswith(
        f"error: Redis at {nothing_runs[1]} cannot be reached (connection refused): "
        "start it, or correct redis.url"
    )
    assert shown.err.count("\n") == 1
    assert "hunter2" not in shown.err


def test_doctor_goes_on_and_names_both(
    nothing_runs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--json"]) == 3
    found = {one["check"]: one for one in json.loads(capsys.readouterr().out)}
    assert {name: one["ok"] for name, one in found.items()} == {
        "settings": True,
        "kafka": False,
        "redis": False,
        "logs": False,
        "clock": False,
        "input": False,
        "calendar": True,
    }
    assert nothing_runs[0] in found["kafka"]["message"]
    assert nothing_runs[1] in found["redis"]["message"]


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        (
            "DISPERSION_KAFKA__BOOTSTRAP_SERVERS",
            "broker",
            "kafka.bootstrap_servers: 'broker' is no address; write host:port",
        ),
        ("DISPERSION_KAFKA__BOOTSTRAP_SERVERS", "broker:a", "'broker:a' is no address"),
        (
            "DISPERSION_METRICS__PORT",
            "90000",
            (
                "DISPERSION_METRICS__PORT: metrics.port: '90000': "
                "input should be less than or equal to 65535"
            ),
        ),
        (
            "DISPERSION_KAFKA__GROOP",
            "x",
            "DISPERSION_KAFKA__GROOP: kafka.groop: unknown key; did you mean group?",
        ),
    ],
)
def test_wrong_settings_are_code_two(
    variable: str,
    value: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    assert main(["status"]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1


@pytest.mark.usefixtures("listener")
def test_a_wrong_redis_url_is_code_two(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPERSION_REDIS__URL", "localhost:6379")
    assert main(["status"]) == 2
    message = (
        "redis.url: must begin with redis://, rediss:// or unix://; "
        "for example redis://127.0.0.1:6379/0"
    )
    assert message in capsys.readouterr().err


BASKET = (
    '[[constituents]]\nsymbol = "AAPL"\nweight = {weight}\n'
    '[[constituents]]\nsymbol = "{other}"\nweight = 1\n'
)


@pytest.mark.parametrize(
    ("files", "key", "fix"),
    [
        ({"my.toml": "[kafka\n"}, "not valid TOML", "correct that line"),
        ({"my.toml": "[kafka]\ngruop = 'x'\n"}, "kafka.gruop: unknown key", "did you mean group?"),
        ({"my.toml": "[metrics]\nport = 'x'\n"}, "metrics.port", "see config/defaults.toml"),
        (
            {"my.toml": "[[market.indices]]\nsymbol = 'SPY'\nbasket = 'absent.toml'\n"},
            "market.indices.basket",
            "sample_100.toml",
        ),
        (
            {"my.toml": "[market]\nrates_file = 'absent.csv'\n"},
            "market.rates_file",
            "or set market.rate",
        ),
        (
            {"my.toml": "[rules]\nfile = 'absent.toml'\n"},
            "absent.toml: cannot be read",
            "set rules.file to a readable rules file",
        ),
        (
            {"my.toml": "", "b.toml": BASKET.format(weight=-1, other="MSFT")},
            "constituents[0].weight",
            "a number above 0",
        ),
        (
            {"my.toml": "", "b.toml": BASKET.format(weight=1, other="AAPL")},
            "constituents[1].symbol",
            "keep one of the two",
        ),
        (
            {"my.toml": "", "b.toml": "name = 'empty'\n"},
            "constituents: no constituents",
            "add a [[constituents]] table",
        ),
    ],
)
def test_config_check_names_file_key_and_fix(
    files: dict[str, str], key: str, fix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "b.toml" in files:
        files = {**files, "my.toml": '[[market.indices]]\nsymbol = "SPY"\nbasket = "b.toml"\n'}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert main(["config", "check", "--config", str(tmp_path / "my.toml"), "--json"]) == 2
    shown = capsys.readouterr()
    wrong = {"absent.toml", "absent.csv", "b.toml", "my.toml"}
    assert any(name in shown.err for name in wrong)
    assert key in shown.err
    assert fix in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_no_command_shows_a_traceback_unasked() -> None:
    broken = (
        "import agents.process.exits, sys\nfrom agents.cli.main import main\n"
        "sys.modules['config.origins'] = None\nsys.exit(main())"
    )
    process = subprocess.run(
        [sys.executable, "-c", broken, "config", "check"],
        capture_output=True,
        text=True,
        env=environment({}),
        check=False,
    )
    assert process.returncode == 70
    assert process.stderr.startswith("error: internal error: ModuleNotFoundError")
    assert process.stderr.count("\n") == 1


def _toy_table(reason: str = "") -> Table:
    table = Table()
    table.reading(readings.closing(readings.FRIDAY, 0.15, 0.45, 0.1))
    reasons = {"index_vol": reason} if reason else {}
    table.reading(
        readings.toy(
            readings.eastern(readings.MONDAY, "10:00:00"), 0.16, 0.46, 0.11, reasons=reasons
        )
    )
    return table


@pytest.mark.parametrize("width", [80, 10_000])
def test_the_table_loses_nothing(width: int) -> None:
    out = StringIO()
    _toy_table("no_next_term").print(Console(file=out, width=width))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0].strip() == "SPX 30d"
    row = next(line for line in lines if "2026-07-13 10:00" in line)
    assert row.split() == [
        "2026-07-13",
        "10:00",
        "0.1600",
        "0.4600",
        "0.4313",
        "0.1100",
        "1.0000",
        "no_next_term",
    ]
    assert "…" not in out.getvalue()


def test_a_pipe_gets_no_escape_and_no_cut() -> None:
    shown = run("config", "check", env={"COLUMNS": "40"})
    assert shown.returncode == 0
    assert "\x1b" not in shown.stdout
    row = next(
        line
        for line in shown.stdout.splitlines()
        if line.startswith("market.indices[0].references")
    )
    assert "VIXEQ" in row
    assert row.rstrip().endswith("default")


def _on_a_terminal(arguments: list[str], variables: dict[str, str]) -> str:
    parent, child = pty.openpty()
    with closing(os.fdopen(parent, "rb", buffering=0)) as screen:
        process = subprocess.Popen(
            [DISPERSION, *arguments], stdout=child, stderr=child, env=environment(variables)
        )
        os.close(child)
        shown = b""
        try:
            while part := screen.read(4096):
                shown += part
        except OSError:  # Linux says end of file like this
            pass
        process.wait(60)
    return shown.decode()


def test_no_color_is_respected(tmp_path: Path) -> None:
    file = tmp_path / "vix_daily.csv"
    file.write_text("date,close\n2026-07-10,15.03\n")
    arguments = ["backtest", "--ticks", str(file)]
    plain = _on_a_terminal(arguments, {"TERM": "xterm-256color", "NO_COLOR": "1"})
    coloured = _on_a_terminal(arguments, {"TERM": "xterm-256color"})
    assert "\x1b[32m" in coloured
    assert "\x1b[32m" not in plain


@contextmanager
def bare_logging() -> Iterator[None]:
    """Without pytest's handlers, as in a process of its own."""
    root, ours = logging.getLogger(), logging.getLogger("agents")
    before, level, own = root.handlers[:], root.level, ours.level
    root.handlers[:] = []
    try:
        yield
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        ours.setLevel(own)


def test_services_log_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with bare_logging():
        log_as(Shared(json=True))
        try:
            int("x")
        except ValueError:
            logging.getLogger("agents.test").exception("it %s", "broke")
    shown = capsys.readouterr()
    line = json.loads(shown.err)
    assert (line["level"], line["logger"], line["message"]) == ("error", "agents.test", "it broke")
    assert "ValueError: invalid literal" in line["traceback"]
    assert shown.out == ""


@pytest.mark.parametrize(
    ("flags", "heard"),
    [(Shared(), "info"), (Shared(verbose=True), "debug"), (Shared(quiet=True), "warning")],
)
def test_flags_choose_how_much_a_service_says(flags: Shared, heard: str) -> None:
    with bare_logging():
        log_as(flags)
        assert logging.getLevelName(logging.getLogger("agents").level).lower() == heard


def test_quiet_says_nothing_beside_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", "-q", "--changed"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "SPY: 108 names" in shown.out
