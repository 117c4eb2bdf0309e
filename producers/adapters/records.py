"""Records of a CSV file (RFC 4180) from its lines: a quoted field may hold commas and line ends."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import polars as pl

from producers.adapters.errors import TruncatedError
from producers.adapters.fields import judged
from producers.adapters.lines import LINE_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

SEPARATOR = "\x1f"
"""Between the fields of `text` in the frames below: the unit separator, which no field of ours may hold."""
RECORD_LINES_MAX = 100
"""Longest record in lines: a quote that is never closed must not swallow the rest of the file."""


def record_frames(frames: Iterator[pl.DataFrame], columns: int) -> Iterator[pl.DataFrame]:
    """Frames as those of `line_frames`, a record a row, its fields separated by SEPARATOR.

    A line whose quotes never close, or close to another number of columns, is undecodable by itself.
    """
    held: pl.DataFrame | None = None
    cut: TruncatedError | None = None
    try:
        for lines in frames:
            frame = lines if held is None else pl.concat([held, lines])
            whole, held = _joined(frame, columns, at_end=False)
            if len(whole):
                yield _separated(whole, columns)
    except TruncatedError as error:
        cut = error
    if held is not None:
        whole, _ = _joined(held, columns, at_end=True)
        yield _separated(whole, columns)
    if cut:
        raise cut


def fields_of(text: str) -> list[str]:
    """Split one record into fields; none when it is no CSV."""
    try:
        (fields,) = csv.reader([text.replace("\n", SEPARATOR)], strict=True)
    except (csv.Error, ValueError):
        return []
    return [field.replace(SEPARATOR, " ") for field in fields]


def _joined(frame: pl.DataFrame, columns: int, *, at_end: bool) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """Lines of records that spread over several joined; and the lines from an open record on, while more may come."""
    quotes = frame["text"].str.count_matches('"', literal=True).fill_null(0)
    odd = (quotes % 2 == 1) & frame["problem"].is_null()
    if not odd.any():
        return frame, None
    open_lines = odd.arg_true().to_list()
    dropped: set[int] = set()
    texts: dict[int, str] = {}
    for place, start in enumerate(open_lines):
        if start in dropped or len(fields_of(frame["text"][start])) == columns:
            continue
        stop = open_lines[place + 1] if place + 1 < len(open_lines) else None
        if stop is None and not at_end and len(frame) - start < RECORD_LINES_MAX:
            return _merged(frame, texts, dropped).filter(pl.col("line") < frame["line"][start]), frame[start:]
        joined = _record(frame, start, stop)
        if stop is not None and joined is not None and len(fields_of(joined)) == columns:
            texts[start] = joined
            dropped.update(range(start + 1, stop + 1))
    return _merged(frame, texts, dropped), None


def _record(frame: pl.DataFrame, start: int, stop: int | None) -> str | None:
    if stop is None or stop - start >= RECORD_LINES_MAX:
        return None
    lines = frame["text"][start : stop + 1]
    if lines.null_count() or lines.str.len_bytes().sum() > LINE_BYTES_MAX:
        return None
    return "\n".join(lines)


def _merged(frame: pl.DataFrame, texts: dict[int, str], dropped: set[int]) -> pl.DataFrame:
    if not texts:
        return frame
    places = pl.Series(list(texts), dtype=pl.UInt32)
    raws = [text.encode() for text in texts.values()]
    kept = pl.Series([place not in dropped for place in range(len(frame))])
    return frame.with_columns(
        text=frame["text"].clone().scatter(places, list(texts.values())),
        raw=pl.Series(_replaced(frame["raw"].to_list(), dict(zip(texts, raws, strict=True))), dtype=pl.Binary),
    ).filter(kept)


def _replaced(values: list[bytes], by_place: dict[int, bytes]) -> list[bytes]:
    for place, value in by_place.items():
        values[place] = value
    return values


def _separated(frame: pl.DataFrame, columns: int) -> pl.DataFrame:
    """`text` with SEPARATOR between fields and no quotes; records with quotes one by one, the others at once."""
    frame = judged(frame, [("undecodable", pl.col("text").str.contains(SEPARATOR, literal=True))])
    quoted = frame["text"].str.contains('"', literal=True).fill_null(value=False) & frame["problem"].is_null()
    plain = frame["text"].str.replace_all(",", SEPARATOR, literal=True)
    places = quoted.arg_true()
    read = [fields_of(text) for text in frame["text"].gather(places)]
    texts = [SEPARATOR.join(fields) if len(fields) == columns else None for fields in read]
    frame = frame.with_columns(text=plain.scatter(places, texts) if texts else plain)
    return judged(frame, [("undecodable", pl.col("text").is_null())])
