"""The catalogue of measures is complete, and no null of a reading is without its reason."""

import ast
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.catalogue.measures import EVIDENCE, MEASURES, REASON_WHEN_NULL, SCORED
from streams.reading import Book, Earnings, Reading, Rotation
from streams.readings.fields import Fields
from streams.readings.published_reading import published_reading
from tests.support.cross_section_run import VOLS, Run
from tests.support.points_frames import SESSION, quoted, second

ROOT = Path(__file__).parents[4]
PACKAGES = ("agents", "config", "streams", "analytics")
NO_MEASURES = {"refresh_seconds", "constituents"}
"""What may be null and is no measure: they say how a reading was made."""


def nullable(struct: type[msgspec.Struct]) -> set[str]:
    """Measures are null by None; of the others `sectors` alone is one."""
    return {
        field.name
        for field in msgspec.structs.fields(struct)
        if field.default is None or field.name == "sectors"
    }


def test_every_field_that_may_be_null_is_a_row() -> None:
    """The carries of a book are there wherever it is."""
    rows = {one.field for one in MEASURES}
    assert len(rows) == len(MEASURES)
    inner = {f"rotation.{name}" for name in nullable(Rotation)}
    inner |= {f"book.{name}" for name in nullable(Book) - {"vega", "theta", "gamma"}}
    inner |= {f"earnings.{name}" for name in nullable(Earnings)}
    skew = "implied_correlation_skew"
    assert rows == (nullable(Reading) - NO_MEASURES) | inner | {skew}


def test_places_are_taken_once() -> None:
    for place in ("evidence", "scored", "headline", "explained"):
        taken = sorted(getattr(one, place) for one in MEASURES if getattr(one, place))
        assert taken == list(range(1, len(taken) + 1)), place
    assert all(one.heading and one.meaning and one.reason_when_null for one in MEASURES)
    assert set(SCORED) < set(EVIDENCE)


def _forget(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """As if whoever computes a field had forgotten it, its value and its reason."""
    set_value, set_null = Fields.set_value, Fields.set_null

    def value(self: Fields, field: str, *rest: Any) -> None:
        if field != name:
            set_value(self, field, *rest)

    def null(self: Fields, reason: str, *names: str) -> None:
        set_null(self, reason, *(one for one in names if one != name))

    monkeypatch.setattr(Fields, "set_value", value)
    monkeypatch.setattr(Fields, "set_null", null)


OBJECTS = {"rotation", "book", "sectors", "earnings", "implied_correlation_skew"}
"""They are made whole, and not under `Fields`."""

# What others are computed from fails loudly when it is left out.
LEAVES = [
    name
    for name in REASON_WHEN_NULL
    if name.partition(".")[0] not in OBJECTS
    and name not in {"index_vol", "basket_vol", "index_atm_vol", "basket_atm_vol"}
]


@pytest.mark.parametrize("name", LEAVES)
def test_a_field_that_is_left_out_has_its_reason(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = Run().feed(quoted(second(60), VOLS))[0]
    _forget(monkeypatch, name)
    reading = Run().feed(quoted(second(60), VOLS))[0]
    known = getattr(before, name) is not None
    assert getattr(reading, name) is None
    assert reading.reasons[name] == (REASON_WHEN_NULL[name] if known else before.reasons[name])


@pytest.mark.parametrize("name", sorted(nullable(Reading) - NO_MEASURES))
def test_a_reading_with_nothing_computed_explains_every_null(name: str) -> None:
    reading = Fields().reading(**_facts())
    assert reading.reasons[name] == REASON_WHEN_NULL[name]
    daily = published_reading(SESSION, {}, {})
    assert daily.reasons[name]
    assert daily.reasons["coverage"] == "basis_published"


def test_an_object_is_explained_as_a_whole_or_by_its_parts() -> None:
    fields = Fields(reasons={"rotation.index_return": "no_index_ticks"})
    fields.set_null("coverage", "implied_correlation_skew.0.1")
    reading = fields.reading(**_facts(), rotation=Rotation(sector_range=0.01))
    reasons = reading.reasons
    assert reasons["rotation.index_return"] == "no_index_ticks"
    assert reasons["rotation.autocorrelation"] == REASON_WHEN_NULL["rotation.autocorrelation"]
    assert not {"rotation", "rotation.sector_range", "implied_correlation_skew"} & set(reasons)


@pytest.mark.parametrize("name", [name for name in REASON_WHEN_NULL if name.startswith("book.")])
def test_a_part_of_the_book_that_is_null_has_its_reason(name: str) -> None:
    """Known in one reading and null in another, or null there with the reason of its row."""
    book = Run().feed(quoted(second(60), VOLS))[0].book
    assert book is not None
    part = name.removeprefix("book.")
    fields = Fields()
    reading = fields.reading(**_facts(), book=msgspec.structs.replace(book, **{part: None}))
    assert reading.reasons[name] == REASON_WHEN_NULL[name]


def test_sectors_are_there_or_have_a_reason() -> None:
    frame = quoted(second(60), VOLS)
    known = Run(sectors=dict.fromkeys("ABCD", "Tech")).feed(frame)[0]
    assert known.sectors
    assert "sectors" not in known.reasons
    assert Run().feed(frame)[0].reasons["sectors"] == "no_sectors"
    assert Run({}).feed(frame)[0].reasons["sectors"] == "no_basket"
    assert Fields().reading(**_facts()).reasons["sectors"] == REASON_WHEN_NULL["sectors"]


def _facts() -> dict[str, Any]:
    made = msgspec.structs.asdict(published_reading(SESSION, {}, {}))
    return {
        name: made[name] for name in ("ts_event", "session", "index", "tenor", "tenor_days")
    } | {"mode": "replay"}


def test_readings_are_made_in_one_place() -> None:
    makers = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for package in PACKAGES
        for file in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Reading"
    ]
    assert [maker.partition(":")[0] for maker in makers] == ["streams/readings/fields.py"]
