"""What every command has in common: the options that may stand anywhere, and who may write where.

Results go to stdout, everything else to stderr.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from streams.safe_text import safe, safe_bytes

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
        from agents.cli.safe_console import SafeConsole

        return SafeConsole(
            stderr=True, quiet=self.quiet, width=None if sys.stderr.isatty() else PIPE_WIDTH
        )

    @property
    def stdout(self) -> "Console":
        """For results that people read."""
        from agents.cli.safe_console import SafeConsole

        return SafeConsole(width=None if sys.stdout.isatty() else PIPE_WIDTH)


def shared_of(context: typer.Context) -> Shared:
    """The shared options of a command."""
    found = context.find_object(Shared)
    return found if isinstance(found, Shared) else Shared()


def print_line(line: bytes) -> None:
    """One line on stdout for programs, or a text of several.

    What would be invisible in it is written out as JSON writes it.
    """
    typer.echo(safe_bytes(line, None, keep="\n\t").encode())


def print_text(line: str) -> None:
    """The same for people, in the encoding of their terminal."""
    sys.stdout.write(safe(line, None, keep="\n\t") + "\n")
    sys.stdout.flush()
