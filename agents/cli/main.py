"""`dispersion`: the command line.

Exit codes: 0 done, 1 degraded or failed, 2 wrong usage or settings, 3 Kafka or Redis is down,
70 an internal error, 130 stopped by Ctrl-C or SIGTERM before the end.
"""

import errno
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from agents.cli import (
    alerts,
    alerts_command,
    alerts_list,
    alerts_show,
    backfill,
    backtest,
    basket,
    bridge,
    config,
    dead_letters,
    dead_letters_replay,
    demo,
    doctor,
    evaluate,
    explain,
    export,
    feed,
    files,
    history,
    ingest,
    init,
    live,
    plot,
    replay,
    report,
    reporter,
    schema,
    status,
    study,
    takeover,
    top,
    topics,
    worker,
)
from agents.cli.arguments import arranged
from agents.cli.examples import EXAMPLES
from agents.cli.pages import CommandPage, GroupPage
from agents.cli.shared import Shared
from agents.cli.standard_streams import OutputError, own_streams
from agents.process.exits import (
    EXIT_ACTION_NEEDED,
    EXIT_INTERNAL,
    EXIT_UNAVAILABLE,
    ActionNeededError,
    UnavailableError,
)
from agents.process.logs import scrub_the_rest
from config.errors import ConfigError
from config.redaction import scrubbed
from streams.safe_text import safe
from streams.sources.source_error import SourceError

HELP = {"help_option_names": ["-h", "--help"]}
USAGE = 2
LONGEST = 4_000
"""Characters of an error."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
"""What a disk says that takes nothing more; such an error may name no file."""
CODES: dict[type[Exception], int] = {
    ConfigError: USAGE,
    SourceError: USAGE,
    ActionNeededError: EXIT_ACTION_NEEDED,
    UnavailableError: EXIT_UNAVAILABLE,
}
COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo.demo,
    "live": live.live,
    "init": init.init,
    "backtest": backtest.backtest,
    "evaluate": evaluate.evaluate,
    "worker": worker.worker,
    "exporter": worker.exporter,
    "bridge": bridge.bridge,
    "reporter": reporter.reporter,
    "ingest": ingest.ingest,
    "feed check": feed.feed_check,
    "feed list": feed.feed_list,
    "feed run": feed.feed_run,
    "replay": replay.replay,
    "backfill": backfill.backfill,
    "status": status.status,
    "top": top.top,
    "explain": explain.explain,
    "report": report.report,
    "study rotation": study.rotation,
    "doctor": doctor.doctor,
    "alerts tail": alerts.tail,
    "alerts list": alerts_list.alerts_list,
    "alerts show": alerts_show.show,
    "alerts ack": alerts_command.ack,
    "alerts silence": alerts_command.silence,
    "alerts unsilence": alerts_command.unsilence,
    "alerts retire": alerts_command.retire,
    "dead-letters tail": dead_letters.tail,
    "dead-letters show": dead_letters.show,
    "dead-letters replay": dead_letters_replay.replay,
    "takeover": takeover.takeover,
    "topics create": topics.create,
    "config check": config.check,
    "files check": files.check,
    "basket import": basket.import_holdings,
    "basket show": basket.show,
    "basket diff": basket.diff,
    "export readings": export.readings,
    "plot": plot.plot,
    "history import": history.import_,
    "history show": history.show,
    "schema print": schema.show,
}
GROUPS = {
    "feed": "Quotes from a vendor's source.",
    "alerts": "Alert events, and who deals with them.",
    "dead-letters": "What was refused, and sending it again.",
    "topics": "Topics.",
    "config": "Settings.",
    "basket": "Baskets: names and weights.",
    "export": "Readings for other programs.",
    "history": "The daily history that ranks and changes are taken in.",
    "files": "Files of quotes, prices, levels and rates.",
    "study": "What the history says of a thesis.",
    "schema": "Schemas of the topics.",
}


def _group(name: str, text: str) -> typer.Typer:
    return typer.Typer(
        name=name or None,
        cls=GroupPage,
        help=text,
        epilog="\n".join(EXAMPLES[name]),
        no_args_is_help=True,
        context_settings=HELP,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


app = _group(
    "",
    "Live monitoring of the equity dispersion trade: index vol, basket vol, dispersion and "
    "implied correlation.",
)
_groups = {name: _group(name, text) for name, text in GROUPS.items()}
for _path, _command in COMMANDS.items():
    _parent, _, _name = _path.rpartition(" ")
    _register = (_groups[_parent] if _parent else app).command
    _register(_name, cls=CommandPage, context_settings=HELP, epilog="\n".join(EXAMPLES[_path]))(
        _command
    )
for _inner in _groups.values():
    app.add_typer(_inner)


def _version(wanted: bool) -> None:
    """Say which release this is, and on which Python it runs."""
    if not wanted:
        return
    from importlib.metadata import version
    from platform import python_version

    sys.stdout.write(f"dispersion {version('dispersion-monitor')} (Python {python_version()})\n")
    raise typer.Exit


@app.callback()
def _shared(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            help="Settings file (TOML); else dispersion.toml of this folder, if there is one.",
            metavar="FILE",
            envvar="DISPERSION_CONFIG",
        ),
    ] = None,
    json: Annotated[
        bool,
        typer.Option(
            "--json", help="JSON on stdout, one value a line; for services, logs as JSON."
        ),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say more; a traceback with an internal error.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress and no notes on stderr.")
    ] = False,
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Say which release this is."
        ),
    ] = False,
) -> None:
    """These options may stand before or after the command."""
    context.obj = Shared(config, json, verbose, quiet)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code.

    Errors are one line on stderr: what is wrong and what to do next.
    """
    if arguments is None:
        own_streams()
        scrub_the_rest()
        arguments = sys.argv[1:]
    try:
        code = _run(arranged(arguments))
        sys.stdout.flush()
    except OutputError as error:
        return _complain(f"{error}; direct it to a place that takes it", EXIT_ACTION_NEEDED)
    return code


