"""Help pages in plain text: usage, what the command does, examples, options."""

from collections.abc import Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup

from agents.cli.standard_streams import printable


class CommandPage(TyperCommand):
    """A command whose epilog, one example a line, stands before the options."""

    def get_help(self, ctx: Any) -> str:
        """The page, with `?` for what the terminal cannot print."""
        return printable(super().get_help(ctx))

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """What it does, then how it is called."""
        super().format_help_text(ctx, formatter)
        _write_examples((self.epilog or "").splitlines(), formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Nothing: the examples are already told."""


class GroupPage(TyperGroup):
    """The same for a group of commands."""

    def get_help(self, ctx: Any) -> str:
        """The page, with `?` for what the terminal cannot print."""
        return printable(super().get_help(ctx))

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """What it does, then how it is called."""
        super().format_help_text(ctx, formatter)
        _write_examples((self.epilog or "").splitlines(), formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Nothing: the examples are already told."""


def _write_examples(examples: Sequence[str], formatter: Any) -> None:
    """As they are: a wrapped command line cannot be copied."""
    with formatter.section("Examples"):
        for example in examples:
            formatter.write(f"{'':{formatter.current_indent}}{example}\n")
