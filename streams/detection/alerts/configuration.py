"""Whether the basket or the rules behind an alert were edited while it was active."""

from collections.abc import Mapping
from typing import Any

import msgspec

from streams.detection.alerts.alert_event import ConfigurationChange
from streams.detection.alerts.events import hashed
from streams.detection.rules.catalogue import RuleSet
from streams.market import Basket

DIGITS = 12


def configuration_of(basket: Basket, rules: RuleSet) -> dict[str, str]:
    """Hashes of what the files say, by `basket` and `rules`.

    Comments and order of keys have no part in them.
    """
    numbers = {**rules.tables, "cap_unknown": rules.cap_unknown}
    texts = {"basket": repr(_said(basket)), "rules": msgspec.json.encode(numbers).decode()}
    return {what: hashed(text)[:DIGITS] for what, text in texts.items()}


def _said(basket: Basket) -> tuple[Any, ...]:
    """What a basket says of its names; the words of earlier releases give the hashes of then."""
    names = tuple(
        (one.symbol, one.weight, one.sector, *([one.shares] if one.shares else []))
        for one in basket.constituents
    )
    added = ["partial"] if basket.partial else []
    return basket.name, names, basket.illustrative, basket.defensives, *added


def configuration_changes(
    before: Mapping[str, str], after: Mapping[str, str]
) -> tuple[ConfigurationChange, ...]:
    """What has changed between two configurations; nothing where one of them is not known."""
    parts = (
        ("basket", before.get("basket"), after.get("basket")),
        ("rules", before.get("rules"), after.get("rules")),
    )
    return tuple(
        ConfigurationChange(what, old, new)  # type: ignore[arg-type]
        for what, old, new in parts
        if old and new and old != new
    )
