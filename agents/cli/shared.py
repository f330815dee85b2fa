"""What every command has in common: the options that may stand anywhere, and who may write where.

Results go to stdout, everything else to stderr.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from config.settings import Settings

PIPE_WIDTH = 10_000
"""Columns where no terminal limits them: nothing that is piped is wrapped or cut."""


@dataclass(frozen=True)
class Shared:
    """The options that every command shares."""

    config: Path | None = None
    json: bool = False
    verbose: bool = False
    quiet: bool = False

    def settings(self, overrides: Mapping[str, Any] | None = None) -> "Settings":
        """Settings of this run. Raises `ConfigError`."""
        from config.settings import load

        return load(self.config, overrides)

    @property
    def stderr(self) -> "Console":
        """For progress, notes and errors; silent with `--quiet`."""
        from rich.console import Console

        return Console(stderr=True, quiet=self.quiet, highlight=False, width=None if sys.stderr.isatty() else PIPE_WIDTH)

    @property
    def stdout(self) -> "Console":
        """For results that people read."""
        from rich.console import Console

        return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def shared_of(context: typer.Context) -> Shared:
    """The shared options of a command."""
    found = context.find_object(Shared)
    return found if isinstance(found, Shared) else Shared()


def print_line(line: bytes) -> None:
    """One line on stdout, as bytes."""
    typer.echo(line)
