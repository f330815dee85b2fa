"""The files of a report in the folder of the reporter."""

import re
from pathlib import Path

from agents.report.pages import html_of, markdown_of
from streams.report.document import Report, encode_report


def write_report(folder: Path, report: Report) -> Path:
    """Write a report as HTML, Markdown and JSON; the HTML file's path.

    A reader sees a whole file or none. Raises `OSError`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / f"{name_of(report)}.html"
    _write(page.with_suffix(".json"), encode_report(report) + b"\n")
    _write(page.with_suffix(".md"), markdown_of(report).encode())
    _write(page, html_of(report).encode())
    return page


def name_of(report: Report) -> str:
    """The file's name without its ending: index and session, and the mode of what is not live.

    Characters that folders or shells may take for something else are underscores.
    """
    mode = "" if report.mode == "live" else f"-{report.mode}"
    return re.sub(r"[^A-Za-z0-9_-]", "_", f"{report.index}-{report.session}{mode}")


def _write(file: Path, content: bytes) -> None:
    half = file.with_name(f".{file.name}.part")
    half.write_bytes(content)
    half.replace(file)
