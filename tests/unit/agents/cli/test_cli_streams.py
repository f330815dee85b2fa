"""The exit code is never 70.

The cases are outputs that take nothing, terminals that lack characters, places where no file can be
made, and flags out of range.
"""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Timer
from types import FrameType

import pytest

from agents.cli.examples import EXAMPLES
from agents.cli.interrupts import interruptible
from agents.cli.main import COMMANDS, main
from agents.cli.standard_streams import OutputError, _Descriptor, _text
from tests.support.command import DISPERSION, environment

SAMPLE = "samples/option_closes_2026-07-10.parquet"
FOLDER = ["--quotes", SAMPLE, "--scenario", "calm", "--refresh", "1800"]


def shell(line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A line of bash in which `dispersion` is ours."""
    text = f'dispersion() {{ "{DISPERSION}" "$@"; }}; {line}'
    command = ["bash", "-c", text]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=environment(variables),
        check=False,
        timeout=120,
    )


def on_a_full_disk(arguments: list[str]) -> int:
    """The exit code, where standard output is as a command's process has it and takes nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "sys.stdout", _text(None, _Descriptor(os.open("/dev/full", os.O_WRONLY), told=True))
        )
        return main(arguments)


@pytest.mark.parametrize("command", EXAMPLES)
def test_a_full_output_is_code_one_for_every_page(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert on_a_full_disk([*command.split(), "--help"]) == 1
    told = "error: stdout: no space left on device; direct it to a place that takes it\n"
    assert capsys.readouterr().err == told


@pytest.mark.parametrize(
    "arguments",
    [
        ["config", "check"],
        ["config", "check", "--json"],
        ["schema", "print"],
        ["schema", "print", "asyncapi"],
        ["doctor"],
        ["doctor", "--json"],
        ["backtest", "--quotes", SAMPLE, "--json"],
        ["backtest", "--daily", "samples", "--from", "2026-06-04"],
    ],
)
def test_a_full_output_is_code_one(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPERSION_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("DISPERSION_REDIS__URL", "redis://127.0.0.1:1")
    assert on_a_full_disk([*arguments, "-q"]) == 1
    assert "error: stdout: no space left on device" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        (
            "dispersion config check >&-",
            1,
            "error: stdout: is closed; direct it to a place that takes it",
        ),
        ("dispersion --help >&-", 1, "error: stdout: is closed"),
        ("dispersion config check --json > /dev/full", 1, "error: stdout: no space left on device"),
        (
            "dispersion config check --json | read line; exit ${PIPESTATUS[0]}",
            1,
            "error: stdout: broken pipe",
        ),
        ("dispersion schema print nothing 2>&-", 2, ""),
        ("dispersion schema print nothing 2>/dev/full", 2, ""),
        ("dispersion schema print nothing <&- >&- 2>&-", 2, ""),
    ],
)
def test_an_output_that_takes_nothing_is_no_bug(line: str, code: int, message: str) -> None:
    # many lines, so that the reader is gone before the last
    done = shell(line, DISPERSION_MARKET__AM_ROOTS=f'["{"X" * 70_000}"]')
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert done.stderr.count("\n") == bool(message)


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_what_a_terminal_cannot_print_is_a_question_mark(encoding: str) -> None:
    line = "dispersion backtest --help && dispersion schema print '\u2026'"
    done = subprocess.run(
        ["bash", "-c", f'dispersion() {{ "{DISPERSION}" "$@"; }}; {line}'],
        capture_output=True,
        env=environment({"PYTHONIOENCODING": f"{encoding}:strict"}),
        check=False,
        timeout=120,
    )
    assert done.returncode == 2, done.stderr
    assert b"--quotes FILE ?" in done.stdout
    assert b"no schema '?'" in done.stderr
    (done.stdout + done.stderr).decode("ascii")


@pytest.mark.parametrize("command", EXAMPLES)
def test_every_page_can_be_printed_in_ascii(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, "ascii"))
    assert main([*command.split(), "--help"]) == 0
    sys.stdout.flush()
    raw.getvalue().decode("ascii")


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "taken").write_text("a file")
    (tmp_path / "folder").mkdir()
    names = ("taken", "taken/inside", "folder")
    return {name: str(tmp_path / name) for name in names} | {
        "proc": "/proc/x",
        "long": str(tmp_path / ("x" * 300)),
    }


