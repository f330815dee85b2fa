"""Four faults of the drill: what the wall says, and who is paged.

The seconds are stretched, for this machine may be loaded; `make drill` holds them as they are.
"""

from pathlib import Path

import pytest

from tests.drill.faults import FAULTS, SHORT
from tests.drill.run import played

pytestmark = [pytest.mark.stack, pytest.mark.chaos, pytest.mark.timeout(900)]
SLACK = 3.0


def test_one_fault_is_one_page_and_no_number_stays(tmp_path: Path) -> None:
    found = played(SHORT, tmp_path)
    assert [one.fault for one in found] == list(SHORT)
    wrong = {one.fault: one.wrong(FAULTS[one.fault], SLACK) for one in found}
    assert {name: texts for name, texts in wrong.items() if texts} == {}
