"""`correlation_regime`: implied correlation has left the band of its own year, at either end."""

from streams.detection.change import Change
from streams.detection.instant import Instant
from streams.detection.rules.place import Place, place, season_values, unknown
from streams.detection.rules.rule import Verdict, closeness
from streams.detection.rules.ruleset import CorrelationRegime
from streams.detection.rules.wording import percentile, points
from streams.detection.scene import Scene

RHO = "implied_correlation"


class CorrelationRegimeRule:
    """Methodology, "The rules in numbers". The rule looks at the level alone; the change in its events is that since the prior close."""

    name = "correlation_regime"
    label = "regime"
    over = "implied correlation is back in its band"
    scopes = ("intraday", "daily")

    def __init__(self, numbers: CorrelationRegime) -> None:
        self.timing = numbers
        self.version = numbers.version
        self._numbers = numbers

    def evaluate(self, scope: str, scene: Scene) -> Verdict:
        """The level against its ranks; an alert whose rank is no longer known is suspended."""
        del scope
        if scene.level(RHO) is None:
            return Verdict(blocked="coverage")
        at = place(scene, RHO)
        if at is None:
            return Verdict(lacking=True, blocked="history")
        if scene.wide():
            return Verdict(blocked="width")
        band, places = self._numbers.enter, {RHO: at}
        values = season_values(scene, places)
        if _inside(at, band.low, band.high):
            return Verdict(values=values, distance=min(closeness(band.high, at.high, 0.5), closeness(band.low, at.low, 0.5)))
        return Verdict(enter=True, label=self.label, unknown=unknown(places), start=scene.baseline.close(1), values=values, distance=0.0)

    def extent(self, scene: Scene, start: Instant) -> float | None:
        """There is no move."""
        del scene, start
        return 0.0

    def ended(self, scene: Scene, start: Instant | None, peak: float) -> bool | None:
        """The rank is back inside the narrower band; None without one."""
        del start, peak
        at = place(scene, RHO)
        return None if at is None else _inside(at, self._numbers.exit.low, self._numbers.exit.high)

    def thresholds(self) -> tuple[dict[str, float], dict[str, float]]:
        """Enter and exit bands of the rank."""
        enter, leave = (
            {f"{RHO}_percentile_low": band.low, f"{RHO}_percentile_high": band.high} for band in (self._numbers.enter, self._numbers.exit)
        )
        return enter, leave

    def words(self, scene: Scene, change: Change | None, label: str) -> str:
        """High or low, and where it stands."""
        del change, label
        level, at = scene.level(RHO), place(scene, RHO)
        if level is None or at is None:
            return "implied correlation has left its band."
        side = "high" if at.rank > 0.5 else "low"
        closes = len(scene.baseline.levels(RHO))
        return f"implied correlation {points(level)} is {side}: {percentile(at.rank)} of {closes} closes."


def _inside(at: Place, low: float, high: float) -> bool:
    return at.high <= high and at.low >= low
