"""Statements of series: one row a bucket, every bucket of the span, without a value where nobody knows one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dashboards import sums
from dashboards.links import OWN, YEAR_BEFORE
from dashboards.pieces import Key
from dashboards.spans import Span, local
from hotline.buckets import By
from hotline.catalogue import Stock
from hotline.names import SUMS_DAY

if TYPE_CHECKING:
    from dashboards.sums import Asked
    from hotline.catalogue import Kpi

WEEK_DAYS = 7


@dataclass(frozen=True)
class Step:
    """What a span is cut into. `bucket` maps an instant to the bucket that holds it, `days` a day to the same."""

    bucket: str
    days: str
    end: str
    """Where the last bucket ends, for WITH FILL."""
    width: str
    day: str
    """What of a bucket is compared with `days`."""
    fine: bool = False
    """Parts of days."""


def fine(seconds: str) -> Step:
    """Spans of so many seconds (an expression), which begin with the local hour; as epoch seconds."""
    offset = "timeZoneOffset({at})"
    bucket = f"toInt64(intDiv(toUnixTimestamp({{at}}) + {offset}, {seconds}) * {seconds} - {offset})"
    return Step(bucket, "{day}", "toInt64(toUnixTimestamp(until_at))", seconds, "toDate({time})", fine=True)


MINUTES = fine("least(greatest($__interval_s, 60), 3600)")
"""As fine as the width of the panel shows, from a minute to an hour."""
HOURS = fine("3600")


def _calendar(function: str, by: By) -> Step:
    of = f"{function}({{at}})"
    return Step(of, of.replace("{at}", "{day}"), "toDate(until_at - 1) + 1", f"INTERVAL 1 {by.name}", "bucket")


STEPS: dict[By, Step] = {
    By.HOUR: HOURS,
    By.DAY: _calendar("toDate", By.DAY),
    By.WEEK: _calendar("toMonday", By.WEEK),
    By.MONTH: _calendar("toStartOfMonth", By.MONTH),
    By.QUARTER: _calendar("toStartOfQuarter", By.QUARTER),
    By.YEAR: _calendar("toStartOfYear", By.YEAR),
}
"""Local days and what is made of them: in the zone of the column."""


def series(asked: Asked, step: Step, zone: str, *, days_back: int = 0, suffix: str = "") -> str:
    """Select `time` and the value of each KPI by bucket, up to now; or as it was so many days ago, at today's times."""
    time = f"toDateTime(bucket, '{zone}')"
    moved = f"addDays({time}, {days_back})" if days_back else time
    values = ", ".join(f"{_value(kpi, asked.kind, step, time)} AS {kpi.name}{suffix}" for kpi in asked.kpis)
    return (
        f"{asked.heads(days_back=days_back)} SELECT {moved} AS time, {values} "  # noqa: S608
        f"FROM ({filled(asked, step)}) WHERE {time} <= {local('now()', zone)} ORDER BY bucket"
    )


def filled(asked: Asked, step: Step) -> str:
    """Select the sums of every bucket, 0 where there are none."""
    first = step.bucket.format(at="since_at")
    fill = f"ORDER BY bucket WITH FILL FROM {first} TO {step.end} STEP {step.width}"
    return f"{sums.summed(asked, [_bucket(asked, step, first)])} {fill}"


def _bucket(asked: Asked, step: Step, first: str) -> Key:
    of_row, of_day = (step.bucket.format(at=at) for at in ("at", SUMS_DAY))
    if any(isinstance(kpi.numerator, Stock) for kpi in asked.kpis):  # all that was before stands in the first one
        of_row, of_day = (f"greatest({bucket}, {first})" for bucket in (of_row, of_day))
    return Key("bucket", of_row, first if step.fine else of_day, step.fine)


def _value(kpi: Kpi, kind: str, step: Step, time: str) -> str:
    day, of_day = step.day.format(time=time), step.days.format(day="day")
    if not isinstance(kpi.numerator, Stock):
        return sums.value(kpi, kind, f"{day} IN ({sums.days(kpi.subject, of_day)} AND {sums.IN_SPAN})")
    so_far = f"sum{sums.amount(kpi)} OVER (ORDER BY bucket ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    covered = f"({sums.days(kpi.subject, f'minOrNull({of_day})')}) <= {day}"
    return sums.where_filled(kpi, kind, f"if({so_far} != 0 OR {covered}, {so_far}, NULL)")


def by_hour_of_day(asked: Asked, zone: str) -> str:
    """Select `time`, the end of a local day, and the value of the one KPI in each of its hours, as columns 00 to 23.

    The end, because a heat map of Grafana's draws what is at an instant between the one before and it.
    An hour that comes twice is one: hours are those of the clock on the wall, and their sums are added up before the
    KPI divides them.
    """
    (kpi,) = asked.kpis
    hour = "toInt64(intDiv(toUnixTimestamp({at}) + timeZoneOffset({at}), 3600))"
    first, last, now = (hour.format(at=at) for at in ("since_at", "(until_at - 1)", local("now()", zone)))
    day = "toDate(toInt32(intDiv(bucket, 24)))"
    covered = f"{day} IN ({sums.days(kpi.subject)} AND {sums.IN_SPAN})"
    filled = f"ORDER BY bucket WITH FILL FROM {first} TO {last} + 1"
    summed = f"{sums.summed(asked, [Key('bucket', hour.format(at='at'), first, fine=True)])} {filled}"
    hours = ", ".join(f'anyIf({kpi.name}, bucket % 24 = {number}) AS "{number:02}"' for number in range(24))
    return (
        f"{asked.heads()} SELECT toDateTime({day} + 1, '{zone}') AS time, {hours} FROM ("  # noqa: S608  names of ours
        f"SELECT bucket, {sums.value(kpi, asked.kind, covered)} AS {kpi.name} FROM ({summed}) WHERE bucket <= {now}) "
        f"GROUP BY time ORDER BY time"
    )


def years(asked: Asked, by: By, zone: str) -> str:
    """Select, by local months, quarters or years, `time`, each KPI, and as `…_before` its value a year earlier.

    The bucket in which the span begins is shown whole.
    """
    first = STEPS[by].bucket.format(at=asked.span.since)
    longer = replace(asked, span=Span(f"toDateTime(subtractYears({first}, 1), '{zone}')", asked.span.until))
    ago = f"ROWS BETWEEN {_A_YEAR[by]} PRECEDING AND {_A_YEAR[by]} PRECEDING"
    values = ", ".join(
        f"{kpi.name}, any({kpi.name}) OVER (ORDER BY time {ago}) AS {kpi.name}_before" for kpi in asked.kpis
    )
    return (
        f"SELECT * FROM (SELECT time, {values} FROM ({series(longer, STEPS[by], zone)})) "  # noqa: S608  names of ours
        f"WHERE toDate(time) >= {first} ORDER BY time"
    )


def spanned(asked: Asked, by: By, zone: str) -> str:
    """Select what `years` does, and of which span the values of each row are, as the columns `OWN` and `YEAR_BEFORE`.

    The last span ends with what was asked.
    """
    months = 12 // _A_YEAR[by]
    ends = f"toDateTime(addMonths(toDate(time), {months}), '{zone}')"
    own = OWN.selected("time", f"least({ends}, {asked.span.until})")
    before = YEAR_BEFORE.selected("subtractYears(time, 1)", f"subtractYears({ends}, 1)")
    return f"SELECT *, {own}, {before} FROM ({years(asked, by, zone)})"  # noqa: S608  names of ours


_A_YEAR = {By.MONTH: 12, By.QUARTER: 4, By.YEAR: 1}
"""Buckets of a year."""
