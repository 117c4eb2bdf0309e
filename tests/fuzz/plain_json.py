"""A second reading of a single JSON event, in plain Python with its own decoder; it says where it is not sure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from hotline.events import NAME_BYTES_MAX
from hotline.names import JSON_BYTES_MAX
from hotline.pseudonyms import PERSONAL_FIELDS
from hotline.subjects import SUBJECTS
from tests.fuzz.plain_reading import TIMES, breach

_ISO = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DEPTH_MAX = 100
_NEVER_NULL = ("revision", "schema", "direction", "valid")


class UnsureError(Exception):
    """This reading does not know."""


def plainly_wrong(value: bytes | None) -> str | None:
    """What is wrong with a record, "" for nothing, None where this reading is not sure."""
    if not value or len(value) > JSON_BYTES_MAX:
        return "its size"
    doubled: list[str] = []

    def of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        doubled.extend(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        return dict(pairs)

    try:
        event = json.loads(value.decode(), object_pairs_hook=of_pairs, parse_constant=_no_number)
        json.dumps(event, ensure_ascii=False).encode()
    except RecursionError:
        return None
    except ValueError:
        return "it is no JSON"
    if doubled or _depth(event) > _DEPTH_MAX:
        return None
    return _wrong_event(event) if isinstance(event, dict) else "it is no object"


def _no_number(text: str) -> float:
    raise ValueError(text)


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [inner for one in level for inner in _inside(one)]
    return depth


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _wrong_event(event: dict[str, Any]) -> str | None:
    kind = event.get("type")
    found = [(s, struct) for s in SUBJECTS.values() for struct in s.events if struct.__struct_config__.tag == kind]
    if not found:
        return "its type"
    subject, struct = found[0]
    row: dict[str, Any] = {"type": kind}
    try:
        for name in struct.__struct_fields__:
            if name in event:
                row[name] = _read(name, event[name], kind)
    except UnsureError:
        return None
    except ValueError as error:
        return str(error)
    row["born_at"] = row.get("born_at") or row.get("occurred_at")
    return breach(subject, {name: value for name, value in row.items() if value is not None}) or ""


def _read(name: str, value: Any, kind: Any) -> Any:
    """The value of a field. Raises ValueError for one that is wrong, UnsureError."""
    if value is None:
        if name in _NEVER_NULL or (name == "leg" and kind == "ticket.answered_online"):
            raise ValueError(f"{name} is null")
        return None
    if name in TIMES:
        return _time(name, value)
    if name in {"revision", "schema"}:
        good = type(value) is int and 0 <= value <= 65_535
    elif name in {"valid", "resolved"}:
        good = type(value) is bool
    elif name in PERSONAL_FIELDS:  # what is judged later is its pseudonym
        good = isinstance(value, str) and 0 < len(value) <= NAME_BYTES_MAX
        value = "a pseudonym"
    else:
        good = True
    if not good:
        raise ValueError(f"{name} is {value!r:.40}")
    return value


def _time(name: str, value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")  # noqa: TRY004 what is wrong with a value is a ValueError here
    if not _ISO.fullmatch(value):
        raise UnsureError
    try:
        read = datetime.fromisoformat(value.upper()).replace(microsecond=0)
    except ValueError as error:
        raise UnsureError from error
    try:
        return read.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{name} lies outside of all years") from error
