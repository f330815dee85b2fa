"""Settings of `dispersion feed`: which source of quotes, and how it is asked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, SecretStr, model_validator

from config.section import SettingsSection

_WEB = r"^https?://[^/?#@\s]+(/[^?#@\s]*)?$"
ExpiryDays = tuple[Annotated[int, Field(ge=0, le=1000)], Annotated[int, Field(ge=1, le=1000)]]


class CboeFeedSettings(SettingsSection):
    """Delayed quotes in Cboe's format."""

    accept_terms: bool = False
    """The publisher asks for approval: the user answers for that."""
    host: str = Field(default="https://cdn.cboe.com", pattern=_WEB)
    delay: float = Field(default=900.0, ge=0, le=86_400)
    """Seconds."""
    expiry_days: ExpiryDays = (1, 75)
    """The nearest and the farthest expiry that is read, calendar days from today."""
    levels: bool = True
    """Whether published indices are read as well."""
    symbols: dict[str, str] = Field(default_factory=dict)
    """Our name to theirs, where the two differ."""


class ReplayFeedSettings(SettingsSection):
    """Files as a feed."""

    quotes: tuple[Path, ...] = ()
    ticks: tuple[Path, ...] = ()
    speed: float = Field(default=0.0, ge=0)
    """Event time against wall time; 0 is as fast as it goes."""


class MassiveFeedSettings(SettingsSection):
    """Snapshot chains of Massive (Polygon) by REST; the key is `feed.key`."""

    host: str = Field(default="https://api.massive.com", pattern=_WEB)
    delay: float = Field(default=900.0, ge=0, le=86_400)
    """Seconds that the plan's quotes are behind."""
    expiry_days: ExpiryDays = (1, 75)


class DatabentoFeedSettings(SettingsSection):
    """Live quotes of OPRA by Databento's client; the key is `feed.key`."""

    dataset: str = Field(default="OPRA.PILLAR", pattern=r"^[A-Z0-9]+\.[A-Z0-9]+$")
    quotes: Literal["cbbo-1s", "cbbo-1m", "cmbp-1"] = "cbbo-1s"
    """The schema: the best bid and offer of each second or minute, or every change of it."""
    gateway: str = Field(default="", pattern=r"^([^\s:/]+:\d{1,5})?$")
    """`host:port` of another gateway than the vendor's own."""
    delay: float = Field(default=2.0, ge=0, le=4)
    """Seconds that a quote may take to come here: a heartbeat is so far behind the clock.

    A quote that is five seconds ahead of the heartbeats is taken for one of the future.
    """
    expiry_days: ExpiryDays = (1, 75)
    replay_seconds: float = Field(default=60.0, ge=0, le=80_000)
    """How far back the first connection begins; a later one begins where the last one ended."""
    heartbeat_seconds: int = Field(default=10, ge=5, le=1800)
    """After so long without a quote the gateway says that it is there."""
    roots: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Option classes of a name, where they are others than its own and its weekly ones."""


class FeedSettings(SettingsSection):
    """`[feed]`, and a table for each feed; that of a feed of somebody else is checked by it."""

    model_config = ConfigDict(extra="allow")

    name: str = Field(default="", pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$|^$")
    """What `feed run` and `feed check` take where nothing is named."""
    period: float = Field(default=120.0, ge=1, le=3600)
    """Seconds of a sweep, of feeds that ask for all names again and again."""
    requests_per_second: float = Field(default=4.0, gt=0, le=1000)
    record_dir: Path | None = None
    """Where what is published is written as Parquet; None writes nothing."""
    key: SecretStr = SecretStr("")
    """What the vendor has given."""
    key_file: Path | None = None
    cboe: CboeFeedSettings = CboeFeedSettings()
    databento: DatabentoFeedSettings = DatabentoFeedSettings()
    massive: MassiveFeedSettings = MassiveFeedSettings()
    replay: ReplayFeedSettings = ReplayFeedSettings()

    @model_validator(mode="before")
    @classmethod
    def _tables(cls, values: Any) -> Any:  # noqa: ANN401 - what a person has written
        for key, value in values.items() if isinstance(values, Mapping) else ():
            if key not in cls.model_fields and not isinstance(value, Mapping):
                known = ", ".join(cls.model_fields)
                raise ValueError(f"unknown key {key}; known keys: {known}, and a table a feed")
        return values

    def table(self, feed: str) -> object:
        """What stands under `[feed.NAME]`: a section of ours, or a mapping."""
        if feed in type(self).model_fields:
            return getattr(self, feed)
        return (self.model_extra or {}).get(feed, {})
