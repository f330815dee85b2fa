"""The snapshot: the latest picture of one index.

It is a view for the exporter, the wall and the terminal.

Keys of `readings` are tenors; `names` maps a symbol to [atm_vol, variance] at 30d; `distances` has
the rules that could be evaluated at the latest reading; `changes` and `percentiles` map a measure,
or the name of a published level, to windows (`5m`, `1d` = since the prior close; `252d`), `bands` a
measure to p05, p10, p90, p95 of the same baseline; `contributions` has the names that moved index
vol most since the prior close. Decimals throughout.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from streams.catalogue.measures import RANKED
from streams.detection.alerts.alert_book import AlertBook
from streams.detection.alerts.events import Identity, moment
from streams.detection.alerts.lifecycle import Alert
from streams.detection.history.attribution import largest_contributions
from streams.detection.rule_context import RuleContext
from streams.detection.rules.catalogue import POLICY
from streams.detection.rules.verdict import Direction, RuleOutcome, Severity
from streams.detection.views.regime import Regime, RegimeAlert, regime
from streams.market import Mode
from streams.reading import Reading
from streams.records import NS

CONTRIBUTORS = 10


class ActiveAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that is pending, firing or suspended."""

    fingerprint: str
    rule: str
    scope: str
    tenor: str
    severity: Severity
    status: Literal["pending", "firing", "suspended"]
    underlying_status: str = msgspec.field(name="before")
    """What a suspended alert was; otherwise the status."""
    label: str
    direction: Direction | None
    starts_at: datetime
    summary: str
    acked_by: str = ""
    silenced_until: datetime | None = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """JSON of one index in the snapshot view."""

    index: str
    mode: Mode
    readings: dict[str, Reading]
    names: dict[str, tuple[float | None, float | None]]
    regime: Regime
    distances: dict[str, float]
    verdicts: dict[str, RuleOutcome] = {}
    """What each rule says at a close; empty at other readings."""
    inhibited: list[str] = []
    """Rules whose condition holds while another tells the same story, and that do not fire."""
    alerts: list[ActiveAlert]
    changes: dict[str, dict[str, float]]
    percentiles: dict[str, dict[str, float]]
    bands: dict[str, dict[str, float]]
    signs: dict[str, bool | None] = {}
    """Of a mechanical rotation: test → passed, failed or unknown."""
    contributions: dict[str, float] = {}
    """Name → its part of the move of index vol since the prior close, the largest first."""


@dataclass(frozen=True, slots=True)
class SnapshotInputs:
    """What the detector knows when it makes a snapshot."""

    index: str
    latest: dict[str, Reading]
    context: RuleContext | None
    five_minutes_ago: float | None
    """Index vol then."""
    distances: dict[str, float]
    outcomes: dict[str, RuleOutcome]
    inhibited: list[str]
    signs: dict[str, bool | None]


def active_alert(who: Identity, rule: str, alert: Alert) -> ActiveAlert:
    """An alert's line on the wall; it must not be inactive."""
    if alert.status == "inactive":
        raise ValueError(f"{rule} is not active")
    return ActiveAlert(
        fingerprint=who.fingerprint,
        rule=rule,
        scope=who.scope,
        tenor=who.tenor,
        severity=alert.severity,
        status=alert.status,
        underlying_status=alert.underlying_status,
        label=alert.detail.label,
        direction=alert.detail.direction,
        starts_at=moment(alert.starts_at),
        summary=alert.summary,
        acked_by=alert.notification.acked_by or "",
        silenced_until=alert.notification.silenced_until,
    )


def snapshot_of(picture: SnapshotInputs, book: AlertBook) -> Snapshot:
    """The snapshot of one index; what depends on a 30d reading is empty until there is one."""
    context = picture.context
    return Snapshot(
        index=picture.index,
        mode=max(picture.latest.values(), key=lambda reading: reading.ts_event).mode,
        readings=dict(sorted(picture.latest.items())),
        names={} if context is None else _names(context.reading),
        regime=regime(
            [
                RegimeAlert(rule, alert.detail.direction, suspended=alert.status == "suspended")
                for (rule, _), alert in book.alerts.items()
                if alert.underlying_status == "firing"
                and alert.detail.label not in POLICY.quiet_labels
            ],
            context,
        ),
        distances=picture.distances,
        verdicts=picture.outcomes,
        inhibited=picture.inhibited,
        alerts=[
            active_alert(book.identity(key), key[0], alert)
            for key, alert in book.alerts.items()
            if alert.status != "inactive"
        ],
        changes={} if context is None else changes_of(context, picture.five_minutes_ago),
        percentiles={} if context is None else percentiles_of(context),
        bands={} if context is None else dict(context.baseline.bands),
        signs=picture.signs,
        contributions={} if context is None else _contributions(context),
    )


def _names(reading: Reading) -> dict[str, tuple[float | None, float | None]]:
    names = reading.constituents
    if names is None:
        return {}
    return dict(zip(names.symbols, zip(names.atm_vols, names.variances, strict=True), strict=True))


def changes_of(context: RuleContext, five_minutes_ago: float | None) -> dict[str, dict[str, float]]:
    """Moves since the prior close on the common set, those of published levels by their names.

    Those of index vol, which has no composition, are also over five minutes.
    """
    out: dict[str, dict[str, float]] = {}
    level = context.now.index_level
    if level is not None and five_minutes_ago is not None:
        out["index_vol"] = {"5m": level - five_minutes_ago}
    close = context.baseline.close(1)
    if close is None:
        return out
    for name, published in context.reading.references.items():
        if name in close.references:
            out[name] = {"1d": published - close.references[name]}
    change = context.change(close)
    if change is None:
        return out
    moves = {measure: move for measure, (_, move) in change.moves.items()}
    for measure, move in {**moves, "dispersion": change.dispersion_move}.items():
        if move is not None:
            out.setdefault(measure, {})["1d"] = move
    return out


def _contributions(context: RuleContext) -> dict[str, float]:
    close = context.baseline.close(1)
    if close is None:
        return {}
    return largest_contributions(close, context.now, context.panels, context.core, CONTRIBUTORS)


def percentiles_of(context: RuleContext) -> dict[str, dict[str, float]]:
    """Ranks of a reading's measures and published levels among closes, those that are known."""
    baseline = context.baseline
    ranks = {measure: baseline.rank(measure, context.level(measure)) for measure in RANKED}
    for name, level in context.reading.references.items():
        ranks[name] = baseline.reference_rank(name, level)
    return {
        measure: {f"{baseline.sessions}d": rank}
        for measure, rank in ranks.items()
        if rank is not None
    }


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """JSON bytes of a snapshot."""
    return _encoder.encode(snapshot)


def decode_snapshot(value: bytes) -> Snapshot:
    """The snapshot in JSON bytes.

    Raises `msgspec.ValidationError` (a `ValueError`) on anything else.
    """
    return _decoder.decode(value)


FIVE_MINUTES = 5 * 60 * NS
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Snapshot)
