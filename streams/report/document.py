"""The report of one index and session, as it is published: `config/schemas/report.v1.json`."""

from datetime import date, datetime
from typing import Literal

import msgspec

from streams.detection.views.regime import Regime
from streams.market import Mode
from streams.report.basket_section import BasketSection
from streams.report.book_section import BookSection
from streams.report.calendar_section import Event
from streams.report.earnings_section import EarningsSection
from streams.report.figure import Figure
from streams.report.rotation_section import RotationSection
from streams.report.sector_section import SectorSection


class MeasureRow(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of the closing reading."""

    field: str
    heading: str
    now: Figure
    changes: dict[str, Figure]
    """Over 1, 5 and 20 sessions."""
    rank: Figure
    """Among the closes of the trailing year."""


class Contribution(msgspec.Struct, frozen=True):
    """A part of the move of index vol since the prior close."""

    name: str
    part: float


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """Who moved index vol; the parts sum to the move."""

    move: Figure
    correlation: Figure
    """What no name did."""
    names: tuple[Contribution, ...]
    """The largest, and `other`."""
    sectors: tuple[Contribution, ...]


class AlertRow(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that stood in the session, by its last event of it."""

    rule: str
    scope: str
    severity: str
    label: str
    status: str
    starts_at: datetime
    at: datetime
    summary: str


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """What followed an earlier alert of the same rule."""

    rule: str
    starts_at: datetime
    label: str
    changes: dict[str, Figure]
    """Of index vol over 1, 5 and 10 sessions after it."""


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """Something measured that is worth a sentence."""

    kind: Literal["risk", "opportunity", "next"]
    subject: str
    text: str


class Sign(msgspec.Struct, frozen=True):
    """One test of the mechanical score."""

    name: str
    passed: bool | None
    why: str


class Lacking(msgspec.Struct, frozen=True):
    """A name of the basket without a value of its own."""

    symbol: str
    weight: float
    reason: str


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """How far the numbers may be trusted."""

    coverage: Figure
    coverage_atm: Figure
    names: int
    lacking: tuple[Lacking, ...]
    tracking_error: dict[str, Figure]
    flags: tuple[str, ...]


class Line(msgspec.Struct, frozen=True):
    """One line of a chart; None is a gap."""

    name: str
    values: tuple[float | None, ...]


class ReportChart(msgspec.Struct, frozen=True, kw_only=True):
    """Lines over sessions, or bars over names, of decimals."""

    name: str
    title: str
    kind: Literal["lines", "bars"]
    places: tuple[str, ...]
    """ISO dates, or names."""
    lines: tuple[Line, ...]
    band: tuple[float, float] | None = None
    """5th and 95th percentile of the first line's closes."""
    marks: tuple[str, ...] = ()
    """Places with an alert."""
    reason: str = ""
    """Why there is nothing to draw."""
    described: str = ""
    """What it shows, in words, for those who cannot see it."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything; nothing is left out in silence, for a missing number has its reason."""

    id: str
    """Of index, session and mode: the same report has the same id."""
    index: str
    session: date
    as_of: datetime
    """Event time of the closing reading."""
    mode: Mode
    regime: Regime
    verdict: str
    measures: tuple[MeasureRow, ...]
    book: BookSection
    rotation: RotationSection
    basket: BasketSection
    """By the prices of its names, as far as there are any."""
    sectors: SectorSection
    """Of the option basket; those of the watch list are in `rotation`."""
    earnings: EarningsSection
    move: Move
    score: tuple[Sign, ...]
    alerts: tuple[AlertRow, ...]
    followed: tuple[Followed, ...]
    statements: tuple[Statement, ...]
    events: tuple[Event, ...]
    study: tuple[str, ...]
    """What the sign of rotation was worth in the reader's own history."""
    quality: Quality
    charts: tuple[ReportChart, ...]
    missing: tuple[str, ...]
    """Inputs that were not given, each with how to supply it."""


def encode_report(report: Report) -> bytes:
    """JSON bytes."""
    return _encoder.encode(report)


_encoder = msgspec.json.Encoder()
