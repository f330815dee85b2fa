"""One index on the toy basket of the scripted readings, as settings and as a fleet on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from tests.support.fleet import Fleet
from tests.support.readings import INDEX, NAMES, WEIGHTS
from tests.support.stack import Stack, create_flow_topics, environment_for, settings_for


def toy_settings(
    stack: Stack, prefix: str, folder: Path, *, results: int = 2, **sections: Any
) -> Settings:
    """Settings that lead to `stack`; the basket file is written to `folder`, `sections` add to it.

    `results` are the partitions of the results topics; quotes and ticks have one each.
    """
    basket = folder / "toy.toml"
    names = zip(NAMES, WEIGHTS, strict=True)
    rows = (f'[[constituents]]\nsymbol = "{name}"\nweight = {weight}\n' for name, weight in names)
    basket.write_text("".join(rows))
    return settings_for(
        stack,
        prefix,
        mode="replay",
        kafka={"partitions": {"quotes": 1, "ticks": 1, "results": results}},
        market={"indices": [{"symbol": INDEX, "basket": str(basket), "tenors": [30]}]},
        rules={"cap_unknown": False},
        redis={"lease_seconds": 2},
        **sections,
    )


@contextmanager
def toy_fleet(
    stack: Stack, settings: Settings, folder: Path, patch: pytest.MonkeyPatch
) -> Iterator[Fleet]:
    """The topics, workers to start, and this process's commands pointed at them, typed by ann."""
    create_flow_topics(stack, settings)
    for name, value in environment_for(settings).items():
        patch.setenv(name, value)
    patch.setenv("USER", "ann")
    with Fleet(settings, stack.redis.url, folder) as fleet:
        yield fleet
