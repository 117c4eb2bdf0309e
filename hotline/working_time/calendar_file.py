"""Calendars given as data: week hours, breaks, holidays, extra working days, a zone; see docs/working-time.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from hotline.working_time.calendar import EPOCH, VERSION_MAX, Calendar, Holiday, Span
from hotline.working_time.chinese import Exchanged, chinese, exchanged
from hotline.working_time.clocks import DAYS, FIRST_DAY
from hotline.working_time.reading import read, wrong
from hotline.zone_names import zone as zone_of

Clock = Annotated[str, Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
"""A time on the wall, such as "08:30"; "24:00" ends a day."""
Spans = list[tuple[Clock, Clock]]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_KNOWN_FIRST, _KNOWN_LAST = (date.fromordinal(EPOCH + FIRST_DAY + at) for at in (1, DAYS - 2))


class Week(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The hours of each weekday; one that is not named is no working day."""

    mon: Spans = []
    tue: Spans = []
    wed: Spans = []
    thu: Spans = []
    fri: Spans = []
    sat: Spans = []
    sun: Spans = []


class CalendarFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a calendar file holds."""

    format: Literal[1]
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    version: Annotated[int, Meta(ge=1, le=VERSION_MAX)]
    zone: str
    first_day: date
    last_day: date
    week: Week
    breaks: Spans = []
    """Cut out of every day's hours."""
    holidays: list[date] = []
    extra_days: list[date] = []
    extra_hours: Spans = []
    """Hours of a working day whose weekday has none: an extra day, a working weekend of the base."""
    base: str = ""
    """`cn-` and the version of the Chinese calendar whose holidays and working weekends are added; the file's win."""


def calendar_from(file: Path) -> Calendar:
    """The calendar in a file. Raises WorkingTimeError."""
    return calendar_of(read(file, CalendarFile), file)


def calendar_of(given: CalendarFile, file: Path | str) -> Calendar:
    """The calendar of a file's content; `file` is for the messages. Raises WorkingTimeError."""
    _check(given, file)
    days = (given.first_day + timedelta(days=at) for at in range((given.last_day - given.first_day).days + 1))
    hours = _Hours(given, file)
    working = {day: spans for day in days if (spans := hours.of(day))}
    if not working:
        raise wrong(file, "week", "no day has any hours", "give those of a day, such as mon = [['09:00', '17:00']]")
    return Calendar(
        name=given.name,
        version=given.version,
        zone=given.zone,
        first=given.first_day,
        last=given.last_day,
        working=working,
        remedy=f"list the holidays of the years that follow in {file}, move last_day, raise version, and restart",
        listed={day: hours.listed[day] for day in sorted(hours.listed) if given.first_day <= day <= given.last_day},
    )


class _Hours:
    """The hours of any day of a calendar file."""

    def __init__(self, given: CalendarFile, file: Path | str) -> None:
        breaks = _spans(given.breaks, file, "breaks")
        exchanged = _base(given, file)
        self._holidays = set(given.holidays) | (exchanged.holidays.keys() - set(given.extra_days))
        self._extra = set(given.extra_days) | exchanged.working_weekends.keys()
        self._extra_hours = list(_cut(_spans(given.extra_hours, file, "extra_hours"), breaks))
        self.listed = _listed(given, exchanged)
        week = [_spans(getattr(given.week, day), file, f"week.{day}") for day in WEEKDAYS]
        self._week = [list(_cut(spans, breaks)) if spans else None for spans in week]

    def of(self, day: date) -> Sequence[Span]:
        """Its spans; none when it is no working day."""
        if day in self._holidays:
            return ()
        of_week = self._week[day.weekday()]
        if of_week is None:
            return self._extra_hours if day in self._extra else ()
        return of_week


def _listed(given: CalendarFile, base: Exchanged) -> dict[date, Holiday]:
    """Days that are named by date, with the base's names where the file does not say otherwise of them."""
    off, worked = dict.fromkeys(given.holidays, Holiday()), dict.fromkeys(given.extra_days, Holiday())
    holidays = {day: name for day, name in base.holidays.items() if day not in worked}
    weekends = {day: name for day, name in base.working_weekends.items() if day not in off}
    return {**off, **worked, **holidays, **weekends}


def _base(given: CalendarFile, file: Path | str) -> Exchanged:
    if not given.base:
        return Exchanged({}, {})
    installed = chinese().name
    if given.base != installed:
        raise wrong(
            file, "base", f"{given.base!r} is not what is installed", f'write base = "{installed}" and raise version'
        )
    alone = {
        *range(chinese().last.year + 1, given.last_day.year + 1),
        *range(given.first_day.year, chinese().first.year),
    }
    unlisted = sorted(alone - {day.year for day in given.holidays})
    if unlisted:
        raise wrong(file, "holidays", f"{installed} does not know {unlisted[0]}", "list its holidays, or move last_day")
    return exchanged()


def _check(given: CalendarFile, file: Path | str) -> None:
    try:
        zone_of(given.zone)
    except ValueError as error:
        raise wrong(file, "zone", str(error), "correct it") from error
    if not _KNOWN_FIRST <= given.first_day <= given.last_day <= _KNOWN_LAST:
        bounds = f"from {_KNOWN_FIRST} on, in order, to {_KNOWN_LAST}"
        raise wrong(file, "first_day, last_day", f"{given.first_day} to {given.last_day}", f"name days {bounds}")
    for key in ("holidays", "extra_days"):
        for day in getattr(given, key):
            if not given.first_day <= day <= given.last_day:
                raise wrong(file, key, f"{day} is outside of first_day and last_day", "move those, or remove it")
    both = sorted(set(given.holidays) & set(given.extra_days))
    if both:
        raise wrong(file, "extra_days", f"{both[0]} is among the holidays, too", "remove it from one of the two")
    if (given.extra_days or given.base) and not given.extra_hours:
        raise wrong(file, "extra_hours", "missing, though there are extra days or a base", 'add [["09:00", "17:00"]]')


def _spans(given: Spans, file: Path | str, key: str) -> list[Span]:
    spans = [(_seconds(start), _seconds(end)) for start, end in given]
    flat = [at for span in spans for at in span]
    if any(later <= earlier for earlier, later in zip(flat[::2], flat[1::2], strict=True)) or flat != sorted(flat):
        raise wrong(file, key, f"{given} is out of order", "give spans that follow one another and end by 24:00")
    return spans


def _seconds(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def _cut(spans: Sequence[Span], breaks: Sequence[Span]) -> Iterator[Span]:
    """The spans without the breaks."""
    for start, end in spans:
        at = start
        for begin, over in breaks:
            if at < min(begin, end):
                yield at, min(begin, end)
            at = max(at, over)
        if at < end:
            yield at, end
