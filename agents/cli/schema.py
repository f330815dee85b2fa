"""`dispersion schema print`: the contract of the topics, as files on stdout."""

from typing import Annotated

import typer

from agents.cli.shared import shared_of


def show(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(help="Which one, for example alert.v1; all names where it is left out."),
    ] = None,
) -> None:
    """Print a JSON Schema, or the AsyncAPI document (YAML), as it is shipped.

    Without a name list them.
    """
    from agents.cli.shared import print_line
    from config.errors import ConfigError
    from config.schemas.files import contract

    files = contract()
    if name is not None and name not in files:
        raise ConfigError(f"no schema {name!r}", key="NAME", fix=f"one of {', '.join(files)}")
    if name is not None:
        print_line(files[name].read_bytes().rstrip(b"\n"))
    elif shared_of(context).json:
        import msgspec

        print_line(msgspec.json.encode(list(files)))
    else:
        print_line("\n".join(files).encode())
