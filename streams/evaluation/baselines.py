"""The baselines: rules of practitioners' dashboards, each over the evaluated closes.

Source: methodology 8.3 and 8.6.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from analytics import practice
from analytics.arrays import Floats
from analytics.practice import Levels
from streams.evaluation.catches import NO_HISTORY, QUIET, SILENT, WARNING, Catches
from streams.evaluation.closes import Closes


class BaselineRule(NamedTuple):
    """A rule, in words for people and as verdicts over one run of closes."""

    name: str
    words: str
    verdicts: Callable[[Levels], Floats]


BASELINES: Final = (
    BaselineRule(
        "R1",
        "COR1M in its lowest quarter of 2 years and up 8 %",
        partial(practice.correlation_off_its_lows, back=0),
    ),
    BaselineRule(
        "R2",
        "the same, the quarter of the day before",
        partial(practice.correlation_off_its_lows, back=1),
    ),
    BaselineRule(
        "R3",
        "unwind risk: spread or DSPX down 20 % in 5 sessions, VIX up max(3, 15 %)",
        partial(practice.collapse_of_spread, rise=0.03, relative=0.15),
    ),
    BaselineRule(
        "R4",
        "unwind watch: the same with VIX up at all",
        partial(practice.collapse_of_spread, rise=0.0, relative=0.0),
    ),
    BaselineRule("R5", "z of VIX and of COR1M above 2", partial(practice.z_pair, least=2.0)),
    BaselineRule("R6", "both above 3", partial(practice.z_pair, least=3.0)),
    BaselineRule(
        "R7",
        "R5 and z of the spread below -1",
        partial(practice.z_pair, least=2.0, spread_below=-1.0),
    ),
    BaselineRule(
        "R8",
        "VIX up max(3, 15 %), COR1M up 5 and beyond 95 % of its changes, share half",
        practice.spike_unwind_on_closes,
    ),
    BaselineRule(
        "extreme", "spread or DSPX within 10 % of its high of 252 sessions", practice.near_its_high
    ),
    BaselineRule("red_alert", "COR1M below 8", partial(practice.correlation_below, bound=0.08)),
    BaselineRule(
        "danger", "DSPX - VIX above 20", partial(practice.dispersion_over_index_vol, bound=0.20)
    ),
    BaselineRule(
        "band",
        "COR1M outside its 10 to 90 % band of 2 years",
        partial(practice.correlation_out_of_band, low=0.10, high=0.90),
    ),
)

LEFT_OUT: Final = {
    "term inverted": "needs COR3M",
    "correlation reverting": "needs COR3M",
    "DSPX less COR3M at a high": "needs COR3M",
    "dispersion entry": "needs a forecast of realised correlation, and VIX3M",
}
"""Rules that closes of VIX, VIXEQ, DSPX and COR1M cannot tell."""


def baseline_catches(closes: Closes) -> tuple[Catches, ...]:
    """Every baseline over all runs."""
    return tuple(_catches(one, closes) for one in BASELINES)


def _catches(baseline: BaselineRule, closes: Closes) -> Catches:
    verdicts = np.concatenate(
        [baseline.verdicts(Levels(*(level[run] for level in closes.levels))) for run in closes.runs]
    )
    why = tuple(NO_HISTORY if unknown else QUIET for unknown in np.isnan(verdicts).tolist())
    return Catches(
        baseline.name,
        baseline.words,
        graded=False,
        loudness=np.where(verdicts == 1.0, WARNING, SILENT),
        why=why,
    )
