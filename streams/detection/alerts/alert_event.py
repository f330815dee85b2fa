"""The alert event as it travels: CloudEvents 1.0, structured JSON.

Schema: `config/schemas/alert.v1.json`.
"""

from datetime import date, datetime
from typing import Final, Literal

import msgspec

from streams.catalogue.vocabulary import EchoKind, Kind
from streams.detection.alerts.lifecycle import Confidence
from streams.detection.alerts.notification import Notification
from streams.detection.rules.verdict import Direction, Severity
from streams.market import Mode
from streams.reading import Basis

SCHEMA: Final = "urn:dispersion:schema:alert:1"


class Labels(msgspec.Struct, frozen=True):
    """Identity beside the rule."""

    index: str
    tenor: str
    scope: str


class Thresholds(msgspec.Struct, frozen=True):
    """The numbers of the rule that decided."""

    enter: dict[str, float]
    exit: dict[str, float]
    dwell_seconds: float
    exit_dwell_seconds: float
    cool_down_seconds: float


class DataQuality(msgspec.Struct, frozen=True):
    """How far the reading behind the event may be trusted."""

    coverage: float | None
    coverage_valid: float | None
    coverage_names: float | None
    names: int
    flags: tuple[str, ...]
    reasons: dict[str, str]
    coverage_atm: float | None = None


class Contributor(msgspec.Struct, frozen=True):
    """A name's part in the move of basket vol.

    The parts of all contributors sum to `basket_vol_change`.
    """

    symbol: str
    """A name of the basket, or `other` for the rest of them."""
    contribution: float
    share: float | None
    """Of the whole move; null when the basket has hardly moved."""


class Evidence(msgspec.Struct, frozen=True):
    """Why an event was sent, in numbers and words."""

    summary: str
    values: dict[str, float | None]
    data_quality: DataQuality
    contributors: tuple[Contributor, ...]
    compared_with: datetime | None
    """Event time of the instant that changes are taken from."""


class EchoedCommand(msgspec.Struct, frozen=True):
    """The command behind an echo."""

    command_id: str
    who: str
    why: str
    until: datetime | None


class ConfigurationChange(msgspec.Struct, frozen=True):
    """A file that was edited while the alert was active."""

    what: Literal["basket", "rules"]
    before: str
    """Hash of what it said at the alert's event before, 12 hex digits."""
    after: str


class AlertData(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of an alert event. Vols, correlations, shares and ranks are decimals."""

    fingerprint: str
    rule: str
    rule_version: str
    transition: Kind | EchoKind
    status: Literal["pending", "firing", "suspended", "resolved"]
    previous_status: Literal["inactive", "pending", "firing", "suspended"]
    reason: str
    """The gate that suspends, `escalated` or `eased`, or why it ended without its exit.

    Else it is empty.
    """
    severity: Severity
    label: str
    direction: Direction | None
    session: date
    mode: Mode
    confidence: Confidence
    unknown: tuple[str, ...]
    """Conditions not tested for want of history or data."""
    basis: Basis
    labels: Labels
    group_key: str
    starts_at: datetime
    ends_at: datetime | None
    detected_at: datetime | None
    summary: str
    values: dict[str, float | None]
    compared_with: datetime | None
    thresholds: Thresholds
    data_quality: DataQuality
    contributors: tuple[Contributor, ...]
    notification: Notification = Notification()
    """As it stood when the event was made; events of older versions have none."""
    command: EchoedCommand | msgspec.UnsetType = msgspec.UNSET
    """Of an echo, and of the end of an alert that was retired."""
    configuration_changed: tuple[ConfigurationChange, ...] | msgspec.UnsetType = msgspec.UNSET
    """Since the alert's event before; absent where nothing has changed."""
    links: dict[str, str]
    replay: bool
    engine: str


class AlertEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The CloudEvents envelope."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: Literal["urn:dispersion:schema:alert:1"] = SCHEMA
    partitionkey: str
    sequence: str
    data: AlertData


def encode_event(event: AlertEvent) -> bytes:
    """JSON bytes of an event, fields in a fixed order."""
    return _encoder.encode(event)


def decode_event(value: bytes) -> AlertEvent:
    """The event in its JSON bytes.

    Raises `msgspec.ValidationError` (a `ValueError`) on anything else.
    """
    return _decoder.decode(value)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AlertEvent)
