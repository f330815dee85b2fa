"""The sentences of an alert taken apart: each claim is compared with the event's own values."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from streams.calendar.sessions import EASTERN
from streams.detection.alerts.alert_event import AlertData

NUMBER: Final = r"(-?\d+(?:\.\d+)?)"
SIGNED: Final = r"([+-]\d+(?:\.\d+)?)"
HALF: Final = 0.0501
"""Of the last digit of a point."""
Check = Callable[[AlertData, tuple[str, ...]], Iterator[bool]]


class Claim:
    """A form of sentence and what makes it true."""

    def __init__(self, pattern: str, check: Check) -> None:
        self.pattern = re.compile(pattern)
        self.check = check


def unproved(event: AlertData) -> list[str]:
    """Parts of the summary that no claim covers, or that the values contradict."""
    text = event.summary
    wrong: list[str] = []
    for claim in CLAIMS:
        wrong += [
            found.group()
            for found in claim.pattern.finditer(text)
            if not all(claim.check(event, found.groups("")))
        ]
        text = claim.pattern.sub(" ", text)
    rest = re.sub(r"[\s,.;:()]+|\band\b|\bsince\b", " ", text).strip()
    rest = rest.removeprefix(event.labels.index).strip()
    return [*wrong, *([f"no claim: {rest}"] if rest else [])]


def _near(value: float | None, told: str, scale: float = 100.0) -> bool:
    return value is not None and abs(scale * value - float(told)) <= HALF


def _percent(value: float | None, told: str) -> bool:
    return value is not None and abs(100 * value - float(told)) <= 0.501


def _rank(value: float | None, told: str) -> bool:
    return _percent(value, told)


def _moved(measure: str) -> Check:
    def check(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
        start, move = (event.values[f"{measure}_{end}"] for end in ("from", "change"))
        yield _near(start, told[0])
        yield start is not None and move is not None and _near(start + move, told[1])
        if len(told) > 2:
            yield _near(move, told[2])

    return check


def _since_close(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    at = event.compared_with
    yield at is not None and at.astimezone(EASTERN).date().isoformat() == told[0]
    yield told[0] < event.session.isoformat()


def _since_low(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    at = event.compared_with
    yield at is not None and f"{at.astimezone(EASTERN):%H:%M:%S}" == told[0]


def _share(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    yield _percent(event.values["correlation_share"], told[0])


def _book(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    total, index, singles, gamma = told
    values = event.values
    yield _near(values["book_vega_close"], total)
    yield _near(values["book_vega_close_index"], index)
    yield _near(values["book_vega_close_singles"], singles)
    known = values["book_vega_close_gamma"]
    yield (known is None) == (gamma == "")
    if gamma:
        yield _near(known, gamma)
    legs = [leg for leg in (index, singles, gamma) if leg]
    yield abs(sum(map(float, legs)) - float(total)) <= 0.05 * (len(legs) + 1) + 1e-6


def _no_mark(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    reasons = event.data_quality.reasons
    why = told[0].replace(" ", "_")
    yield event.values["book_vega_close"] is None
    yield why in {reasons.get("book"), reasons.get("book.close")} or why == "unknown"


def _labelled(*labels: str) -> Check:
    return lambda event, _: iter([event.label in labels])


def _rises(*measures: str) -> Check:
    return lambda event, _: iter([(event.values[f"{one}_change"] or 0.0) > 0 for one in measures])


def _adverse(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    index, basket = (event.values[f"{name}_change"] or 0.0 for name in ("index_vol", "basket_vol"))
    yield index > 0
    yield index > 2 * max(-basket, 0.0)


def _benign(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    index, basket = (event.values[f"{name}_change"] or 0.0 for name in ("index_vol", "basket_vol"))
    yield basket < 0
    yield -basket > 2 * max(index, 0.0)


def _both_close(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    yield (event.values["index_vol_change"] or 0.0) > 0
    yield (event.values["basket_vol_change"] or 0.0) < 0


def _neither(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    yield (event.values["index_vol_change"] or 0.0) <= 0
    yield (event.values["basket_vol_change"] or 0.0) >= 0


def _level(measure: str) -> Check:
    def check(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
        yield _near(_pair(event, measure), told[0])
        yield _rank(event.values[f"{measure}_percentile_252d"], told[1])

    return check


def _pair(event: AlertData, measure: str) -> float | None:
    values: Mapping[str, float | None] = event.values
    if event.basis != "atm" or measure != "vol_spread":
        return values[measure]
    index, basket = values["index_atm_vol"], values["basket_atm_vol"]
    return None if index is None or basket is None else basket - index


def _closes(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    yield event.values["closes"] == float(told[0])


def _crowded(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    for name in told[0].split(" and "):
        yield (event.values[f"{name.replace(' ', '_')}_percentile_252d"] or 0.0) >= 0.90
    yield (event.values["implied_correlation_percentile_252d"] or 0.0) <= 0.10


def _side(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    level, side, rank, closes = told
    yield _near(event.values["implied_correlation"], level)
    yield (side == "high") == (float(rank) > 50)
    yield _rank(event.values["implied_correlation_percentile_252d"], rank)
    yield event.values["closes"] == float(closes)


def _score(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    yield event.values["mechanical_score"] == float(told[0])


def _strength(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    yield told[0] == "unknown" or _near(event.values["defensive_strength"], told[0])


def _reverses(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    yield _near(event.values["defensive_strength"], told[0])
    yield _near(event.values["defensive_strength_peak"], told[1])


def _covers(*fields: str) -> Check:
    def check(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
        for name, share in zip(fields, told, strict=True):
            yield _percent(event.values[name] or 0.0, share)

    return check


def _incredible(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    correlation = event.values["implied_correlation"]
    yield _near(correlation, told[0])
    # 1.3002 is told as 130.0.
    yield correlation is not None and not -0.1 <= correlation <= 1.3


def _untested(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    yield tuple(told[0].split(", ")) == event.unknown


def _gated(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    yield (event.rule, event.reason) == told
    yield event.status == "suspended"


def _over(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    yield event.rule == told[0]
    yield event.status == "resolved"


def _true(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    yield True


def _about_data(event: AlertData, told: tuple[str, ...]) -> Iterator[bool]:
    yield event.rule == "data_quality"


def _transition(*kinds: str) -> Check:
    return lambda event, _: iter([event.transition in kinds])


LOW: Final = r"(?:the )?low at (\d\d:\d\d:\d\d) ET"
CLAIMS: Final = (
    Claim(r"^Building: ", _transition("pending")),
    Claim(r"^Update: ", _transition("updated")),
    Claim(r"^Data is back: ", _transition("resumed")),
    Claim(
        rf"The vega-weighted book {SIGNED} points since the close(?: of \S+)?: index {SIGNED}, "
        rf"singles {SIGNED}(?:, gamma {SIGNED})?\.",
        _book,
    ),
    Claim(r"The vega-weighted book has no mark \(([a-z ]+)\)\.", _no_mark),
    Claim(r"^\S+ (\w+) suspended by the (\w+) gate; it stands until the data is back\.", _gated),
    Claim(r"^\S+ (\w+) is over: [^.]*\.", _over),
    Claim(r"Not tested: ([\w, ]+)\.", _untested),
    Claim(r"Detects, does not predict\.", _true),
    Claim(rf"index vol {NUMBER} to {NUMBER} \({SIGNED}\)", _moved("index_vol")),
    Claim(rf"basket vol {NUMBER} to {NUMBER} \({SIGNED}\)", _moved("basket_vol")),
    Claim(rf"vol spread {NUMBER} to {NUMBER} points", _moved("vol_spread")),
    Claim(rf"implied correlation {NUMBER} to {NUMBER}", _moved("implied_correlation")),
    Claim(r"(-?\d+)% of the move is correlation", _share),
    Claim(r"since the close of (\d{4}-\d\d-\d\d)", _since_close),
    Claim(rf"since {LOW}", _since_low),
    Claim(r"Broad repricing, not a dispersion unwind\.", _labelled("repricing")),
    Claim(r"Early sign of a dispersion unwind\.", _labelled("early")),
    Claim(r"Dispersion unwind in small steps\.", _labelled("grind")),
    Claim(r"Dispersion unwind\.", _labelled("unwind")),
    Claim(r"Part unwind, part repricing\.", _labelled("mixed")),
    Claim(
        r"Dispersion widens: single-name vol has jumped and index vol has not\.",
        _rises("basket_vol"),
    ),
    Claim(r"Index vol rises into the singles\.", _adverse),
    Claim(r"Single-name vol falls\.", _benign),
    Claim(r"Both sides close the gap\.", _both_close),
    Claim(r"Neither side closes the gap\.", _neither),
    Claim(
        r"crowded dispersion trade: ((?:vol spread|dispersion)(?: and dispersion)?) high, "
        r"implied correlation low\.",
        _crowded,
    ),
    Claim(rf"vol spread {NUMBER} \(percentile (\d+)\)", _level("vol_spread")),
    Claim(rf"dispersion {NUMBER} \(percentile (\d+)\)", _level("dispersion")),
    Claim(rf"implied correlation {NUMBER} \(percentile (\d+)\)", _level("implied_correlation")),
    Claim(r"among (\d+) closes", _closes),
    Claim(
        rf"implied correlation {NUMBER} is (high|low): percentile (\d+) of (\d+) closes\.", _side
    ),
    Claim(
        rf"rotation looks mechanical: defensives (unknown|{SIGNED}%) against the index "
        r"over 20 sessions\.",
        lambda event, told: _strength(event, (told[0].rstrip("%"),)),
    ),
    Claim(
        rf"rotation into defensives reverses while the trade converges: "
        rf"strength {SIGNED}% after {SIGNED}%\.",
        _reverses,
    ),
    Claim(r"Heuristic score (\d+) of 6\.", _score),
    Claim(
        r"data quality: coverage (\d+)% by weight, (\d+)% by names",
        _covers("coverage", "coverage_names"),
    ),
    Claim(r"data quality:", _about_data),
    Claim(
        r"coverage of ATM vols (\d+)% by weight, (\d+)% by names",
        _covers("coverage_atm", "coverage_atm_names"),
    ),
    Claim(rf"implied correlation {NUMBER} is not credible", _incredible),
    Claim(
        r"Other alerts of this index are suspended while this one fires\.",
        _about_data,
    ),
    Claim(r"coverage and correlation are in range", _about_data),
)
