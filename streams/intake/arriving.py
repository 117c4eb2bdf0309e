"""Single events as they arrive: the structs of `hotline.events`, of which `born_at` alone may be left out."""

from __future__ import annotations

import functools
import operator
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta

from hotline.events import Event
from hotline.events.envelope import Instant
from hotline.names import JSON_BYTES_MAX
from hotline.pseudonyms import PERSONAL_FIELDS
from hotline.subjects import SUBJECTS, Subject

BIRTHS = frozenset({"call.offered", "ticket.created"})
"""Types that tell of a birth: where they state none, it is their own time."""

_OTHER_FIELDS: dict[str, tuple[Any, Any]] = {
    "born_at": (Instant | None, None),
    "schema": (Annotated[int, Meta(ge=0, le=65_535)], 1),  # more does not fit a column
}


class NotDecodedError(ValueError):
    """The value is no event; `streams.intake.refusals` says why."""


class Kind(msgspec.Struct, frozen=True):
    """What an arriving event is."""

    name: str
    subject: Subject
    personal: tuple[str, ...]
    """Its fields that hold pseudonyms."""


class Arrival(msgspec.Struct, gc=False):
    """One event with the bytes it came in, and where those stand in its topic."""

    event: Any
    value: bytes
    partition: int
    offset: int
    made: bool
    """Callers and names in it were pseudonyms when it came."""
    origin: str = ""
    """What its dead letter is to say of where it stood, if that is not its place in the current log."""


def _arriving(event: type[Event]) -> type[msgspec.Struct]:
    hints = get_type_hints(event, include_extras=True)
    fields: list[Any] = []
    for field in msgspec.structs.fields(event):
        kind, default = _OTHER_FIELDS.get(field.name, (hints[field.name], field.default))
        fields.append((field.name, kind) if default is msgspec.NODEFAULT else (field.name, kind, default))
    return msgspec.defstruct(
        event.__name__, fields, tag_field="type", tag=str(event.__struct_config__.tag), kw_only=True, gc=False
    )


KINDS: dict[type[msgspec.Struct], Kind] = {
    _arriving(event): Kind(
        str(event.__struct_config__.tag),
        subject,
        tuple(name for name in PERSONAL_FIELDS if name in event.__struct_fields__),
    )
    for subject in SUBJECTS.values()
    for event in subject.events
}
"""Struct of an arriving event → what it is."""

_DECODE = msgspec.json.Decoder(functools.reduce(operator.or_, KINDS)).decode
_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError)


def decode(value: bytes | None) -> Any:
    """The event in a record's value: UTF-8, one JSON object, at most `JSON_BYTES_MAX` bytes; other fields are ignored.

    Raises NotDecodedError.
    """
    if not value or len(value) > JSON_BYTES_MAX:
        raise NotDecodedError
    try:
        if not value.isascii():
            value.decode()  # the decoder does not look into fields that it ignores
        return _DECODE(value)
    except _ERRORS as error:
        raise NotDecodedError from error
