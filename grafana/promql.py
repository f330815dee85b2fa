"""PromQL that the dashboards share: what is fresh, what is known, and one series always.

`KNOWN` stands in every process, so it outlives the exporter. A tile asks for its number while it is
fresh, and for NaN where it is not: the series stays, and with it the name of the tile.
"""

from streams.catalogue.measures import RULE_TENOR

STALE_AFTER = 15
"""Seconds after which a market number leaves the wall, beyond the refresh of slow sources."""
NO_HISTORY = "-999"
"""Stands for a number that needs more history than there is."""
OF_INDEX = 'job=~"$job",index="$index"'
KNOWN = f"max by (index) (dispersion_config_info{{{OF_INDEX}}})"
PUBLISHED = f"max by (index) (dispersion_last_publish_timestamp_seconds{{{OF_INDEX}}})"
AGE = f"(time() - {PUBLISHED})"
"""Of the time of publication or, in live mode, of the event, whichever is older."""
REFRESH = f"(max by (index) (dispersion_reading_refresh_seconds{{{OF_INDEX}}}) or 0 * {PUBLISHED})"
LATE = f"({AGE} - {REFRESH})"
"""How much older it is than a source that repeats itself so often allows."""
FRESH = f"({LATE} < {STALE_AFTER})"
WORDS = "([^_]+)_?([^_]*)_?([^_]*)_?([^_]*)"


def gauge(metric: str, labels: str = "") -> str:
    """The market gauge of an index."""
    further = f",{labels}" if labels else ""
    return f"max by (index) ({metric}{{{OF_INDEX}{further}}})"


def masked(expr: str) -> str:
    """An expression that is empty once its index is stale."""
    return f"({expr}) and on (index) {FRESH}"


def masked_on_index(expr: str) -> str:
    """The same of series without an index."""
    return f"({expr}) and on () {FRESH.replace('by (index)', 'by ()')}"


def always(expr: str) -> str:
    """A number while it is fresh, NaN when it is not: one series as long as anything runs."""
    return f"({masked(expr)}) or on (index) (NaN * {KNOWN})"


def always_or_no_history(expr: str) -> str:
    """The same, with `NO_HISTORY` where the index is fresh and has no such number."""
    missing = f"{NO_HISTORY} * ({KNOWN} and on (index) {FRESH})"
    return f"({masked(expr)}) or on (index) ({missing}) or on (index) (NaN * {KNOWN})"


def spoken(expr: str, label: str) -> str:
    """The words of a label under `name`: `vol_convergence` is "vol convergence"."""
    words = f'label_replace({expr}, "name", "$1 $2 $3 $4", "{label}", "{WORDS}")'
    trimmed = f'label_replace({words}, "name", "$1", "name", "(.*?) *")'
    return f'label_replace({trimmed}, "name", "VIX $1", "name", "vix (.*)")'


def at_rule_tenor(field: str) -> str:
    """The gauge of a measure at the tenor of the rules."""
    return gauge(f"dispersion_{field}_ratio", f'tenor="{RULE_TENOR}"')
