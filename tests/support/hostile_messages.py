"""Hostile messages.

They are valid ones of every form that the input topics know, broken in every way, and bytes that
never meant anything.

A block of messages follows from the seed and its number alone, so any one of them can be made
again.
"""

import json
import math
from typing import Any, Final, cast

import numpy as np
import pyarrow as pa

from streams.decoding.codec import HEARTBEAT_CONTENT_TYPE, REFRESH_HEADER
from streams.decoding.frame_layout import MAGIC
from streams.decoding.frames import ARROW_CONTENT_TYPE, encode_quotes, encode_ticks, encode_vols
from streams.records import NS, InputRecord
from streams.stage import Role
from tests.support.bad_records import Headers
from tests.support.frame_bytes import START, quotes, table, ticks, vols, written
from tests.support.frame_fuzz import mutate

BLOCK: Final = 500
ROWS: Final = 50
UNTOUCHED: Final = 0.1
"""Share of messages that are as they should be.

Without them nothing would be learned, and no contract known.
"""

HEADERS: Final[tuple[Headers, ...]] = (
    (("content-type", HEARTBEAT_CONTENT_TYPE.encode()),),
    (("content-type", b"application/json; charset=\xff"), (REFRESH_HEADER, b"60")),
    ((REFRESH_HEADER, b"60"), (REFRESH_HEADER, b"1e999")),
    ((REFRESH_HEADER, b"nan"),),
    ((REFRESH_HEADER, b""),),
    ((REFRESH_HEADER, cast("bytes", None)),),  # as a client hands over a header without content
    (("content-type", b""), ("", b"\x00" * 100)),
)
NUMBERS: Final = (-1, 0, 2**63 - 1, -(2**63), 2**64, 1e308, -0.0, 1e-320)
SPELLINGS: Final[tuple[Any, ...]] = (
    *(
        "call",
        "put",
        "$1.5",
        "1,234",
        "1,234.5",
        "n/a",
        "1e999",
        "20260717",
        20_260_717,
        "07/10/2026",
        "07/17/2026",
    ),
    *("^SPX", "$SPX.X", "BRKB", "SPXW260717P06200000", "O:SPXW260717P06200000", ".SPXW260717P6200"),
    *(
        START // NS,
        START // 1_000_000,
        START / NS,
        str(START),
        "2026-07-10T10:00:00-04:00",
        "2026-07-10T10:00:00",
    ),
    *(math.nan, math.inf, "\ud800", "\x1b[2J", "9" * 5000, 10**300),
)
"""What others write for a value; some of it nonsense."""
EXTREMES: Final[tuple[Any, ...]] = (
    *NUMBERS,
    None,
    True,
    "",
    "\u0000",
    "C",
    "SPX",
    [],
    {},
    [[]],
    {"bid": {}},
    *SPELLINGS,
)
_FIELDS: Final = (
    "underlying",
    "root",
    "expiry",
    "strike",
    "right",
    "bid",
    "ask",
    "iv",
    "delta",
    "ts_event",
    "symbol",
    "price",
    "size",
)

Message = tuple[Role, bytes | None, Headers]


def valid(at: int, *, foreign: bool = True) -> list[Message]:
    """One message of every form, of the second that ends at `at` (ns).

    Without `foreign` they are of our own forms alone.
    """
    now = at - NS // 2
    plain, shift = table(ROWS), now - START
    plain = plain.set_column(9, "ts_event", pa.array(np.arange(now, now + ROWS), pa.int64()))
    text = plain.cast(plain.schema.set(0, plain.schema.field(0).with_type(pa.string())))
    option = {
        "underlying": "SPX",
        "expiry": "2026-07-17",
        "strike": 6200.0,
        "right": "P",
        "ts_event": now,
    }
    quote, vol = option | {"bid": 1.5, "ask": 2.0}, option | {"iv": 0.2, "delta": -0.4}
    tick = {"symbol": "SPX", "price": 6300.0, "size": 1.0, "ts_event": "2026-07-10T14:00:00.5Z"}
    compact, in_vols, of_ticks = quotes(ROWS), vols(ROWS), ticks(ROWS)
    arrow: Headers = (("content-type", ARROW_CONTENT_TYPE.encode()),)
    cents = compact._replace(
        bid=compact.bid.round(2), ask=compact.ask.round(2), ts_event=compact.ts_event + shift
    )
    return [
        ("quotes", _text(quote), ()),
        ("quotes", _text(quote | {"symbol": "SPXW  260717P06200000"}), ()),
        ("quotes", _text([quote] * 20), ((REFRESH_HEADER, b"60"),)),
        ("quotes", _text(vol), ()),
        ("quotes", _text([vol] * 20), ()),
        ("quotes", encode_quotes(compact._replace(ts_event=compact.ts_event + shift)), arrow),
        ("quotes", encode_quotes(cents), arrow),
        ("quotes", encode_vols(in_vols._replace(ts_event=in_vols.ts_event + shift)), arrow),
        ("quotes", written(plain), arrow),
        ("quotes", written(text, rows=7), (*arrow, (REFRESH_HEADER, b"60"))),
        ("quotes", _text({"ts_event": at - 2 * NS}), HEADERS[0]),
        *(_foreign(option, quote, tick, plain) if foreign else ()),
        ("ticks", _text(tick), ()),
        ("ticks", _text([tick] * 20), ()),
        ("ticks", encode_ticks(of_ticks._replace(ts_event=of_ticks.ts_event + shift)), arrow),
        ("ticks", _text({"ts_event": at - 2 * NS}), HEADERS[0]),
    ]


