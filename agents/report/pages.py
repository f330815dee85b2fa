"""A report as one HTML file without scripts, and as Markdown."""

from functools import cache
from typing import Any

from agents.report.charts import drawn
from streams.report.document import Report
from streams.report.reasons import words_of
from streams.report.rotation_section import WINDOWS

WINDOW_NAMES = {str(n): f"{n} sessions" if n > 1 else "1 session" for n in WINDOWS}


def html_of(report: Report) -> str:
    """The whole page; nothing in it is loaded from elsewhere."""
    return _rendered("report.html.j2", report, charts=drawn(report.charts))


def markdown_of(report: Report) -> str:
    """The same words and numbers, the charts as their descriptions."""
    return _rendered("report.md.j2", report)


class Notes:
    """Reasons of missing numbers, each with the number that stands for it on the page."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def number(self, reason: str) -> int:
        """Of a reason; the same for the same words."""
        if reason not in self.reasons:
            self.reasons.append(reason)
        return self.reasons.index(reason) + 1


def _rendered(template: str, report: Report, **more: Any) -> str:
    page = _templates().get_template(template)
    text: str = page.render(
        report=report, windows=WINDOW_NAMES, notes=Notes(), words_of=words_of, **more
    )
    return text


@cache
def _templates() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    return Environment(
        loader=PackageLoader("agents.report"),
        autoescape=select_autoescape(("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
