import asyncio
from time import monotonic

import pytest

from agents.patience import Abandoned, Patience


async def test_sleeps_in_full_without_a_deadline() -> None:
    started = monotonic()
    await Patience().sleep(0.05)
    assert monotonic() - started >= 0.05


async def test_a_deadline_cuts_a_sleep_short_and_abandons() -> None:
    patience = Patience()
    patience.wind_down(0.02)
    with pytest.raises(Abandoned):
        await asyncio.wait_for(patience.sleep(10), 1)
    assert patience.left() == 0.0


async def test_renewed_patience_is_unlimited_again() -> None:
    patience = Patience()
    patience.wind_down(0.0)
    patience.renew()
    patience.check()
    assert patience.left() is None
    assert not patience.winding_down
