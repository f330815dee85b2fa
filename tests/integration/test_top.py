"""`dispersion top` on a real stack, by textual's own pilot.

It shows an unwind, takes keys, and outlives a Redis that hangs.
"""

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from textual.widgets import DataTable, Input, Static

from agents.cli.main import main
from agents.cli.top import look_of
from agents.cli.top_app import TopApp
from agents.cli.top_prompts import PageScreen, PromptScreen
from tests.support.services import services
from tests.support.stack import RealStack, environment_for

if TYPE_CHECKING:
    from textual.pilot import Pilot

UNWIND = "vix_spike_unwind"
CLOSES_AND_UNWIND = 240.0


class Screen:
    """What a person sees of it."""

    def __init__(self, app: TopApp, pilot: "Pilot[None]") -> None:
        self.app = app
        self.pilot = pilot

    def text(self, place: str) -> str:
        """The words of a pane."""
        pane = self.app.screen_stack[0].query_one(place, Static)
        console = Console(width=200)
        with console.capture() as captured:
            console.print(pane.content)
        return captured.get() if pane.display else ""

    def alerts(self) -> list[list[str]]:
        """The rows of the table."""
        table = self.app.screen_stack[0].query_one("#alerts", DataTable)
        return [[str(cell) for cell in table.get_row_at(row)] for row in range(table.row_count)]

    async def until(self, true: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
        """Wait for it."""
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, f"no {what}: {self.text('#verdicts')}"
            await self.pilot.pause(0.2)

    async def answer(self, key: str, said: str) -> None:
        """Press a key, and answer its question."""
        await self.pilot.press(key)
        await self.until(lambda: isinstance(self.app.screen, PromptScreen), "question")
        self.app.screen.query_one(Input).value = said
        await self.pilot.press("enter")

    def row(self) -> list[str]:
        """The unwind's row."""
        return next(row for row in self.alerts() if row[1] == UNWIND)


@pytest.mark.stack
@pytest.mark.timeout(CLOSES_AND_UNWIND + 120)
async def test_an_unwind_its_keys_and_a_redis_that_hangs(
    real_stack: RealStack,
    topic_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with services(real_stack, topic_prefix, tmp_path) as running:
        settings = running.fleet.settings
        for name, value in environment_for(settings).items():
            monkeypatch.setenv(name, value)
        app = TopApp(settings, look_of(settings, None), "ann")
        async with app.run_test(size=(160, 50)) as pilot:
            screen = Screen(app, pilot)
            replay = asyncio.create_task(asyncio.to_thread(running.replay, CLOSES_AND_UNWIND))
            await screen.until(
                lambda: "UNWINDING" in screen.text("#verdicts"), "unwind", CLOSES_AND_UNWIND
            )
            assert " REPLAY " in screen.text("#verdicts")
            assert "event age" not in screen.text("#verdicts"), "that is of another day"
            assert "FIRING" in screen.text("#distances")
            assert screen.row()[:3] == [" critical ", UNWIND, "SPY"]
            assert "implied" in screen.text("#numbers").lower()
            await screen.answer("a", "calling the desk")
            await screen.until(lambda: screen.row()[6] == "ann", "acknowledgement")
            picture = tmp_path / "top.svg"
            assert await asyncio.to_thread(main, ["top", "--picture", str(picture)]) == 0
            assert "records&#160;that&#160;wait" in picture.read_text()
            assert "http" not in picture.read_text().replace("http://www.w3.org/2000/svg", "")
            await screen.answer("s", "30m known")
            await screen.until(lambda: "silenced to" in screen.row()[6], "silence")
            await pilot.press("e")
            await screen.until(lambda: isinstance(app.screen, PageScreen), "explanation")
            await pilot.press("escape")
            await replay
            await screen.until(lambda: "nothing waits" in screen.text("#partitions"), "end")
            real_stack.redis.signal(signal.SIGSTOP)
            try:
                begun = time.monotonic()
                await screen.until(lambda: "Redis at" in screen.text("#outage"), "outage")
                assert time.monotonic() - begun < 30.0
                await screen.until(lambda: " STALE " in screen.text("#verdicts"), "STALE")
                assert "STALE, was firing" in screen.row()[4]
                assert "UNWINDING" not in screen.text("#verdicts")
                await screen.answer("a", "still heard")
            finally:
                real_stack.redis.signal(signal.SIGCONT)
            await screen.until(lambda: not screen.text("#outage"), "end of the outage")


def test_without_textual_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith(("textual", "agents.cli.top_"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "textual", None)
    assert main(["top"]) == 2
    assert "pip install 'dispersion-monitor[tui]'" in capsys.readouterr().err


def test_without_a_terminal_another_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["top"]) == 1
    assert "dispersion status --watch" in capsys.readouterr().err
