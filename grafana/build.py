"""Write every dashboard's JSON beside its code: `python -m grafana.build [RUNBOOK]`.

RUNBOOK is the address of the runbook that panels link to.
"""

import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana import desk, sre, wall
from grafana.board import RUNBOOK

OUT = Path(__file__).parent / "dashboards"


BOARDS = {"desk.json": desk.build, "sre.json": sre.build, "wall.json": wall.build}


def rendered(runbook: str = RUNBOOK) -> dict[str, str]:
    """File name → JSON text of each dashboard."""
    encoder = JSONEncoder(sort_keys=True, indent=2)
    return {name: encoder.encode(build(runbook).build()) + "\n" for name, build in BOARDS.items()}


def main() -> None:
    """Write the files."""
    OUT.mkdir(exist_ok=True)
    for name, text in rendered(*sys.argv[1:2]).items():
        (OUT / name).write_text(text)
        print(f"wrote {OUT / name}")


if __name__ == "__main__":
    main()
