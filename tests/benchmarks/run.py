"""`make bench`: CPU per quote of our worker beside a bare aiokafka loop, on a real Kafka; a table and `build/bench.json`.

Each consumer is started, stopped by a signal once it is ready, and let go when its topic is full: it then works off a
backlog, and nothing but its own CPU counts. Figures of one run may be compared with each other, not with another day's.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from confluent_kafka import Producer
from redis import Redis
from rich.console import Console
from rich.table import Table

from agents.keys import stage_keys
from agents.ports import free_ports
from streams.frames import encode_quotes
from streams.records import NS
from streams.topics import EQUAL_PARTITIONS, Topics
from tests.benchmarks.load import INDEX, START, Chain, json_quotes, random_frames, symbols
from tests.benchmarks.meter import Cost, measure
from tests.support.stack import RealStack, environment_for

OUT = Path("build/bench.json")
PARTITIONS = 4
FRAMES, ROWS, JSON_QUOTES, SECONDS = 1000, 2000, 300_000, 10
Payload = tuple[int, bytes]
"""Partition and value."""


def payloads(kind: str) -> tuple[list[Payload], int]:
    """What a run publishes, and how many quotes that is."""
    chains = [Chain.of(symbols()[p::PARTITIONS]) for p in range(PARTITIONS)]
    made: list[Payload] = []
    if kind == "json":
        each = JSON_QUOTES // PARTITIONS
        for p, chain in enumerate(chains):
            made += [
                (p, value) for q in random_frames(chain, SECONDS, each // SECONDS, SECONDS, repeated=False) for value in json_quotes(q)
            ]
        return made, each // SECONDS * SECONDS * PARTITIONS
    for p, chain in enumerate(chains):
        made += [(p, encode_quotes(q)) for q in random_frames(chain, FRAMES // PARTITIONS, ROWS, SECONDS, repeated=False)]
    return made, FRAMES * ROWS


def publish(bootstrap: str, topics: Topics, made: Iterable[Payload]) -> None:
    """Publish everything in order of its partition, then heartbeats that close the last second."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "queue.buffering.max.messages": 1_000_000, "acks": "all"})
    for p, value in made:
        producer.produce(topics.name("quotes"), value, partition=p)
    beat = json.dumps({"ts_event": START + (SECONDS + 1) * NS}).encode()
    content = [("content-type", b"application/vnd.dispersion.heartbeat+json")]
    for role in ("quotes", "ticks"):
        for p in range(PARTITIONS):
            producer.produce(topics.name(role), beat, partition=p, headers=content)
    if producer.flush(60):
        raise RuntimeError("Kafka did not take all records within a minute")


@contextlib.contextmanager
def process(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A child that is gone afterwards, whatever happens."""
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=log, text=True) as child,
    ):
        try:
            yield child
        except BaseException:
            log.seek(0)
            print(log.read()[-4000:], file=sys.stderr)
            raise
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGCONT)
                child.kill()


def paused(child: subprocess.Popen[str], ready: Callable[[], bool]) -> None:
    """Stop the child's clock once it is ready. Raises `TimeoutError`."""
    deadline = time.monotonic() + 60
    while not ready():
        if child.poll() is not None or time.monotonic() > deadline:
            raise TimeoutError(f"{child.args!r} did not become ready")
        time.sleep(0.1)
    child.send_signal(signal.SIGSTOP)


def answers(url: str) -> bool:
    """Whether a health endpoint says 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def bench_aiokafka(stack: RealStack, kind: str) -> Cost:
    """The bare loop."""
    topics = Topics(f"bench-aiokafka-{kind}.")
    create(stack, topics)
    made, quotes = payloads(kind)
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.aiokafka_loop",
        stack.bootstrap_servers,
        topics.name("quotes"),
        str(PARTITIONS),
        str(quotes),
    ]
    with process(command, {}) as child:
        assert child.stdout is not None
        lines = child.stdout
        paused(child, lambda: lines.readline() == "ready\n")
        publish(stack.bootstrap_servers, topics, made)
        os.set_blocking(lines.fileno(), False)
        child.send_signal(signal.SIGCONT)
        return measure(child.pid, quotes, lambda: lines.readline() == "done\n")


def bench_worker(stack: RealStack, kind: str, directory: Path) -> Cost:
    """The whole worker: decode, book, a full revaluation each second, cross-section, rules, checkpoints."""
    topics = Topics(f"bench-worker-{kind}.")
    create(stack, topics)
    made, quotes = payloads(kind)
    (port,) = free_ports(1)
    overrides = stack.settings()
    overrides["kafka"].update(topic_prefix=topics.prefix, group=topics.prefix + "group", session_timeout=60)
    environment = environment_for({**overrides, "mode": "replay", "metrics": {"port": port}}) | {
        "DISPERSION_CONFIG": str(settings_file(directory))
    }
    with process([sys.executable, "-m", "agents.cli.main", "worker"], environment) as child, Redis.from_url(stack.redis_url) as redis:
        paused(child, lambda: answers(f"http://127.0.0.1:{port}/readyz"))
        publish(stack.bootstrap_servers, topics, made)
        ends = {p: sum(q == p for q, _ in made) for p in range(PARTITIONS)}  # the heartbeat has the last offset
        keys = {p: stage_keys("surfaces", [topics.name("quotes")], p).watermark(topics.name("quotes")) for p in range(PARTITIONS)}
        child.send_signal(signal.SIGCONT)
        return measure(child.pid, quotes, lambda: all(int(redis.get(keys[p]) or -1) >= ends[p] for p in keys))  # type: ignore[arg-type]


def create(stack: RealStack, topics: Topics) -> None:
    """All topics of one run."""
    stack.create_topics([(name, PARTITIONS if role not in EQUAL_PARTITIONS else 1) for role, name in topics.all().items()])


def settings_file(directory: Path) -> Path:
    """Settings that monitor the whole benchmark market."""
    _, *names = symbols()
    rows = "\n".join(f'[[constituents]]\nsymbol = "{name}"\nweight = 1.0' for name in names)
    (directory / "bench.toml").write_text(f'name = "bench"\nillustrative = true\n{rows}\n')
    file = directory / "settings.toml"
    file.write_text(f'[[market.indices]]\nsymbol = "{INDEX}"\nbasket = "bench.toml"\n')
    return file


def main() -> None:
    """Run all, print a table, write the JSON."""
    results: dict[str, Cost] = {}
    with tempfile.TemporaryDirectory() as directory, RealStack() as stack:
        for kind in ("frames", "json"):
            print(f"{kind}: aiokafka loop …", file=sys.stderr)
            results[f"aiokafka_{kind}"] = bench_aiokafka(stack, kind)
            print(f"{kind}: worker …", file=sys.stderr)
            results[f"worker_{kind}"] = bench_worker(stack, kind, Path(directory))
    table = Table("consumer", "CPU µs/quote", "M quotes/CPU-s", "quotes", "wall s", "peak MB")
    for name, cost in results.items():
        row = (
            f"{cost.cpu_us_per_quote:.3f}",
            f"{1 / cost.cpu_us_per_quote:.2f}",
            f"{cost.quotes:,}",
            f"{cost.wall_s:.1f}",
            f"{cost.peak_rss_mb:.0f}",
        )
        table.add_row(name, *row)
    Console().print(table)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({name: cost.as_dict() for name, cost in results.items()}, indent=2) + "\n")
    print(f"wrote {OUT}", file=sys.stderr)


if __name__ == "__main__":
    main()
