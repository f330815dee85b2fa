"""The sectors of the basket: vol, its change against the rest, correlation and return."""

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from streams.points import BASIS_ATM
from streams.reading import Reading, Rotation, Sector
from streams.report.figure import Figure, figure
from streams.report.reasons import words_of

ONE_SECTOR: Final = "one_sector"
LEAST: Final = 0.7
"""Share of the other sectors' weight that must have a vol and its change."""
TECHNOLOGY: Final = "Information Technology"


class SectorRow(msgspec.Struct, frozen=True, kw_only=True):
    """One sector."""

    sector: str
    weight: Figure
    """Its share of the basket."""
    move: Figure
    """Return since the prior close."""
    vol: Figure
    vol_change: Figure
    """Since the prior close."""
    vol_change_20: Figure
    """Since the close of 20 sessions ago."""
    against_rest: Figure
    """Its vol's change since the prior close less that of the other sectors together."""
    correlation: Figure
    correlation_change: Figure


class SectorSection(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, or why there is none."""

    rows: tuple[SectorRow, ...]
    reason: str = ""


def sector_section(reading: Reading) -> SectorSection:
    """The sectors of a reading, the heaviest first."""
    if not reading.sectors:
        return SectorSection(rows=(), reason=reading.reasons.get("sectors", "no_sectors"))
    rotation = reading.rotation or Rotation()
    order = sorted(reading.sectors, key=lambda one: (-one.weight, one.sector))
    return SectorSection(rows=tuple(_row(one, reading, rotation.sector_returns) for one in order))


def _row(one: Sector, reading: Reading, moves: dict[str, float]) -> SectorRow:
    thin = f"{one.names} of its names have a vol, {100 * one.coverage:.0f} % of its weight"
    if reading.basis == "atm":
        thin = BASIS_ATM
    thin_atm = f"{one.names_atm} of its names have a 50-delta vol"
    closes = "unknown at one of the two closes"
    return SectorRow(
        sector=one.sector,
        weight=figure(one.weight, "share", ""),
        move=figure(moves.get(one.sector), "return", "no prices of its names: ticks are needed"),
        vol=figure(one.basket_vol, "vol", thin),
        vol_change=figure(one.basket_vol_change, "vol", closes),
        vol_change_20=figure(one.basket_vol_change_20d, "vol", closes),
        against_rest=_against_rest(one, reading.sectors),
        correlation=figure(one.implied_correlation, "correlation", thin_atm),
        correlation_change=figure(one.implied_correlation_change, "correlation", closes),
    )


def _against_rest(one: Sector, everything: Sequence[Sector]) -> Figure:
    others = [other for other in everything if other.sector != one.sector]
    if not others:
        return figure(None, "vol", ONE_SECTOR)
    now, before, weight = 0.0, 0.0, 0.0
    for other in others:
        if other.basket_vol is None or other.basket_vol_change is None:
            continue
        weight += other.weight
        now += other.weight * other.basket_vol**2
        before += other.weight * (other.basket_vol - other.basket_vol_change) ** 2
    known = weight > 0 and weight >= LEAST * sum(other.weight for other in others)
    if one.basket_vol_change is None or not known:
        why = "its vol, or that of the other sectors, is unknown at one of the two closes"
        return figure(None, "vol", why)
    rise = math.sqrt(now / weight) - math.sqrt(before / weight)
    return figure(one.basket_vol_change - rise, "vol", "")


def spillover(section: SectorSection) -> str:
    """What the vol of technology does beside that of the rest, in a sentence."""
    row = next((one for one in section.rows if one.sector == TECHNOLOGY), None)
    if row is None:
        why = words_of(section.reason) or f"the basket names no sector {TECHNOLOGY}"
        return f"The vol of technology beside the rest is unknown ({why})."
    parts = (
        f"The vol of technology is {_said(row.vol)}",
        f"with {_said(row.weight)} of the basket's weight",
        f"{_said(row.vol_change, signed=True)} since the prior close",
        f"{_said(row.against_rest, signed=True)} against the other sectors together",
    )
    return f"{', '.join(parts)}."


def _said(one: Figure, *, signed: bool = False) -> str:
    if one.value is None:
        return f"unknown ({one.why})"
    return one.signed if signed else one.text
