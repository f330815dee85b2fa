"""`dispersion config check`: every setting, its value and where it came from.

Baskets, rates and rules are read too.
"""

from typing import Annotated

import typer

from agents.cli.shared import print_line, shared_of


def check(
    context: typer.Context,
    changed: Annotated[
        bool,
        typer.Option("--changed", help="Only settings that differ in origin from the default."),
    ] = False,
) -> None:
    """Read all settings and the files they name; exit code 2 and one line if anything is wrong.

    Numbers of the rules are shown where the rules file says them itself.
    """
    import msgspec

    from agents.cli.basket_words import basket_line
    from config.connections import check_connections
    from config.market import market_of
    from config.origins import number_origins, setting_origins
    from config.rules import load_rules

    shared = shared_of(context)
    settings = shared.settings()
    check_connections(settings)
    market = market_of(settings)
    load_rules(settings.rules.file, settings.rules.cap_unknown)
    settings_rows = setting_origins(shared.config)
    rows = [one for one in settings_rows if not changed or one.origin != "default"]
    rows.extend(number_origins(settings.rules.file))
    if shared.json:
        for one in rows:
            print_line(msgspec.json.encode(one._asdict()))
        return

    from rich.table import Table
    from rich.text import Text

    table = Table("setting", "value", "from", box=None, pad_edge=False)
    for one in rows:
        table.add_row(*map(Text, one))
    shared.stdout.print(table)
    for index in market.indices:
        shared.stdout.print(f"{index.symbol}: {basket_line(index.basket)}", markup=False)
