"""Evaluation on toy sessions.

Tested are hits and why not, episodes and their joins, what followed, and what a gap cuts.
"""

from collections.abc import Sequence
from datetime import date

import msgspec
import numpy as np
import pytest

from streams.evaluation.alerts import alert_catches, rules_of
from streams.evaluation.catches import CRITICAL, INFO, SILENT, WARNING, Catches
from streams.evaluation.closes import Closes, closes_of
from streams.evaluation.evaluation import evaluate
from streams.evaluation.score import Score, score
from tests.support.readings import Run, published
from tests.support.trading_days import sessions_in

SESSIONS = sessions_in(date(2024, 1, 2), date(2024, 4, 30))
LATER = sessions_in(date(2025, 1, 2), date(2025, 2, 14))


def toy(sessions: Sequence[date] = SESSIONS, vix: float = 15.0) -> Closes:
    return closes_of(
        (published(session, vix, 35.0, 31.6, 20.0) for session in sessions), "SPX", gap_days=10
    )


def scored(
    fired: dict[int, int],
    labelled: Sequence[int],
    *,
    window: int = 1,
    closes: Closes | None = None,
    why: str = "quiet",
) -> Score:
    closes = closes or toy()
    loudness = np.full(len(closes.sessions), SILENT)
    for row, loud in fired.items():
        loudness[row] = loud
    told = tuple("" if loud >= WARNING else why for loud in loudness.tolist())
    return score(
        Catches("toy", "", graded=True, loudness=loudness, why=told), closes, labelled, window
    )


def test_a_catch_counts_on_the_day_and_for_some_sessions_after_never_before() -> None:
    found = scored({9: WARNING, 21: WARNING, 32: WARNING}, [10, 20, 21, 30])
    assert [label.delay for label in found.labels] == [None, 1, 0, None]
    assert (found.hits, found.same_session, found.same_session_share) == (2, 1, 0.5)
    assert [label.delay for label in scored({32: WARNING}, [30], window=2).labels] == [2]
    assert scored({}, [10]).same_session_share is None


@pytest.mark.parametrize("why", ["quiet", "not enough history", "suspended"])
def test_a_miss_says_why(why: str) -> None:
    (label,) = scored({}, [10], why=why).labels
    assert (label.session, label.delay, label.why) == (SESSIONS[10], None, why)
    assert scored({}, [], why=why).not_judged == (0 if why == "quiet" else len(SESSIONS))


def test_info_is_no_catch_and_is_counted_apart() -> None:
    found = scored({10: INFO, 40: WARNING}, [10])
    assert (found.hits, found.days, len(found.episodes)) == (0, 1, 1)
    assert found.by_year == {2024: {"all": 1, "critical": 0, "warning": 1, "info": 1}}


def test_firing_sessions_ten_apart_are_joined_and_eleven_are_not() -> None:
    found = scored({10: WARNING, 20: CRITICAL, 31: WARNING}, [])
    assert [(one.first, one.last, one.severity) for one in found.episodes] == [
        (SESSIONS[10], SESSIONS[20], "critical"),
        (SESSIONS[31], SESSIONS[31], "warning"),
    ]
    assert found.episodes_a_year["critical"] == pytest.approx(252 / len(SESSIONS))
    assert {name: (worst.year, worst.episodes) for name, worst in found.worst.items()} == {
        "all": (2024, 2), "critical": (2024, 1), "warning": (2024, 1)
    }  # fmt: skip


@pytest.mark.parametrize(("row", "false"), [(19, True), (20, False), (44, False), (45, True)])
def test_an_episode_is_false_when_no_label_lies_within_ten_sessions_of_its_days(
    row: int, *, false: bool
) -> None:
    found = scored({30: WARNING, 34: WARNING}, [row])
    assert [one.false for one in found.episodes] == [false]
    assert found.false_episodes == int(false)


def test_nothing_reaches_across_a_gap() -> None:
    closes = toy((*SESSIONS[-5:], *LATER))
    found = scored({4: WARNING, 5: WARNING}, [4], closes=closes, window=1)
    assert len(found.episodes) == 2
    assert [one.false for one in found.episodes] == [False, True]
    (label,) = scored({5: WARNING}, [4], closes=closes).labels
    assert label.delay is None


def test_a_rise_follows_or_does_not() -> None:
    readings = [
        published(session, 20.0 if at == 20 else 15.0, 35.0, 31.6, 20.0)
        for at, session in enumerate(SESSIONS)
    ]
    closes = closes_of(readings, "SPX", gap_days=10)
    found = scored({9: WARNING, 30: WARNING}, [], closes=closes)
    assert [one.rise_followed for one in found.episodes] == [False, False], (
        "the rise is eleven sessions off"
    )
    assert scored({10: WARNING}, [], closes=closes).rise_followed == 1.0
    assert scored({}, [], closes=closes).rise_followed is None


def test_sessions_without_the_levels_that_rules_need_are_not_evaluated() -> None:
    whole = [published(session, 15.0, 35.0, 31.6, 20.0) for session in SESSIONS[:6]]
    lacking = msgspec.structs.replace(whole[4], basket_vol=None)
    midday = msgspec.structs.replace(whole[5], flags=())
    assert closes_of([*whole[:4], lacking, midday], "SPX", gap_days=10).sessions == SESSIONS[:4]
    assert closes_of(whole, "NDX", gap_days=10).sessions == ()


def test_our_rules_are_read_from_their_events_and_verdicts() -> None:
    """Real events of the detector.

    They are of a calm month, a spike that is all correlation, a collapse of it.
    """
    readings = [published(session, 15.0, 35.0, 31.6, 15.0) for session in SESSIONS[:20]]
    readings += [
        published(SESSIONS[20], 25.0, 37.0, 27.3, 40.0),
        published(SESSIONS[21], 15.0, 35.0, 31.6, 15.0),
    ]
    events = Run(cap_unknown=False).play(readings)
    closes = closes_of(readings, "SPX", gap_days=10)
    told = {
        SESSIONS[3]: {"vix_spike_unwind": "suspended", "broad_repricing": "quiet"},
        SESSIONS[4]: {"vix_spike_unwind": "unknown"},
    }
    told |= {SESSIONS[5]: {"vix_spike_unwind": "quiet", "broad_repricing": "quiet"}}
    found = alert_catches("two", "", ("vix_spike_unwind", "broad_repricing"), closes, events, told)
    assert np.flatnonzero(found.loudness >= WARNING).tolist() == [20]
    assert found.why[3:7] == ("suspended", "not enough history", "quiet", "no event")
    assert rules_of(events, told)[:2] == ("vix_spike_unwind", "broad_repricing")
    other = alert_catches("other", "", ("broad_repricing",), closes, events, told)
    assert not (other.loudness >= WARNING).any()


def test_labels_beside_the_evaluated_sessions_are_told_apart() -> None:
    outside = (date(2024, 1, 6), date(2023, 12, 29))
    found = evaluate(toy(), [SESSIONS[3], SESSIONS[3], *outside], [], {}, (), window=1)
    assert found.outside == tuple(sorted(outside))
    assert [label.session for label in found.ours.labels] == [SESSIONS[3]]
    assert {label.why for one in found.baselines[:2] for label in one.labels} == {
        "not enough history"
    }
