"""`python -m tests.benchmarks.capacity`: the table of `docs/design/capacity.md`.

It comes from what `make bench` measured and a simulated market.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from tests.benchmarks.queueing import BURST, NAMES, SECONDS, Costs, fewest, market
from tests.benchmarks.report import Sheet
from tests.support.fleet import ROOT

BENCH = ROOT / "build" / "bench.json"
SCALES = (1, 10, 100)
CONTRACTS = (NAMES + 1) * 352
MEAN = 85_000
"""Quotes a second at scale 1.

It is a hundredth of 200 billion messages in the 23,400 seconds of a session.
"""
QUOTE_BYTES, REPLICAS, BROKER_MB = 27.3, 3, 50.0
"""In a frame of 2,000; copies of a record; MB/s written that a broker is given, assumed."""
SESSION_SECONDS, SESSIONS = 23_400, 3
"""The shipped retention of quotes, 72 hours, holds three sessions."""
STATE_BYTES, CHECKPOINT_SECONDS, WORKER_CHECKPOINT = 74.4, 5.0, 4e6
"""Of a contract in Redis, measured; the shipped cadence.

The cadence is seconds, and bytes a second of one worker at most.
"""
WORKER_MB, CONTRACT_KB = 200.0, 0.4
"""A worker without contracts, and one contract: from soaks of 8 and of 500 names."""

CORE_HOUR, GIGABYTE_MONTH = 0.05, 0.10
"""Stand-ins for the reader's own prices."""


def plan(
    scale: float, report: Mapping[str, Any], core_hour: float, gigabyte_month: float
) -> dict[str, str]:
    """One column of the table, by the names of its rows. Raises `KeyError`, `ValueError`."""
    quotes, costs = market(scale * MEAN), Costs.of(report)
    seen, json_seen = fewest(quotes, costs), fewest(quotes, Costs.of(report, "json"))
    if seen is None:
        raise ValueError(
            f"at {scale:g} times no number of workers is enough: "
            "the hottest underlying has more than a partition can take"
        )
    arriving = scale * MEAN * QUOTE_BYTES / 1e6
    brokers = max(3, int(np.ceil(arriving * REPLICAS / BROKER_MB)))
    disk = arriving * REPLICAS * SESSION_SECONDS * SESSIONS / 1e3
    redis = (
        min(seen.workers * WORKER_CHECKPOINT, CONTRACTS * STATE_BYTES / CHECKPOINT_SECONDS) / 1e6
    )
    cores = seen.workers + 2 * brokers + 1
    return {
        "quotes a second, mean": f"{scale * MEAN:,.0f}",
        "in a burst": f"{scale * MEAN * BURST:,.0f}",
        "partitions": f"{seen.partitions}",
        "workers": f"{seen.workers}",
        "workers, single JSON": f"{json_seen.workers}" if json_seen else "none",
        "cores worked, mean": f"{seen.busy.sum():.2f}",
        "hottest worker, of a core": f"{seen.busy.max():.2f}",
        "hottest underlying in a burst, of a core": (
            f"{BURST * quotes.sum(axis=0).max() / SECONDS * costs.quote:.2f}"
        ),
        "wait p99, ms": f"{1e3 * seen.p99:.0f}",
        "wait at worst, ms": f"{1e3 * seen.worst:.0f}",
        "Kafka in, MB/s": f"{arriving:.1f}",
        "Kafka out, MB/s": f"{arriving * REPLICAS:.1f}",
        "brokers": f"{brokers}",
        "Kafka disk, GB": f"{disk:,.0f}",
        "Redis, MB/s": f"{redis:.1f}",
        "memory of all workers, MB": (
            f"{seen.workers * WORKER_MB + CONTRACTS * CONTRACT_KB / 1024:,.0f}"
        ),
        "cores to pay": f"{cores}",
        "a month, in money": f"{cores * 730 * core_hour + disk * gigabyte_month:,.0f}",
    }


def table(columns: Mapping[float, Mapping[str, str]]) -> Sheet:
    """A row a quantity, a column a scale."""
    keys = next(iter(columns.values()))
    return Sheet(
        ("times", *(f"{scale:g}" for scale in columns)),
        [(key, *(column[key] for column in columns.values())) for key in keys],
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.capacity")
    parser.add_argument(
        "--core-hour",
        type=float,
        default=CORE_HOUR,
        help="price of a core for an hour, of any currency (default: %(default)s)",
    )
    parser.add_argument(
        "--gigabyte-month",
        type=float,
        default=GIGABYTE_MONTH,
        help="price of disk (default: %(default)s)",
    )
    asked = parser.parse_args()
    try:
        report = json.loads(BENCH.read_text())
        print(
            table(
                {
                    scale: plan(scale, report, asked.core_hour, asked.gigabyte_month)
                    for scale in SCALES
                }
            ).markdown(),
            end="",
        )
    except (FileNotFoundError, KeyError) as lacking:
        sys.exit(f"{BENCH.relative_to(ROOT)} does not hold {lacking}: run make bench")
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
