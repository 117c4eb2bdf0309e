"""What is kept of a refused event: enough to correct it and to send it again, and nothing personal."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from hotline.dead_letters import ORIGINAL_BYTES_MAX
from hotline.events import NAME_BYTES_MAX
from hotline.pseudonyms import PERSONAL_FIELDS, pseudonym
from hotline.subjects import SUBJECTS
from streams.intake.refusals import parsed

UNREADABLE_BYTES_MAX = 4096
"""Bytes kept of a record that is no JSON object."""

_FIELDS = {name for subject in SUBJECTS.values() for name in subject.columns}
_LONG_NUMBER = re.compile(rb"\d{7,}")


def kept(value: bytes | None, key: bytes, *, pseudonymised: bool) -> bytes:
    """The part of a record that may be stored.

    Of a JSON object: the fields that events have, callers and names as pseudonyms; other fields (most likely free text)
    not at all. What was too long stays just too long, and what was of another kind stays of that kind: sending it again
    must not make it acceptable. Of anything else the beginning, with each number of seven digits or more made
    unreadable, as it may be somebody's telephone.
    """
    found = parsed(value)
    if not isinstance(found, dict):
        return _masked((value or b"")[:UNREADABLE_BYTES_MAX])
    safe = {name: _safe(name, found[name], key, pseudonymised) for name in found if name in _FIELDS}
    return msgspec.json.encode(safe)


def unread(value: bytes | None) -> bytes:
    """What may be stored of a record that nobody can read and live: no more than its bytes is looked at."""
    return _masked((value or b"")[:ORIGINAL_BYTES_MAX])


def _masked(value: bytes) -> bytes:
    return _LONG_NUMBER.sub(lambda number: b"#" * len(number[0]), value)


def _safe(name: str, value: Any, key: bytes, pseudonymised: bool) -> Any:  # noqa: FBT001 it only passes through
    if isinstance(value, dict | list):
        return type(value)()
    if name in PERSONAL_FIELDS and value is not None:
        return _person(value, key, pseudonymised=pseudonymised)
    return value[: NAME_BYTES_MAX + 1] if isinstance(value, str) else value


def _person(value: Any, key: bytes, *, pseudonymised: bool) -> Any:
    if not isinstance(value, str):
        return 0
    if pseudonymised or not value:
        return value[: NAME_BYTES_MAX + 1]
    return pseudonym(value.strip(), key) if len(value) <= NAME_BYTES_MAX else "#" * (NAME_BYTES_MAX + 1)
