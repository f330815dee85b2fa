"""Screens that `dispersion top` lays over its own: a question, and a page to read."""

from typing import Any, ClassVar

from rich.console import RenderableType
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static


class PromptScreen(ModalScreen[str | None]):
    """A question and a line for the answer; None where the person thinks better of it."""

    CSS = """
    PromptScreen { align: center middle; }
    PromptScreen > Vertical { width: 70; height: auto; border: round #8ab8ff; padding: 1 2; }
    """
    BINDINGS: ClassVar[list[Any]] = [("escape", "dismiss(None)", "no")]

    def __init__(self, question: str, text: str) -> None:
        """`text` stands in the line already."""
        super().__init__()
        self._question = question
        self._text = text

    def compose(self) -> ComposeResult:
        """Question, line, and what the keys do."""
        with Vertical():
            yield Label(self._question)
            yield Input(self._text, select_on_focus=False)
            yield Label("Enter sends, Escape leaves it", classes="dim")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the answer back."""
        self.dismiss(event.value.strip())


class PageScreen(ModalScreen[None]):
    """A page that scrolls."""

    CSS = "PageScreen > VerticalScroll { margin: 1 3; border: round #8ab8ff; padding: 0 1; }"
    BINDINGS: ClassVar[list[Any]] = [
        ("escape", "dismiss(None)", "back"),
        ("q", "dismiss(None)", "back"),
        ("e", "dismiss(None)", "back"),
    ]

    def __init__(self, page: RenderableType) -> None:
        super().__init__()
        self._page = page

    def compose(self) -> ComposeResult:
        """The page alone."""
        with VerticalScroll():
            yield Static(self._page)
