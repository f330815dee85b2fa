"""`dispersion backtest --daily`: years of published closes through the daily form of the rules."""

from collections import Counter
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agents.cli.backtest_output import BacktestProgress, JsonLines, Sink, Table, files_in
from agents.cli.interrupts import interruptible
from agents.cli.output_files import folder_for
from agents.cli.run_folder import keep_settings
from agents.process.exits import ActionNeededError
from config.rules import load_rules
from streams.evaluation.daily_run import DailyClose, daily_run
from streams.market import IndexSpec, Market
from streams.readings.published_reading import INDEX
from streams.sources.published_closes import PublishedCloses

if TYPE_CHECKING:
    from agents.cli.shared import Shared

NOT_JUDGED = {"unknown": "not enough history", "suspended": "suspended"}


class Sessions(NamedTuple):
    """The sessions to show; the history before them is read all the same."""

    first: date = date.min
    last: date = date.max


class AnswerCounts:
    """By rule and answer: at how many of the sessions, and the last of them."""

    def __init__(self) -> None:
        self.readings = self.events = 0
        self._answers: Counter[tuple[str, str]] = Counter()
        self._last: dict[tuple[str, str], date] = {}

    def add(self, close: DailyClose) -> None:
        """Count a session."""
        self.readings += 1
        self.events += len(close.events)
        for key in close.verdicts.verdicts.items():
            self._answers[key] += 1
            self._last[key] = close.reading.session

    def lines(self) -> list[str]:
        """A line a rule: judged, fired, and for how long it could not be judged."""
        return [self._line(rule) for rule in dict.fromkeys(rule for rule, _ in self._answers)]

    def _line(self, rule: str) -> str:
        lost = [
            f"{words} at {self._answers[rule, answer]}, last {self._last[rule, answer]}"
            for answer, words in NOT_JUDGED.items()
            if (rule, answer) in self._answers
        ]
        judged = self.readings - sum(self._answers[rule, answer] for answer in NOT_JUDGED)
        return "; ".join(
            [f"{rule}: fires at {self._answers[rule, 'fires']} of {judged} sessions judged", *lost]
        )


def backtest_daily(shared: "Shared", folder: Path, sessions: Sessions, out: Path | None) -> None:
    """Run the files of a folder.

    Raises `SourceError`, `ConfigError`, and `ActionNeededError` when there is no session to show.
    """
    settings = shared.settings(
        {"mode": "replay", "market": {"indices": [{"symbol": INDEX, "basket": ""}]}}
    )
    rules = settings.rules
    closes = PublishedCloses(folder)
    market = Market(indices=(IndexSpec(INDEX),), mode="replay")
    table, counts = Table(), AnswerCounts()
    with interruptible(), ExitStack() as stack:
        sinks: list[Sink] = [JsonLines() if shared.json else table]
        if out is not None:
            folder_for(out, "--out")
            keep_settings(out, settings)
            sinks.append(stack.enter_context(files_in(out, verdicts=True)))
        progress = stack.enter_context(BacktestProgress(shared.stderr))
        for close in daily_run(
            closes.readings(), market, load_rules(rules.file, rules.cap_unknown)
        ):
            progress.clock(int(close.reading.ts_event.timestamp() * 1000))
            if sessions.first <= close.reading.session <= sessions.last:
                counts.add(close)
                _write(close, sinks)
            progress.made(counts.readings, counts.events)
    if not shared.json:
        table.print(shared.stdout)
    _conclude(shared, closes, counts)


def _write(close: DailyClose, sinks: list[Sink]) -> None:
    for sink in sinks:
        sink.reading(close.reading)
        for event in close.events:
            sink.event(event)
        sink.verdicts(close.verdicts)


def _conclude(shared: "Shared", closes: PublishedCloses, counts: AnswerCounts) -> None:
    """What was left out and what could not be judged, on stderr."""
    say = shared.stderr.print
    if closes.missing:
        say(
            f"no file {', '.join(closes.missing)}: what it would say is null, "
            "and rules that need it are suspended",
            soft_wrap=True,
        )
    for (index, why), rows in sorted(closes.counts.items()):
        say(f"{index}: {rows} rows left out, {why}", soft_wrap=True)
    if not counts.readings:
        raise ActionNeededError(
            "no sessions: none of the files has a row between --from and --to on a trading day; "
            "check the dates"
        )
    for line in counts.lines():
        say(line, soft_wrap=True)
    say(f"{counts.readings} readings, {counts.events} alert events", soft_wrap=True)
