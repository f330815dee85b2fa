"""Alerts active on the state topic though the configuration has their index or rule no more."""

from collections.abc import Iterable

from agents.alerts.states import AlertState, alert_states
from config.market import market_of
from config.rules import load_rules
from config.settings import Settings
from streams.detection.alerts.orphans import configured_fingerprints
from streams.detection.rules.catalogue import catalogue
from streams.safe_text import safe


def orphaned(settings: Settings, states: Iterable[AlertState]) -> list[AlertState]:
    """The active ones of some states that no rule judges any more. Raises `ConfigError`."""
    market = market_of(settings)
    rules = catalogue(load_rules(settings.rules.file, settings.rules.cap_unknown), market.gates)
    judged = configured_fingerprints((spec.symbol for spec in market.indices), rules)
    return [
        state for state in states if state.active and state.event.data.fingerprint not in judged
    ]


def orphan_warnings(settings: Settings) -> list[str]:
    """Each of them in words, with the next step.

    Raises `ConfigError`, `ActionNeededError`, `UnavailableError`.
    """
    return [_words(state) for state in orphaned(settings, alert_states(settings).values())]


def _words(state: AlertState) -> str:
    data = state.event.data
    next_step = f"configure it again, or `dispersion alerts retire {data.fingerprint[:8]} --why …`"
    return (
        f"{safe(state.title)} is {data.status}, but the configuration has it no more: {next_step}"
    )
