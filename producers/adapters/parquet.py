"""Rows of a parquet file as frames like those of lines, a slice of a row group at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from producers.adapters.errors import TruncatedError, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from producers.adapters.opening import Input

MAGIC = b"PAR1"


def row_frames(
    source: Input, chosen: Callable[[Sequence[str]], dict[str, str]], rows_max: int
) -> Iterator[pl.DataFrame]:
    """Frames with the columns that `chosen` picks from the file's (new name → name).

    Numbers become text; a row has `line` (counted from 1), `raw` (its JSON) and `problem` (null) besides. Raises
    UnreadableError, or TruncatedError when a later part is damaged.
    """
    rows = 0
    with source.seekable() as content:
        size = source.position
        try:
            file = pq.ParquetFile(content)
            wanted = chosen(file.schema_arrow.names)
            for batch in file.iter_batches(rows_max, columns=list(wanted.values())):
                frame = pl.DataFrame(pl.from_arrow(batch))
                before, rows = rows, rows + len(frame)
                source.position = size * rows // file.metadata.num_rows
                yield _described(source, frame.select(pl.col(name).alias(new) for new, name in wanted.items()), before)
        except (pa.ArrowException, OSError) as error:
            if rows:
                raise TruncatedError(source.name, f"the parquet data is damaged after row {rows}") from error
            reason = "it is no whole parquet file: damaged, or it ends too early"
            raise UnreadableError(source.name, reason, "Fetch the file again.") from error


def _described(source: Input, frame: pl.DataFrame, before: int) -> pl.DataFrame:
    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    if nested:
        reason = f"its column {nested[0]} holds lists or structs"
        raise UnreadableError(source.name, reason, "Use the adapter of what it holds.")
    texts = [name for name, dtype in frame.schema.items() if not isinstance(dtype, (pl.Date, pl.Datetime))]
    frame = frame.with_columns(pl.col(texts).cast(pl.String, strict=False).str.strip_chars())
    return frame.with_columns(
        *(pl.when(pl.col(name) != "").then(name).alias(name) for name in texts),
        raw=pl.struct(pl.all()).struct.json_encode().cast(pl.Binary),
        problem=pl.lit(None, pl.String),
    ).with_row_index("line", before + 1)
