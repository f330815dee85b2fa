"""The explanation of an index, with the watch list and the calendar of the settings beside it."""

from collections.abc import Callable

from config.event_calendars import load_events
from config.market import market_of
from config.rules import load_rules
from config.settings import Settings
from config.watch_lists import find_watch_list, load_watch_list
from streams.detection.views.explainer import ExplainInputs, explain_in_context
from streams.market import IndexSpec
from streams.report.outlook import Outlook, OutlookInputs, outlook
from streams.report.score_section import mechanical_numbers


def explained_index(
    settings: Settings, spec: IndexSpec, inputs: Callable[[], ExplainInputs]
) -> Outlook | None:
    """None where there is no reading of 30 days.

    `inputs` is asked once the files of the settings are read. Raises `ConfigError`, and what
    `inputs` raises.
    """
    rules = load_rules(settings.rules.file, settings.rules.cap_unknown)
    file = settings.events_file
    beside = OutlookInputs(
        spec,
        mechanical_numbers(rules),
        load_watch_list(find_watch_list(settings.report.watch_list)),
        None if file is None else load_events(file),
    )
    found = explain_in_context(spec, market_of(settings).gates, rules, inputs())
    return None if found is None else outlook(found, beside)
