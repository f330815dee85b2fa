"""Scenes for pictures of the dashboards: half an hour each, in the database of a real Prometheus.

The detector and the gauges are the product's; readings are scripted and their times moved to the
scene's. Each scene has an hour of its own, so one Prometheus has them all and nothing waits.
"""

import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from agents.monitoring.identity import identify
from agents.monitoring.market_families import families
from agents.monitoring.market_view import View
from config.settings import Settings
from streams.calendar.sessions import shift_session
from streams.detection.views.snapshot import Snapshot, decode_snapshot
from streams.market import Mode
from streams.reading import Reading, Rotation
from tests.support.need import program
from tests.support.prometheus import Prometheus
from tests.support.readings import INDEX, MARKET, MONDAY, Run, closing, path

STEP = 10
"""Seconds between samples."""
FIRST = datetime(2026, 11, 24, 15, 0, tzinfo=UTC).timestamp()
HOUR = 3_600.0
LASTS = 1_800
"""Seconds of a scene, at the end of which it is photographed."""
SILENT = 40
"""Seconds for which the stale scenes have had no reading."""
CALM = (0.152, 0.434, 0.118)
SHOCK = (0.243, 0.506, 0.338)
PAST = 70
"""Sessions of history."""


@dataclass(frozen=True)
class Scene:
    """What a picture shows."""

    name: str
    mode: Mode
    levels: Sequence[tuple[float, float, float]]
    silent: int = 0
    """Seconds without a reading at its end."""
    kafka: bool = True
    alert: str = ""
    """The service alert that fires."""


UNWIND = (CALM, CALM, CALM, SHOCK)
SCENES = (
    Scene("calm", "live", (CALM, (0.149, 0.436, 0.112), CALM)),
    Scene("unwind", "live", UNWIND),
    Scene("stale", "live", (CALM, CALM), SILENT, alert="DispersionStale"),
    Scene("kafka-away", "live", (CALM, CALM), SILENT, kafka=False, alert="DispersionKafkaDown"),
    Scene("scenario", "scenario", UNWIND),
)


def end_of(scene: Scene) -> float:
    """When it is photographed, Unix seconds."""
    return FIRST + SCENES.index(scene) * HOUR + LASTS


def _history() -> Iterator[Reading]:
    """A year's worth of closes is not needed; ranks want sixty."""
    for ago in range(PAST, 0, -1):
        swing = 0.02 * ((ago * 7) % 11 - 5) / 5
        yield closing(
            shift_session(MONDAY, -ago), 0.15 + swing, 0.43 + 1.6 * swing, 0.12 - 0.8 * swing
        )


def _film(scene: Scene) -> Iterator[tuple[float, Snapshot]]:
    """Seconds since the scene's begin, and the picture of the index then."""
    run = Run()
    run.play(list(_history()))
    readings = path(MONDAY, "10:00:00", LASTS, scene.levels, step=STEP)
    for at, reading in enumerate(readings):
        assert reading.index_vol is not None
        run.play([_with_prices(reading, reading.index_vol)])
        yield at * STEP, decode_snapshot(run.outputs[-1].snapshots[INDEX])


def _with_prices(reading: Reading, index_vol: float) -> Reading:
    """As a day with prices and published levels; these are a little above ours."""
    error = 0.001
    return msgspec.structs.replace(
        reading,
        references={"VIX": index_vol + error},
        tracking_error={"VIX": -error},
        realized_correlation=0.2,
        realized_dispersion=0.25,
        rotation=Rotation(
            index_return=-0.01,
            sector_returns={"Energy": 0.01, "Utilities": 0.005},
            defensive_strength=0.02,
        ),
    )


def _moved(snapshot: Snapshot, mode: Mode, by: timedelta) -> Snapshot:
    """A picture of another time."""
    replace = msgspec.structs.replace
    return replace(
        snapshot,
        mode=mode,
        readings={
            tenor: replace(one, ts_event=one.ts_event + by, mode=mode)
            for tenor, one in snapshot.readings.items()
        },
        alerts=[replace(one, starts_at=one.starts_at + by) for one in snapshot.alerts],
    )


def _settings(mode: Mode) -> Settings:
    indices = [{"symbol": INDEX, "tenors": [30]}]
    return Settings.model_validate({"mode": mode, "market": {"indices": indices}})


def _gauge(name: str, value: float, **labels: str) -> Metric:
    family = GaugeMetricFamily(name, name, labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family


def _of_process(scene: Scene) -> list[Metric]:
    registry = CollectorRegistry()
    identify(registry, _settings(scene.mode))
    wanted = {"dispersion_config_info", "dispersion_build_info"}
    found = [one for one in registry.collect() if one.name in wanted]
    found += [_gauge("dispersion_market_session_open", 1.0, calendar="XNYS")]
    found += [_gauge("dispersion_redis_up", 1.0)]
    found += [_gauge("dispersion_kafka_up", float(scene.kafka))]
    if scene.kafka:
        lag = GaugeMetricFamily("dispersion_input_lag_messages", "x", labels=["topic", "partition"])
        for partition in range(4):
            lag.add_metric(["market.option-quotes.v1", str(partition)], 3 + partition)
        found.append(lag)
    return found


def _samples(scene: Scene) -> Iterator[tuple[float, Iterable[Metric]]]:
    begin, process = end_of(scene) - LASTS, _of_process(scene)
    film = list(_film(scene))
    by = timedelta(seconds=begin - film[0][1].readings["30d"].ts_event.timestamp())
    last = len(film) - 1 - scene.silent // STEP
    for at in range(len(film)):
        seconds, snapshot = film[min(at, last)]
        view = View(MARKET.indices[0], _moved(snapshot, scene.mode, by), begin + seconds)
        found = [*process, *families([view])]
        if scene.alert and at > last + 2:
            labels = {"alertname": scene.alert, "alertstate": "firing", "severity": "critical"}
            found.append(_gauge("ALERTS", 1.0, job="dispersion-exporter", **labels))
        yield begin + at * STEP, found


def _lines(scenes: Iterable[Scene]) -> Mapping[str, list[str]]:
    """Lines of samples by name: the format wants each name's samples together."""
    lines: dict[str, list[str]] = {}
    for scene in scenes:
        for when, found in _samples(scene):
            for family in found:
                for sample in family.samples:
                    lines.setdefault(sample.name, []).append(_line(sample, when))
    return lines


def _line(sample: object, when: float) -> str:
    name, labels, value = sample[:3]  # type: ignore[index]
    all_labels = {"job": "dispersion-exporter", "instance": "exporter:9464", **labels}
    shown = ",".join(f'{label}="{text}"' for label, text in all_labels.items())
    return f"{name}{{{shown}}} {value} {when:.0f}\n"


class ScenePrometheus(Prometheus):
    """Has the scenes in its database, and forgets at once what is no longer told."""

    flags = (
        "--storage.tsdb.retention.time=10y",
        f"--query.lookback-delta={STEP + 5}s",
        "--log.level=warn",
    )

    def __init__(self, scenes: Iterable[Scene] = SCENES) -> None:
        super().__init__("scrape_configs: []\n")
        text = self.directory / "scenes.txt"
        lines = _lines(scenes)
        with text.open("w") as file:
            for name in lines:
                file.write(f"# TYPE {name} gauge\n")
                file.writelines(lines[name])
            file.write("# EOF\n")
        self._import(text)

    def _import(self, text: Path) -> None:
        data = self.directory / "data"
        data.mkdir()
        words = ["tsdb", "create-blocks-from", "openmetrics", str(text), str(data)]
        command = [str(program("promtool")), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        text.unlink()
