"""The working days of the calendar that the settings name, kept in a table: written when others stand there.

Whatever is wrong with a calendar never keeps the sink from storing events.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from hotline.calendar_days import DIGEST_SQL
from hotline.ipc import encode_table
from hotline.marks import digest_of
from hotline.names import CALENDAR_DAYS_TABLE
from hotline.settings import SettingsError
from sinks.inserting import Insert

if TYPE_CHECKING:
    from hotline.settings import Settings
    from hotline.working_time import Calendar
    from sinks.writer.store import Store

log = logging.getLogger("sinks.writer")

Day = tuple[date, bool, bool, str, str]
"""A day, whether it is worked on, whether it is listed by date, and its names in English and Chinese."""

_TYPES = {
    "day": pa.date32(),
    "working": pa.bool_(),
    "listed": pa.bool_(),
    "holiday": pa.string(),
    "holiday_zh": pa.string(),
    "calendar": pa.string(),
    "version": pa.uint8(),
    "digest": pa.uint64(),
    "epoch": pa.uint64(),
}
WITHDRAWN_DAY = date(1970, 1, 1)
"""The one day of no calendar, which takes another one's place: it is no working day."""


def keep_working_days(store: Store, settings: Settings) -> None:
    """Write the days of the calendar of the settings, unless they stand. Raises StoppedError when told to stop."""
    if not store.columns(CALENDAR_DAYS_TABLE):
        log.warning("there is no table %s: apply the migrations, then start the sink again", CALENDAR_DAYS_TABLE)
        return
    from hotline.working_time import load_calendar

    try:
        calendar = load_calendar(settings)
    except SettingsError as error:
        log.error("working days stay as they are stored: %s", error)  # noqa: TRY400 the message says it all
        return
    days = _days(calendar)
    digest = digest_of(repr((calendar.name, calendar.version, days)).encode())
    stands = store.retry(lambda client: int(client.query(DIGEST_SQL).result_rows[0][0]))
    if digest == stands or (not stands and not calendar.working):
        return
    store.insert(_insert(days, [calendar.name, calendar.version, digest, store.epoch]))
    log.info("working days are now those of the calendar %s, version %d", calendar.name, calendar.version)


def _insert(days: list[Day], same: list[str | int]) -> Insert:
    """All days, each with what is the same for all of them, under a token of the sink's epoch."""
    columns = [*zip(*days, strict=True), *([value] * len(days) for value in same)]
    table = pa.table([pa.array(values, kind) for values, kind in zip(columns, _TYPES.values(), strict=True)], [*_TYPES])
    token = f"calendar/{same[-1]}"
    return Insert(table=CALENDAR_DAYS_TABLE, token=token, columns=(*_TYPES,), rows=len(days), body=encode_table(table))


def _days(calendar: Calendar) -> list[Day]:
    """Each day that a calendar knows; of no calendar the one that stands for none."""
    if not calendar.working:
        return [(WITHDRAWN_DAY, False, False, "", "")]
    known = (calendar.first + timedelta(days=at) for at in range((calendar.last - calendar.first).days + 1))
    return [
        (day, day in calendar.working, day in calendar.listed, *calendar.listed.get(day, ("", ""))) for day in known
    ]
