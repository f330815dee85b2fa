"""Makes the sample files from their sources, so that everyone can see what was changed.

    python samples/build.py option-closes CHAINS.parquet
    python samples/build.py vix-closes vix-daily.csv.gz
    python samples/build.py hashes

The first two write the files beside this script; the last renews size, rows and SHA-256 in
`metadata.json`. Sources, commits, licences and changes are described there.
"""

import csv
import gzip
import hashlib
import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

HERE = Path(__file__).parent
METADATA = HERE / "metadata.json"
COLUMNS = ("underlying", "expiration", "strike", "cp", "bid", "ask", "spot")
VIX_SINCE = "2026-05-22"


def option_closes(source: Path) -> None:
    """One file a session: the columns a monitor needs, dates as dates, rows in contract order."""
    table = pq.read_table(source, columns=["session", *COLUMNS])
    sessions = pc.utf8_slice_codeunits(table["session"], 0, 10)
    table = table.set_column(0, "session", sessions.cast(pa.date32()))
    table = table.set_column(2, "expiration", table["expiration"].cast(pa.date32()))
    order = [(name, "ascending") for name in ("underlying", "expiration", "strike", "cp")]
    for session in sessions.unique().to_pylist():
        one = table.filter(pc.equal(sessions, session)).sort_by(order).replace_schema_metadata(None)
        pq.write_table(
            one, HERE / f"option_closes_{session}.parquet", compression="zstd", compression_level=19
        )


def vix_closes(source: Path) -> None:
    """The closes since `VIX_SINCE`; open, high and low are left out."""
    with gzip.open(source, "rt") as lines:
        rows = [
            (row["date"], row["close"]) for row in csv.DictReader(lines) if row["date"] >= VIX_SINCE
        ]
    with (HERE / "vix_daily.csv").open("w", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(("date", "close"))
        writer.writerows(rows)


def hashes() -> None:
    """Size, rows and SHA-256 of every file that the metadata describe."""
    metadata = json.loads(METADATA.read_text())
    for name, entry in metadata["files"].items():
        content = (HERE / name).read_bytes()
        rows = (
            pq.read_metadata(HERE / name).num_rows
            if name.endswith(".parquet")
            else content.count(b"\n") - 1
        )
        entry |= {
            "bytes": len(content),
            "rows": rows,
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    METADATA.write_text(json.dumps(metadata, indent=2) + "\n")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["option-closes", path]:
            option_closes(Path(path))
        case ["vix-closes", path]:
            vix_closes(Path(path))
        case ["hashes"]:
            hashes()
        case _:
            sys.exit(__doc__)
