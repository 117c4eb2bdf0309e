"""A column of sums that is new, or lacks something, gets what its rows give: a repair of that column alone."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import polars as pl

from hotline.catalogue import measures
from hotline.filled import BEGUN, FILLED, FILLED_SQL, LACKED_SQL, columns
from hotline.names import FILLED_COLUMNS_TABLE
from hotline.subjects import SUBJECTS
from hotline.zone_names import zone as zone_of
from sinks.checkup.stored import stored_span
from sinks.difference import Kept, all_pieces, instant, kept_tables, outward, recent_start
from sinks.inserting import Insert
from sinks.repair.adding import RepairError, insert_under
from sinks.repair.lines import Lines
from sinks.repair.repairing import repair_pieces

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clickhouse_connect.driver.client import Client

    from hotline.catalogue import Measure
    from hotline.holding import Holding
    from sinks.difference import Span
    from sinks.reconcile import Progress
    from sinks.repair.report import Line

Wanted = dict[Kept, list["Measure"]]


def unfilled(client: Client) -> Wanted:
    """Find the measures of the catalogue whose columns are not filled, by table; a column may not be there yet."""
    known = columns(client.query(FILLED_SQL).result_rows)
    found = {
        kept: [measure for measure in measures(kept.subject) if (kept.table, measure.column) not in known]
        for subject in SUBJECTS.values()
        for kept in kept_tables(subject)
    }
    return {kept: missing for kept, missing in found.items() if missing}


def pieces_of(client: Client, wanted: Mapping[Kept, Sequence[Measure]], zone: str) -> list[tuple[Kept, Span]]:
    """Cut all that is stored of these tables into what is filled at once; nothing where nothing is stored."""
    stored = stored_span(client)
    if stored is None:
        return []
    name = zone_of(zone).key
    span = outward(instant(stored[0]), instant(stored[1]), name)
    return [piece for piece in all_pieces(client, span, name, recent_start(client, name)) if piece[0] in wanted]


def fill(
    client: Client,
    wanted: Mapping[Kept, Sequence[Measure]],
    zone: str,
    *,
    hold: Holding,
    progress: Progress = lambda *_: None,
) -> list[Line]:
    """Fill columns slice by slice, each under a short hold of the sink; what was added, by measure and scope kind.

    Every worker must write these columns already, and what others wrote must be stored. May be interrupted and
    repeated: what is there is not added again. Nobody reads a column before all of it is filled; one that an output
    lacked meanwhile is not filled. Raises RepairError, HoldError and the client's errors.
    """
    if not wanted:
        return []
    with hold() as lease:
        lacked = {(str(table), str(column)): int(n) for table, column, n in client.query(LACKED_SQL).result_rows}
        insert_under(client, [_note(wanted, BEGUN, lacked)], lease)  # from now on the sink tells what lacks them
    lines = Lines()
    remaining = repair_pieces(
        client, pieces_of(client, wanted, zone), lines, hold=hold, of=dict(wanted), progress=progress
    )
    if remaining:
        raise RepairError(f"{remaining} sums of new columns are not what their rows give: fill them again")
    with hold() as lease:
        insert_under(client, [_note(wanted, FILLED, lacked)], lease)
    return lines.lines()


def _note(wanted: Mapping[Kept, Sequence[Measure]], told: str, lacked: Mapping[tuple[str, str], int]) -> Insert:
    """Tell that columns are filled, or begin to be, and how often they lacked something before."""
    names = [(kept.table, measure.column) for kept, missing in wanted.items() for measure in missing]
    rows = pl.DataFrame(names, schema=["sums_table", "sums_column"], orient="row").with_columns(
        told=pl.lit(told), lacked=pl.Series([lacked.get(name, 0) for name in names], dtype=pl.UInt64)
    )
    return Insert.of(FILLED_COLUMNS_TABLE, f"fill/{uuid.uuid4().hex}", rows)
