"""What is wrong with an event, told so that its sender can act on it.

Only refused events come here, so this is plain Python, field by field, and reads the rules a second time: a test holds
that it finds something exactly where decoding or `hotline.events.rules` do. No message repeats a value: it may be
anything, a telephone number too.
"""

from __future__ import annotations

import codecs
import difflib
import itertools
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
import polars as pl

from hotline.columns import TIME
from hotline.events import NAME_BYTES_MAX, SCHEMA, SECONDS_MAX, WORDS, YEAR_MAX, YEAR_MIN
from hotline.events.envelope import REVISION_MAX
from hotline.events.rules import REQUIRED, REQUIRED_OF, UNTIDY
from hotline.names import JSON_BYTES_MAX
from hotline.pseudonyms import PERSONAL_FIELDS
from hotline.subjects import SUBJECTS, Subject
from streams.intake.arriving import BIRTHS

Refusal = tuple[str, str]
"""A reason of `hotline.dead_letters.REASONS`, and the detail."""

_SUBJECT_OF = {kind: subject for subject in SUBJECTS.values() for kind in subject.types}
_FIELDS_OF = {
    str(event.__struct_config__.tag): event.__struct_fields__
    for subject in SUBJECTS.values()
    for event in subject.events
}
_NEVER_NULL = ("revision", "schema", "direction", "valid")
_UNTIDY = re.compile(UNTIDY)
_KIND_OF = {
    bool: "true or false",
    int: "a number",
    float: "a number with a fraction",
    str: "a text",
    list: "a list",
    dict: "an object",
    type(None): "null",
}
_NEAR_CHARS_MAX, _NEAR_FIELDS_MAX = 50, 100
"""Where a name that was meant is looked for: finding near names among a million bytes takes seconds."""
_LONGEST = {"revision": REVISION_MAX, "schema": 65_535}


def parsed(value: bytes | None) -> Any:
    """The JSON in a record, or None when it is none; of any shape."""
    try:
        return msgspec.json.decode((value or b"").decode())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def refusal(value: bytes | None) -> Refusal | None:
    """The first thing wrong with a record, None when nothing is."""
    if not value:
        return "undecodable", "the record is empty; send one JSON object a record"
    if len(value) > JSON_BYTES_MAX:
        return "too_large", f"the record has {len(value)} bytes; send at most {JSON_BYTES_MAX}, one event a record"
    try:
        found = msgspec.json.decode(value.decode())
    except UnicodeDecodeError as error:
        return "undecodable", f"byte {error.start} is no UTF-8; send UTF-8"
    except (msgspec.MsgspecError, RecursionError) as error:
        return "undecodable", _no_json(value, error)
    if not isinstance(found, dict):
        return "undecodable", f"the record holds {_KIND_OF[type(found)]}; send one JSON object a record"
    return of_object(found)


def _no_json(value: bytes, error: Exception) -> str:
    if value.startswith(codecs.BOM_UTF8):
        return "the record begins with a byte order mark; send UTF-8 without one"
    return f"it is no JSON ({error}); send one JSON object a record"


def of_object(event: Mapping[str, Any]) -> Refusal | None:
    """The first thing wrong with an event, None when nothing is."""
    return next(_problems(event), None)


def _problems(event: Mapping[str, Any]) -> Iterator[Refusal]:
    kind = event.get("type")
    if not isinstance(kind, str):
        yield _absent("type", "the kind of event", event) if kind is None else _wrong("type", kind, "a text")
        return
    if kind not in _SUBJECT_OF:
        near = difflib.get_close_matches(kind, _SUBJECT_OF, 1) if len(kind) <= _NEAR_CHARS_MAX else []
        hint = f"; did you mean {near[0]}?" if near else "; see the event types in docs/events.md"
        yield "unknown_type", f"type holds no known event type{hint}"
        return
    schema = event.get("schema", SCHEMA)
    if type(schema) is int and schema > SCHEMA:
        yield "unknown_schema", f"schema is above {SCHEMA}; send schema {SCHEMA}, or upgrade the hotline"
    for name in _FIELDS_OF[kind]:
        yield from _of_field(_SUBJECT_OF[kind], kind, name, event)
    if event.get("revision") and event.get("id") is None:
        yield "missing_field", "id is absent, and revision is above 0; state the id of the event that it corrects"