def _run(given: Sequence[str]) -> int:
    try:
        code = app(args=given, prog_name="dispersion", standalone_mode=False)
    except OutputError:
        raise
    except typer.TyperException as error:
        return _usage(error)
    except tuple(CODES) as error:
        return _complain(
            str(error), next(code for kind, code in CODES.items() if isinstance(error, kind))
        )
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except Exception as error:  # noqa: BLE001 - the last line of defence says what to report
        if (told := _not_ours(error, given)) is not None:
            return told
        if {"-v", "--verbose"} & set(given):
            sys.stderr.write(scrubbed(traceback.format_exc()))
        return _complain(
            f"internal error: {type(error).__name__}: {error}; "
            "run it again with -v and report the traceback",
            EXIT_INTERNAL,
        )
    return code if isinstance(code, int) else 0


def _not_ours(error: Exception, given: Sequence[str]) -> int | None:
    """The exit code of a failure that is the machine's or the caller's; None for a bug of ours."""
    if isinstance(error, OSError) and (error.filename is not None or error.errno in NO_ROOM):
        reason = (error.strerror or type(error).__name__).lower()
        return _complain(
            f"{error.filename or 'a file'}: {reason}; see to it and try again", EXIT_ACTION_NEEDED
        )
    if isinstance(error, UnicodeEncodeError) and not "".join(given).isprintable():
        return _complain("an argument is no UTF-8 text; write it in UTF-8", USAGE)
    return None


def _usage(error: Any) -> int:
    """What the parser says in one line, with the page that helps.

    A group named alone shows that page itself.
    """
    text, context = error.format_message(), getattr(error, "ctx", None)
    if text.startswith("Usage:"):
        sys.stderr.write(f"{text}\n")
        return USAGE
    page = "dispersion" if context is None else context.command_path
    return _complain(f"{text[:1].lower()}{text[1:]}".rstrip(".") + f"; see {page} --help", USAGE)


def _complain(message: str, code: int) -> int:
    sys.stderr.write(f"error: {safe(scrubbed(' '.join(message.split())), LONGEST)}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
