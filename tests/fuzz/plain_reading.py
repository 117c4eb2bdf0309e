"""A second reading of what makes an event good, one event at a time in plain Python: slow, short, and by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hotline.events import NAME_BYTES_MAX, SECONDS_MAX, WORDS, YEAR_MAX, YEAR_MIN
from hotline.subjects import Subject

_REQUIRED = ("type", "source", "entity", "born_at", "occurred_at")
TIMES = {"born_at", "occurred_at", "received_at", "due_at", "dispatched_at"}
_SECONDS = {"wait_s", "talk_s"}
_OTHERS = {"type", "revision", "schema", "valid", "resolved", "digest", "problem", "original", "origin", "detail"}


def breach(subject: Subject, event: Mapping[str, Any]) -> str | None:
    """What is wrong with the columns of an event, in words; None for a good one."""
    if event.get("type") not in subject.types:
        return f"type {event.get('type')!r}"
    for name in _REQUIRED:
        if event.get(name) is None:
            return f"no {name}"
    if event.get("schema", 1) > 1:
        return "schema"
    if event.get("revision") and event.get("id") is None:
        return "a revision without id"
    if event["type"] == "ticket.due_changed" and event.get("due_at") is None:
        return "no due_at"
    found = ((name, _of_value(name, value)) for name, value in event.items() if value is not None)
    return next((f"{name}: {wrong}" for name, wrong in found if wrong), None)


def _of_value(name: str, value: Any) -> str | None:
    if name in TIMES:
        return _of_time(value)
    if name in _SECONDS:
        return None if type(value) is int and 0 <= value <= SECONDS_MAX else f"no duration: {value!r}"
    if name in WORDS:
        return None if value in WORDS[name] else f"another word: {value!r}"
    return None if name in _OTHERS else _of_name(value)


def _of_time(value: Any) -> str | None:
    if not isinstance(value, datetime) or value.tzinfo is None:
        return f"no time: {value!r}"
    if value.microsecond:
        return "parts of a second"
    return None if YEAR_MIN <= value.astimezone(UTC).year <= YEAR_MAX else f"the year of {value}"


def _of_name(value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return f"no name: {value!r}"
    if value != value.strip() or any(ord(char) < 32 or ord(char) == 127 for char in value):
        return f"untidy: {value!r}"
    return None if len(value.encode()) <= NAME_BYTES_MAX else "too long"
