"""Calendars and rules are files that people write: what they say is done, what is wrong is named with its remedy."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hotline.settings import Settings, SettingsError, load
from hotline.working_time import (
    Calendar,
    Holiday,
    WorkingTime,
    WorkingTimeError,
    calendar_from,
    chinese,
    due_s,
    load_working_time,
    rule_from,
)
from hotline.working_time.chinese import version_number

PAGE = (Path(__file__).parents[2] / "docs" / "working-time.md").read_text(encoding="utf-8")
CALENDAR = """
format = 1
name = "office"
version = 4
zone = "Asia/Shanghai"
first_day = 2023-01-01
last_day = 2023-12-31
holidays = [2023-05-01]
extra_days = [2023-05-06]
extra_hours = [["10:00", "12:00"]]
breaks = [["12:00", "13:00"]]

[week]
mon = [["09:00", "17:00"]]
fri = [["09:00", "12:00"], ["14:00", "18:00"]]
"""
RULE = """
format = 1
name = "of a city"
version = 7

[[terms]]
nature = "consult"
within = 1
unit = "working_days"

[[terms]]
within = 5
unit = "working_days"
"""


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """Write a text into a file; a name with .json when the text begins like one."""

    def write(text: str) -> Path:
        made = tmp_path / ("given.json" if text.startswith("{") else "given.toml")
        made.write_text(text, encoding="utf-8")
        return made

    return write


def refused(read: Callable[[], object]) -> str:
    with pytest.raises(WorkingTimeError) as told:
        read()
    return str(told.value)


def hours_of(calendar: Calendar, day: date) -> list[tuple[float, float]]:
    return [(start / 3600, end / 3600) for start, end in calendar.working.get(day, [])]


class TestCalendars:
    def test_a_day_has_the_hours_that_the_file_says(self, file: Callable[[str], Path]) -> None:
        office = calendar_from(file(CALENDAR))
        assert (office.name, office.version, office.zone) == ("office", 4, "Asia/Shanghai")
        assert hours_of(office, date(2023, 5, 8)) == [(9, 12), (13, 17)]
        assert hours_of(office, date(2023, 5, 5)) == [(9, 12), (14, 18)]
        assert hours_of(office, date(2023, 5, 6)) == [(10, 12)]
        assert hours_of(office, date(2023, 5, 1)) == hours_of(office, date(2023, 5, 7)) == []

    def test_json_says_the_same_as_toml(self, file: Callable[[str], Path]) -> None:
        import tomllib

        same = json.dumps(tomllib.loads(CALENDAR), default=str)
        assert calendar_from(file(same)).working == calendar_from(file(CALENDAR)).working

    def test_a_base_adds_the_days_of_the_notices_and_the_file_has_the_last_word(
        self, file: Callable[[str], Path]
    ) -> None:
        own = "holidays = [2023-10-07]\nextra_days = [2023-10-02]\n"
        text = re.sub(r"holidays.*\n.*\n", own, CALENDAR) + 'sat = [["09:00", "10:00"]]\n'
        plain, based = calendar_from(file(text)), calendar_from(file(f'base = "{chinese().name}"\n{text}'))
        assert date(2023, 10, 6) in plain.working
        assert date(2023, 10, 6) not in based.working, "a holiday by the notices"
        assert hours_of(based, date(2023, 10, 8)) == [(10, 12)], "a working Sunday by the notices"
        assert date(2023, 10, 7) not in based.working, "a working Saturday that the file takes back"
        assert hours_of(based, date(2023, 10, 2)) == [(9, 12), (13, 17)], "a holiday that the file takes back"
        assert hours_of(based, date(2023, 9, 23)) == [(9, 10)], "a Saturday of every week"
        assert date(2023, 9, 30) not in based.working, "a Saturday among the holidays"
        national, nameless = Holiday("National Day", "国庆节"), Holiday()
        by_date = {date(2023, 10, 7): nameless, date(2023, 10, 2): nameless}
        assert plain.listed == by_date, "days that the file names by date"
        assert based.listed[date(2023, 10, 6)] == based.listed[date(2023, 10, 8)] == national
        assert by_date.items() < based.listed.items(), "what the file takes back is not the holiday of that name"
        assert min(based.listed) >= based.first, "nothing of other years"
        assert date(2023, 9, 23) not in based.listed, "a Saturday of every week"

    @pytest.mark.parametrize(
        ("line", "instead", "key", "remedy"),
        [
            ("format = 1", "format = 2", "format", "write it as"),
            ("version = 4", "version = 256", "version", "write it as"),
            ("version = 4", "", "version", "write it as"),
            ("version = 4", "version = 4\nholiday = []", "holiday", "write it as"),
            ('zone = "Asia/Shanghai"', 'zone = "Asia/Shanghi"', "zone", "Asia/Shanghai"),
            ("first_day = 2023-01-01", "first_day = 2024-01-01", "first_day, last_day", "in order"),
            ("last_day = 2023-12-31", "last_day = 2423-12-31", "first_day, last_day", "name days"),
            ("holidays = [2023-05-01]", "holidays = [2024-05-01]", "holidays", "move those"),
            ("holidays = [2023-05-01]", "holidays = [2023-05-06]", "extra_days", "remove it"),
            ('extra_hours = [["10:00", "12:00"]]', "", "extra_hours", 'add [["09:00", "17:00"]]'),
            ('mon = [["09:00", "17:00"]]', 'mon = [["9:00", "17:00"]]', "week.mon[0][0]", "write it as"),
            ('mon = [["09:00", "17:00"]]', 'mon = [["09:00", "25:00"]]', "week.mon[0][1]", "write it as"),
            ('mon = [["09:00", "17:00"]]', 'mon = [["17:00", "09:00"]]', "week.mon", "follow one another"),
            ('mon = [["09:00", "17:00"]]', 'mon = [["09:00", "12:00"], ["11:00", "17:00"]]', "week.mon", "follow one"),
            ("format = 1", 'format = 1\nbase = "cn-1.0.0"', "base", f'write base = "{chinese().name}"'),
            ("format = 1", 'format = 1\nbase = "us"', "base", f'write base = "{chinese().name}"'),
        ],
    )
    def test_what_is_wrong_is_named_with_file_key_and_remedy(
        self, file: Callable[[str], Path], line: str, instead: str, key: str, remedy: str
    ) -> None:
        assert line in CALENDAR
        given = file(CALENDAR.replace(line, instead))
        told = refused(lambda: calendar_from(given))
        assert told.startswith(f"{given}: ")
        assert key in told
        assert remedy in told

    def test_a_year_after_the_base_needs_holidays_of_its_own(self, file: Callable[[str], Path]) -> None:
        year = chinese().last.year + 1
        later = f'base = "{chinese().name}"\n' + CALENDAR.replace("last_day = 2023-12-31", f"last_day = {year}-12-31")
        assert f"does not know {year}; list its holidays" in refused(lambda: calendar_from(file(later)))
        listed = later.replace("holidays = [2023-05-01]", f"holidays = [2023-05-01, {year}-01-01]")
        assert calendar_from(file(listed)).last.year == year

    def test_a_calendar_without_any_hours_is_refused(self, file: Callable[[str], Path]) -> None:
        shut = file(CALENDAR.split("holidays", maxsplit=1)[0] + "[week]\n")
        assert "no day has any hours" in refused(lambda: calendar_from(shut))

    def test_a_file_that_is_absent_or_damaged_is_named(self, file: Callable[[str], Path], tmp_path: Path) -> None:
        assert str(tmp_path / "none.toml") in refused(lambda: calendar_from(tmp_path / "none.toml"))
        assert "is no TOML" in refused(lambda: calendar_from(file("format = ")))
        assert "is no JSON" in refused(lambda: calendar_from(file("{")))

    def test_a_release_of_the_package_has_a_number_that_grows_with_it(self) -> None:
        assert [version_number(name) for name in ("1.9.2", "1.11.0", "1.11.1", "1.12.0")] == [92, 110, 111, 120]
        for name in ("2.0.0", "1.99.0", "1.11.10"):
            assert "install a release" in refused(lambda name=name: version_number(name))  # type: ignore[misc]


class TestRules:
    def test_the_first_term_that_fits_is_taken(self, file: Callable[[str], Path]) -> None:
        rule = rule_from(file(RULE), chinese())
        assert rule.version == 7
        assert [rule.term_of("consult", "any"), rule.term_of("other", "any"), rule.term_of("", "")] == [0, 1, 1]

    def test_without_a_term_that_fits_there_is_none(self, file: Callable[[str], Path]) -> None:
        only = file(RULE.replace('[[terms]]\nwithin = 5\nunit = "working_days"\n', ""))
        assert rule_from(only, chinese()).term_of("other", "") is None

    @pytest.mark.parametrize(
        ("text", "instead", "key", "remedy"),
        [
            ("within = 5", "within = 0", "terms[1].within", "write it as"),
            ("within = 5", 'within = "5"', "terms[1].within", "write it as"),
            ('"consult"', '"consulting"', "terms[0].nature", "write it as"),
            ('nature = "consult"', "", "terms[1]", "move it up"),
            ("within = 5", 'within = 5\nends = "closing"', "terms[1]", "set calendar to a calendar file"),
            ('within = 5\nunit = "working_days"', 'within = 5\nunit = "working_hours"', "terms[1]", "calendar file"),
            (
                'within = 5\nunit = "working_days"',
                'within = 5\nunit = "calendar_days"\nends = "closing"',
                "terms[1].ends",
                "leave it out",
            ),
            ("version = 7", "version = 0", "version", "write it as"),
            ("version = 7", 'version = 7\nreceipt = "closed"', "receipt", "write it as"),
        ],
    )
    def test_what_is_wrong_is_named_with_file_key_and_remedy(
        self, file: Callable[[str], Path], text: str, instead: str, key: str, remedy: str
    ) -> None:
        assert text in RULE
        given = file(RULE.replace(text, instead))
        told = refused(lambda: rule_from(given, chinese()))
        assert told.startswith(f"{given}: ")
        assert key in told
        assert remedy in told


class TestSettings:
    def loaded(self, tmp_path: Path, **names: str) -> WorkingTime:
        environ = {f"HOTLINE_{name.upper()}": value for name, value in names.items()}
        return load_working_time(load(tmp_path, environ)[0])

    def test_china_has_its_calendar_and_no_rule(self, tmp_path: Path) -> None:
        found = self.loaded(tmp_path)
        assert found.calendar is chinese()
        assert (found.calendar_version, found.rule_version) == (chinese().version, 0)

    def test_elsewhere_there_is_none_until_it_is_named(self, tmp_path: Path) -> None:
        assert load(tmp_path, {"HOTLINE_ZONE": "America/New_York"})[0].calendar == "none"
        assert self.loaded(tmp_path, zone="America/New_York").calendar is None
        named = self.loaded(tmp_path, zone="America/New_York", calendar="cn")
        assert named.calendar is chinese()

    def test_files_stand_in_the_data_folder_or_wherever_they_are_named(
        self, file: Callable[[str], Path], tmp_path: Path
    ) -> None:
        (tmp_path / "days.toml").write_text(CALENDAR)
        (tmp_path / "rule.toml").write_text(RULE)
        (tmp_path / "hotline.toml").write_text('calendar = "days.toml"\ndeadline_rule_file = "rule.toml"\n')
        found = self.loaded(tmp_path)
        assert (found.calendar_version, found.rule_version) == (4, 7)

    def test_plain_days_need_no_calendar_and_working_days_do(self, file: Callable[[str], Path], tmp_path: Path) -> None:
        plain = RULE.replace("working_days", "calendar_days").replace("within = 5", 'within = 5\nfrom = "next_day"')
        plain = plain.replace("within = 1", 'within = 1\nfrom = "receipt"')
        found = self.loaded(tmp_path, zone="America/New_York", deadline_rule_file=str(file(plain)))
        assert found.calendar is not None
        assert found.rule is not None
        at = np.array([int(datetime(2024, 3, 9, 15, tzinfo=UTC).timestamp())])
        due = due_s(found.rule.terms[1], found.calendar, at)
        assert datetime.fromtimestamp(int(due[0]), UTC) == datetime(2024, 3, 15, 3, 59, 59, tzinfo=UTC)
        with pytest.raises(SettingsError, match="no calendar is set; set calendar"):
            self.loaded(tmp_path, zone="America/New_York", deadline_rule_file=str(file(RULE)))

    def test_a_rule_of_hours_takes_the_hours_of_its_calendar(self, tmp_path: Path) -> None:
        (tmp_path / "days.toml").write_text(CALENDAR)
        (tmp_path / "rule.toml").write_text(RULE.replace("working_days", "working_hours"))
        found = load_working_time(
            Settings(
                data=tmp_path, calendar=str(tmp_path / "days.toml"), deadline_rule_file=str(tmp_path / "rule.toml")
            )
        )
        assert found.rule is not None
        assert found.rule.terms[0].needs_hours


def blocks() -> list[str]:
    return re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def test_the_examples_of_the_page_do_what_the_page_says(tmp_path: Path) -> None:
    calendar_text, rule_text = blocks()
    (tmp_path / "calendar.toml").write_text(calendar_text.replace("cn-1.11.0", chinese().name), encoding="utf-8")
    (tmp_path / "rule.toml").write_text(rule_text, encoding="utf-8")
    calendar = calendar_from(tmp_path / "calendar.toml")
    rule = rule_from(tmp_path / "rule.toml", calendar)
    told = re.findall(r"^\| (\S+) \| (\S*) \| (\d.{15}) \| (\d.{18}) \|$", PAGE, re.MULTILINE)
    assert len(told) >= 5
    for nature, category, receipt, deadline in told:
        term = rule.term_of(nature, category)
        assert term is not None
        found = due_s(rule.terms[term], calendar, np.array([_shanghai_s(receipt)]))
        assert found.tolist() == [_shanghai_s(deadline)], (nature, category, receipt)


def _shanghai_s(text: str) -> int:
    local: Any = datetime.fromisoformat(f"{text}+08:00")
    return int(local.timestamp())
