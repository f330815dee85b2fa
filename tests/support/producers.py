"""Producers of frames in other languages, and how they are run.

Their libraries are fetched once into `build/producers`.
"""

import fcntl
import hashlib
import subprocess
from pathlib import Path

from tests.support.need import missing, program

ROOT = Path(__file__).parents[2]
JAVA = ROOT / "samples" / "producers" / "java"
HOME = ROOT / "build" / "producers"
FETCH_SECONDS = 600
OPENED = "--add-opens=java.base/java.nio=ALL-UNNAMED"
"""Arrow's memory needs it on Java 16 and later."""


def java_producer() -> list[str]:
    """The command that runs the Java producer, but for its arguments.

    It ends the test when something cannot be had.
    """
    java, maven = program("java"), program("mvn")
    jars = HOME / hashlib.sha256((JAVA / "pom.xml").read_bytes()).hexdigest()[:12]
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (jars / "complete").exists():
            fetch = [
                "dependency:copy-dependencies",
                "-DincludeScope=runtime",
                f"-DoutputDirectory={jars}",
            ]
            command = [str(maven), "-q", "-B", "-f", str(JAVA / "pom.xml"), *fetch]
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
            )
            if done.returncode:
                missing(
                    "the Java producer's jars "
                    f"(Maven failed: {(done.stdout + done.stderr).strip()[-500:]})"
                )
            (jars / "complete").touch()
    return [str(java), OPENED, "-cp", f"{jars}/*", str(JAVA / "FrameProducer.java")]
