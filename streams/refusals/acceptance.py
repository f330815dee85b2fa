"""How much of a stream was let in of late, and if little was, why that is likely so."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from streams.left_out import LeftOut
from streams.records import NS

WINDOW_SECONDS: Final = 60
"""What is judged: the rows of the latest minute."""
LET_IN: Final = frozenset({"accepted", "no_bid", "duplicate"})
UNCONCERNED: Final = frozenset({"unknown"})
"""Of names that nobody watches: a feed may hold the whole market."""
LEAST_SHARE: Final = 0.5
NEAR_SECONDS: Final = 3600
"""A row outside the session and no further from now is what a feed sends before and after hours."""

_CAUSES: Final = {
    "late": (
        "rows come after their seconds were closed: "
        "a second producer or a heartbeat is ahead on the partition, "
        'or the feed is delayed; set mode = "delayed" for that'
    ),
    "future": (
        "times are ahead of their records: a wrong clock, or local time sent as if it were UTC"
    ),
    "outside_session": "all rows are outside the session",
    "expired": "the contracts have expired: an old file?",
    "far_expiry": "expiries are no dates",
    "crossed": "bids are above asks: are the two exchanged?",
    "non_finite": "prices are missing",
    "negative": "prices are negative or absurd",
    "strike": "strikes are absurd",
    "no_room": "there is no room for more contracts",
    "json": "records are no JSON",
    "format": "records are neither JSON nor Arrow frames",
    "schema": "the columns of frames are not those of docs/connect/wire-format.md",
}
_UNITS: Final = ("milliseconds", "microseconds", "seconds")


class Account(msgspec.Struct, frozen=True):
    """What became of one partition's, or one topic's, input in the latest minute."""

    at: float = 0.0
    """Unix seconds of the wall clock when it was drawn up."""
    records: int = 0
    refused: int = 0
    """Records that went to the dead letters."""
    rows: dict[str, int] = {}
    """By outcome; a refused record counts as one row of its reason."""
    examples: dict[str, LeftOut] = {}
    """By reason the newest since the worker began, also of earlier minutes."""

    @property
    def accepted(self) -> int:
        """Rows that were let in."""
        return sum(self.rows.get(outcome, 0) for outcome in LET_IN)

    @property
    def total(self) -> int:
        """All rows."""
        return sum(self.rows.values())

    @property
    def left_out(self) -> dict[str, int]:
        """Rows that were left out, by reason, the most first."""
        out = {reason: n for reason, n in self.rows.items() if reason not in LET_IN}
        return dict(sorted(out.items(), key=lambda item: (-item[1], item[0])))


def together(accounts: Iterable[Account]) -> Account:
    """The account of a topic from those of its partitions.

    One that is a minute behind the newest adds its examples alone.
    """
    each = sorted(accounts, key=lambda one: one.at)
    at = each[-1].at if each else 0.0
    examples = {reason: shown for one in each for reason, shown in one.examples.items()}
    rows, records, refused = Counter[str](), 0, 0
    for one in each:
        if one.at >= at - WINDOW_SECONDS:
            rows.update(one.rows)
            records += one.records
            refused += one.refused
    return Account(at, records, refused, dict(rows), examples)


def problem(
    topic: str, account: Account, *, session_open: bool = True, when: str = "the last minute"
) -> str | None:
    """What is wrong with a stream, in words; None where all is well.

    Wrong is that nothing, or less than half, of the latest minute, or of what `when` says, was let
    in.

    >>> problem("market.ticks.v1", Account(rows={"accepted": 1, "late": 2}))
    'market.ticks.v1: 1 of 3 rows of the last minute were accepted; late 2'
    >>> problem("market.ticks.v1", Account(rows={"future": 2}))
    'market.ticks.v1: none of the 2 rows of the last minute were accepted; future 2; likely: \
times are ahead of their records: a wrong clock, or local time sent as if it were UTC'
    """
    rows = account.rows if session_open else _in_hours(account)
    concerned = {reason: n for reason, n in rows.items() if reason not in UNCONCERNED}
    accepted, total = account.accepted, sum(rows.values())
    much = account.refused > LEAST_SHARE * account.records
    if not total or (accepted >= LEAST_SHARE * sum(concerned.values()) and accepted and not much):
        return None
    share = f"{accepted:,} of {total:,}" if accepted else f"none of the {total:,}"
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in account.left_out.items())
    words = f"{topic}: {share} rows of {when} were accepted; {reasons}"
    return words if accepted else f"{words}; likely: {cause(rows, account.examples)}"


def cause(rows: Mapping[str, int], examples: Mapping[str, LeftOut]) -> str:
    """The likeliest cause of rows that were left out.

    >>> cause({"time": 5}, {"time": LeftOut("time", "7 is no time in nanoseconds: milliseconds?")})
    'times are milliseconds'
    """
    out = {reason: n for reason, n in rows.items() if reason not in LET_IN and n}
    if not out:
        return "nothing was left out"
    most = max(out, key=lambda reason: (out[reason], reason))
    shown = examples.get(most)
    unit = next((one for one in _UNITS if shown and f"{one}?" in shown.value), None)
    if most == "time" and unit:
        return f"times are {unit}"
    if most == "unknown":
        name = shown.symbol if shown else ""
        return (
            "underlyings are spelled differently, or are others than those of the settings: "
            f"{name or 'no symbol'}"
        )
    known = _CAUSES.get(most)
    if known is None:
        return f"{shown.value if shown else most}"
    return f"{known} ({shown.value})" if shown and most == "outside_session" else known


def told(account: Account) -> list[str]:
    """A line for each reason of the latest minute: how many, and an example."""
    lines = []
    for reason, n in account.left_out.items():
        shown = account.examples.get(reason)
        lines.append(f"{reason} {n:,}" + (f", for example {shown.text}" if shown else ""))
    return lines


def _in_hours(account: Account) -> dict[str, int]:
    """The rows without those that a feed sends outside the hours of the exchange.

    Such rows are nothing to worry about.
    """
    shown = account.examples.get("outside_session")
    if shown is None or shown.ts_event is None:
        return account.rows
    near = abs(account.at - shown.ts_event / NS) <= NEAR_SECONDS
    return {r: n for r, n in account.rows.items() if r != "outside_session" or not near}
