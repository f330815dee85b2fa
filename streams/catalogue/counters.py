"""The counters that stages raise, one row each.

The metrics of a worker, the label values that exist from the start and the table of
docs/metrics.md follow from the rows. A stage counts under `Counter.of`, never under a string of
its own.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import product
from typing import Final, NamedTuple

from streams.catalogue.outcomes import OUTCOMES, STRIP_QUOTE_REASONS, TICK_OUTCOMES, UNSOLVED
from streams.catalogue.vocabulary import EVENT_OUTCOMES, GATES, TRANSITIONS, FrameKind
from streams.refusals.dead_letters import CRASH, REASONS_BY_ROLE
from streams.refusals.refused_batch import BATCH_REASONS
from streams.stage import Count

CONFIGURED: Final = ()
"""In the place of label values: those of the configuration, its indices or rules."""


class Counter(NamedTuple):
    """The metric `dispersion_<name>_total`."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    label_values: tuple[tuple[Collection[str], ...], ...]
    """Products of values, one factor a label; the label `topic` has roles of topics."""
    jobs: str = "worker"
    """Processes that show it, as docs/metrics.md names them."""

    @property
    def help(self) -> str:
        """The meaning as a sentence."""
        return f"{self.meaning[0].upper()}{self.meaning[1:]}."

    def of(self, *values: str) -> Count:
        """Under what a stage counts; `values` in the order of `labels`."""
        return (self.name, *values)

    def children(self, configured: Mapping[str, Collection[str]]) -> Iterator[tuple[str, ...]]:
        """All label values there can be; `configured` has the values of such labels by label."""
        for factors in self.label_values:
            known = zip(self.labels, factors, strict=True)
            yield from product(*(values or configured[label] for label, values in known))


QUOTES: Final = Counter("quotes", "quotes by what became of them", ("outcome",), ((OUTCOMES,),))
STRIP_QUOTES: Final = Counter(
    "strip_quotes",
    "quotes that the judge of strips has found, each once: left out of their strip (out_of_line, "
    "beyond_payoff), in arbitrage with others of it (vertical, butterfly, parity), or of a "
    "contract that has two prices at one time (conflict)",
    ("reason",),
    ((STRIP_QUOTE_REASONS,),),
)
IV_FAILURES: Final = Counter(
    "iv_solver_failures",
    "strips with quotes of which no at-the-money vol could be solved, each second that they are "
    "valued: expired, no_forward, too_few (quotes), not_bracketed; thousandths and off_scale: "
    "strikes of another unit than prices",
    ("reason",),
    ((UNSOLVED,),),
)
TICKS: Final = Counter("ticks", "ticks by what became of them", ("outcome",), ((TICK_OUTCOMES,),))
POINTS_FRAMES: Final = Counter(
    "points_frames",
    "points frames by what became of them: new, duplicate, idle_mark, late, unknown_index",
    ("outcome",),
    (([kind.value for kind in FrameKind],),),
)
DEAD_LETTERS: Final = Counter(
    "dead_letter_messages",
    "records that could not be read and are on the dead-letter topic",
    ("topic", "reason"),
    tuple(
        ((role,), (*sorted(reasons), CRASH, *BATCH_REASONS))
        for role, reasons in REASONS_BY_ROLE.items()
    ),
    jobs="worker, ingest",
)
GATE_FAILURES: Final = Counter(
    "gate_failures",
    "why rules were suspended: width, coverage, range, shape, clock, history; "
    "spike is a held value that reverted",
    ("index", "reason"),
    ((CONFIGURED, GATES),),
)
OUT_OF_RANGE: Final = Counter(
    "implied_correlation_out_of_range",
    "readings with a correlation below 0 (low) or above 1 (high), published raw",
    ("index", "bound"),
    ((CONFIGURED, ("low", "high")),),
)
ALERT_EVENTS: Final = Counter(
    "alert_events",
    "alert events by what became of them: emitted by the rules or as the echo of a command, "
    "published, repeated (was on the topic already), error",
    ("alert", "transition", "outcome"),
    ((CONFIGURED, TRANSITIONS, EVENT_OUTCOMES),),
)
COUNTERS: Final = (
    QUOTES,
    STRIP_QUOTES,
    IV_FAILURES,
    TICKS,
    POINTS_FRAMES,
    DEAD_LETTERS,
    GATE_FAILURES,
    OUT_OF_RANGE,
    ALERT_EVENTS,
)
