"""Chains with bid and ask of about 500 underlyings at the closes of July 2026 (evaluation data)."""

from datetime import date

import numpy as np
import pandas as pd

from streams.calendar.sessions import close_ns
from streams.market import Basket, EarningsReport, IndexSpec, Market, Rates
from streams.reading import Reading
from streams.readings.cross_section import CrossSection
from streams.records import Quotes, Series
from streams.stage import Output
from streams.symbols import normalise
from streams.valuation.quotes_stage import QuotesStage
from tests.support.evaluation import evaluation_data
from tests.support.input_records import frame_of, frames_in
from tests.support.option_chains import taken

REFRESH = 86_400.0


def closing_quotes(session: date) -> Quotes:
    """All contracts at a close, stamped with the option close.

    They are in order of underlying, expiry, strike, put before call.
    """
    frame = pd.read_parquet(
        evaluation_data() / "chains_multi" / "nbbo_chains_2026_07.parquet",
        columns=["underlying", "expiration", "strike", "cp", "bid", "ask"],
        filters=[("session", "==", f"{session.isoformat()} close")],
    ).sort_values(["underlying", "expiration", "strike", "cp"], ascending=[True, True, True, False])
    names, code = np.unique(frame.underlying.to_numpy(str), return_inverse=True)
    stamp = np.full(len(frame), close_ns(session), np.int64)
    return Quotes(
        tuple(Series(normalise(name), normalise(name)) for name in names.tolist()),
        code.astype(np.int32),
        pd.to_datetime(frame.expiration).to_numpy().astype("datetime64[D]").astype(np.int32),
        np.round(frame.strike.to_numpy(np.float64), 3),
        (frame.cp == "C").to_numpy(),
        np.round(frame.bid.to_numpy(np.float64), 4),
        np.round(frame.ask.to_numpy(np.float64), 4),
        stamp,
        stamp,
        REFRESH,
    )


def closing_reading(
    session: date,
    basket: Basket,
    index: str = "SPY",
    *,
    earnings: tuple[EarningsReport, ...] | None = None,
) -> Reading:
    """The closing reading of an index over a basket, at a constant rate."""
    quotes = closing_quotes(session)
    spec = IndexSpec(index, basket)
    market = Market((spec,), rates=Rates(constant=0.0364), earnings=earnings, mode="replay")
    stage, section = QuotesStage(market, "quotes:0", 1), CrossSection(spec, market)
    records = [
        frame_of(taken(quotes, np.arange(at, min(at + 5000, quotes.strike.size))))
        for at in range(0, quotes.strike.size, 5000)
    ]
    messages = [*stage.process(records).messages, *stage.idle().messages]
    readings = [
        reading
        for frame in frames_in(messages)
        if frame.boundary <= close_ns(session)
        for reading in section.receive(frame, b"", Output().counts)
    ]
    return readings[-1]


def index_weights() -> dict[str, float]:
    """Index weights of April 2025, percent, by symbol."""
    table = pd.read_csv(evaluation_data() / "universe" / "sp500_weights_2025_04.csv.gz")
    return {
        normalise(symbol): float(weight)
        for symbol, weight in zip(table.symbol, table.weight_pct, strict=True)
    }
