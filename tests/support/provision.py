"""Fetching beforehand what the tests need.

Run ``python -m tests.support.provision [programs] [kafka] [asyncapi] [preview]`` (nothing named:
all but the last).

Kafka's jars come from Maven Central into `build/kafka/jars`, AsyncAPI's parser by npm into
`build/asyncapi`, as its lock says. `preview` is what pictures of the dashboards need: Grafana's
components into `build/preview`, and Chromium. Programs that are missing are installed with apt-get
where that is possible (Debian, root), and named where it is not. It is safe to repeat. The exit
code is 1 when something is missing in CI.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.support.asyncapi_parser import MODULES, PARSER, parser_present
from tests.support.kafka_jars import JARS, JarsUnavailableError, fetch, present

PROGRAMS = {
    "java": "default-jre-headless",
    "mvn": "maven",
    "redis-server": "redis-server",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "docker-compose": "docker-compose",
    "openssl": "openssl",
    "node": "nodejs",
    "npm": "npm",
    "chromium": "chromium",
}
"""Debian's package of each program.

docker-compose only checks the compose file; no daemon is needed. Chromium shows the report.
"""
PICTURES = {"chromium": ("chromium", "fonts-inter"), "pngquant": ("pngquant",)}
"""Programs of pictures alone; without Inter all texts have other sizes than in Grafana."""
APT_SECONDS = 900
NPM_SECONDS = 600
PREVIEW = Path(__file__).parents[2] / "grafana/preview"
COMPONENTS = Path(__file__).parents[2] / "build/preview"


def say(text: str) -> None:
    """One line of progress, on standard error as all progress."""
    sys.stderr.write(f"provision: {text}\n")
    sys.stderr.flush()


def absent() -> list[str]:
    """Programs that are not on the path."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


def provide_programs() -> bool:
    """Install what is missing; False when something still is."""
    if not (wanted := absent()):
        say(f"programs: all here ({', '.join(PROGRAMS)})")
        return True
    packages = sorted({PROGRAMS[name] for name in wanted})
    if not _installed(wanted, packages):
        return False
    if left := absent():
        say(f"programs: {', '.join(left)} still missing; their tests will be skipped")
    return not left


def _installed(wanted: Sequence[str], packages: Sequence[str]) -> bool:
    """Whether apt-get could be asked for packages."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        say(
            f"programs: {', '.join(wanted)} missing; their tests will be skipped. "
            f"On Debian: sudo apt-get install {' '.join(packages)}"
        )
        return False
    for step in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    ):
        say(" ".join(step))
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        outcome = subprocess.run(
            step, capture_output=True, text=True, env=environment, timeout=APT_SECONDS, check=False
        )
        if outcome.returncode:
            say(f"failed: {outcome.stderr.strip()[-500:]}")
    return True


def provide_kafka() -> bool:
    """Fetch Kafka's jars; False when they cannot be had."""
    if present():
        say(f"kafka: jars here ({JARS})")
        return True
    say("kafka: fetching the jars from Maven Central (about 45 MB)")
    try:
        fetch()
    except (JarsUnavailableError, subprocess.TimeoutExpired) as error:
        say(f"kafka: {error}; tests on a real Kafka will be skipped")
        return False
    say(f"kafka: {len(list(JARS.glob('*.jar')))} jars in {JARS}")
    return True


def provide_asyncapi() -> bool:
    """Install AsyncAPI's own parser, no scripts run; False when it cannot be had."""
    if parser_present():
        say(f"asyncapi: parser here ({MODULES})")
        return True
    return _node_packages("asyncapi", PARSER, MODULES) and parser_present()


def provide_preview() -> bool:
    """Install Chromium and Grafana's components, no scripts run; False when they cannot be had."""
    wanted = [name for name in PICTURES if shutil.which(name) is None]
    if wanted and not _installed(wanted, [one for name in wanted for one in PICTURES[name]]):
        return False
    if (COMPONENTS / "node_modules/@grafana/ui").is_dir():
        say(f"preview: components here ({COMPONENTS})")
        return True
    return _node_packages("preview", PREVIEW, COMPONENTS, "--legacy-peer-deps")


def _node_packages(what: str, source: Path, target: Path, *options: str) -> bool:
    """What a lock file says; False when it cannot be had."""
    if shutil.which("npm") is None:
        say(f"{what}: npm is missing; its test will be skipped")
        return False
    target.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, target)
    step = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", *options]
    say(" ".join(step))
    done = subprocess.run(
        step, cwd=target, capture_output=True, text=True, timeout=NPM_SECONDS, check=False
    )
    if done.returncode:
        say(f"failed: {done.stderr.strip()[-500:]}")
    return not done.returncode


STEPS: dict[str, Callable[[], bool]] = {
    "programs": provide_programs,
    "kafka": provide_kafka,
    "asyncapi": provide_asyncapi,
    "preview": provide_preview,
}
WHEN_ASKED = {"preview"}
"""Steps that are too large for who does not name them: 417 MB."""


def main(names: Sequence[str]) -> int:
    """Provide what is named, or everything."""
    if unknown := [name for name in names if name not in STEPS]:
        say(f"unknown: {', '.join(unknown)}; known: {', '.join(STEPS)}")
        return 2
    chosen = names or [name for name in STEPS if name not in WHEN_ASKED]
    done = [STEPS[name]() for name in STEPS if name in chosen]
    return 0 if all(done) or os.environ.get("CI") != "true" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
