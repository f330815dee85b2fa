"""Apache Kafka's jars out of Maven Central.

They are fetched once into `build/kafka/jars`, by one process at a time.
"""

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
POM = Path(__file__).parent / "maven" / "pom.xml"
HOME = ROOT / "build" / "kafka"
JARS = HOME / "jars"
MARKER = "complete"
FETCH_SECONDS = 900


class JarsUnavailableError(RuntimeError):
    """Java or Maven is missing, or Maven could not fetch."""


def _fingerprint() -> str:
    return hashlib.sha256(POM.read_bytes()).hexdigest()


def present() -> bool:
    """Whether the jars of this very pom are all there."""
    marker = JARS / MARKER
    return marker.exists() and marker.read_text() == _fingerprint()


@contextmanager
def _alone() -> Iterator[None]:
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fetch() -> Path:
    """The folder of the jars, fetched if need be. Raises `JarsUnavailableError`."""
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            message = f"{tool} (Java 17 and Maven run the real Kafka)"
            raise JarsUnavailableError(message)
    with _alone():
        if not present():
            _copy_dependencies()
    return JARS


def _copy_dependencies() -> None:
    fresh = HOME / "fetching"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(JARS, ignore_errors=True)
    command = [
        "mvn",
        "-q",
        "-B",
        "-f",
        str(POM),
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        f"-DoutputDirectory={fresh}",
    ]
    outcome = subprocess.run(
        command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
    )
    if outcome.returncode:
        message = (
            f"Kafka's jars (Maven failed: {(outcome.stdout + outcome.stderr).strip()[-1000:]})"
        )
        raise JarsUnavailableError(message)
    (fresh / MARKER).write_text(_fingerprint())
    fresh.rename(JARS)
