"""Closes of SPY and 122 members of its index, through the whole flow (evaluation data).

The members are known by vols and deltas alone.
"""

from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.dataset

from agents.replay.inputs import open_feed
from config.rates import load_rates
from config.rules import load_rules
from streams.calendar.sessions import close_ns
from streams.detection.alerts.alert_event import AlertEvent, decode_event
from streams.market import Basket, Constituent, IndexSpec, Market
from streams.pipeline import Pipeline
from streams.reading import Reading
from streams.symbols import normalise
from streams.topics import Topics
from tests.support.evaluation import evaluation_data
from tests.support.nbbo_closes import index_weights

FUNDS = frozenset({"SPY", "QQQ", "IWM", "SMH", "XLF", "TLT"})


class History(NamedTuple):
    """What a run made."""

    basket: Basket
    readings: tuple[Reading, ...]
    events: tuple[AlertEvent, ...]


def vol_closes() -> Path:
    """32 closes, 2026-05-26 to 2026-07-10, without bid and ask."""
    return evaluation_data() / "chains_multi" / "eod_chains_2026_05_07.parquet"


@cache
def history(
    partitions: int = 4, first: date = date(2026, 5, 26), last: date = date(2026, 7, 10)
) -> History:
    """Readings and alert events of the closes from one session to another.

    They are on the basket of the file's own members.
    """
    basket = members()
    market = Market(
        (IndexSpec("SPY", basket),),
        rates=load_rates(evaluation_data() / "rates" / "usd_rates_daily.csv.gz"),
        mode="replay",
    )
    topics = Topics("")
    feed = open_feed([vol_closes()], [], None, market, (partitions, partitions), topics)
    made = list(
        Pipeline(market, load_rules(), partitions, partitions, topics).run(
            feed.records(close_ns(first), close_ns(last))
        )
    )
    readings = tuple(one for one in made if isinstance(one, Reading))
    return History(
        basket,
        readings,
        tuple(decode_event(one.value) for one in made if not isinstance(one, Reading)),
    )


@cache
def members() -> Basket:
    """Weights of April 2025; a name that was not in the index then gets the median one."""
    names = (
        pyarrow.dataset.dataset(vol_closes())
        .to_table(columns=["underlying"])["underlying"]
        .unique()
        .to_pylist()
    )
    weights = index_weights()
    usual = float(
        np.median([weights[normalise(name)] for name in names if normalise(name) in weights])
    )
    chosen = sorted(normalise(name) for name in names if name not in FUNDS)
    return Basket("members", tuple(Constituent(name, weights.get(name, usual)) for name in chosen))
