"""A reader who types the commands of the pages, and compares what they print with what is shown."""

import os
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support.command import DISPERSION, NONE, environment
from tests.support.page_blocks import ROOT, Command

_ASSIGNED = r"^(?:[A-Z_]+=\S* )*"
SERVICE = re.compile(_ASSIGNED + r"dispersion (?:worker|exporter|bridge|reporter|ingest)\b")
"""Runs until it is told to stop."""
LOOK = re.compile(
    _ASSIGNED
    + r"dispersion (?:status|top|doctor|explain|alerts (?:list|show|tail)|dead-letters tail)"
)
"""May be typed again until what it waits for has come."""
_SERVED = re.compile(
    r"dispersion (?:worker|exporter|bridge|reporter|ingest|topics|replay|backfill|history|alerts"
    r"|dead-letters|status|top|doctor|takeover|explain(?!.* --run ))|127\.0\.0\.1:9092|^export "
)
_URL = re.compile(r"(?:metrics and health|market gauges) on http://")
_SECONDS = 90.0


class NotRun(NamedTuple):
    """Commands that no test types, why, and what is looked at in their place."""

    pattern: str
    why: str
    problem: Callable[[str], str]
    """What is wrong with one, or nothing."""


def _of_make(text: str) -> str:
    done = subprocess.run(
        ["make", "--dry-run", *shlex.split(text)[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr if done.returncode else ""


def _of_files(text: str) -> str:
    """Files of the project that the command names."""
    named = [word for word in shlex.split(text) if re.match(r"(?:tests|samples|docs)/", word)]
    return " ".join(
        word
        for word in named
        if "target/" not in word and not (ROOT / word.split("::")[0]).exists()
    )


NOT_RUN = (
    NotRun("make ", "a target builds or tests the whole: make expands it", _of_make),
    NotRun("mvn |java ", "needs Maven: tests/integration/test_producers.py runs it", _of_files),
    NotRun("dispersion demo", "tests/integration/test_demo.py runs it", _of_files),
    NotRun(
        r"dispersion live|dispersion init .*holdings\.csv|cd mine",
        "tests/integration/test_live.py runs it",
        _of_files,
    ),
)


def not_run(command: Command) -> NotRun | None:
    """Why a command is not typed; None for one that is."""
    return next((one for one in NOT_RUN if re.match(one.pattern, command.text)), None)


def needs_servers(commands: Sequence[Command]) -> bool:
    """Whether a block cannot do without Kafka and Redis."""
    return any(_SERVED.search(command.text) for command in commands if not not_run(command))


def differs(shown: Sequence[str], printed: str) -> bool:
    """Whether a command has printed something else than the page shows.

    `…` in a line stands for anything, alone in one for any lines. Nothing shown is no statement.

    >>> differs(["a", "…"], "a\\nb\\n"), differs(["a"], "a\\nb\\n"), differs(["a …"], "a 12")
    (False, True, False)
    """
    lines = [
        "(?:.*\n)*" if line.strip() == "…" else re.escape(line.rstrip()).replace("…", ".*") + "\n"
        for line in shown
        if line.strip()
    ]
    said = "".join(f"{line.rstrip()}\n" for line in printed.splitlines() if line.strip())
    return bool(lines) and re.fullmatch("".join(lines), said) is None


class PageReader:
    """A shell in a folder of its own that has the samples and the settings of the checkout."""

    def __init__(
        self, folder: Path, variables: Mapping[str, str] = NONE, instead: Mapping[str, str] = NONE
    ) -> None:
        """`instead` are texts of the pages that stand for others here, such as addresses."""
        self._folder = folder
        self._variables = environment(variables)
        self._variables["PATH"] = f"{DISPERSION.parent}:{os.environ['PATH']}"
        self._variables["DISPERSION_METRICS__PORT"] = "0"
        self._instead = instead
        self._typed: dict[str, tuple[int, str]] = {}
        self._services: list[tuple[str, subprocess.Popen[str], Path]] = []
        for name in ("samples", "config"):
            (folder / name).symlink_to(ROOT / name)
        (folder / "docs/use/pictures").mkdir(parents=True)

    def findings(self, commands: Sequence[Command]) -> Iterator[str]:
        """Type them one after another; what went otherwise than the page says."""
        for command in commands:
            excused = not_run(command)
            problem = excused.problem(command.text) if excused else self._type(command)
            if problem:
                yield f"{command.block.page}:{command.block.line}: {command.text}\n{problem}"

    def stop(self) -> Iterator[str]:
        """SIGTERM to the services; each must end with exit code 0."""
        for _, process, _ in self._services:
            process.terminate()
        for text, process, log in self._services:
            code = process.wait(30)
            if code:
                yield f"{text}: exit code {code} on SIGTERM\n{log.read_text()}"
        self._services.clear()

    def _type(self, command: Command) -> str:
        text = re.sub(r"METRICS__PORT=\d+", "METRICS__PORT=0", command.text)
        for there, here in self._instead.items():
            text = text.replace(there, here)
        if text.startswith("export "):
            self._variables |= dict(word.split("=", 1) for word in shlex.split(text)[1:])
            return ""
        if SERVICE.match(text):
            return self._start(text.removesuffix("&").strip())
        deadline = time.monotonic() + (_SECONDS if LOOK.match(text) and self._services else 0.0)
        while problem := self._problem(command, text):
            if time.monotonic() > deadline:
                return problem
            self._typed.pop(text)
            # Looking costs a second of CPU, which what is waited for needs too.
            time.sleep(2.0)
        return ""

    def _problem(self, command: Command, text: str) -> str:
        code, printed = self._typed.get(text) or self._run(text)
        self._typed[text] = code, printed
        if code:
            return f"exit code {code}\n{printed}"
        if differs(command.shown, printed):
            shown = "\n".join(command.shown)
            return f"prints\n{printed}\nbut the page shows\n{shown}\n"
        return ""

    def _run(self, text: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-c", text],
            cwd=self._folder,
            env=self._variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def _start(self, text: str) -> str:
        log = self._folder / f"service-{len(self._services)}.log"
        with log.open("w") as file:
            process = subprocess.Popen(
                ["bash", "-c", f"exec env {text}"],
                cwd=self._folder,
                env=self._variables,
                stdout=file,
                stderr=file,
                text=True,
            )
        self._services.append((text, process, log))
        deadline = time.monotonic() + _SECONDS
        while not _URL.search(log.read_text()):
            if process.poll() is not None or time.monotonic() > deadline:
                return f"does not serve: exit code {process.returncode}\n{log.read_text()}"
            time.sleep(0.1)
        return ""
