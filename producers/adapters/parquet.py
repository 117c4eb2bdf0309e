"""Rows of a parquet file as frames like those of lines, a slice of a row group at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from producers.adapters.errors import TruncatedError, UnreadableError
from producers.adapters.opening import Input

MAGIC = b"PAR1"
ROWS = 50_000


def row_frames(source: Input, chosen: Callable[[Sequence[str]], dict[str, str]]) -> Iterator[pl.DataFrame]:
    """Frames with the columns that `chosen` picks from the file's (new name → name).

    Numbers become text; a row has `line` (counted from 1), `raw` (its JSON) and `problem` (null) besides. The index of
    a parquet file is at its end, so the whole is kept on disk first. Raises UnreadableError, or TruncatedError when
    a later part is damaged.
    """
    rows = 0
    with source.spooled() as spool:
        try:
            file = pq.ParquetFile(spool)
            wanted = chosen(file.schema_arrow.names)
            for batch in file.iter_batches(ROWS, columns=list(wanted.values())):
                frame = pl.DataFrame(pl.from_arrow(batch)).select(pl.col(name).alias(new) for new, name in wanted.items())
                yield _described(frame, rows)
                rows += len(frame)
        except (pa.ArrowException, OSError) as error:
            if rows:
                raise TruncatedError(source.name, f"the parquet data is damaged after row {rows}") from error
            reason = "it is no whole parquet file: damaged, or it ends too early"
            raise UnreadableError(source.name, reason, "Fetch the file again.") from error


def _described(frame: pl.DataFrame, before: int) -> pl.DataFrame:
    numbers = pl.selectors.numeric()
    texts = pl.selectors.string()
    trimmed = texts.str.strip_chars()
    frame = frame.with_columns(numbers.cast(pl.String)).with_columns(pl.when(trimmed != "").then(trimmed))
    raw = [json.dumps(row, default=str, ensure_ascii=False).encode() for row in frame.iter_rows(named=True)]
    problem = pl.lit(None, pl.String)
    return frame.with_row_index("line", before + 1).with_columns(raw=pl.Series(raw, dtype=pl.Binary), problem=problem)
