"""A request to fold again what was born on some days: an input record of measure, beside blocks.

It is no event. A changed fold, deadline rule or calendar makes other rows of the same events; measure answers with
ordinary outputs that bring those rows and what they change in the sums. A second time they change nothing.
"""

from __future__ import annotations

import msgspec

DAYS_MAX = 65_535
"""Days of one request: with `PLACE_BITS` the places of its slices fill the 32 bits of a source's `last`."""
PLACE_BITS = 16
"""Places within a birth day: the highest bits of an entity's key."""


class RefoldError(ValueError):
    """The bytes are no request."""


class Refold(msgspec.Struct, frozen=True, kw_only=True, tag="refold"):
    """Fold again what was born on `days` days of UTC from `first_day` on (days since 1970-01-01).

    No days at all ask for an output of nothing, which tells the versions of who measures a partition. A worker whose
    rows would have a lower version than asked for folds nothing and answers with its own versions.
    """

    first_day: int
    days: int
    fold: int = 0
    rule: int = 0
    calendar: int = 0

    @property
    def end(self) -> int:
        """Place after the last: slices of the answer run from 0 to here."""
        return self.days << PLACE_BITS

    def encode(self) -> bytes:
        """The record's value."""
        return msgspec.json.encode(self)


_DECODER = msgspec.json.Decoder(Refold)


def decode(value: bytes | None) -> Refold:
    """The request in a record's value. Raises RefoldError."""
    try:
        found = _DECODER.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefoldError(f"no request to fold again: {error}") from error
    if not 0 <= found.days <= DAYS_MAX:
        raise RefoldError(f"a request to fold again {found.days} days: 0 to {DAYS_MAX} is what one may ask for")
    return found
