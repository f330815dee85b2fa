"""`make drill`: each fault under a real Prometheus and Alertmanager, every tile asked each second.

It writes `build/drill.json` and prints a table; exit code 1 where a wall lied or a page was wrong.
"""

import argparse
import json
import re
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from html import unescape
from pathlib import Path

from tests.drill.faults import ENDS, FAULTS, Fault
from tests.drill.scene import Scene, say, scene
from tests.drill.tiles import Looker
from tests.support.command import run
from tests.support.fleet import wait_until
from tests.support.stack import environment_for

STALE_SECONDS = 16.0
FRESH_SECONDS = 8.0
FIRE_SECONDS = 45.0
TOLD_SECONDS = 60.0
HOLD_SECONDS = 62.0
WARNING_SECONDS = 160.0
"""How long a warning that waits two minutes may take."""
COMMAND_SECONDS = 6.0
RECOVER_SECONDS = 120.0
CALM_SECONDS = 300.0
"""For alerts that go on firing for a minute after."""


@dataclass
class Played:
    """What was seen of one fault."""

    fault: str
    alert: str
    stale: float | None = None
    """Seconds until no tile of the market showed a number."""
    fired: float | None = None
    told: float | None = None
    """Seconds until the receiver had it."""
    recovered: float | None = None
    """Seconds after the mend until numbers were back."""
    lies: list[str] = field(default_factory=list)
    """Tiles that showed a number or a calm word while STALE was due."""
    others: list[str] = field(default_factory=list)
    """Further pages."""
    status: float | None = None
    doctor: float | None = None
    top: float | None = None
    """Seconds until the command had said the words of the fault; None where it did not."""

    def wrong(self, fault: Fault, slack: float = 1.0) -> list[str]:
        """What is not as it must be; `slack` stretches the seconds on a loaded machine."""
        found = [f"lie: {text}" for text in self.lies]
        found += [f"further page: {name}" for name in self.others]
        limits = [("recovered", RECOVER_SECONDS)]
        limits += [(command, COMMAND_SECONDS) for command in ENDS]
        limits += [("stale", STALE_SECONDS)] if fault.stale else []
        critical = [("fired", FIRE_SECONDS), ("told", TOLD_SECONDS)]
        limits += critical if fault.severity == "critical" else [("fired", WARNING_SECONDS)]
        for name, limit in limits:
            seconds = getattr(self, name)
            if seconds is None or seconds > limit * slack:
                found.append(f"{name}: {seconds} s, wanted {limit:g}")
        return found


