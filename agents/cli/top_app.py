"""The screen of `dispersion top`, made with textual.

Looks and commands run in threads of their own, so that keys are heard while Redis or Kafka hang.
Each second the screen is drawn anew: what a look told grows old, and is grey once it is stale.
"""

import asyncio
import re
import signal
from collections.abc import Callable
from threading import Thread
from time import monotonic
from typing import Any, ClassVar

from rich.console import Group, RenderableType
from rich.text import Text
from textual.app import App, ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import DataTable, Footer, Static

from agents.cli.top_answers import Answer, acknowledge, explained, silence
from agents.cli.top_panes import (
    ALERT_COLUMNS,
    Waiting,
    alert_cells,
    distances,
    numbers,
    partitions,
    problems,
    verdicts,
    waiting,
)
from agents.cli.top_prompts import PageScreen, PromptScreen
from agents.lookup.board import foreign
from agents.monitoring.health_report import Health
from agents.monitoring.health_watch import HealthWatch, Outage
from config.settings import Settings
from streams.safe_text import safe

LOOK_SECONDS = 2.0
"""Between two looks."""
PICTURE_LOOK_SECONDS = 0.5
"""The same where nobody watches."""
TICK_SECONDS = 1.0
PICTURE_SIZE = (132, 30)
TITLES = {
    "#verdicts": "verdict",
    "#numbers": "numbers",
    "#distances": "on the way to fire",
    "#alerts": "alerts",
    "#lags": "records that wait",
    "#problems": "problems",
}
FOREIGN = re.compile(r"<!--.*?-->\s*|@font-face \{.*?\}\s*", re.DOTALL)
"""Who made the picture, and fonts from elsewhere: the reader's own monospace does."""


class Looked(Message):
    """A look is over."""

    def __init__(self, found: Health | Outage) -> None:
        super().__init__()
        self.found = found


