"""Single values of records: what they become, and why some are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from producers.adapters.values import RefusedError, instant, later, name, person, seconds

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = int(datetime(2024, 7, 1, 12, tzinfo=UTC).timestamp())
DAY_S = 86_400


@pytest.mark.parametrize(
    ("value", "zone"),
    [
        ("2024-07-01T12:00:00Z", "Asia/Shanghai"),
        ("2024-07-01T12:00:00.999Z", "UTC"),
        ("2024-07-01T20:00:00+08:00", "UTC"),
        ("2024-07-01 20:00:00+08", "UTC"),
        ("2024-07-01 07:00:00.123456-05", "UTC"),
        ("2024-07-01 20:00:00", "Asia/Shanghai"),
        ("2024-07-01T07:00", "America/Chicago"),
        (NOON, "Asia/Shanghai"),
        (NOON + 0.9, "UTC"),
    ],
)
def test_a_time_is_read_in_every_form_that_sources_write(value: Any, zone: str) -> None:
    assert instant(value, zone) == NOON


def test_a_repeated_hour_is_its_first_pass_and_a_skipped_one_is_no_time() -> None:
    assert instant("2024-11-03 01:30:00", "America/New_York") == int(
        datetime(2024, 11, 3, 5, 30, tzinfo=UTC).timestamp()
    )
    with pytest.raises(RefusedError, match="daylight saving skips it") as refused:
        instant("2024-03-10 02:30:00", "America/New_York")
    assert refused.value.reason == "time_skipped"


@pytest.mark.parametrize(
    ("read", "value", "reason"),
    [
        (lambda value: instant(value, "UTC"), "0000-01-01T00:00:00Z", "time_out_of_range"),
        (lambda value: instant(value, "Asia/Shanghai"), "9999-12-31 23:00:00", "time_out_of_range"),
        (lambda value: instant(value, "UTC"), "1989-12-31T23:59:59Z", "time_out_of_range"),
        (lambda value: instant(value, "UTC"), float("nan"), "bad_value"),
        (lambda value: instant(value, "UTC"), float("inf"), "time_out_of_range"),
        (lambda value: instant(value, "UTC"), True, "bad_value"),
        (lambda value: instant(value, "UTC"), ["2024"], "bad_value"),
        (lambda value: instant(value, "UTC"), "2024-02-30T00:00:00Z", "bad_value"),
        (seconds, 31_622_401, "bad_value"),
        (seconds, "1e3", "bad_value"),
        (seconds, [], "bad_value"),
        (seconds, float("inf"), "bad_value"),
        (name, {"a": 1}, "bad_value"),
        (name, True, "bad_value"),
        (name, "城" * 67, "too_large"),
        (lambda value: person(value, b"k"), ["me"], "bad_value"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(
    read: Callable[[Any], object], value: object, reason: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        read(value)
    assert refused.value.reason == reason


def test_nothing_is_nothing() -> None:
    assert [instant("", "UTC"), seconds(""), seconds(None), name("  "), person(None, b"k")] == [None] * 5


def test_what_was_stated_later_never_has_a_lower_number() -> None:
    after = [*range(-5, 20_000, 7), *range(20_000, 30 * DAY_S, 31), *range(30 * DAY_S, 800 * DAY_S, 3_571)]
    numbers = [later(seconds_after) for seconds_after in after]
    assert numbers == sorted(numbers)
    assert (numbers[0], later(2**14 - 1), later(10**10)) == (0, 2**14 - 1, 2**16 - 1)
    assert later(20 * DAY_S) < later(20 * DAY_S + 60)
    assert later(700 * DAY_S) < later(700 * DAY_S + 3600) < 2**16 - 1
