"""Spans of time in SQL: what a panel counts over, made of the range that the reader of a board chose.

All are half-open, as periods are: the plug-in's own `$__timeFilter` would count the minute in which the range ends.
"""

from __future__ import annotations

from dataclasses import dataclass

from hotline.windows import DAY_S, HOUR_S, MINUTE_S, WINDOWS

WINDOW_VARIABLE = "window"


DAYS_SINCE, DAYS_UNTIL = "days_since_at", "days_until_at"
HOURS_SINCE, HOURS_UNTIL = "hours_since_at", "hours_until_at"
RECENT = "recent_at"
"""Where a span's whole local days begin and end, and its whole hours; they cross when it has none. And from
when on recent minutes hold everything: they are kept for a day longer than the longest window."""
_RECENT_DAYS = max(found.seconds or 0 for found in WINDOWS) // DAY_S
RECENT_SINCE = f"toStartOfDay(subtractDays(toTimeZone(now(), timezoneOf(until_at)), {_RECENT_DAYS}))"


@dataclass(frozen=True)
class Span:
    """From `since` to before `until`, instants in the hotline's zone."""

    since: str
    until: str
    days: bool = True
    """It may have a whole local day."""

    def heads(self, *, days_back: int = 0) -> str:
        """Bind `since_at` and `until_at`, moved back by local days, and what statements make of them."""
        moved = (f"subtractDays({at}, {days_back})" if days_back else at for at in (self.since, self.until))
        bound = dict(zip(("since_at", "until_at"), moved, strict=True)) | _BOUND
        return "WITH " + ", ".join(f"{what} AS {name}" for name, what in bound.items())


def local(instant: str, zone: str) -> str:
    """Give an instant in the hotline's zone, whatever the server's is."""
    return f"toTimeZone({instant}, '{zone}')"


def as_of_end(zone: str) -> str:
    """Bind `now_at`: the end of the range, which is now for whoever reads it, and never later."""
    return f"WITH least({local('$__toTime', zone)}, {local('now()', zone)}) AS now_at"


def as_of_now(zone: str) -> str:
    """Bind `now_at`: the clock of the store, whatever the range."""
    return f"WITH {local('now()', zone)} AS now_at"


def period(zone: str) -> Span:
    """The range of the board itself.

    Ranges that Grafana rounds end with the last second of a minute, an hour, a year: that second belongs to them.
    """
    last = local("$__toTime", zone)
    return Span(local("$__fromTime", zone), f"({last} + (toSecond({last}) = {MINUTE_S - 1}))")


def days_of(span: Span) -> Span:
    """The whole local days of a span and the one before it, so that there are always two."""
    return Span(f"toStartOfDay(subtractDays({span.since}, 1))", span.until)


def year_before(span: Span) -> Span:
    """The same span a year earlier."""
    return Span(f"subtractYears({span.since}, 1)", f"subtractYears({span.until}, 1)")


def so_far(span: Span) -> Span:
    """As much of a span as is over: beside a year that runs stands the same part of the year before, not all of it."""
    return Span(span.since, f"least({span.until}, toTimeZone(now(), timezoneOf({span.until})))")


def window(name: str, zone: str) -> Span:
    """A window of `hotline.windows`: it ends with the running minute of the end of the range."""
    end = _minute_after(zone)
    (seconds,) = (found.seconds for found in WINDOWS if found.name == name)
    since = f"toStartOfDay({local('$__toTime', zone)})" if seconds is None else f"{end} - {seconds}"
    return Span(since, end, days=(seconds or 0) >= DAY_S)


def chosen_window(zone: str) -> Span:
    """The window that the variable `window` names."""
    end, chosen = _minute_after(zone), f"${{{WINDOW_VARIABLE}:singlequote}}"
    choices = [f"{chosen} = '{found.name}', {end} - {found.seconds}" for found in WINDOWS if found.seconds is not None]
    return Span(f"multiIf({', '.join(choices)}, toStartOfDay({local('$__toTime', zone)}))", end)


def _minute_after(zone: str) -> str:
    return f"toStartOfMinute({local('$__toTime', zone)}) + {MINUTE_S}"


def hour_of(instant: str) -> str:
    """The start of the local hour that holds an instant; of an hour that clocks cut by half an hour, of its part."""
    return f"({instant} - (toUnixTimestamp({instant}) + timeZoneOffset({instant})) % {HOUR_S})"


def hour_from(instant: str) -> str:
    """The first whole hour at or after an instant."""
    return hour_of(f"({instant} + {HOUR_S - 1})")


_BOUND = {
    DAYS_SINCE: "if(toStartOfDay(since_at) = since_at, since_at, toStartOfDay(addDays(since_at, 1)))",
    DAYS_UNTIL: "toStartOfDay(until_at)",
    HOURS_SINCE: hour_from("since_at"),
    HOURS_UNTIL: hour_of("until_at"),
    RECENT: RECENT_SINCE,
}
