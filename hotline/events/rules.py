"""What makes an event acceptable, a whole frame at a time: each rule finds the rows that break it.

A frame of good events costs one look at each column's extremes or distinct words; masks are built only where a look
found something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import numpy as np
import polars as pl

from hotline.dead_letters import REASONS
from hotline.events.envelope import NAME_BYTES_MAX, SCHEMA, SECONDS_MAX, YEAR_MAX, YEAR_MIN
from hotline.events.words import WORDS
from hotline.subjects import Subject

Breach = tuple[str, pl.Series]
"""A reason and the mask of the rows it concerns."""

REQUIRED = ("type", "source", "entity", "born_at", "occurred_at")
COMPUTED = "digest"
"""Stands in every block; a null one would make two statements one."""
REQUIRED_OF: dict[str, tuple[str, ...]] = {"ticket.due_changed": ("due_at",)}
UNTIDY = r"^\s|\s$|[\x00-\x1f\x7f]"
"""Names are trimmed and hold no control characters."""

_EARLIEST, _LATEST = datetime(YEAR_MIN, 1, 1, tzinfo=UTC), datetime(YEAR_MAX, 12, 31, 23, 59, 59, tzinfo=UTC)

_EARLIEST_MS, _LATEST_MS = (int(time.timestamp()) * 1000 for time in (_EARLIEST, _LATEST))


def problems(subject: Subject, events: pl.DataFrame) -> pl.Series:
    """The first reason against each event of a complete frame, null for a good one; a stated `problem` stays."""
    stated = events["problem"]
    found = stated if stated.null_count() == len(stated) else _known(stated)
    for rule in _RULES:
        for reason, mask in rule(subject, events):
            found = found.zip_with(~mask.fill_null(value=False) | found.is_not_null(), pl.Series([reason]))
    return found.alias("problem")


def _known(stated: pl.Series) -> pl.Series:
    known = stated.is_in(list(REASONS)) | stated.is_null()
    return stated.zip_with(known, pl.Series(["bad_value"]))


def _schema(_: Subject, events: pl.DataFrame) -> Iterator[Breach]:
    if int(events["schema"].max() or 0) > SCHEMA:  # type: ignore[arg-type]
        yield "unknown_schema", events["schema"] > SCHEMA


def _required(_: Subject, events: pl.DataFrame) -> Iterator[Breach]:
    for name in (*REQUIRED, COMPUTED):
        if events[name].null_count():
            yield "missing_field", events[name].is_null()
    for kind, names in REQUIRED_OF.items():
        for name in names:
            if name in events.columns:
                yield "missing_field", (events["type"] == kind) & events[name].is_null()
    if int(events["revision"].max() or 0) > 0:  # type: ignore[arg-type]
        yield "missing_field", (events["revision"] > 0) & events["id"].is_null()


def _words(subject: Subject, events: pl.DataFrame) -> Iterator[Breach]:
    yield from _outside("unknown_type", events["type"], subject.types)
    for name, words in WORDS.items():
        if name in events.columns:
            yield from _outside("unknown_word", events[name], words)


def _outside(reason: str, values: pl.Series, words: tuple[str, ...]) -> Iterator[Breach]:
    strange = set(values.drop_nulls().unique()) - set(words)
    if strange:
        yield reason, values.is_in(list(strange))


def _names(subject: Subject, events: pl.DataFrame) -> Iterator[Breach]:
    for name, dtype in subject.columns.items():
        if dtype != pl.String or name in WORDS or name == "type":
            continue
        stated = events[name].drop_nulls()
        if _is_plain(stated):
            continue
        distinct = stated.unique()
        untidy = distinct.filter(distinct.str.contains(UNTIDY) | (distinct == ""))
        if len(untidy):
            empty = events[name] == ""
            yield "missing_field" if name in REQUIRED else "bad_value", empty
            yield "bad_value", events[name].is_in(untidy.implode())
        if int(distinct.str.len_bytes().max() or 0) > NAME_BYTES_MAX:  # type: ignore[arg-type]
            yield "too_large", events[name].str.len_bytes() > NAME_BYTES_MAX


def _is_plain(values: pl.Series) -> bool:
    """Whether these are short words of visible ASCII, as ids are: no rule of names can catch them.

    Looks at the bytes themselves, which takes a tenth of what it takes to find distinct words.
    """
    if values.is_empty():
        return True
    lengths_bytes = values.str.len_bytes()
    _, _, data = values.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()
    text = np.frombuffer(data or b"", np.uint8)
    return bool(
        0 < lengths_bytes.min() <= lengths_bytes.max() <= NAME_BYTES_MAX  # type: ignore[operator]
        and text.min() > ord(" ")
        and text.max() <= ord("~")
    )


def _times(subject: Subject, events: pl.DataFrame) -> Iterator[Breach]:
    for name, dtype in subject.columns.items():
        values = events[name]
        if dtype == pl.Datetime and values.null_count() < len(values):
            whole = values.to_physical()  # a time may lie in a year that Python does not have
            if int(whole.min()) < _EARLIEST_MS or int(whole.max()) > _LATEST_MS:  # type: ignore[arg-type]
                yield "time_out_of_range", (values < _EARLIEST) | (values > _LATEST)
            if (values.to_physical().fill_null(0).to_numpy() % 1000).any():
                yield "bad_value", values.dt.millisecond() != 0


def _durations(subject: Subject, events: pl.DataFrame) -> Iterator[Breach]:
    for name, dtype in subject.columns.items():
        if dtype == pl.Int32:
            outside = (events[name] < 0) | (events[name] > SECONDS_MAX)
            if outside.any():
                yield "bad_value", outside


_RULES: tuple[Callable[[Subject, pl.DataFrame], Iterator[Breach]], ...] = (
    _schema,
    _required,
    _words,
    _names,
    _times,
    _durations,
)
