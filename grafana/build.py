"""Write every dashboard's JSON beside its code: `python -m grafana.build`."""

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana import wall

OUT = Path(__file__).parent / "dashboards"


def rendered() -> dict[str, str]:
    """File name → JSON text of each dashboard."""
    return {"wall.json": JSONEncoder(sort_keys=True, indent=2).encode(wall.build().build()) + "\n"}


def main() -> None:
    """Write the files."""
    OUT.mkdir(exist_ok=True)
    for name, text in rendered().items():
        (OUT / name).write_text(text)
        print(f"wrote {OUT / name}")


if __name__ == "__main__":
    main()