class Player:
    """Plays faults one after another on one scene."""

    def __init__(self, made: Scene) -> None:
        self._scene = made
        wait_until(lambda: made.age() < FRESH_SECONDS, 180, "the first readings of the scenario")
        self._looker = Looker(made.prometheus)
        wait_until(lambda: self._looker.numbers() >= 5, 60, "numbers on the wall")

    def play(self, name: str) -> Played:
        """One fault, from calm to calm."""
        fault, seen = FAULTS[name], Played(name, FAULTS[name].alert)
        wait_until(lambda: self._calm(fault), CALM_SECONDS, f"no page before {name}")
        before = len(self._scene.receiver.pages)
        begun = time.monotonic()
        fault.apply(self._scene)
        self._watch(fault, seen, begun, before)
        picture = self._scene.directory / "top.svg"
        seen.status = self._asked("status", fault)
        seen.doctor = self._asked("doctor", fault)
        seen.top = self._asked("top", fault, f"--picture={picture}")
        mended = time.monotonic()
        fault.mend(self._scene)
        wait_until(self._well, RECOVER_SECONDS, f"numbers back after {name}")
        seen.recovered = round(time.monotonic() - mended, 1)
        seen.others = self._others(fault, before)
        return seen

    def _asked(self, command: str, fault: Fault, *options: str) -> float | None:
        """Seconds of a command that says what is wrong, and that something is."""
        begun = time.monotonic()
        place = self._scene.prometheus.url
        variables = environment_for(self._scene.settings)
        done = run(command, "--prometheus", place, *options, env=variables)
        passed = time.monotonic() - begun
        said = " ".join((done.stdout + done.stderr + self._drawn()).split())
        words = fault.words[command]
        if done.returncode in ENDS[command] and words in said:
            return round(passed, 1)
        say(f"{command} ended with {done.returncode}, without {words!r}: {said}")
        return None

    def _drawn(self) -> str:
        """The words of a picture, once."""
        picture = self._scene.directory / "top.svg"
        if not picture.is_file():
            return ""
        text = unescape(re.sub("<[^>]*>", " ", picture.read_text()))
        picture.unlink()
        return text

    def _well(self) -> bool:
        return self._looker.numbers() >= 5 and self._scene.age() < FRESH_SECONDS

    def _calm(self, fault: Fault) -> bool:
        """Whether a fault may begin: what fires later is of it, not of a machine that is slow."""
        calm = not self._scene.restless() and fault.alert not in self._scene.firing()
        return calm and self._scene.age() < FRESH_SECONDS

    def _watch(self, fault: Fault, seen: Played, begun: float, before: int) -> None:
        """Once a second until the page is there and the wall has had time to be stale."""
        hold = HOLD_SECONDS if fault.severity == "critical" else WARNING_SECONDS
        while (passed := time.monotonic() - begun) < hold:
            self._look(fault, seen, passed)
            if seen.fired is None and self._scene.firing().get(fault.alert) == fault.severity:
                seen.fired = round(passed, 1)
            if seen.told is None and self._told(fault.alert, before):
                seen.told = round(passed, 1)
            over = seen.fired if fault.severity != "critical" else seen.told
            if over is not None and passed > over + 10 and passed > 2 * STALE_SECONDS + 5:
                return
            time.sleep(max(0.0, 1.0 - (time.monotonic() - begun - passed)))

    def _look(self, fault: Fault, seen: Played, passed: float) -> None:
        numbers = self._looker.lies()
        if not fault.stale:
            return
        if not numbers and seen.stale is None:
            seen.stale = round(passed, 1)
        elif numbers and (seen.stale is not None or passed > 2 * STALE_SECONDS):
            seen.lies = sorted({*seen.lies, *numbers})

    def _told(self, alert: str, before: int) -> bool:
        return any(
            page.receiver == "pager" and page.status == "firing" and page.alert == alert
            for page in self._scene.receiver.pages[before:]
        )

    def _others(self, fault: Fault, before: int) -> list[str]:
        """Pages of other alerts since the fault."""
        return sorted(
            {
                page.alert
                for page in self._scene.receiver.pages[before:]
                if page.receiver == "pager" and page.status == "firing"
                if page.alert != fault.alert or fault.severity != "critical"
            }
        )


def played(names: Sequence[str], directory: Path, keep: str = "") -> list[Played]:
    """The faults by name, on one scene; `keep` shortens how long alerts go on after a mend."""
    found = []
    with scene(directory, keep) as made:
        player = Player(made)
        for name in names:
            seen = player.play(name)
            say(f"{name}: {asdict(seen)}")
            found.append(seen)
    return found


def table(found: Sequence[Played]) -> str:
    """The note's table."""
    heads = [
        *("fault", "STALE, s", "alert", "fires, s", "at the receiver, s", "numbers back, s"),
        *("`status`, s", "`doctor`, s", "`top`, s", "lies", "other pages"),
    ]
    rows = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for one in found:
        seconds = (one.fired, one.told, one.recovered, one.status, one.doctor, one.top)
        cells = (one.fault, one.stale, one.alert, *seconds)
        told = ["-" if cell is None else str(cell) for cell in cells]
        rows.append(f"| {' | '.join(told)} | {len(one.lies)} | {', '.join(one.others) or '-'} |")
    return "\n".join(rows)


def main() -> int:
    """Play, write, judge."""
    options = argparse.ArgumentParser()
    options.add_argument("--faults", default=",".join(FAULTS))
    names = options.parse_args().faults.split(",")
    signal.signal(signal.SIGTERM, _end)
    with tempfile.TemporaryDirectory(prefix="dispersion-drill-") as directory:
        found = played(names, Path(directory))
    out = Path("build/drill.json")
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps([asdict(one) for one in found], indent=2) + "\n")
    print(table(found))
    wrong = {one.fault: text for one in found if (text := one.wrong(FAULTS[one.fault]))}
    for name, texts in wrong.items():
        print(f"{name}: {'; '.join(texts)}", file=sys.stderr)
    return int(bool(wrong))


def _end(number: int, _: object) -> None:
    """Leave as Ctrl-C does, so that everything that was started ends too; once."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
