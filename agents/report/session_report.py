"""One report, from what the monitor holds to the folder and the topic."""

from datetime import date
from pathlib import Path

from agents.report.report_files import write_report
from agents.report.report_maker import made_report
from agents.report.reports_topic import ReportsTopic
from config.settings import Settings


def report_session(
    settings: Settings, topic: ReportsTopic, index: str, session: date | None
) -> Path:
    """Write the report of a session, or of the latest, and publish it unless it is there.

    The path of its page.

    Raises `ConfigError`, `SourceError`, `ActionNeededError`, `UnavailableError`, `OSError`.
    """
    made = made_report(settings, index, session, None, settings.report.prices)
    page = write_report(settings.report.folder, made)
    if not topic.has(made.id):
        topic.publish(made)
    return page