def _foreign(
    option: dict[str, Any], quote: dict[str, Any], tick: dict[str, Any], plain: Any
) -> list[Message]:
    """What others send, and what is read all the same."""
    arrow: Headers = (("content-type", ARROW_CONTENT_TYPE.encode()),)
    texts = {"strike": "$6,200.00", "right": "put", "expiry": "07/17/2026", "underlying": "^SPX"}
    spelled = {
        "symbol": "O:SPXW260717P06200000",
        "bid": "1.5",
        "ask": "2",
        "ts_event": option["ts_event"] / NS,
    }
    gaps = quote | {"bid": math.nan}
    symbols = plain.drop_columns(["underlying", "root", "expiry", "strike", "right"])
    symbols = symbols.append_column(
        "symbol", pa.array([f"SPXW260717P0{6000 + at}000" for at in range(ROWS)])
    )
    foreign = _column(plain, "ts_event", plain["ts_event"].cast(pa.timestamp("ns", "UTC")))
    foreign = _column(foreign, "expiry", pa.array([20_260_717, None] * (ROWS // 2), pa.int32()))
    foreign = _column(foreign, "right", pa.array(["call", "PUT"] * (ROWS // 2)))
    foreign = _column(foreign, "strike", plain["strike"].cast(pa.string()))
    return [
        ("quotes", _text(quote | texts), ()),
        ("quotes", _text(spelled), ()),
        ("quotes", _text([quote, quote | texts, gaps, quote | {"right": "X"}, {}]), ()),
        ("quotes", written(foreign), arrow),
        ("quotes", written(symbols), arrow),
        (
            "ticks",
            _text([tick, tick | {"price": "$6300.5", "symbol": "$SPX.X"}, tick | {"price": None}]),
            (),
        ),
    ]


def _column(rows: Any, name: str, values: Any) -> Any:
    return rows.set_column(rows.schema.names.index(name), name, values)


def block(seed: int, number: int, *, hostile: bool = True) -> list[tuple[Role, InputRecord]]:
    """The messages of a block in their order, with their topics.

    Without `hostile` they are valid ones of our own forms, for comparison.
    """
    rng, at = np.random.default_rng([seed, number]), START + (number + 1) * NS
    whole = valid(at, foreign=hostile)
    records: list[tuple[Role, InputRecord]] = []
    for place in range(BLOCK):
        role, value, headers = whole[int(rng.integers(len(whole)))]
        if hostile and rng.random() >= UNTOUCHED:
            value, headers = _broken(value or b"", headers, rng)
        records.append(
            (
                role,
                InputRecord(role, 0, number * BLOCK + place, at // 1_000_000, None, value, headers),
            )
        )
    return records


def _broken(
    value: bytes, headers: Headers, rng: np.random.Generator
) -> tuple[bytes | None, Headers]:
    kind = rng.random()
    if kind < 0.03:
        return None if kind < 0.01 else _noise(rng), headers
    if kind < 0.13:
        return value, HEADERS[int(rng.integers(len(HEADERS)))]
    if value.startswith(MAGIC):
        return mutate(value, rng), headers
    return (_strange(value, rng) if rng.random() < 0.5 else _scratched(value, rng)), headers


def _noise(rng: np.random.Generator) -> bytes:
    """Random bytes, at times behind the beginning of something."""
    start = (b"", MAGIC, b"{", b"[", b'{"ts_event":', b"[" * 3000)[int(rng.integers(6))]
    return start + rng.bytes(int(rng.integers(300)))


def _strange(value: bytes, rng: np.random.Generator) -> bytes:
    """Well-formed JSON with values that nobody expects, or without some that everybody does."""
    given: Any = json.loads(value)
    row = given[int(rng.integers(len(given)))] if isinstance(given, list) else given
    changed = dict(row)
    for _ in range(int(rng.integers(1, 4))):
        name = _FIELDS[int(rng.integers(len(_FIELDS)))]
        changed[name] = EXTREMES[int(rng.integers(len(EXTREMES)))]
        if rng.random() < 0.2:
            changed.pop(list(changed)[int(rng.integers(len(changed)))])
    return _text([*given, changed] if isinstance(given, list) else changed)


def _scratched(value: bytes, rng: np.random.Generator) -> bytes:
    """Bytes replaced, pieces repeated, the end cut off."""
    data = bytearray(value)
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(len(data)))
        if rng.random() < 0.7:
            data[at] = int(rng.integers(256))
        else:
            data[at:at] = data[int(rng.integers(len(data))) :][:40]
    return bytes(data[: int(rng.integers(len(data)))] if rng.random() < 0.1 else data)


def _text(value: object) -> bytes:
    return json.dumps(value).encode()
