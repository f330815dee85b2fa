"""The board where it is to be seen: live on a terminal, elsewhere a plain line now and then."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic
from typing import Final

from rich.live import Live

from agents.cli.shared import Shared
from agents.lookup.board import BoardState, Progress, percent_done, plain_line, render

PLAIN_SECONDS: Final = 5.0


class BoardScreen:
    """Shows one state after the other, from the first second on."""

    def __init__(self, shared: Shared, title: str, index: str, mode: str) -> None:
        self._shared = shared
        self._console = shared.stderr
        self._blank = BoardState(title, index, mode)
        self._live: Live | None = None
        self._told = -PLAIN_SECONDS
        self._words = ""
        self._begin()

    def _begin(self) -> None:
        if self._console.is_terminal and not self._shared.quiet:
            self._live = Live(console=self._console, auto_refresh=False, redirect_stdout=False)
            self._live.start()

    def doing(self, words: str, share: float) -> None:
        """While there is nothing to see yet: what is being done, and how much of it is."""
        progress = Progress(words, share)
        if self._live is not None:
            self.board(replace(self._blank, progress=progress))
        elif words != self._words:
            self._words = words
            self._console.print(f"{words}{percent_done(progress)}", soft_wrap=True, markup=False)

    def board(self, state: BoardState) -> None:
        """Show a state."""
        if self._live is not None:
            size = self._console.size
            self._live.update(render(state, size.width, size.height), refresh=True)
        elif monotonic() - self._told >= PLAIN_SECONDS:
            self._told = monotonic()
            self._console.print(plain_line(state), soft_wrap=True, markup=False)

    def say(self, lines: list[str]) -> None:
        """Lines on stdout; on a terminal they stand above the board from then on."""
        board = self._live is not None
        if self._live is not None:
            self._live.transient = True
        self.stop()
        for line in lines:
            self._shared.stdout.print(line, markup=False, soft_wrap=True)
        if board:
            self._begin()

    def stop(self) -> None:
        """The last state stays where it is."""
        if self._live is not None:
            self._live.stop()
            self._live = None


@contextmanager
def shown(shared: Shared, title: str, index: str = "", mode: str = "live") -> Iterator[BoardScreen]:
    """A screen that is given back, however the block ends."""
    screen = BoardScreen(shared, title, index, mode)
    try:
        yield screen
    finally:
        screen.stop()
