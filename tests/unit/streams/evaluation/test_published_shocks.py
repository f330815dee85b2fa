"""Shocks that start with the single names.

Index vol follows or does not, and the trade is not unwound.
"""

from datetime import date

import pytest

from tests.support.readings import MONDAY, Run, closing
from tests.support.trading_days import sessions_in


@pytest.mark.parametrize("start", [0.12, 0.20, 0.35])
@pytest.mark.parametrize("sessions", [1, 80])
def test_a_shock_of_single_names_is_never_an_unwind(start: float, sessions: int) -> None:
    """Basket vol up by half at most, correlation flat, with and without ranks.

    Index vol is still, a little up or all the way up with it.
    """
    days = sessions_in(date(2026, 3, 2), MONDAY)[-sessions - 1 :]
    calm = [
        closing(day, start * (1 + 0.01 * (at % 3)), 0.30, 0.20 + 0.005 * (at % 4))
        for at, day in enumerate(days[:-1])
    ]
    for basket in (0.36, 0.40, 0.45):
        for along in (0.0, 0.3, 1.0):
            index = start * (basket / 0.30) ** along
            for rho in (-0.02, 0.0, 0.02, 0.049):
                events = Run(cap_unknown=False).play(
                    [*calm, closing(days[-1], index, basket, 0.20 + rho)]
                )
                rules = {event.data.rule for event in events if event.data.session == days[-1]}
                assert "vix_spike_unwind" not in rules
                if along == 1.0 and basket == 0.45:
                    assert "broad_repricing" in rules
