"""Variance without a report: told apart from a made one, or not told at all."""

import numpy as np
import pytest

from analytics.earnings import quiet_variance

QUIET, REPORT = 0.30**2, 0.06**2
DAY = 365 / 252


def term(days: float, reports: int) -> float:
    """Annualised variance of a term of quiet days and reports."""
    return ((days - reports * DAY) * QUIET + reports * 365 * REPORT) / days


def at_thirty(near: float, later: float, first: float, second: float) -> float:
    share = (30 - first) / (second - first)
    return (first * near * (1 - share) + second * later * share) / 30


@pytest.mark.parametrize(("first", "second"), [(28, 42), (7, 42), (23, 37)])
@pytest.mark.parametrize("reports", [(0, 1), (1, 1), (0, 2)])
def test_a_made_report_is_taken_out(first: float, second: float, reports: tuple[int, int]) -> None:
    near, later = term(first, reports[0]), term(second, reports[1])
    whole = at_thirty(near, later, first, second)
    minutes = (first * 1440, second * 1440)
    found = quiet_variance(near, minutes[0], later, minutes[1], *reports, whole)
    assert whole > QUIET
    assert float(found) == pytest.approx(QUIET, abs=1e-12)


def test_what_cannot_be_told_apart_is_unknown() -> None:
    near = np.array([0.1, 0.1, 0.1, np.nan, 0.1, 0.3])
    later = np.array([0.1, 0.1, 0.1, 0.1, np.nan, 0.1])
    first = np.full(6, 28 * 1440)
    second = np.array([28, 28, 42, 42, 42, 42]) * 1440
    reports_near, reports_next = np.array([0, 1, 1, 1, 1, 1]), np.array([1, 1, 2, 1, 1, 1])
    found = quiet_variance(near, first, later, second, reports_near, reports_next, 0.1)
    assert np.isnan(found).all(), "a term alone, two reports, an unknown term, a negative rest"


def test_without_a_report_nothing_changes_and_a_report_adds_no_less_than_nothing() -> None:
    assert float(quiet_variance(0.2, 100, 0.1, 200, 0, 0, 0.15)) == 0.15
    assert float(quiet_variance(0.2, 100, 0.2, 100, 0, 0, 0.15)) == 0.15, "a term alone"
    assert float(quiet_variance(0.2, 100, 0.1, 200, 0, 1, 0.15)) == 0.15
    assert float(quiet_variance(0.1, 100, 0.2, 200, 1, 1, 0.15)) == 0.15
