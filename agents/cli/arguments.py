"""The command line, put in the order that the parser wants.

Options that all commands share may stand before or after the command, and `--quotes`, `--ticks` and
`--history` take as many files as follow them, so that a shell pattern works.
"""

from collections.abc import Sequence

_FLAGS = frozenset({"--json", "-v", "--verbose", "--quiet", "-q"})
_WITH_VALUE = frozenset({"--config"})
_FILES = frozenset({"--quotes", "--ticks", "--history"})


def arranged(arguments: Sequence[str]) -> list[str]:
    """Shared options first, files one to an option.

    >>> arranged(["backtest", "--quotes", "a", "b", "--json", "--config", "x.toml"])
    ['--json', '--config', 'x.toml', 'backtest', '--quotes', 'a', '--quotes', 'b']
    """
    first: list[str] = []
    rest: list[str] = []
    option, waiting = "", False
    for position, argument in enumerate(arguments):
        if argument == "--":
            return [*first, *rest, *arguments[position:]]
        if waiting and option in _WITH_VALUE:
            first.append(argument)
            waiting = False
        elif argument in _FLAGS or argument.startswith(tuple(f"{name}=" for name in _WITH_VALUE)):
            first.append(argument)
        elif argument in _WITH_VALUE:
            first.append(argument)
            option, waiting = argument, True
        elif argument.startswith("-"):
            rest.append(argument)
            option, waiting = argument, argument in _FILES
        else:
            rest += [argument] if waiting or option not in _FILES else [option, argument]
            waiting = False
    return [*first, *rest]
