"""A few examples of every command, shown first in its help. Tests run the parser over them."""

from collections.abc import Mapping
from typing import Final

EXAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "": (
        "dispersion demo",
        "dispersion backtest --quotes samples/option_closes_2026-07-10.parquet",
        "dispersion topics create && dispersion worker",
        "dispersion status --json",
    ),
    "init": (
        "dispersion init",
        "dispersion init --index SPX --basket holdings.toml --from topic --rate 0.0364",
    ),
    "basket": ("dispersion basket import holdings.csv --out spx.toml",),
    "basket import": (
        "dispersion basket import holdings.xlsx --sectors sectors.csv --out spx.toml",
        "dispersion basket import holdings.csv --top 50 --as-of 2026-07-10",
    ),
    "basket show": (
        "dispersion basket show sample_100 --top 10",
        "dispersion basket show spx.toml --json",
    ),
    "basket diff": ("dispersion basket diff spx.toml holdings.csv",),
    "backtest": (
        "dispersion backtest --quotes samples/option_closes_*.parquet --json",
        "dispersion backtest --quotes FILE --scenario unwind_2018_02 --out build/run",
        "dispersion backtest --daily samples --from 2026-06-04 --json",
    ),
    "report": (
        "dispersion report --out report.html",
        "dispersion report --run build/run --prices FILE.csv --out report.html",
        "dispersion report --run build/run --session 2026-07-10 --json",
    ),
    "study": ("dispersion study rotation --prices FILE.csv",),
    "study rotation": (
        "dispersion study rotation --prices FILE.csv",
        "dispersion study rotation --run build/run --prices FILE.csv --json",
    ),
    "evaluate": (
        "dispersion evaluate --labels FILE.csv build/run/alerts.jsonl",
        "dispersion evaluate --labels FILE.csv build/run/alerts.jsonl --plot FILE.svg",
    ),
    "demo": (
        "dispersion demo",
        "dispersion demo --scenario calm --refresh 300 --hold --json",
    ),
    "live": (
        "dispersion live",
        "dispersion live cboe --history VIX_History.csv --data build/live",
    ),
    "worker": (
        "dispersion worker",
        "DISPERSION_METRICS__PORT=9465 dispersion worker",
        "dispersion worker --from earliest",
    ),
    "exporter": ("DISPERSION_METRICS__PORT=9466 dispersion exporter",),
    "bridge": (
        "dispersion bridge --alertmanager http://127.0.0.1:9093",
        "DISPERSION_METRICS__PORT=9467 dispersion bridge --all-modes",
    ),
    "reporter": ("DISPERSION_METRICS__PORT=9468 dispersion reporter",),
    "ingest": (
        "dispersion ingest --topic vendor.quotes",
        "dispersion ingest --topic vendor.quotes --from latest",
    ),
    "feed": (
        "dispersion feed list",
        "dispersion feed run cboe --once --dry-run",
    ),
    "feed check": ("dispersion feed check cboe", "dispersion feed check --topics --json"),
    "feed list": ("dispersion feed list",),
    "feed run": (
        "dispersion feed run cboe",
        "dispersion feed run cboe --once --dry-run --record build/recorded",
    ),
    "replay": (
        "dispersion replay --quotes samples/option_closes_*.parquet --speed 60x",
        "dispersion replay --quotes FILE --from 2026-07-10 --to 2026-07-10 --json",
    ),
    "backfill": (
        "dispersion backfill --quotes samples/option_closes_*.parquet --dry-run",
        "dispersion backfill --daily samples --index SPY --to 2026-07-07 --json",
    ),
    "status": (
        "dispersion status",
        "dispersion status --watch",
    ),
    "top": (
        "dispersion top",
        "dispersion top --prometheus http://127.0.0.1:9090 --who ann",
    ),
    "explain": (
        "dispersion explain SPY",
        "dispersion explain SPY --at 10:09 --run build/unwind --json",
    ),
    "doctor": (
        "dispersion doctor",
        "dispersion doctor --json",
    ),
    "takeover": (
        "dispersion takeover",
        "dispersion takeover --from earliest --yes",
        "dispersion takeover --from latest --partition 0 --partition 1 --json",
    ),
    "alerts": (
        "dispersion alerts tail",
        "dispersion alerts list",
    ),
    "alerts tail": (
        "dispersion alerts tail",
        "dispersion alerts tail --from-beginning --no-follow --json",
    ),
    "alerts list": (
        "dispersion alerts list",
        "dispersion alerts list --all --json",
    ),
    "alerts show": ("dispersion alerts show 9f2c",),
    "alerts ack": ("dispersion alerts ack 9f2c --why 'calling the desk'",),
    "alerts silence": (
        "dispersion alerts silence 9f2c --for 2h --why 'rolling the book'",
        "dispersion alerts silence 9f2c --until 2026-07-13T16:00:00Z --why known",
    ),
    "alerts unsilence": ("dispersion alerts unsilence 9f2c",),
    "alerts retire": ("dispersion alerts retire 9f2c --why 'we no longer watch SPX'",),
    "dead-letters": (
        "dispersion dead-letters tail --from-beginning",
        "dispersion dead-letters show market.ticks.v1/3/17",
    ),
    "dead-letters tail": (
        "dispersion dead-letters tail",
        "dispersion dead-letters tail --from-beginning --no-follow --json",
        "dispersion dead-letters tail --from-beginning --limit 10 --reason time",
    ),
    "dead-letters show": (
        "dispersion dead-letters show market.ticks.v1/3/17",
        "dispersion dead-letters show 0/5 --json",
    ),
    "dead-letters replay": (
        "dispersion dead-letters replay --mended mended.jsonl --dry-run",
        "dispersion dead-letters replay market.ticks.v1/3/17 --yes",
        "dispersion dead-letters replay --reason unknown_index --yes",
    ),
    "topics": ("dispersion topics create",),
    "topics create": (
        "dispersion topics create",
        "DISPERSION_KAFKA__TOPIC_PREFIX=replay. dispersion topics create --json",
    ),
    "schema": ("dispersion schema print",),
    "schema print": (
        "dispersion schema print",
        "dispersion schema print alert.firing.v1",
    ),
    "export": ("dispersion export readings",),
    "export readings": (
        "dispersion export readings --from 2026-07-10 --out readings.parquet",
        "dispersion export readings --run build/run --format csv",
        "dispersion export readings --closes --out closes.csv",
    ),
    "plot": (
        "dispersion plot build/run/readings.jsonl --out run.svg",
        "dispersion plot --index SPY --from 2026-07-10 --out today.png",
        "dispersion plot --closes --out closes.svg",
    ),
    "history": ("dispersion history show",),
    "history import": (
        "dispersion history import samples/option_closes_*.parquet --dry-run",
        "dispersion history import VIX_History.csv COR1M_History.csv --index SPY",
        "dispersion history import build/run --json",
    ),
    "history show": (
        "dispersion history show",
        "dispersion history show --index SPY --json",
    ),
    "files": ("dispersion files check FILE",),
    "files check": (
        "dispersion files check samples/option_closes_2026-07-10.parquet",
        "dispersion files check chain.csv --map right=option_type --save my.toml",
        "dispersion files check chain.csv --map my.toml --json",
    ),
    "config": ("dispersion config check",),
    "config check": (
        "dispersion config check --config my.toml",
        "dispersion config check --changed --json",
    ),
}
"""By command; the empty name is the program itself."""
