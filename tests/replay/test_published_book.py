"""The vega-weighted book on the published closes, and the sentences that state it."""

import csv
import gzip
import math
import re
from datetime import date
from functools import cache
from itertools import pairwise

import pytest

from streams.detection.alerts.alert_event import decode_event
from tests.support.claims import unproved
from tests.support.evaluation import evaluation_data
from tests.support.published_history import history

pytestmark = [pytest.mark.evaluation, pytest.mark.timeout(900)]

STATED = re.compile(
    r"vega-weighted book ([+-][\d.]+) points since the close(?: of \S+)?: "
    r"index ([+-][\d.]+), singles ([+-][\d.]+)\."
)
LEVELS = re.compile(
    r"SPX index vol ([\d.]+) to ([\d.]+) \(([+-][\d.]+)\) since the close of (\S+); "
    r"implied correlation ([\d.]+) to ([\d.]+), (-?\d+)% of the move is correlation\."
)
STORIES = {
    "unwind": "Dispersion unwind.",
    "mixed": "Part unwind, part repricing.",
    "early": "Early sign of a dispersion unwind.",
    "grind": "Dispersion unwind in small steps.",
}
UNMARKED = {date(2014, 6, 19), date(2025, 7, 1)}
"""The first session with both vols, and the first after the gap."""


@cache
def levels(index: str) -> dict[date, float]:
    """Closes of a published file, in points."""
    path = evaluation_data() / "vol_indices" / f"{index}_daily.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    column = rows[0].index("close") if "close" in rows[0] else 1
    return {date.fromisoformat(row[0]): float(row[column]) for row in rows[1:] if row[column]}


@pytest.mark.parametrize(
    ("day", "index", "singles"),
    [("2018-02-05", -20.01, 5.82), ("2025-10-10", -5.23, 3.66), ("2020-02-24", None, None)],
)
def test_the_mark_is_what_the_closes_imply(
    day: str, index: float | None, singles: float | None
) -> None:
    reading = next(
        one.reading for one in history().closes if one.reading.session.isoformat() == day
    )
    assert reading.book is not None, reading.reasons
    assert reading.book.close is not None, reading.reasons
    window, mark = reading.book.close, reading.book.close.vega
    vix, vixeq = levels("vix"), levels("vixeq")
    rise = [(level[reading.session] - level[window.session]) / 100 for level in (vix, vixeq)]
    assert mark.index == pytest.approx(-rise[0], abs=1e-12)
    assert mark.singles == pytest.approx(rise[1], abs=1e-12)
    assert mark.total == pytest.approx(rise[1] - rise[0], abs=1e-12)
    ratio = vix[window.session] / vixeq[window.session]
    assert window.theta.singles == pytest.approx(ratio * rise[1], abs=1e-12)
    assert window.gamma.singles == pytest.approx(rise[1] / ratio, abs=1e-12)
    if index is not None and singles is not None:
        assert 100 * mark.index == pytest.approx(index, abs=0.005)
        assert 100 * mark.singles == pytest.approx(singles, abs=0.005)


def test_every_close_is_marked_from_the_close_before() -> None:
    closes = [one.reading for one in history().closes if one.reading.vol_spread is not None]
    marked = 0
    for before, after in pairwise(closes):
        window = None if after.book is None else after.book.close
        if (after.session - before.session).days > 10:
            assert window is None
            continue
        assert window is not None
        assert window.session == before.session
        assert window.vega.total == pytest.approx(
            (after.vol_spread or 0.0) - (before.vol_spread or 0.0), abs=1e-12
        )
        marked += 1
    assert marked > 2_500


def test_sentences_state_the_mark_of_the_day() -> None:
    vix, vixeq = levels("vix"), levels("vixeq")
    unwinds = [event for event in history().fired if event.rule == "vix_spike_unwind"]
    assert len(unwinds) >= 25
    gains = 0
    for event in history().fired:
        found = STATED.search(event.summary)
        assert "both legs" not in event.summary
        if event.session in UNMARKED:
            assert "no mark (no prior close)" in event.summary
            continue
        assert found is not None, event.summary
        total, index, singles = map(float, found.groups())
        day = event.session
        prior = max(known for known in vix.keys() & vixeq.keys() if known < day)
        assert index == pytest.approx(vix[prior] - vix[day], abs=0.051)
        assert singles == pytest.approx(vixeq[day] - vixeq[prior], abs=0.051)
        assert total == pytest.approx(index + singles, abs=0.11)
        gains += event.rule == "vix_spike_unwind" and singles > 0
    assert gains > 0.8 * len(unwinds), "the long leg mostly gains in an unwind"


def test_levels_and_share_of_an_unwind_are_those_of_the_published_files() -> None:
    """VIX, VIXEQ and COR1M of the two closes that a sentence names."""
    vix, vixeq, correlation = levels("vix"), levels("vixeq"), levels("cor1m")
    unwinds = [event for event in history().fired if event.rule == "vix_spike_unwind"]
    asking = [event for event in unwinds if event.severity != "info"]
    assert len(asking) >= 60
    for event in unwinds:
        found = LEVELS.search(event.summary)
        assert found is not None, event.summary
        day, start = event.session, date.fromisoformat(found[4])
        shown = [float(found[at]) for at in (1, 2, 3, 5, 6)]
        right = [vix[start], vix[day], vix[day] - vix[start], correlation[start], correlation[day]]
        assert shown == pytest.approx(right, abs=0.0501), event.summary
        share = 1 - math.log(vixeq[day] / vixeq[start]) / math.log(vix[day] / vix[start])
        assert float(found[7]) == pytest.approx(100 * share, abs=0.501), event.summary
        assert STORIES[event.label] in event.summary
        assert sum(story in event.summary for story in STORIES.values()) == 1
        if event.label == "mixed":
            assert share < 0.6
        if event.label == "unwind" and correlation[day] - correlation[start] < 10:
            assert share >= 0.6


def test_every_claim_of_every_sentence_is_proved_by_its_values() -> None:
    events = [decode_event(entry.value).data for one in history().closes for entry in one.events]
    assert len(events) > 300
    found = {event.summary: unproved(event) for event in events}
    assert {summary: wrong for summary, wrong in found.items() if wrong} == {}
