"""Write the schemas that follow from the code: `python -m config.schemas.build`.

A test holds the files to it. The schema of a reading comes from its struct. That of an event type
is the alert schema with what a transition implies, so that a subscriber to one type can validate
exactly that.
"""

import json
from typing import Any, Final

import msgspec

from config.schemas.files import FOLDER
from streams.reading import Reading
from streams.report.document import Report

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
ACTIVE: Final = ("pending", "firing", "suspended")
TRANSITIONS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "pending": (("pending",), ("inactive",)),
    "firing": (("firing",), ("inactive", "pending")),
    "updated": (("firing",), ("firing",)),
    "suspended": (("suspended",), ("pending", "firing")),
    "resumed": (("pending", "firing"), ("suspended",)),
    "resolved": (("resolved",), ACTIVE),
    "acknowledged": (ACTIVE, ACTIVE),
    "silenced": (ACTIVE, ACTIVE),
    "unsilenced": (ACTIVE, ACTIVE),
}
"""Transition → statuses after it, and before it."""

Schema = dict[str, Any]


def rendered() -> dict[str, str]:
    """File name → JSON text of each schema that is made here."""
    made = {"reading.v1.json": reading(), "report.v1.json": report()} | {
        f"alert.{name}.v1.json": transition(name) for name in TRANSITIONS
    }
    return {name: json.dumps(schema, indent=2) + "\n" for name, schema in made.items()}


def reading() -> Schema:
    """A record of the readings topic."""
    schema = msgspec.json.schema(Reading)
    parts = schema["$defs"]
    whole = parts.pop("Reading")
    whole["properties"]["ts_event"] |= {"format": "date-time", "pattern": "Z$"}
    for part in (whole, *parts.values()):
        part["description"] = part["description"].partition("\n")[0]
    about = "Fields may be added within version 1; docs/numbers/methodology.md explains them."
    whole["description"] = f"{whole['description']} {about}"
    return {"$schema": DIALECT, "$id": "urn:dispersion:schema:reading:1", **whole, "$defs": parts}


def report() -> Schema:
    """What `dispersion report --json` prints."""
    schema = msgspec.json.schema(Report)
    parts = schema["$defs"]
    whole = parts.pop("Report")
    return {"$schema": DIALECT, "$id": "urn:dispersion:schema:report:1", **whole, "$defs": parts}


def transition(name: str) -> Schema:
    """An alert event of one type."""
    after, before = TRANSITIONS[name]
    data = {
        "transition": {"const": name},
        "status": {"enum": [*after]},
        "previous_status": {"enum": [*before]},
    }
    this = {
        "type": {"const": f"io.dispersion.alert.{name}.v1"},
        "data": {"type": "object", "properties": data},
    }
    return {
        "$schema": DIALECT,
        "title": f"Alert event: {name}",
        "allOf": [{"$ref": "alert.v1.json"}, {"type": "object", "properties": this}],
    }


def main() -> None:
    """Write the files."""
    for name, text in rendered().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
