"""Every call of a bank's call centre in 1999: tab-separated lines, times of day on the wall clock of Israel."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from hotline.events import SECONDS_MAX, YEAR_MAX, YEAR_MIN
from hotline.pseudonyms import pseudonyms
from hotline.subjects import CALLS
from producers.adapters.adapter import Adapter, Batch, Reading
from producers.adapters.errors import UnreadableError
from producers.adapters.fields import Breach, in_utc, judged, missing, names, rejected, split, unread
from producers.adapters.lines import line_frames

if TYPE_CHECKING:
    from collections.abc import Iterator

    from producers.adapters.opening import Input

NAME = "bank1999"
COLUMNS = {
    "vru+line": "entity, before the slash",
    "call_id": "entity, after the slash",
    "customer_id": "caller, as a pseudonym; 0 is unknown",
    "priority": "",
    "type": "line",
    "date": "day of vru_entry",
    "vru_entry": "tells which times lie on the next day",
    "vru_exit": "call.offered, born_at",
    "vru_time": "",
    "q_start": "call.queued",
    "q_exit": "call.abandoned",
    "q_time": "wait_s",
    "outcome": "AGENT: call.answered, HANG: call.abandoned, PHANTOM: no call",
    "ser_start": "call.answered",
    "ser_exit": "call.ended",
    "ser_time": "talk_s",
    "server": "operator, as a pseudonym; NO_SERVER is unknown",
}
OUTCOMES = ("AGENT", "HANG", "PHANTOM")
UNKNOWN_CUSTOMER, UNKNOWN_SERVER = "0", "NO_SERVER"
PHANTOM = "phantom"

_REQUIRED = ("vru+line", "call_id", "date", "vru_entry", "vru_exit", "outcome")
_CLOCKS = ("vru_entry", "vru_exit", "q_start", "q_exit", "ser_start", "ser_exit")
_DURATIONS = ("vru_time", "q_time", "ser_time")
_INSTANTS = ("offered_at", "queued_at", "outcome_at", "ended_at")
_HOUR_S, _DAY_S = 3600, 86_400


def _batches(source: Input, reading: Reading) -> Iterator[Batch]:
    recognised = False
    for frame in line_frames(source.pieces(), reading.chunk_bytes):
        lines = split(frame, tuple(COLUMNS), "\t")
        if not recognised and lines["problem"].null_count() == 0:
            break
        recognised = True
        data = lines.filter(~_is_header().fill_null(value=False))
        if len(data):
            yield _batch(data, source, reading)
    if not recognised:
        reason = f"no line at its start has the {len(COLUMNS)} tab-separated columns of {NAME}"
        raise UnreadableError(source.name, reason, "Use the adapter of what it holds.")


def _is_header() -> pl.Expr:
    return pl.all_horizontal(pl.col(name).str.to_lowercase() == name for name in ("call_id", "date", "outcome"))


def _batch(lines: pl.DataFrame, source: Input, reading: Reading) -> Batch:
    phantom = (pl.col("problem").is_null() & (pl.col("outcome") == "PHANTOM")).fill_null(value=False)
    read = _read(lines.filter(~phantom), reading)
    events = _events(read.filter(pl.col("problem").is_null()), reading)
    dead = rejected(read, NAME, reading.origin)
    phantoms = len(lines) - len(read)
    return Batch(
        frames={CALLS.name: pl.concat([events, dead], how="diagonal")},
        lines_read=len(lines),
        lines_broken=len(dead),
        bytes_read=source.position,
        skipped={PHANTOM: phantoms} if phantoms else {},
    )


def _read(lines: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    """Lines with the entity, the instants and the durations of their calls, judged."""
    lines = lines.join(_days(lines["date"]), on="date", how="left", maintain_order="left").with_columns(
        *(_clock(name).alias(f"{name}_s") for name in _CLOCKS),
        *(pl.col(name).cast(pl.Int32, strict=False).alias(f"{name}_s") for name in _DURATIONS),
        entity=pl.concat_str("vru+line", "call_id", separator="/"),
    )
    lines = judged(lines, _breaches()).with_columns(_recorded()).with_columns(_local())
    return in_utc(judged(lines, [missing("offered_at")]), _INSTANTS, reading.zone)


def _days(values: pl.Series) -> pl.DataFrame:
    """Each date that occurs: the day, or the problem with it."""
    dates = values.drop_nulls().unique().to_list()
    days = [_day(text) for text in dates]
    return pl.DataFrame(
        {
            "date": dates,
            "day": [day if isinstance(day, date) else None for day in days],
            "day_problem": [day if isinstance(day, str) else None for day in days],
        },
        schema={"date": pl.String, "day": pl.Date, "day_problem": pl.String},
    )


def _day(text: str) -> date | str:
    """Read `yymmdd` (90 to 99 are 1990 to 1999) or `yyyymmdd`; else give the reason."""
    found = re.fullmatch(r"(\d{2}|\d{4})(\d{2})(\d{2})", text, re.ASCII)
    if not found:
        return "bad_value"
    year, month, day = (int(part) for part in found.groups())
    if len(found[1]) == 2:
        year += YEAR_MIN // 100 * 100 if year >= YEAR_MIN % 100 else YEAR_MIN // 100 * 100 + 100
    if not YEAR_MIN <= year <= YEAR_MAX:
        return "time_out_of_range"
    try:
        return date(year, month, day)
    except ValueError:
        return "bad_value"


def _clock(name: str) -> pl.Expr:
    """Seconds since midnight."""
    return (pl.col(name).str.to_time("%H:%M:%S", strict=False).cast(pl.Int64) // 10**9).cast(pl.Int32)


def _breaches() -> list[Breach]:
    return [
        missing(*_REQUIRED),
        ("unknown_word", ~pl.col("outcome").is_in(OUTCOMES)),
        ("time_out_of_range", pl.col("day_problem") == "time_out_of_range"),
        ("bad_value", pl.col("day_problem").is_not_null()),
        *(unread(name, pl.col(f"{name}_s")) for name in (*_CLOCKS, *_DURATIONS)),
        *(("bad_value", ~pl.col(f"{name}_s").is_between(0, SECONDS_MAX)) for name in ("q_time", "ser_time")),
        *names("entity", "type"),
    ]


def _recorded() -> list[pl.Expr]:
    """Seconds of each clock, null where 0:00:00 only says that nothing was recorded."""
    entered = pl.col("vru_entry_s")
    exited = (pl.col("vru_exit_s") != 0) | (pl.col("vru_time_s") > 0) | _near_midnight(entered)
    pairs = (("q_start", "q_exit", "q_time"), ("ser_start", "ser_exit", "ser_time"))
    return [
        pl.when(exited).then("vru_exit_s").alias("vru_exit_s"),
        *(_unless_empty(start, stop, took) for start, stop, took in pairs),
        *(_unless_empty(stop, start, took) for start, stop, took in pairs),
    ]


def _unless_empty(name: str, neighbour: str, took: str) -> pl.Expr:
    """0:00:00 is midnight when time passed, or when its neighbour says about midnight and not 0:00:00 itself."""
    beside = pl.col(f"{neighbour}_s")
    midnight = (pl.col(f"{took}_s") > 0).fill_null(value=False) | ((beside != 0) & _near_midnight(beside))
    return pl.when((pl.col(f"{name}_s") != 0) | midnight).then(f"{name}_s").alias(f"{name}_s")


def _near_midnight(clock: pl.Expr) -> pl.Expr:
    return (clock < _HOUR_S) | (clock >= _DAY_S - _HOUR_S)


def _local() -> list[pl.Expr]:
    """Wall-clock times of the call's events, and what it states of durations."""
    answered = pl.col("outcome") == "AGENT"
    served = pl.col("ser_start_s").is_not_null()
    left = pl.coalesce(_on_its_day("q_exit"), _on_its_day("vru_exit"))
    return [
        _on_its_day("vru_exit").alias("offered_at"),
        _on_its_day("q_start").alias("queued_at"),
        pl.when(answered & served).then(_on_its_day("ser_start")).otherwise(left).alias("outcome_at"),
        pl.when(answered & served).then(_on_its_day("ser_exit")).when(answered).then(left).alias("ended_at"),
        pl.when(served).then("ser_time_s").otherwise(0).alias("talk_s"),
    ]