def _of_field(subject: Subject, kind: str, name: str, event: Mapping[str, Any]) -> Iterator[Refusal]:
    value = event.get(name)
    if value is None:
        required = name in REQUIRED or name in REQUIRED_OF.get(kind, ())
        never_null = name in event and (name in _NEVER_NULL or (name == "leg" and kind == "ticket.answered_online"))
        if required and name != "born_at":
            yield _absent(name, _wanted(subject, name), event)
        elif never_null:
            yield _wrong(name, value, f"{_wanted(subject, name)}, or leave the field out")
        return
    dtype = subject.columns[name]
    if dtype == TIME:
        yield from _of_time(name, value)
    elif dtype == pl.Boolean:
        if not isinstance(value, bool):
            yield _wrong(name, value, "true or false")
    elif dtype.is_integer():
        yield from _of_number(name, value)
    elif name in WORDS:
        yield from _of_word(name, value)
    else:
        yield from _of_name(name, value)


def _of_time(name: str, value: Any) -> Iterator[Refusal]:
    wanted = "a text such as 2023-03-01T09:00:00+08:00"
    if not isinstance(value, str):
        yield _wrong(name, value, wanted)
        return
    try:
        instant = msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        yield "bad_value", f"{name} is a text that is no time; send {wanted}"
        return
    if instant.tzinfo is None:
        yield "bad_value", f"{name} is a time without an offset; send it with one, as in {wanted}"
    elif (
        not datetime.fromisoformat(f"{YEAR_MIN}-01-01T00:00:00Z")
        <= instant
        < datetime.fromisoformat(f"{YEAR_MAX + 1}-01-01T00:00:00Z")
    ):
        yield "time_out_of_range", f"{name} lies outside the years {YEAR_MIN} to {YEAR_MAX} (UTC); correct it"


def _of_number(name: str, value: Any) -> Iterator[Refusal]:
    most = _LONGEST.get(name, SECONDS_MAX)
    if type(value) is not int:
        yield _wrong(name, value, "a whole number")
    elif not 0 <= value <= most:
        yield "bad_value", f"{name} is a number out of bounds; send a whole number from 0 to {most}"


def _of_word(name: str, value: Any) -> Iterator[Refusal]:
    words = ", ".join(WORDS[name])
    if not isinstance(value, str):
        yield _wrong(name, value, f"one of {words}")
    elif value not in WORDS[name]:
        yield "unknown_word", f"{name} holds another word; send one of {words}"


def _of_name(name: str, value: Any) -> Iterator[Refusal]:
    if not isinstance(value, str):
        yield _wrong(name, value, "a text")
    elif not value:
        reason = "missing_field" if name in REQUIRED else "bad_value"
        yield reason, f"{name} is an empty text; {'state it' if name in REQUIRED else 'leave the field out'}"
    elif name in PERSONAL_FIELDS:  # what is stored is its pseudonym, which is short and tidy
        if len(value) > NAME_BYTES_MAX:
            yield "too_large", f"{name} has more than {NAME_BYTES_MAX} characters; shorten it"
    elif len(value.encode()) > NAME_BYTES_MAX:
        yield "too_large", f"{name} has more than {NAME_BYTES_MAX} bytes in UTF-8; shorten it"
    elif _UNTIDY.search(value):
        yield "bad_value", f"{name} begins or ends with a blank, or holds a control character; send it without"


def _wanted(subject: Subject, name: str) -> str:
    if subject.columns[name] == TIME:
        return "a text such as 2023-03-01T09:00:00+08:00"
    if name in WORDS:
        return f"one of {', '.join(WORDS[name])}"
    if subject.columns[name] == pl.Boolean:
        return "true or false"
    return "a whole number" if subject.columns[name].is_integer() else "a text"


def _wrong(name: str, value: Any, wanted: str) -> Refusal:
    return "bad_value", f"{name} is {_KIND_OF[type(value)]}; send {wanted}"


def _absent(name: str, wanted: str, event: Mapping[str, Any]) -> Refusal:
    known = {field for fields in _FIELDS_OF.values() for field in fields}
    others = (field for field in event if field not in known and len(field) <= _NEAR_CHARS_MAX)
    near = difflib.get_close_matches(name, list(itertools.islice(others, _NEAR_FIELDS_MAX)), 1)
    hint = f" (there is a field {near[0]!r})" if near and near[0].isprintable() else ""
    return "missing_field", f"{name} is absent{hint}; send {wanted}"


def future(name: str, ahead_s: int) -> Refusal:
    """What to tell of a time that lies too far in the future."""
    return (
        "future_time",
        f"{name} lies {ahead_s} s in the future; set the clock that it was taken from, then send again",
    )


def unknown(subject: Subject, waited_s: int) -> Refusal:
    """What to tell of an event whose call or ticket nobody knows."""
    first = next(kind for kind in subject.types if kind in BIRTHS)
    return "unknown_ticket", (
        f"born_at is absent, and no {subject.singular} of this source and entity came within {waited_s} s; "
        f"send its {first} first, or state born_at"
    )
