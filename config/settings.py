"""The settings model: one frozen object made of defaults, a TOML file and the environment.

These stand in rising order of weight. `load` reads them; `config/defaults.toml` lists every key
with its meaning and default.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config.feed_settings import FeedSettings
from config.layers import Layer, complaints, layers_of, merged
from config.section import SettingsSection
from streams.market import AM_ROOTS, Mode

HERE = Path(__file__).parent
DEFAULTS = HERE / "defaults.toml"

Tenor = Annotated[int, Field(ge=1, le=730)]


class PartitionCounts(SettingsSection):
    """Partition counts that `topics create` uses."""

    quotes: int = Field(default=4, ge=1, le=1024)
    ticks: int = Field(default=4, ge=1, le=1024)
    results: int = Field(default=4, ge=1, le=1024)
    """Points, readings, alerts, alert state and commands: equal by contract."""


class KafkaSettings(SettingsSection):
    """How to reach Kafka and how to behave as a member of the consumer group."""

    bootstrap_servers: str = "127.0.0.1:9092"
    topic_prefix: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9.-]{0,62}\.)?$")
    """Prepended to every topic name; ends with a dot when not empty."""
    group: str = "dispersion"
    instance_id: str = ""
    """Static member id, unique per replica; empty for a dynamic member."""
    api_version: str = ""
    """For kafka-python: empty negotiates; the embedded broker needs `2.0`."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    sasl_username: str = ""
    sasl_password: SecretStr = SecretStr("")
    sasl_password_file: Path | None = None
    """In place of the password; so are all keys that end in `_file` and name a secret."""
    allow_sasl_plaintext: bool = False
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    ssl_key_password: SecretStr = SecretStr("")
    """The passphrase of the client's key; nothing ever asks for it on a terminal."""
    ssl_key_password_file: Path | None = None
    session_timeout: float = Field(default=10.0, ge=2, le=90)
    heartbeat_interval: float = Field(default=1.0, gt=0)
    commit_interval: float = Field(default=0.5, gt=0)
    max_poll_records: int = Field(default=5000, ge=1)
    max_message_bytes: int = Field(default=8 * 2**20, ge=2**16, le=64 * 2**20)
    replication_factor: int = Field(default=1, ge=1)
    min_insync_replicas: int = Field(default=0, ge=0)
    """Of topics that `topics create` makes; 0 leaves it to the broker."""
    check_crcs: bool = True
    partitions: PartitionCounts = PartitionCounts()


class RedisSettings(SettingsSection):
    """How to reach Redis and how often to checkpoint."""

    url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    """`redis://` or `rediss://`; may hold a password, so it is shown from its last `@` on alone."""
    url_file: Path | None = None
    password: SecretStr = SecretStr("")
    """For a URL that holds none."""
    password_file: Path | None = None
    checkpoint_seconds: float = Field(default=5.0, gt=0)
    checkpoint_bytes_per_second: float = Field(default=4e6, gt=0)
    lease_seconds: int = Field(default=10, ge=2)
    operation_timeout: float = Field(default=5.0, gt=0)


class MetricsSettings(SettingsSection):
    """Where `/metrics`, `/livez`, `/readyz` and `/healthz` listen."""

    host: str = "127.0.0.1"
    port: int = Field(default=9464, ge=0, le=65535)
    """0 takes a free port."""


class IndexSettings(SettingsSection):
    """One monitored index."""

    symbol: str
    basket: str = ""
    """A TOML file: a path, or the name of one shipped in `config/baskets`.

    Empty: the index alone.
    """
    tenors: Annotated[tuple[Tenor, ...], Field(min_length=1)] = (30,)
    """Days, each once; rules run on 30."""
    references: tuple[str, ...] = ("VIX", "VIXEQ", "DSPX", "COR1M")

    @field_validator("tenors")
    @classmethod
    def _once(cls, tenors: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(tenors)) < len(tenors):
            raise ValueError("name each tenor once")
        return tenors


class MarketSettings(SettingsSection):
    """What is monitored and by which conventions."""

    indices: Annotated[tuple[IndexSettings, ...], Field(min_length=1)] = (
        IndexSettings(symbol="SPY", basket="sample_100.toml"),
    )
    rate: float | None = Field(default=0.0364, ge=-0.05, le=0.5)
    """Continuously compounded risk-free rate."""
    rates_file: Path | None = None
    """CSV with `date` and `dff` or par yields (percent, `config.rates`); wins over `rate`."""
    dividends_file: Path | None = None
    """CSV with `symbol`, `ex_date` and `amount` (USD a share).

    Names that a dividend distorts are flagged.
    """
    calendar_file: Path | None = None
    """CSV with `symbol`, `date` and `when`: readings have vols without what reports add."""
    allowed_lateness: float = Field(default=0.25, ge=0, le=60)
    am_roots: tuple[str, ...] = AM_ROOTS
    strict_expiries: bool = False

    @field_validator("indices")
    @classmethod
    def _distinct(cls, indices: tuple[IndexSettings, ...]) -> tuple[IndexSettings, ...]:
        twice = [
            symbol for symbol, count in Counter(one.symbol for one in indices).items() if count > 1
        ]
        if twice:
            raise ValueError(f"{twice[0]} is listed twice: keep one table for each index")
        return indices


