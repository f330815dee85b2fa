"""The files of the contract by name: what `dispersion schema print` shows."""

from pathlib import Path

FOLDER = Path(__file__).parent
ASYNCAPI = FOLDER.parent / "asyncapi.yaml"


def contract() -> dict[str, Path]:
    """Name → file: `asyncapi`, and of each schema its file name without the ending."""
    return {"asyncapi": ASYNCAPI} | {
        file.name.removesuffix(".json"): file for file in sorted(FOLDER.glob("*.json"))
    }
