"""The capacity plan.

The queue is a queue, the market has the rate it is asked for, and the page shows the plan's rows.
"""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import capacity
from tests.benchmarks.capacity import MEAN, SCALES, plan, table
from tests.benchmarks.queueing import BURST, STEP, Costs, market, queue, run
from tests.support.fleet import ROOT

REPORT = {
    "worker_frames": {"cpu_us_per_quote": 0.25},
    "worker_json": {"cpu_us_per_quote": 3.0},
    "revaluation_500": {"cpu_ms": 5.0},
    "partition_cost": {"lively_ms": 1.5},
}


def test_what_waits_is_what_a_loop_leaves_over() -> None:
    work = np.random.default_rng(1).exponential(0.8 * STEP, (500, 3))
    waits = np.zeros((500, 3))
    left = np.zeros(3)
    for at, more in enumerate(work):
        left = np.maximum(left + more - STEP, 0.0)
        waits[at] = left
    np.testing.assert_allclose(queue(work), waits, atol=1e-12)


def test_bursts_move_quotes_and_make_no_more_of_them() -> None:
    calm, bursty = market(MEAN, 20, burst=1.0), market(MEAN, 20)
    for quotes in (calm, bursty):
        assert quotes.sum() / 20 == pytest.approx(MEAN, rel=0.1)
    heights = [quotes.sum(axis=1).max() / STEP / MEAN for quotes in (calm, bursty)]
    assert heights[0] < 2.0
    assert heights[1] == pytest.approx(BURST, rel=0.3)


def test_more_workers_wait_less_for_the_same_work() -> None:
    quotes, costs = market(1e6, 20), Costs(1e-6, 0.0, 0.0)
    one, four = run(quotes, costs, 1), run(quotes, costs, 4)
    assert (
        one.busy.sum()
        == pytest.approx(four.busy.sum())
        == pytest.approx(quotes.sum() / 20 * costs.quote)
    )
    assert 0 < four.worst < one.worst
    assert four.p99 < one.p99 <= one.worst
    assert four.busy.max() < one.busy.max()


def test_the_page_has_the_rows_and_columns_of_the_plan() -> None:
    page = (ROOT / "docs/design/capacity.md").read_text(encoding="utf-8")
    shown = page.partition("<!-- capacity:begin -->\n")[2].partition("<!-- capacity:end -->")[0]
    column = plan(1, REPORT, 0.05, 0.10)
    first = re.compile(r"^\| ([^|]+?) \|", re.MULTILINE)
    assert first.findall(shown) == first.findall(table({1: column}).markdown())
    assert shown.splitlines()[0].strip("| ").split(" | ") == ["times", *map(str, SCALES)]


def test_without_a_benchmark_it_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity, "BENCH", ROOT / "build" / f"{tmp_path.name}.json")
    monkeypatch.setattr("sys.argv", ["capacity"])
    with pytest.raises(SystemExit, match="run make bench"):
        capacity.main()


def test_a_hottest_underlying_beyond_a_core_has_no_plan() -> None:
    with pytest.raises(ValueError, match="hottest underlying"):
        plan(100, REPORT | {"worker_frames": {"cpu_us_per_quote": 2.0}}, 0.05, 0.10)
