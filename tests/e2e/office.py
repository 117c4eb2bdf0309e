"""A deadline rule and a calendar that change: the files that an installation reads, and the second reading of both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from tests.hotline.naive_fold import Working
from tests.hotline.naive_working_time import Naive

if TYPE_CHECKING:
    from pathlib import Path

ZONE = "Asia/Shanghai"
HOURS = [("09:00", "12:00"), ("13:30", "17:30")]
SHORT, LONG = "consult", "other"


@dataclass(frozen=True)
class Office:
    """What holds at one time; files of a later one have a higher version."""

    today: date
    version: int
    hours: int
    """Working hours within which what has the nature SHORT must be handled."""
    holidays: tuple[date, ...] = ()

    @property
    def calendar(self) -> dict[str, Any]:
        """The content of the calendar file: of two years that end in two months."""
        return {
            "format": 1,
            "name": "of an office",
            "version": self.version,
            "zone": ZONE,
            "first_day": self.today - timedelta(days=700),
            "last_day": self.today + timedelta(days=60),
            "week": dict.fromkeys("mon tue wed thu fri".split(), HOURS),
            "breaks": [],
            "holidays": list(self.holidays),
            "extra_days": [],
            "extra_hours": [],
        }

    @property
    def terms(self) -> list[dict[str, Any]]:
        """The terms of the rule file."""
        return [
            {"nature": SHORT, "within": self.hours, "unit": "working_hours", "from": "receipt", "ends": "day"},
            {"nature": LONG, "within": 3, "unit": "working_days", "from": "next_working_day", "ends": "closing"},
        ]

    def write(self, folder: Path) -> dict[str, str]:
        """Write both files, in the place of those that are there; the settings that name them."""
        rule = {"format": 1, "name": "of an office", "version": self.version, "receipt": "dispatched"}
        files = {"calendar": self.calendar, "deadline_rule_file": rule | {"terms": self.terms}}
        for name, content in files.items():
            (folder / f"{name}.json").write_bytes(msgspec.json.encode(content))
        return {f"HOTLINE_{name.upper()}": str(folder / f"{name}.json") for name in files}

    @property
    def second_reading(self) -> Working:
        """Both as the second reading of the fold takes them."""
        return Working(Naive(self.calendar), self.version, "dispatched", self.terms)


def before_and_after(today: date) -> tuple[Office, Office]:
    """What holds first, and then: other hours, and three days of a week ago, not all of them a weekend, are off."""
    return Office(today, 1, 8), Office(today, 2, 16, tuple(today - timedelta(days=ago) for ago in (8, 7, 6)))
