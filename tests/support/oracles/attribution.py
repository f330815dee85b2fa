"""What moved a figure: finite changes split into parts that add up exactly, by midpoints."""

import math
from typing import NamedTuple

from analytics.correlation import BasketSums
from analytics.finite import finite_float


class IndexVolParts(NamedTuple):
    """A change of index (50-delta) vol, in vol.

    The parts are what correlation, the average vol and its concentration contributed.
    """

    correlation: float
    average_vol: float
    concentration: float


class CorrelationParts(NamedTuple):
    """A change of implied correlation.

    The parts are what index vol, the average vol and its concentration contributed.
    """

    index_vol: float
    average_vol: float
    concentration: float


class DispersionParts(NamedTuple):
    """A change of dispersion, in vol: what basket vol and index vol contributed."""

    basket_vol: float
    index_vol: float


class LogIndexParts(NamedTuple):
    """ln(index_vol after / before).

    The parts are what basket vol and correlation (the variance ratio) contributed.
    """

    basket_vol: float
    correlation: float


def attribute_index_vol(
    vol: tuple[float, float], sums: tuple[BasketSums, BasketSums]
) -> IndexVolParts:
    """Parts of a change of index vol; arguments are (before, after), the parts sum to the change.

    ds = [ (A^2 - B) drho + 2 rho A dA + (1 - rho) dB ] / (2 s), every coefficient taken at the
    middle of the move, which leaves no remainder because each term is a product of two factors.
    NaN where a correlation is.

    Source: methodology 7.3.

    >>> parts = attribute_index_vol((0.16, 0.20), (BasketSums(0.30, 0.02), BasketSums(0.31, 0.021)))
    >>> [round(part, 6) for part in parts], round(sum(parts), 12)
    ([0.034864, 0.002821, 0.002315], 0.04)
    """
    cross, rho = _cross_and_correlation(vol, sums)
    double = vol[0] + vol[1]
    middle = 0.5 * (rho[0] + rho[1])
    average, diagonal = _basket_terms(middle, sums)
    return IndexVolParts(
        _ratio(0.5 * (cross[0] + cross[1]) * (rho[1] - rho[0]), double),
        _ratio(average, double),
        _ratio(diagonal, double),
    )


def attribute_correlation(
    vol: tuple[float, float], sums: tuple[BasketSums, BasketSums]
) -> CorrelationParts:
    """Parts of a change of implied correlation; the parts sum to the change.

    Arguments are (before, after). The identity is that of `attribute_index_vol`, solved for drho.

    Source: methodology 7.3.

    >>> parts = attribute_correlation(
    ...     (0.16, 0.20), (BasketSums(0.30, 0.02), BasketSums(0.31, 0.021))
    ... )
    >>> [round(part, 6) for part in parts]
    [0.198484, -0.013999, -0.011489]
    """
    cross, rho = _cross_and_correlation(vol, sums)
    average, diagonal = _basket_terms(0.5 * (rho[0] + rho[1]), sums)
    width = 0.5 * (cross[0] + cross[1])
    return CorrelationParts(
        _ratio(_rise_of_square(vol), width), -_ratio(average, width), -_ratio(diagonal, width)
    )


def attribute_dispersion(
    index_vol: tuple[float, float], basket_vol: tuple[float, float]
) -> DispersionParts:
    """Parts of a change of dispersion; arguments are (before, after), the parts sum to the change.

    From D^2 = V_B^2 - V_I^2. Where the floor at zero holds on either side there is no such
    identity: NaN.

    Source: methodology 7.3.

    >>> parts = attribute_dispersion((0.1643, 0.2166), (0.4111, 0.4477))
    >>> [round(part, 4) for part in parts]
    [0.0409, -0.0259]
    """
    square = [b * b - i * i for i, b in zip(index_vol, basket_vol, strict=True)]
    if not (square[0] >= 0 and square[1] >= 0):
        return DispersionParts(math.nan, math.nan)
    double = math.sqrt(square[0]) + math.sqrt(square[1])
    return DispersionParts(
        _ratio(_rise_of_square(basket_vol), double), -_ratio(_rise_of_square(index_vol), double)
    )


def attribute_log_index_vol(
    index_vol: tuple[float, float], basket_vol: tuple[float, float]
) -> LogIndexParts:
    """dln(index_vol) = dln(basket_vol) + dln(variance_ratio)/2; NaN unless all are positive.

    Arguments are (before, after). The second part over the whole is `correlation_share`.

    Source: methodology 7.3.

    >>> parts = attribute_log_index_vol((0.1643, 0.2166), (0.4111, 0.4477))
    >>> round(parts.correlation / sum(parts), 2)
    0.69
    """
    if not min(*index_vol, *basket_vol) > 0:
        return LogIndexParts(math.nan, math.nan)
    basket = math.log(basket_vol[1]) - math.log(basket_vol[0])
    return LogIndexParts(basket, math.log(index_vol[1]) - math.log(index_vol[0]) - basket)


def _cross_and_correlation(
    vol: tuple[float, float], sums: tuple[BasketSums, BasketSums]
) -> tuple[list[float], list[float]]:
    cross = [s.vol * s.vol - s.diagonal for s in sums]
    return cross, [_ratio(v * v - s.diagonal, c) for v, s, c in zip(vol, sums, cross, strict=True)]


def _basket_terms(rho: float, sums: tuple[BasketSums, BasketSums]) -> tuple[float, float]:
    """Changes of rho A^2 and (1 - rho) B at a fixed rho."""
    return rho * _rise_of_square((sums[0].vol, sums[1].vol)), (1 - rho) * (
        sums[1].diagonal - sums[0].diagonal
    )


def _rise_of_square(pair: tuple[float, float]) -> float:
    return pair[1] * pair[1] - pair[0] * pair[0]


def _ratio(part: float, whole: float) -> float:
    return finite_float(part / whole) if whole > 0 else math.nan
