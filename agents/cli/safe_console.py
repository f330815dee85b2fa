"""rich's console, on which a text is a text.

No markup in it is interpreted, and nothing in it is obeyed by the terminal.
"""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from streams.safe_text import is_safe, safe


class SafeConsole(Console):
    """Strings stand as they are.

    Screens make foreign text safe before they lay it out. This is the last look at all of it.
    """

    def __init__(self, **options: Any) -> None:
        """`options` are rich's."""
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The segments of a renderable; rich's own control codes are segments of another kind."""
        return map(_safe, super().render(renderable, options))


def _safe(segment: Segment) -> Segment:
    if segment.control or is_safe(segment.text.replace("\n", "")):
        return segment
    return segment._replace(text=safe(segment.text, None, keep="\n"))
