"""JSON Schema of every event."""

from __future__ import annotations

import json
import operator
from functools import reduce
from typing import TYPE_CHECKING, Any

import msgspec

from hotline.documents.field_docs import field_docs
from hotline.events import SCHEMA, YEAR_MAX, YEAR_MIN
from hotline.subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Sequence

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def event_schemas() -> str:
    """One schema (draft 2020-12) that takes any event of any subject."""
    events = [event for subject in SUBJECTS.values() for event in subject.events]
    schema = msgspec.json.schema(reduce(operator.or_, events))
    describe(schema["$defs"], events)
    return as_json(
        {
            "$schema": DIALECT,
            "title": f"Events of a city service hotline, schema version {SCHEMA}",
            "description": (
                f"Times are ISO 8601 with an offset, whole seconds, of the years {YEAR_MIN} to {YEAR_MAX}. "
                "Lengths of names are limited in UTF-8 bytes. Unknown fields are ignored; fields are only ever added."
            ),
            **schema,
        }
    )


def describe(definitions: dict[str, Any], structs: Sequence[type[msgspec.Struct]]) -> None:
    """Give each field of the definitions the words that its struct has for it."""
    for struct in structs:
        properties = definitions[struct.__name__]["properties"]
        for field, words in field_docs(struct).items():
            properties[field]["description"] = words


def as_json(value: object) -> str:
    """Lay out the text of a committed JSON file."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
