"""Which stage works on which topics, and how it commits."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from config.settings import Settings
from streams.detection.rules.catalogue import RuleSet
from streams.market import Market
from streams.stage import Stage
from streams.topics import Topics

Counts = Mapping[str, int]
"""Partition count by topic, as the cluster has it.

What a stage holds of it goes on to tell the present count.
"""


class CheckpointPolicy(NamedTuple):
    """How often a stage checkpoints."""

    seconds: float = 0.0
    """Least time between checkpoints; 0 checkpoints every batch."""
    bytes_per_second: float = 4e6
    """Bandwidth of checkpoints: a large one delays the next."""
    unacked_bytes: int = 256 * 2**20
    """Input that may wait for the checkpoint that covers it, and that a crash reads again.

    More input forces a checkpoint.
    """


class Plan(NamedTuple):
    """One stage of the flow."""

    name: str
    """In keys of Redis and in messages."""
    inputs: tuple[str, ...]
    """Topics; partition p of all of them meets in one stage."""
    make: Callable[[int, Counts], Stage]
    """The stage for a partition."""
    policy: CheckpointPolicy = CheckpointPolicy()
    indices: tuple[str, ...] = ()
    """Indices with daily facts."""
    owns_source: bool = False
    """Its input partition is a source that may go silent."""
    has_outbox: bool = False
    external: tuple[str, ...] = ()
    """Inputs that others write, and where retention may outrun us."""
    measured_as: str = ""
    """Label of its duration."""


def stage_inputs(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """The input topics of each stage of the monitor, without a plan's modules.

    An exporter needs none of their libraries.
    """
    topics = Topics(settings.kafka.topic_prefix)
    return {
        "surfaces": (topics.name("quotes"),),
        "prices": (topics.name("ticks"),),
        "cross_section": (topics.name("points"),),
        "detector": (topics.name("readings"), topics.name("commands")),
    }


def first_inputs(settings: Settings) -> Mapping[str, str]:
    """The first input of each stage, which gives its partitions their numbers."""
    return {stage: inputs[0] for stage, inputs in stage_inputs(settings).items()}


def flow_plans(settings: Settings, market: Market, rules: RuleSet) -> Sequence[Plan]:
    """The four stages of the monitor."""
    from streams.detection.detector_stage import DetectorStage
    from streams.readings.cross_section_stage import CrossSectionStage
    from streams.valuation.quotes_stage import QuotesStage
    from streams.valuation.ticks_stage import TicksStage

    topics = Topics(settings.kafka.topic_prefix)
    quotes, ticks, points, readings, commands = (
        topics.name(role) for role in ("quotes", "ticks", "points", "readings", "commands")
    )
    slow = CheckpointPolicy(
        settings.redis.checkpoint_seconds, settings.redis.checkpoint_bytes_per_second
    )
    indices = tuple(spec.symbol for spec in market.indices)

    def sources(counts: Counts) -> int:
        return counts[quotes] + counts[ticks]

    return (
        Plan(
            "surfaces", (quotes,),
            lambda p, counts: QuotesStage(market, f"quotes:{p}", sources(counts)), slow,
            owns_source=True, external=(quotes,), measured_as="iv",
        ),
        Plan(
            "prices", (ticks,),
            lambda p, counts: TicksStage(market, f"ticks:{p}", sources(counts)), slow,
            owns_source=True, external=(ticks,), measured_as="decode",
        ),
        Plan(
            "cross_section", (points,),
            lambda _p, counts: CrossSectionStage(
                market, lambda: {"quotes": counts[quotes], "ticks": counts[ticks]}
            ),
            measured_as="aggregate",
        ),
        Plan(
            "detector", (readings, commands),
            lambda _p, _counts: DetectorStage(market, rules, topics),
            external=(commands,), indices=indices, has_outbox=True, measured_as="alert",
        ),
    )  # fmt: skip
