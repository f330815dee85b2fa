"""Which stage works on which topics, and how it commits."""

from collections.abc import Mapping, Sequence

from agents.plan import CheckpointPolicy, Counts, Plan
from config.settings import Settings
from streams.detection.rules.catalogue import RuleSet
from streams.market import Market
from streams.topics import Topics


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