def _on_its_day(name: str) -> pl.Expr:
    """Put a time on its day: more than twelve hours before the arrival means the next one."""
    clock = pl.col(f"{name}_s")
    next_day = clock < pl.col("vru_entry_s") - _DAY_S // 2
    seconds = clock.cast(pl.Int64) + pl.when(next_day).then(_DAY_S).otherwise(0)
    return (pl.col("day").cast(pl.Datetime("ms")).cast(pl.Int64) + seconds * 1000).cast(pl.Datetime("ms"))


def _events(calls: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    calls = calls.with_columns(
        caller=pseudonyms(_unless(calls["customer_id"], UNKNOWN_CUSTOMER), reading.key),
        operator=pseudonyms(_unless(calls["server"], UNKNOWN_SERVER), reading.key),
    )
    answered = calls.filter(pl.col("outcome") == "AGENT")
    abandoned = calls.filter(pl.col("outcome") == "HANG")
    events = [
        _event(calls, "call.offered", "offered_at", "caller", direction=pl.lit("inbound"), line=pl.col("type")),
        _event(calls, "call.queued", "queued_at"),
        _event(answered, "call.answered", "outcome_at", "operator", leg=pl.lit("operator"), wait_s=pl.col("q_time_s")),
        _event(abandoned, "call.abandoned", "outcome_at", wait_s=pl.col("q_time_s")),
        _event(answered, "call.ended", "ended_at", "talk_s"),
    ]
    return pl.concat(events, how="diagonal").sort("born_at", "place", maintain_order=True).drop("place")


def _unless(values: pl.Series, unknown: str) -> pl.Series:
    return values.set(values == unknown, None)


def _event(calls: pl.DataFrame, kind: str, at: str, *columns: str, **values: pl.Expr) -> pl.DataFrame:
    return calls.filter(pl.col(at).is_not_null()).select(
        *columns,
        "entity",
        type=pl.lit(kind),
        source=pl.lit(NAME),
        born_at=pl.col("offered_at"),
        occurred_at=pl.col(at),
        place=pl.col("line"),
        **values,
    )


BANK1999 = Adapter(
    name=NAME,
    title="Calls of a bank's call centre, 1999 (tab-separated text)",
    title_zh="某银行呼叫中心 1999 年通话记录(制表符分隔)",
    source="Technion, “Anonymous Bank” call-centre data",
    licence="free to use with notice to and acknowledgement of A. Mandelbaum",
    zone="Asia/Jerusalem",
    subjects=(CALLS.name,),
    scopes=("line",),
    columns=COLUMNS,
    batches=_batches,
    limits=(
        "Time in menus is not part of the wait.",
        "Transfers are not in the file: a call has one operator.",
        "Times of day are on the wall clock, and which day they lie on follows from when the call came in.",
    ),
)
