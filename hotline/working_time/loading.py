"""Working time as the settings name it, loaded once and handed on."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from hotline.settings.model import CHINESE_CALENDAR, NO_CALENDAR, Settings
from hotline.working_time.calendar import Calendar
from hotline.working_time.calendar_file import calendar_from
from hotline.working_time.chinese import chinese
from hotline.working_time.rule import rule_from
from hotline.working_time.tickets import WorkingTime


def load_working_time(settings: Settings) -> WorkingTime:
    """The calendar and the rule that the settings name. Raises WorkingTimeError, a SettingsError."""
    calendar = load_calendar(settings)
    rule = rule_from(Path(settings.deadline_rule_file), calendar) if settings.deadline_rule_file else None
    return WorkingTime(calendar if calendar.working or rule else None, rule)


def load_calendar(settings: Settings) -> Calendar:
    """The calendar that the settings name; of `none` one without working days. Raises WorkingTimeError."""
    if settings.calendar == CHINESE_CALENDAR:
        return chinese()
    return (
        without_working_days(settings.zone)
        if settings.calendar == NO_CALENDAR
        else calendar_from(Path(settings.calendar))
    )


def without_working_days(zone: str) -> Calendar:
    """What counts plain days and hours of a zone."""
    always = date(1990, 1, 1), date(2101, 1, 1)
    remedy = "set calendar to cn or to a calendar file"
    return Calendar(NO_CALENDAR, 0, zone, *always, working={}, remedy=remedy)
