"""`dispersion`: the command line.

Exit codes: 0 done, 1 degraded or failed, 2 wrong usage or settings, 3 a service is down, 70 an internal error.
"""

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from agents.cli.alerts import alerts_app
from agents.cli.arguments import arranged
from agents.cli.backtest import EXAMPLE, backtest
from agents.cli.config import config_app
from agents.cli.demo import demo
from agents.cli.doctor import doctor
from agents.cli.replay import replay
from agents.cli.shared import Shared
from agents.cli.status import status
from agents.cli.topics import topics_app
from agents.cli.worker import exporter, worker
from agents.exits import DOWN, INTERNAL, REFUSED, Down, Refusal
from config.errors import ConfigError
from streams.sources.source import SourceError

USAGE = 2

app = typer.Typer(
    help="Live monitoring of the equity dispersion trade: index vol, basket vol, dispersion and implied correlation.",
    epilog="--config, --json, -v and --quiet may stand before or after the command.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("backtest", epilog=EXAMPLE)(backtest)
for command in (demo, worker, exporter, replay, status, doctor):
    app.command()(command)
for name, group in {"alerts": alerts_app, "topics": topics_app, "config": config_app}.items():
    app.add_typer(group, name=name)


@app.callback()
def _shared(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML).", metavar="FILE", envvar="DISPERSION_CONFIG")] = None,
    json: Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout, one JSON value a line.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more; a traceback with an internal error.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes on stderr.")] = False,
) -> None:
    context.obj = Shared(config, json, verbose, quiet)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code. Errors are one line on stderr: what is wrong and what to do next."""
    given = arranged(sys.argv[1:] if arguments is None else arguments)
    try:
        app(args=given, prog_name="dispersion")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except (ConfigError, SourceError) as error:
        return _complain(str(error), USAGE)
    except Refusal as error:
        return _complain(str(error), REFUSED)
    except Down as error:
        return _complain(str(error), DOWN)
    except Exception as error:  # noqa: BLE001 - the last line of defence says what to report
        if {"-v", "--verbose"} & set(given):
            traceback.print_exc()
        return _complain(f"internal error: {type(error).__name__}: {error}; run it again with -v and report the traceback", INTERNAL)
    return 0


def _complain(message: str, code: int) -> int:
    sys.stderr.write(f"error: {message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