class Answered(Message):
    """A command, or an explanation, is done."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class Broken(Message):
    """A thread has met what nobody expected."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class TopApp(App[None]):
    """Verdicts, numbers, distances, alerts, partitions and problems, one under the other."""

    TITLE = "dispersion top"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #verdicts, #numbers, #distances, #problems { height: auto; padding: 0 1; }
    #outage { height: auto; padding: 0 1; display: none; }
    #middle { height: auto; max-height: 14; }
    #middle > Static { width: 1fr; }
    #alerts { height: auto; max-height: 10; min-height: 3; }
    #lags { height: auto; max-height: 12; padding: 0 1; }
    .pane { border: round #3d4450; border-title-color: #8ab8ff; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        ("a", "acknowledge", "acknowledge"),
        ("s", "silence", "silence"),
        ("e", "explain", "explain"),
        ("q", "quit", "quit"),
        ("ctrl+c", "quit", "quit"),
    ]

    def __init__(self, settings: Settings, look: Callable[[], Health], who: str = "") -> None:
        """`look` looks once at the monitor; `who` is whose word commands are."""
        super().__init__()
        self._settings = settings
        self._watch = HealthWatch(look)
        self._who = who
        self._health: Health | None = None
        self._outage: Outage | None = None
        self._seen_at = monotonic()
        self._before: Waiting = {}
        self._rows: list[tuple[str, str]] = []
        self._between = LOOK_SECONDS
        self.looks = 0
        self.failure: Exception | None = None

    def compose(self) -> ComposeResult:
        """The panes from above."""
        yield Static(id="outage")
        with VerticalScroll(can_focus=False):
            yield Static("looking …", id="verdicts", classes="pane")
            with Horizontal(id="middle"):
                yield Static(id="numbers", classes="pane")
                yield Static(id="distances", classes="pane")
            table: DataTable[Text] = DataTable(id="alerts", classes="pane", cursor_type="row")
            yield table
            with VerticalScroll(id="lags", classes="pane", can_focus=False):
                yield Static(id="partitions")
            yield Static(id="problems", classes="pane")
        yield Footer()

    def on_mount(self) -> None:
        """Begin to look."""
        for place, title in TITLES.items():
            self.query_one(place).border_title = title
        table = self._table()
        table.add_columns(*ALERT_COLUMNS)
        table.focus()
        if not self.is_headless:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.exit)
        self.set_interval(TICK_SECONDS, self._draw)
        self._begin_look()

    def _table(self) -> "DataTable[Text]":
        found: DataTable[Text] = self.query_one("#alerts", DataTable)
        return found

    def _begin_look(self) -> None:
        self._aside(lambda: Looked(self._watch.look()))

    def _aside(self, call: Callable[[], Message]) -> None:
        """In a thread that does not keep the process from ending."""

        def run() -> None:
            try:
                message = call()
            except Exception as error:  # noqa: BLE001 - raised once the terminal is given back
                message = Broken(error)
            self.post_message(message)

        Thread(target=run, name="top", daemon=True).start()

    def on_broken(self, message: Broken) -> None:
        """End; who has run the screen raises what has happened."""
        self.failure = message.error
        self.exit()

    def on_looked(self, message: Looked) -> None:
        """Show what was found, and look again in a while."""
        if isinstance(message.found, Outage):
            self._outage = message.found
        else:
            self._before = {} if self._health is None else waiting(self._health)
            self._health, self._outage = message.found, None
            self._seen_at = monotonic()
        self.looks += 1
        self._draw()
        self.set_timer(self._between, self._begin_look)

    def _draw(self) -> None:
        """All panes by the last good look, as old as it is now."""
        found, later = self._health, monotonic() - self._seen_at
        outage = self.query_one("#outage", Static)
        outage.display = self._outage is not None
        if self._outage is not None:
            outage.update(foreign(self._outage.said, "bold red"))
        if found is None:
            return
        shown: dict[str, RenderableType] = {
            "#verdicts": verdicts(found, later),
            "#numbers": numbers(found, later),
            "#distances": distances(found, later),
            "#partitions": self._partitions(found),
            "#problems": problems(found.problems),
        }
        for place, renderable in shown.items():
            self.query_one(place, Static).update(renderable)
        self._draw_alerts(found, later)

    def _partitions(self, found: Health) -> RenderableType:
        """During an outage nobody knows what waits."""
        shown = partitions(found, self._before)
        if self._outage is None:
            return shown
        return Group(Text("not known now; before:", style="bold yellow"), shown)

    def _draw_alerts(self, found: Health, later: float) -> None:
        table, at = self._table(), self.chosen()
        alerts = [(one, alert) for one in found.indices for alert in one.alerts]
        table.clear()
        self._rows = [(alert.fingerprint, one.index) for one, alert in alerts]
        for one, alert in alerts:
            table.add_row(*alert_cells(one, alert, later))
        if at in self._rows:
            table.move_cursor(row=self._rows.index(at))
        stale = any(not one.fresh(later) for one in found.indices) or self._outage is not None
        none = "STALE: which alerts are active is not known" if stale else "none is active"
        table.border_subtitle = "" if alerts else none

    def chosen(self) -> tuple[str, str] | None:
        """Fingerprint and index of the alert under the cursor."""
        row = self._table().cursor_row
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def action_acknowledge(self) -> None:
        """Ask why, and acknowledge."""
        self._prompt("acknowledge: why?", "", acknowledge)

    def action_silence(self) -> None:
        """Ask how long and why, and silence."""
        self._prompt("silence: how long, and why?", "1h ", silence)

    def _prompt(
        self, question: str, text: str, command: Callable[[Settings, str, str, str], Answer]
    ) -> None:
        chosen = self.chosen()
        if chosen is None:
            self.notify("no alert is active", severity="warning")
            return
        if not self._who:
            self.notify("nobody is named: start top with --who NAME", severity="error")
            return
        fingerprint, _ = chosen

        def give(said: str | None) -> None:
            if said:
                call = (self._settings, fingerprint, self._who, said)
                self.notify("sent; waiting for the echo")
                self._aside(lambda: Answered(command(*call)))

        self.push_screen(PromptScreen(question, text), give)

    def action_explain(self) -> None:
        """Why the monitor says what it says of the index of the chosen alert, or of the first."""
        chosen = self.chosen()
        index = chosen[1] if chosen else self._settings.market.indices[0].symbol
        self.notify(f"explaining {safe(index)}")
        self._aside(lambda: Answered(explained(self._settings, index)))

    def on_answered(self, message: Answered) -> None:
        """Say how it went, or show the page."""
        answer = message.answer
        if answer.page is not None:
            self.push_screen(PageScreen(answer.page))
        else:
            self.notify(
                safe(answer.text, 500),
                severity="information" if answer.well else "error",
                markup=False,
            )

    async def pictured(self) -> str:
        """The screen as SVG after two looks; raises what keeps the first from being one."""
        from agents.process.exits import UnavailableError

        self._between = PICTURE_LOOK_SECONDS
        async with self.run_test(size=PICTURE_SIZE) as pilot:
            while self.looks < 2 and self._outage is None and self.failure is None:
                await pilot.pause(0.1)
            if self.failure is not None:
                raise self.failure
            if self._outage is not None:
                raise UnavailableError(self._outage.error)
            return FOREIGN.sub("", self.export_screenshot(title=self.TITLE))
