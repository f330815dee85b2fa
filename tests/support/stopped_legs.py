"""The unwind scenario on the sample close with legs that stop: the index, then a sector."""

from datetime import UTC, datetime

import numpy as np

from config.baskets import find_basket, load_basket
from config.settings import Settings
from streams.decoding.codec import decode_quotes
from streams.decoding.frames import ARROW_CONTENT_TYPE, encode_quotes
from streams.records import InputRecord, Quotes, take_quotes
from tests.support.monitor import feed

BASKET = load_basket(find_basket("sample_100"))
UTILITIES = {one.symbol for one in BASKET.constituents if one.sector == "Utilities"}
STOPS = (({"SPY"}, "14:10:00", "14:14:00"), (UTILITIES, "14:18:00", "14:21:00"))
"""Names without a quote from a time on and before another, UTC."""
PLAYED, END = "2026-07-13", "14:23:00"


def stopping_feed(settings: Settings, partitions: int) -> list[InputRecord]:
    """Real closes, and the scenario every ten seconds until `END` without what has stopped."""
    records = feed(settings, 10, partitions)
    played = [record for record in records if at(record) <= f"{PLAYED} {END}"]
    return [kept for record in played if (kept := without_stopped(record)) is not None]


def at(record: InputRecord) -> str:
    """The record's time, UTC."""
    return f"{datetime.fromtimestamp(record.timestamp / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def without_stopped(record: InputRecord) -> InputRecord | None:
    """The record without the names that are silent at its time; None where nothing is left."""
    silent = {
        name
        for names, first, end in STOPS
        if f"{PLAYED} {first}" <= at(record) < f"{PLAYED} {end}"
        for name in names
    }
    kind = dict(record.headers)["content-type"]
    if not silent or "quotes" not in record.topic or kind != ARROW_CONTENT_TYPE.encode():
        return record
    (quotes,) = decode_quotes([record])
    assert isinstance(quotes, Quotes)
    gone = np.array([one.underlying in silent for one in quotes.series])[quotes.series_code]
    if gone.all():
        return None
    return record._replace(value=encode_quotes(take_quotes(quotes, np.flatnonzero(~gone))))
