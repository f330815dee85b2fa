"""What is monitored, made of what a person typed."""

from config.baskets import find_basket, load_basket
from config.dividends import load_dividends
from config.errors import ConfigError
from config.event_calendars import load_reports
from config.rates import load_rates
from config.settings import IndexSettings, MarketSettings, Settings
from streams.market import Basket, IndexSpec, Market, Rates
from streams.symbols import normalise


def market_of(settings: Settings) -> Market:
    """The market of the settings, baskets and rates read from their files. Raises `ConfigError`."""
    chosen = settings.market
    return Market(
        indices=tuple(_index(one) for one in chosen.indices),
        rates=_rates(chosen),
        dividends=() if chosen.dividends_file is None else load_dividends(chosen.dividends_file),
        earnings=None if chosen.calendar_file is None else load_reports(chosen.calendar_file),
        am_roots=chosen.am_roots,
        allowed_lateness=chosen.allowed_lateness,
        strict_expiries=chosen.strict_expiries,
        mode=settings.mode,
    )


def _index(chosen: IndexSettings) -> IndexSpec:
    symbol = normalise(chosen.symbol)
    if not symbol:
        raise ConfigError(
            f"{chosen.symbol!r} is no symbol",
            key="market.indices.symbol",
            fix='write symbol = "SPY"',
        )
    basket = load_basket(find_basket(chosen.basket)) if chosen.basket else Basket()
    return IndexSpec(symbol, basket, chosen.tenors, chosen.references)


def _rates(chosen: MarketSettings) -> Rates:
    if chosen.rates_file is not None:
        return load_rates(chosen.rates_file)
    if chosen.rate is None:
        raise ConfigError(
            "no risk-free rate",
            key="market.rate",
            fix="set market.rate (0.0364) or market.rates_file",
        )
    return Rates(constant=chosen.rate)
