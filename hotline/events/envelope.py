"""What every event carries, whatever it tells."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

SCHEMA = 1
"""Version of the event schema. Fields are only ever added."""

YEAR_MIN, YEAR_MAX = 1990, 2099
"""Accepted years of any time; outside is the dead letter `time_out_of_range`. Both lie inside ClickHouse's DateTime."""

NAME_BYTES_MAX = 200
"""Longest name (line, department, ticket id …) in UTF-8 bytes."""

SECONDS_MAX = 366 * 86_400
"""Longest duration an event may state, in seconds."""

REVISION_MAX = 65_535

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_BYTES_MAX)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=SECONDS_MAX)]
Revision = Annotated[int, msgspec.Meta(ge=0, le=REVISION_MAX)]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """One event of a call or ticket. Times are aware and count in whole seconds.

    An entity is (source, entity, born_at): the source's id and the time the call was offered or the ticket created.
    `revision` above 0 corrects the event of the same `id`, so it needs one.
    """

    source: Name
    entity: Name
    born_at: Instant
    occurred_at: Instant
    id: Name | None = None
    revision: Revision = 0
    received_at: Instant | None = None
    schema: int = SCHEMA