@pytest.mark.parametrize(
    ("arguments", "option", "bad"),
    [
        (["backtest", "--quotes", SAMPLE], "--out", ("taken", "taken/inside", "proc", "long")),
        (["backtest", "--daily", "samples", "--from", "2026-06-04"], "--out", ("taken", "proc")),
        (["demo", "--scenario", "calm"], "--picture", ("taken/inside", "proc/x", "folder")),
    ],
)
def test_a_place_that_takes_no_file_is_named(
    arguments: list[str],
    option: str,
    bad: tuple[str, ...],
    places: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in bad:
        place = places.get(name, "/proc/x/y")
        assert main([*arguments, option, place]) == 2
        shown = capsys.readouterr()
        assert f": {option}: " in shown.err
        assert shown.err.startswith(f"error: {place}") or str(Path(place).parent) in shown.err
        assert shown.err.count("\n") == 1


def test_a_disk_that_fills_is_told_with_its_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "readings.jsonl").symlink_to("/dev/full")
    assert main(["backtest", *FOLDER, "--out", str(tmp_path), "-q"]) == 2
    shown = capsys.readouterr().err
    assert (
        f"error: {tmp_path}/readings.jsonl: --out: cannot be written "
        "(no space left on device); name another place"
    ) in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["backtest", "--quotes", SAMPLE, "--rate", "3.6"],
            "error: --rate: market.rate: 3.6: input should be less than",
        ),
        (["backtest", "--quotes", SAMPLE, "--rate", "3.6"], "; 3.6 % is 0.036"),
        (["backfill", "--quotes", SAMPLE, "--rate", "-3"], "; -3.0 % is -0.03"),
        (
            ["replay", "--quotes", SAMPLE, "--rate", "nan"],
            "error: --rate: market.rate: nan: input should be a finite",
        ),
        (
            ["replay", "--quotes", SAMPLE, "--rate", "inf"],
            "error: --rate: market.rate: inf: input should be a finite",
        ),
        (["replay", "--quotes", SAMPLE, "--speed", "nan"], "'nan' is no speed"),
        (["replay", "--quotes", SAMPLE, "--speed", "inf"], "'inf' is no speed"),
        (["replay", "--quotes", SAMPLE, "--ahead", "-1"], "error: invalid value for '--ahead'"),
        (["backtest", "--quotes", SAMPLE, "--index", "<>"], "is no symbol"),
        (
            ["backtest", "--quotes", SAMPLE, "--from", "2026-07-10", "--to", "2026-07-09"],
            "--from: 2026-07-10 is after --to",
        ),
        (
            ["backtest", "--daily", "samples", "--from", "2026-07-10", "--to", "2026-07-09"],
            "--from: 2026-07-10 is after",
        ),
        (
            ["backfill", "--quotes", SAMPLE, "--from", "2026-07-10", "--to", "2026-07-09"],
            "--from: 2026-07-10 is after",
        ),
        (["bridge", "--alertmanager", ""], "error: --alertmanager: bridge.alertmanager_url"),
        (["bridge", "--alertmanager", "http://ann:Secret@am"], "'http://***@am'"),
        (["ingest", "--topic", ""], "error: ingest.topic: no topic to read"),
        (["ingest", "--topic", "a b"], "error: --topic: ingest.topic: 'a b'"),
        (
            ["alerts", "ack", "9f2c", "--why", "x", "--who", "y", "--timeout", "nan"],
            "error: invalid value for '--timeout'",
        ),
        (
            ["alerts", "ack", "9f2c", "--why", "x", "--who", "y", "--timeout", "inf"],
            "error: invalid value for '--timeout'",
        ),
        (["schema", "print", "\udcff"], "no schema"),
    ],
)
def test_flags_are_checked_like_settings(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert "Secret" not in shown.err
    assert shown.err.count("\n") == 1


def test_percent_in_the_environment_gets_the_same_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPERSION_MARKET__RATE", "3.6")
    assert main(["config", "check"]) == 2
    assert "error: DISPERSION_MARKET__RATE: market.rate: '3.6': " in capsys.readouterr().err


def test_the_first_failure_is_told_once() -> None:
    stream = _Descriptor(os.open("/dev/full", os.O_WRONLY), told=True)
    with pytest.raises(OutputError, match="no space left"):
        stream.write(b"first")
    assert stream.write(b"second") == 6


def test_every_command_has_a_page_here() -> None:
    assert set(COMMANDS) <= set(EXAMPLES)


RUN = '{"a": 1}\n'


@pytest.mark.parametrize("name", ["readings.jsonl", "alerts.jsonl", "settings.toml"])
def test_a_run_that_is_none_is_named(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backtest", *FOLDER, "--out", str(tmp_path), "-q"]) == 0
    assert main(["explain", "SPY", "--run", str(tmp_path), "--json"]) == 0
    capsys.readouterr()
    (tmp_path / name).write_text(RUN)
    assert main(["explain", "SPY", "--run", str(tmp_path)]) == 2
    assert f"error: {tmp_path}/{name}: " in capsys.readouterr().err


def test_an_interrupt_after_the_bytes_have_left_does_not_send_them_twice() -> None:
    reading, writing = os.pipe()
    stream = _text(None, _Descriptor(writing, told=True))

    def interrupted(frame: FrameType, event: str, _: object) -> None:
        if event == "c_return" and frame.f_code is _Descriptor.write.__code__:
            sys.setprofile(None)
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt), interruptible():  # noqa: PT012
        stream.write("one event\n")
        sys.setprofile(interrupted)
        stream.flush()
        time.sleep(20)
    stream.flush()
    os.close(writing)
    with os.fdopen(reading, "rb") as read:
        assert read.read() == b"one event\n"


def test_a_write_that_nobody_reads_is_interrupted() -> None:
    reading, writing = os.pipe()
    stream = _Descriptor(writing, told=True)
    Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt), interruptible():  # noqa: PT012
        for _ in range(100):
            stream.write(b"x" * 65_536)
    os.close(writing)
    os.close(reading)
