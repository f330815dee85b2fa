"""A page printed by Chromium, where there is one."""

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from agents.process.exits import ActionNeededError
from config.errors import ConfigError

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
SECONDS: Final = 120.0


def browser() -> str:
    """The first of them on the path. Raises `ConfigError`."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    raise ConfigError(
        "a PDF needs Chromium, and there is none on the path",
        key="--out",
        fix="write .html and print it from any browser, or install Chromium",
    )


def pdf_of(page: str) -> bytes:
    """The page on A4. Raises `ConfigError`, `ActionNeededError`."""
    with TemporaryDirectory(prefix="dispersion-report-") as name:
        folder = Path(name)
        (folder / "report.html").write_text(page, encoding="utf-8")
        out = folder / "report.pdf"
        command = [
            *(browser(), "--headless=new", "--disable-gpu", "--no-pdf-header-footer"),
            f"--user-data-dir={folder / 'profile'}",
            # Chromium's own sandbox refuses root.
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            *(f"--print-to-pdf={out}", (folder / "report.html").as_uri()),
        ]
        try:
            done = subprocess.run(  # noqa: S603 - a browser on the path, and a page of ours
                command, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise ActionNeededError(
                f"{command[0]} did not print the page within {SECONDS:.0f} s: write .html instead"
            ) from None
        if done.returncode or not out.is_file():
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise ActionNeededError(f"{command[0]} did not print the page: {last}")
        return out.read_bytes()
