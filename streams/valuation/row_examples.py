"""What to say of a row that the screen refused: the contract, and what was wrong about it."""

from datetime import UTC, datetime
from typing import Final

from streams.calendar.sessions import EASTERN, close_ns, date_of, is_session, open_ns
from streams.catalogue.outcomes import NO_ROOM, OUTCOMES, Outcome
from streams.decoding.osi import INDEX_ROOTS
from streams.decoding.times import asked
from streams.left_out import LeftOut, left_out, origin_of
from streams.records import NS, Quotes, Ticks, Vols
from streams.valuation.clock import Admission

NO_ROOM_LABEL: Final = OUTCOMES[NO_ROOM]
NO_ROOM_WORDS: Final = "there is no room for another contract or series"
_SHOWN_BYTES: Final = 120
_DATES: Final = range(-25_000, 180_000)
"""Day numbers that a calendar date can say."""


def row_example(
    item: Quotes | Vols | Ticks, row: int, reason: str, admission: Admission | None = None
) -> LeftOut:
    """An example of a refused row; `admission` is what the clock said about the rows."""
    record, place = origin_of(item.origin, item.ts_event.size, row)
    name, symbol = _named(item, row)
    value = _value(item, row, reason, admission)
    if reason == Outcome.UNKNOWN.label:
        value = _unknown(name, record.value if record else None)
    return left_out(reason, value, symbol, record, place, int(item.ts_event[row]))


def _named(item: Quotes | Vols | Ticks, row: int) -> tuple[str, str]:
    """The underlying or symbol, and the contract."""
    if isinstance(item, Ticks):
        name = item.symbols[item.symbol_code[row]]
        return name, name
    series = item.series[item.series_code[row]]
    right = "C" if item.call[row] else "P"
    contract = f"{series.root} {_day(int(item.expiry[row]))} {right} {item.strike[row]:g}"
    return series.underlying, contract


def _value(item: Quotes | Vols | Ticks, row: int, reason: str, admission: Admission | None) -> str:
    found = _of_time(item, row, reason, admission)
    if found or reason == NO_ROOM_LABEL:
        return found or NO_ROOM_WORDS
    if isinstance(item, Ticks):
        return f"price {item.price[row]:g}"
    if reason in {Outcome.EXPIRED.label, Outcome.FAR_EXPIRY.label}:
        return f"expiry {_expiry(int(item.expiry[row]))}, quoted {moment(int(item.ts_event[row]))}"
    if reason == Outcome.STRIKE.label:
        return f"strike {item.strike[row]:g}"
    if isinstance(item, Vols):
        return f"iv {item.vol[row]:g}, delta {item.delta[row]:g}"
    return f"bid {item.bid[row]:g}, ask {item.ask[row]:g}"


def _of_time(
    item: Quotes | Vols | Ticks, row: int, reason: str, admission: Admission | None
) -> str:
    """What was wrong about a time; empty for other reasons."""
    ts = int(item.ts_event[row])
    if reason == Outcome.TIME.label:
        return f"{ts} is no time in nanoseconds{asked(ts)}"
    if reason == Outcome.FUTURE.label:
        return f"{moment(ts)} is {(ts - int(item.record_ts[row])) / NS:.1f} s ahead of its record"
    if reason == Outcome.LATE.label and admission is not None:
        behind = (int(admission.closed[row]) * NS - ts) / NS
        return f"{moment(ts)} came {behind:.2f} s after its second was closed"
    return outside(ts) if reason == Outcome.OUTSIDE_SESSION.label else ""


def outside(ts: int) -> str:
    """A time outside the hours of its day's session, with these.

    >>> outside(1783801800000000000)
    'Sat 2026-07-11 16:30:00 New York; no session on that day'
    >>> outside(1783720800000000000)
    'Fri 2026-07-10 18:00:00 New York; the session is 09:30 to 16:15'
    """
    local = datetime.fromtimestamp(ts // NS, UTC).astimezone(EASTERN)
    when = f"{local:%a %Y-%m-%d %H:%M:%S} New York"
    session = local.date()
    if not is_session(session):
        return f"{when}; no session on that day"
    hours = [
        f"{datetime.fromtimestamp(ns // NS, UTC).astimezone(EASTERN):%H:%M}"
        for ns in (open_ns(session), close_ns(session))
    ]
    return f"{when}; the session is {hours[0]} to {hours[1]}"


def moment(ts: int) -> str:
    """A time in milliseconds UTC; the bare number outside the years that have a name.

    >>> moment(1783692000123456789), moment(2**62)
    ('2026-07-10T14:00:00.123Z', '2116-02-20T23:53:38.427Z')
    """
    if not 0 <= ts < 2**63:
        return str(ts)
    whole, fraction = divmod(ts // 1_000_000, 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:03d}Z"


def _unknown(name: str, value: bytes | None) -> str:
    if name in INDEX_ROOTS:
        return f"{name} is a root of {INDEX_ROOTS[name]}: name that as underlying, {name} as root"
    if name:
        return f"{name} is none of the names that are watched; spelled differently?"
    shown = value[:_SHOWN_BYTES].decode(errors="backslashreplace") if value else ""
    quoted = f": {shown}" if shown.lstrip()[:1] in {"{", "["} else ""
    return f"a symbol that is none{quoted}"


def _day(day: int) -> str:
    return date_of(day).isoformat() if day in _DATES else f"day {day}"


def _expiry(day: int) -> str:
    doubt = " (yyyymmdd in a column of day numbers?)" if 10**7 <= day < 10**8 else ""
    return f"{_day(day)}{doubt}"
