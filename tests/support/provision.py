"""Fetching beforehand what the tests need.

Run ``python -m tests.support.provision [programs] [kafka] [asyncapi]`` (nothing named: all).

Kafka's jars come from Maven Central into `build/kafka/jars`, AsyncAPI's parser by npm into
`build/asyncapi`, as its lock says. Programs that are missing are installed with apt-get where that
is possible (Debian, root), and named where it is not. It is safe to repeat. The exit code is 1 when
something is missing in CI.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

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
}
"""Debian's package of each program.

docker-compose only checks the compose file; no daemon is needed.
"""
APT_SECONDS = 900
NPM_SECONDS = 300


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
    if left := absent():
        say(f"programs: {', '.join(left)} still missing; their tests will be skipped")
    return not left


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
    if shutil.which("npm") is None:
        say("asyncapi: npm is missing; the test of the document will be skipped")
        return False
    MODULES.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PARSER / name, MODULES)
    step = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    say(" ".join(step))
    done = subprocess.run(
        step, cwd=MODULES, capture_output=True, text=True, timeout=NPM_SECONDS, check=False
    )
    if done.returncode:
        say(f"failed: {done.stderr.strip()[-500:]}")
    return parser_present()


STEPS: dict[str, Callable[[], bool]] = {
    "programs": provide_programs,
    "kafka": provide_kafka,
    "asyncapi": provide_asyncapi,
}


def main(names: Sequence[str]) -> int:
    """Provide what is named, or everything."""
    if unknown := [name for name in names if name not in STEPS]:
        say(f"unknown: {', '.join(unknown)}; known: {', '.join(STEPS)}")
        return 2
    done = [STEPS[name]() for name in STEPS if not names or name in names]
    return 0 if all(done) or os.environ.get("CI") != "true" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
