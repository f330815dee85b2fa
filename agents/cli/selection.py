"""What the flags of one run choose among the settings: an index, a basket, a rate."""

from pathlib import Path

from config.errors import ConfigError
from config.settings import IndexSettings, Settings, changed
from streams.symbols import normalise


def select(
    settings: Settings,
    *,
    index: str | None = None,
    basket: Path | None = None,
    rates: Path | None = None,
    rate: float | None = None,
) -> Settings:
    """The settings with these choices made.

    An index that they do not list is watched alone. Raises `ConfigError`.
    """
    if rates is not None and rate is not None:
        raise ConfigError("--rates and --rate exclude each other", fix="give one of them")
    indices = settings.market.indices
    if index is not None:
        symbol = normalise(index)
        indices = tuple(one for one in indices if normalise(one.symbol) == symbol) or (
            IndexSettings(symbol=symbol),
        )
    if basket is not None:
        if len(indices) > 1:
            raise ConfigError(
                "--basket needs to know its index",
                fix=f"add --index, one of {', '.join(one.symbol for one in indices)}",
            )
        indices = (indices[0].model_copy(update={"basket": str(basket.absolute())}),)
    chosen: dict[str, object] = {"indices": [one.model_dump() for one in indices]}
    if rates is not None or rate is not None:
        chosen |= {"rates_file": rates, "rate": rate}
    return changed(settings, {"market": chosen})
