"""`dispersion_extreme`: the trade is crowded. Vol spread or dispersion is at the top of its year and implied correlation at the bottom."""

from streams.detection.change import Change
from streams.detection.instant import Instant
from streams.detection.rules.place import Place, place, season_values, unknown
from streams.detection.rules.rule import Verdict, closeness
from streams.detection.rules.ruleset import DispersionExtreme, ExtremeRanks
from streams.detection.rules.wording import percentile, points
from streams.detection.scene import Scene

RHO = "implied_correlation"
WIDE = {"vol_spread": "vol spread", "dispersion": "dispersion"}
"""Measures of which one has to be high, and their words."""


class DispersionExtremeRule:
    """Methodology, "The rules in numbers". The rule looks at levels alone; the change in its events is that since the prior close."""

    name = "dispersion_extreme"
    label = "extreme"
    over = "its ranks are back from the extremes"
    scopes = ("intraday", "daily")

    def __init__(self, numbers: DispersionExtreme) -> None:
        self.timing = numbers
        self.version = numbers.version
        self._numbers = numbers

    def evaluate(self, scope: str, scene: Scene) -> Verdict:
        """Both levels against their ranks; an alert whose ranks are no longer known is suspended."""
        del scope
        if scene.level(RHO) is None:
            return Verdict(blocked="coverage")
        places = _places(scene)
        if RHO not in places or len(places) == 1:
            return Verdict(lacking=True, blocked="history")
        if scene.wide():
            return Verdict(blocked="width")
        values, enter = season_values(scene, places), self._numbers.enter
        if not _holds(places, enter):
            high = max(places[measure].high for measure in WIDE if measure in places)
            distance = max(closeness(enter.rank, high, 0.5), closeness(enter.correlation_rank, places[RHO].low, 0.5))
            return Verdict(values=values, distance=distance)
        return Verdict(enter=True, label=self.label, unknown=unknown(places), start=scene.baseline.close(1), values=values, distance=0.0)

    def extent(self, scene: Scene, start: Instant) -> float | None:
        """There is no move."""
        del scene, start
        return 0.0

    def ended(self, scene: Scene, start: Instant | None, peak: float) -> bool | None:
        """Neither spread nor dispersion is high any more, or correlation is no longer low; None without ranks."""
        del start, peak
        places = _places(scene)
        return None if RHO not in places or len(places) == 1 else not _holds(places, self._numbers.exit)

    def thresholds(self) -> tuple[dict[str, float], dict[str, float]]:
        """Enter and exit ranks; that of implied correlation is an upper bound."""
        enter, leave = (
            {**dict.fromkeys((f"{measure}_percentile" for measure in WIDE), ranks.rank), f"{RHO}_percentile": ranks.correlation_rank}
            for ranks in (self._numbers.enter, self._numbers.exit)
        )
        return enter, leave

    def words(self, scene: Scene, change: Change | None, label: str) -> str:
        """Which measure is high, and where all of them stand."""
        del change, label
        places = _places(scene)
        for bound in (self._numbers.enter.rank, self._numbers.exit.rank, 0.0):
            high = [words for measure, words in WIDE.items() if measure in places and places[measure].high >= bound]
            if high:
                break
        levels = {measure: scene.level(measure) for measure in places}
        stand = [
            f"{name} {points(level)} ({percentile(places[measure].rank)})"
            for measure, name in {**WIDE, RHO: "implied correlation"}.items()
            if (level := levels.get(measure)) is not None
        ]
        closes = len(scene.baseline.levels(RHO))
        return f"crowded dispersion trade: {' and '.join(high)} high, implied correlation low. {', '.join(stand)} among {closes} closes."


def _places(scene: Scene) -> dict[str, Place]:
    found = {measure: place(scene, measure) for measure in (*WIDE, RHO)}
    return {measure: at for measure, at in found.items() if at is not None}


def _holds(places: dict[str, Place], bounds: ExtremeRanks) -> bool:
    high = any(places[measure].high >= bounds.rank for measure in WIDE if measure in places)
    return high and places[RHO].low <= bounds.correlation_rank
