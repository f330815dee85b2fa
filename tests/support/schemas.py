"""The shipped JSON Schemas, as a subscriber loads them: every file of the folder under its name."""

import json
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from config.schemas.files import contract


def schemas() -> dict[str, dict[str, Any]]:
    """Name → schema."""
    return {
        name: json.loads(file.read_text())
        for name, file in contract().items()
        if file.suffix == ".json"
    }


def validator(name: str) -> Draft202012Validator:
    """A validator of one schema that finds the others."""
    known = schemas()
    registry: Registry[Any] = Registry().with_resources(
        (f"{key}.json", Resource.from_contents(schema)) for key, schema in known.items()
    )
    return Draft202012Validator(known[name], registry=registry, format_checker=FormatChecker())