class RuleSettings(SettingsSection):
    """Alert rules."""

    file: Path = HERE / "rules.toml"
    cap_unknown: bool = True
    """A condition without enough history limits severity to warning."""


class WorkerSettings(SettingsSection):
    """Behaviour of a worker process."""

    start_seconds: float = Field(default=60.0, gt=0)
    """How long Kafka and Redis may be away, or Redis load its data set, when a service starts.

    After that the service ends as *down* (exit code 3).
    """
    idle_after: float = Field(default=5.0, gt=0)
    stall_after: float = Field(default=60.0, gt=0)
    """Seconds a partition may have input and make no progress.

    After them the watchdog ends the process.
    """
    data_dir: Path = Path("build/worker")
    dead_letter_ratio: float = Field(default=0.5, gt=0, le=1)
    """Share of dead letters above which the worker stops.

    It is taken among the latest 2,000 records of a partition.
    """


class BridgeSettings(SettingsSection):
    """How `dispersion bridge` reaches Alertmanager."""

    alertmanager_url: str = Field(
        default="http://127.0.0.1:9093", pattern=r"^https?://[^/?#@\s]+(/[^?#@\s]*)?$"
    )
    """Without credentials: these have keys of their own."""
    resend_seconds: float = Field(default=60.0, ge=1, le=120)
    """Less than Alertmanager's `resolve_timeout`."""
    username: str = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    token: SecretStr = SecretStr("")
    """Sent as a bearer token where it is given, in place of user and password."""
    token_file: Path | None = None
    cafile: Path | None = None
    generator_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    """Where an alert's "Source" link leads; empty for none."""


class IngestSettings(SettingsSection):
    """What `dispersion ingest` reads and how it frames it."""

    topic: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,249}$")
    """The feed's own, without our prefix."""
    frame_rows: int = Field(default=2000, ge=1, le=20_000)
    linger: float = Field(default=0.1, gt=0, le=5)


class ReportSettings(SettingsSection):
    """What `dispersion report` shows beside the readings, and what `dispersion reporter` does."""

    watch_list: str = "rotation.toml"
    """A TOML file: a path, or the name of one shipped in `config/watchlists`."""
    calendar_file: Path | None = None
    """Events: `date,kind,symbol,when,what`; without it `market.calendar_file`."""
    prices: tuple[Path, ...] = ()
    """Files of daily closes, bars or ticks of the watch list, where `--prices` names none."""
    folder: Path = Path("build/reports")
    """Where `dispersion reporter` writes."""
    wait_seconds: float = Field(default=3600.0, ge=1, le=86_400)
    """How long after the close a closing reading is waited for, live."""


class Settings(BaseSettings):
    """All settings of one process."""

    model_config = SettingsConfigDict(
        env_prefix="DISPERSION_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        toml_file=None,
    )

    mode: Mode = "live"
    kafka: KafkaSettings = KafkaSettings()
    redis: RedisSettings = RedisSettings()
    metrics: MetricsSettings = MetricsSettings()
    market: MarketSettings = MarketSettings()
    rules: RuleSettings = RuleSettings()
    worker: WorkerSettings = WorkerSettings()
    bridge: BridgeSettings = BridgeSettings()
    ingest: IngestSettings = IngestSettings()
    feed: FeedSettings = FeedSettings()
    report: ReportSettings = ReportSettings()

    @property
    def events_file(self) -> Path | None:
        """The calendar of the pages: their own, else that of the market."""
        return self.report.calendar_file or self.market.calendar_file

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed beats the environment; a file is read by `load` alone."""
        del settings_cls, dotenv_settings, file_secret_settings
        return init_settings, env_settings


def changed(settings: Settings, flags: Mapping[str, Any]) -> Settings:
    """Settings with the values of flags in them, nested like the file and checked like any other.

    Raises `ConfigError`.
    """
    layers = (Layer("settings", settings.model_dump()), Layer("flags", flags))
    with complaints(Settings, layers):
        return Settings(**merged(layers))


def load(file: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Settings of a process: defaults < TOML file < environment < `overrides`.

    `overrides` are flags, nested like the file.

    Args:
        file: the settings file; None takes the one that `DISPERSION_CONFIG` names, if any. Its
            relative paths are relative to itself; a basket that is not beside it may be one
            shipped in `config/baskets`.
        overrides: values of flags, for example `{"kafka": {"topic_prefix": "replay."}}`.

    Raises:
        ConfigError: names the file, variable or flag, the key, what is wrong and the fix; never
            shows a secret.
    """
    layers = layers_of(Settings, file, overrides)
    with complaints(Settings, layers):
        return Settings(**merged(layers))
