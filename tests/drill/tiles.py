"""What each tile of the wall says, from its JSON and the answers of a Prometheus."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tests.support.dashboards import boards, filled, variables
from tests.support.prometheus import Prometheus

HONEST = {
    *("STALE", "NO DATA", "UNKNOWN", "KAFKA AWAY", "UNREACHABLE"),
    *("CRITICAL", "WARNING", "INFO", "MORE"),
}
"""Words that say nothing of the market, or name alerts or their number."""
GAUGE = re.compile(r"dispersion_(?!config_info\b)\w+")
"""Without one a tile shows the mode, the clock or a name, which no age makes wrong."""


class Tile(NamedTuple):
    """One query of a stat or of bars, and how its numbers are spoken."""

    name: str
    expr: str
    words: Mapping[str, str]
    """Value, `nan` or `null` → word."""
    market: bool
    """Whether it goes STALE."""


def wall() -> tuple[dict[str, Any], list[Tile]]:
    """The wall and its tiles."""
    board = boards()["wall.json"]
    return board, [
        tile
        for panel in board["panels"]
        if panel["type"] in {"stat", "bargauge"}
        for tile in _tiles(panel)
    ]


def _tiles(panel: Mapping[str, Any]) -> Iterator[Tile]:
    defaults = panel["fieldConfig"]["defaults"]
    words = {"null": str(defaults.get("noValue", ""))}
    for mapping in _mappings(panel):
        options = mapping["options"]
        if mapping["type"] == "special":
            kinds = {"null+nan": ("null", "nan")}.get(options["match"], (options["match"],))
            words |= dict.fromkeys(kinds, str(options["result"].get("text", "")))
        elif mapping["type"] == "value":
            words |= {key: str(one.get("text", "")) for key, one in options.items()}
    for target in panel["targets"]:
        market = "STALE" in words.values() and GAUGE.search(target["expr"]) is not None
        name = f"{panel['id']} {panel.get('title') or target.get('legendFormat', '')}"
        yield Tile(name, target["expr"], words, market)


def _mappings(panel: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    config = panel["fieldConfig"]
    yield from config["defaults"].get("mappings", [])
    for override in config.get("overrides", []):
        for one in override["properties"]:
            if one["id"] == "mappings":
                yield from one["value"]


class Looker:
    """Asks all tiles at once, as a browser would."""

    def __init__(self, prometheus: Prometheus) -> None:
        self._prometheus = prometheus
        board, self.tiles = wall()
        self._values = variables(prometheus, board)

    def said(self) -> dict[str, list[str]]:
        """Tile → the word or number of each of its series."""
        return {f"{tile.name} {number}": self._said(tile) for number, tile in enumerate(self.tiles)}

    def lies(self) -> list[str]:
        """Tiles that show a number or a calm word, where STALE is due."""
        found = self.said()
        return [
            f"{name.strip()}: {', '.join(words)}"
            for (name, words), tile in zip(found.items(), self.tiles, strict=True)
            if tile.market and any(word not in HONEST for word in words)
        ]

    def numbers(self) -> int:
        """Tiles of the market that show a number or a word of the market."""
        return len(self.lies())

    def _said(self, tile: Tile) -> list[str]:
        found = self._prometheus.query(filled(tile.expr, self._values))
        spoken = [self._spoken(tile, value) for _, value in found]
        return spoken or [tile.words["null"] or "NO DATA"]

    @staticmethod
    def _spoken(tile: Tile, value: float) -> str:
        if math.isnan(value):
            return tile.words.get("nan", tile.words["null"])
        return tile.words.get(f"{value:g}") or f"{value:g}"
