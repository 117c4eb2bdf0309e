"""Addresses of numbers: read whole or refused with what to write, and the same when written again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict

from dashboards.numbers.address import AddressError, Order, UnknownNumberError, read
from dashboards.numbers.counted import counted
from dashboards.words import UNNAMED, Lang
from hotline.catalogue import KPIS
from hotline.periods import Period

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 5, 20, 10, 30, 15, tzinfo=ZONE)
NASTY = [
    "<script>alert(1)</script>",
    "=cmd|'/c calc'!A0",
    "'; DROP TABLE calls --",
    "🚰",
    "名" * 66,
    UNNAMED,
    "{x:String}",
]


def asked(query: dict[str, str | list[str]]) -> MultiDict[str]:
    return MultiDict(
        (name, each) for name, given in query.items() for each in (given if isinstance(given, list) else [given])
    )


def test_an_address_that_is_written_again_reads_the_same_and_its_range_stands_still() -> None:
    query: dict[str, str | list[str]] = {"over": "7d", "kind": "line", "var-line": NASTY, "by": "district", "page": "3"}
    query |= {"sort": "wait_s", "order": "desc", "lang": "zh"}
    first = read("average_wait_s", asked(query), NOW, ZONE)
    again = read("average_wait_s", MultiDict(parse_qsl(urlsplit(first.link()).query)), NOW + timedelta(days=1), ZONE)
    assert again == first
    assert (first.chosen, first.order, first.lang) == (tuple(NASTY), Order.DESCENDING, Lang.ZH)
    assert first.names == (*NASTY[:5], "", UNNAMED, NASTY[6])
    assert read("average_wait_s", asked({"var-line": "a"}), NOW, ZONE).chosen == ()  # of a kind that is not asked about


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("written", ["consult", "咨询"])
def test_a_word_of_a_closed_vocabulary_is_read_as_any_language_shows_it(written: str, lang: Lang) -> None:
    query: dict[str, str | list[str]] = {"kind": "nature", "var-nature": [written, "別"], "lang": lang}
    found = read("tickets_created", asked(query), NOW, ZONE)
    assert found.names == ("consult", "別")
    assert found.titles == [("咨询" if lang is Lang.ZH else "consult"), "別"]


@pytest.mark.parametrize("values", [[], [""], ["$__all"], ["a", "$__all"]])
def test_no_name_and_the_word_for_all_choose_everything(values: list[str]) -> None:
    assert read("calls_offered", asked({"kind": "line", "var-line": values}), NOW, ZONE).chosen == ()


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"over": "year"}, "write one of range, now, 5min"),
        ({"over": "window"}, "var-window is '': write one of 5min, 30min"),
        ({"over": "now"}, "counts over a span and has no value now"),
        ({"kind": "department"}, "write one of all, line, district"),
        ({"by": "all"}, "write one of line, district"),
        ({"order": "up"}, "write one of asc, desc"),
        ({"page": "0"}, "whole number from 1 on"),
        ({"page": "٣"}, "whole number from 1 on"),
        ({"page": "9" * 30}, "whole number from 1 on"),
        ({"lang": "fr"}, "write one of en, zh"),
        ({"from": "yesterday"}, "write now-6h, now/d"),
        ({"from": "now", "to": "now-1h"}, "before it begins"),
        ({"from": "1700000000000", "to": "1700000000000"}, "no whole minute"),
        ({"from": "1975-01-01", "to": "1975-01-02"}, "outside the years 1990 to 2099"),
        ({"kind": "line", "var-line": "x" * 201}, "at most 200 bytes"),
        ({"kind": "line", "var-line": "a\0b"}, "at most 200 bytes"),
        ({"kind": "line", "var-line": [str(n) for n in range(201)]}, "choose at most 200, or all"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_write(query: dict[str, str | list[str]], says: str) -> None:
    with pytest.raises(AddressError, match=says):
        counted(read("calls_offered", asked(query), NOW, ZONE), NOW, ZONE)


def test_an_unknown_kpi_names_the_nearest() -> None:
    with pytest.raises(UnknownNumberError, match="nearest: calls_offered"):
        read("calls_offred", asked({}), NOW, ZONE)


@pytest.mark.parametrize(
    ("over", "since", "until"),
    [
        ("range", "10:00", "10:31"),  # the minutes that begin inside, the running one too
        ("5min", "10:26", "10:31"),
        ("1h", "09:31", "10:31"),
        ("window", "10:01", "10:31"),
        ("today", "00:00", "10:31"),
    ],
)
def test_a_window_ends_with_the_running_minute_of_the_end_of_the_range(over: str, since: str, until: str) -> None:
    found = counted(
        read("calls_offered", asked({"over": over, "from": "now/h", "var-window": "30min"}), NOW, ZONE), NOW, ZONE
    ).period
    assert (f"{found.start:%H:%M}", f"{found.end:%H:%M}") == (since, until)


def test_what_is_kept_by_the_hour_is_counted_in_whole_hours_where_its_minutes_are_gone() -> None:
    """Of late it is counted to the minute; a stock is as of the last whole hour."""

    def period(kind: str, days: int, name: str = "tickets_created") -> tuple[Period, bool]:
        ends = (NOW - timedelta(days=days), NOW - timedelta(days=days - 1))
        query = asked({"kind": kind, "from": ends[0].isoformat(), "to": ends[1].isoformat()})
        found = counted(read(name, query, NOW, ZONE), NOW, ZONE)
        return found.period, found.whole_hours

    for kind, days, hours in (("department", 3, False), ("all", 30, False), ("department", 30, True)):
        found, whole = period(kind, days)
        assert whole is hours
        assert (found.start.minute, found.end.minute) == ((0, 0) if hours else (31, 31))
    old, _ = period("department", 30)
    assert (old.start.hour, old.end.hour) == (11, 10)
    assert period("department", 30, "tickets_open")[0].end == old.end
    query = asked({"over": "1h", "kind": "department", "from": "2026-01-01", "to": "2026-01-01T10:30:00"})
    cut = read("tickets_created", query, NOW, ZONE)
    with pytest.raises(AddressError, match="no whole hour"):
        counted(cut, NOW, ZONE)


NAMES = st.sampled_from(["over", "from", "to", "kind", "by", "sort", "order", "page", "lang", "var-line", "row"])
VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            *NASTY,
            "$__all",
            "now-6h",
            "now/y",
            "9999999999999",
            "0000000000",
            "-1",
            "9999-12-31",
            "s/1@9999-01-01T00:00:00Z",
            "1h",
            "line",
        ]
    ),
)


@given(st.sampled_from([*KPIS, "", "../../etc/passwd", "x" * 500]), st.lists(st.tuples(NAMES, VALUES), max_size=8))
def test_any_address_is_read_or_refused(name: str, pairs: list[tuple[str, str]]) -> None:
    now = datetime.now(UTC)
    try:
        address = read(name, MultiDict(pairs), now, ZONE)
        found = counted(address, now, ZONE)
    except AddressError:
        return
    assert found.period.start_s < found.period.end_s
    assert read(name, MultiDict(parse_qsl(urlsplit(address.link()).query)), now, ZONE) == address
