"""Where the parts of a monitor on this machine listen, and what to type next."""

import shlex
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Addresses:
    """Where everything listens."""

    kafka: str
    redis: str
    workers: tuple[str, ...]
    """`/metrics` of each worker."""
    metrics: str
    """`/metrics` of the exporter."""
    topic_prefix: str
    settings: str
    """A settings file for every other command, as long as the monitor runs."""
    subscriber: str
    """The subscriber of docs/use/alerts.md, with these addresses in it."""

    @property
    def commands(self) -> tuple[str, ...]:
        """What to type next."""
        asked = ("status", "alerts list", "alerts tail --from-beginning")
        where = shlex.quote(self.settings)
        return tuple(f"dispersion {command} --config {where}" for command in asked)

    @property
    def subscribe(self) -> str:
        """How the subscriber is started."""
        return shlex.join((sys.executable, self.subscriber))

    def lines(self) -> list[str]:
        """For people."""
        servers = f"Kafka {self.kafka} (topic prefix {self.topic_prefix}), Redis {self.redis}"
        return [
            f"{servers}, metrics {self.metrics}",
            f"workers {', '.join(self.workers)}; Ctrl-C stops everything",
            "from another terminal:",
            *(f"  {command}" for command in (*self.commands, self.subscribe)),
        ]
