"""The page of events: types, fields, vocabularies, reasons of dead letters."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from hotline.dead_letters import ORIGINAL_BYTES_MAX, REASONS
from hotline.documents.field_docs import field_docs
from hotline.documents.markdown import code, codes, page, table
from hotline.documents.report_names import PREFIXES, REPLACED
from hotline.events import NAME_BYTES_MAX, SATISFIED, SCHEMA, SECONDS_MAX, WORDS, YEAR_MAX, YEAR_MIN, Event
from hotline.events.calls import CallEvent
from hotline.events.rules import REQUIRED
from hotline.events.tickets import TicketEvent
from hotline.subjects import SUBJECTS, Subject

_COMMON: dict[str, type[Event]] = {"calls": CallEvent, "tickets": TicketEvent}
_KINDS = {"date-time": "time", "string": "name"}


def event_page() -> str:
    """All that a sender must know."""
    return page(
        "Events",
        f"Schema version {SCHEMA}. Fields are only ever added. As JSON Schema: [events.json](schemas/events.json); "
        "topics and blocks: [asyncapi.json](schemas/asyncapi.json).",
        f"Times state their offset, count in whole seconds and lie in the years {YEAR_MIN} to {YEAR_MAX}. Names are "
        f"trimmed, hold no control characters and have at most {NAME_BYTES_MAX} UTF-8 bytes. Durations end in `_s`, "
        f"are whole seconds and at most {SECONDS_MAX}. A field that is not stated says nothing about it.",
        "How to send them: [sending.md](sending.md). There `born_at` may be left out.",
        "## Every event",
        inspect.cleandoc(Event.__doc__ or ""),
        _fields(Event, set()),
        *(part for subject in SUBJECTS.values() for part in _subject(subject)),
        "## Words",
        "These fields hold one of a closed list of words. An unknown word is a dead letter.",
        table(["field", "words"], [(code(name), codes(words)) for name, words in WORDS.items()]),
        f"Counted as satisfied: {codes(SATISFIED)}.",
        "## Names of the reference year",
        "The figures of the reference year's annual report name these events a little differently:",
        table(["there", "here"], _report_names()),
        "## Dead letters",
        f"What cannot be taken is kept with its reason, the first {ORIGINAL_BYTES_MAX // 1024} KiB of its bytes and "
        "where it came from. The other events of its block are counted.",
        table(["reason", "what it says"], [(code(reason), words) for reason, words in REASONS.items()]),
    )


def _report_names() -> list[tuple[str, str]]:
    prefixes = [(code(f"{theirs}…"), code(f"{ours}…")) for theirs, ours in PREFIXES.items()]
    return [*prefixes, *((code(theirs), code(ours)) for theirs, ours in REPLACED.items())]


def _subject(subject: Subject) -> list[str]:
    common = _COMMON[subject.name]
    known = set(common.__struct_fields__)
    return [
        f"## Events of a {subject.singular}",
        "Events of equal time are read in this order.",
        "Any of them may state:",
        _fields(common, set(Event.__struct_fields__)),
        *(part for event in subject.events for part in _event(event, known)),
    ]


def _event(event: type[Event], known: set[str]) -> list[str]:
    heading = [f"### `{event.__struct_config__.tag}`", inspect.cleandoc(event.__doc__ or "")]
    own = set(event.__struct_fields__) - known
    return [*heading, _fields(event, known)] if own else heading


def _fields(struct: type[Event], known: set[str]) -> str:
    """List the fields of a struct but those that are known."""
    properties = _properties(struct)
    rows = [
        (code(name), _kind(properties[name]), _presence(name, properties[name]), field_docs(struct).get(name, ""))
        for name in struct.__struct_fields__
        if name not in known
    ]
    return table(["field", "holds", "", ""], rows)


def _properties(struct: type[Event]) -> dict[str, Any]:
    schema = msgspec.json.schema(struct)
    definition = schema["$defs"][struct.__name__]
    for name in definition["required"]:
        definition["properties"][name]["required"] = True
    return dict(definition["properties"])


def _presence(name: str, schema: dict[str, Any]) -> str:
    if name in REQUIRED or schema.get("required"):
        return "required"
    default = schema.get("default")
    return "" if default is None else f"default {str(default).lower() if isinstance(default, bool) else default}"


def _kind(schema: dict[str, Any]) -> str:
    inner = next((option for option in schema.get("anyOf", ()) if option.get("type") != "null"), schema)
    if "enum" in inner:
        return "one of " + codes(str(word) for word in inner["enum"] if word is not None)
    kind = str(inner.get("format", inner["type"]))
    return _KINDS.get(kind, kind)
