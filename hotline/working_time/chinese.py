"""The calendar of mainland China: weekends, public holidays, and weekends that are worked in exchange.

The State Council announces each year's days in the autumn before; the package `chinesecalendar` lists them by date. It
knows days and no hours.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version

from hotline.settings.model import CHINESE_CALENDAR, CHINESE_ZONE
from hotline.working_time.calendar import VERSION_MAX, Calendar, Holiday
from hotline.working_time.errors import WorkingTimeError

PACKAGE = "chinesecalendar"
REMEDY = (
    f"install a {PACKAGE} that knows the year and restart, or name a calendar file with base = "
    '"cn-{version}" that lists the holidays and working weekends announced since'
)


@dataclass(frozen=True)
class Exchanged:
    """Days that the notices name: those off, weekends among them, and the weekends worked in exchange."""

    holidays: Mapping[date, Holiday]
    working_weekends: Mapping[date, Holiday]


@functools.cache
def exchanged() -> Exchanged:
    """The days that the installed package lists."""
    from chinese_calendar import Holiday as Named
    from chinese_calendar import holidays, workdays

    names = {one.value: Holiday(one.value, one.chinese) for one in Named}
    return Exchanged(*({day: names[name] for day, name in days.items()} for days in (holidays, workdays)))


@functools.cache
def chinese() -> Calendar:
    """The calendar as the installed package knows it. Raises WorkingTimeError for a package it cannot number."""
    from chinese_calendar import is_workday

    years = [day.year for day in exchanged().holidays]
    first, last = date(min(years), 1, 1), date(max(years), 12, 31)
    every = (first + timedelta(days=at) for at in range((last - first).days + 1))
    installed = version(PACKAGE)
    return Calendar(
        name=f"{CHINESE_CALENDAR}-{installed}",
        version=version_number(installed),
        zone=CHINESE_ZONE,
        first=first,
        last=last,
        working={day: () for day in every if is_workday(day)},
        remedy=REMEDY.format(version=installed),
        listed={**exchanged().holidays, **exchanged().working_weekends},
    )


def version_number(installed: str) -> int:
    """The calendar's number for a release of the package: 1.11.0 is 110, 1.11.2 would be 112.

    Raises WorkingTimeError for a release that has no such number.
    """
    major, minor, patch = (int(part) for part in installed.split("."))
    found = minor * 10 + patch
    if major != 1 or patch > 9 or found > VERSION_MAX:
        raise WorkingTimeError(f"{PACKAGE} {installed} has no number as a calendar: install a release 1.x below 1.25.6")
    return found
