"""A difference into its table exactly once, whoever dies in between.

It was computed under a lease of the sink, and all of it happens under that lease: the lease is begun anew before the
first statement, each statement refuses to begin late or to run long, and it carries the epoch of the sink that was
held. So when a lease has ended, what was asked for under it has happened or never will, and whoever holds the sink
next sees all of it when it compares. What a dead one left running is waited for. The token makes it harmless when a
statement is sent twice, because its answer was lost. When only a part got in, the next comparison finds the rest.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

import polars as pl
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from hotline.holding import LEASE_S
from hotline.names import DATABASE, REPAIRS_TABLE
from sinks.difference import as_sums
from sinks.inserting import Insert, Until, columns_of, highest_epoch, send

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clickhouse_connect.driver.client import Client

    from hotline.holding import Lease
    from sinks.difference import Difference, Kept

ROWS_MAX = 200_000
"""Rows of an insert: some 45 MB before they are packed."""
START_WITHIN_S, RUN_S = int(LEASE_S / 4), int(LEASE_S / 4)
"""How late a statement may begin, and how long it may run then: half a lease together."""
TRIES_MAX = 3
IDLE_WITHIN_S = RUN_S + START_WITHIN_S
_POLL_S = 0.2


class RepairError(RuntimeError):
    """The difference was not added, or nobody knows; the message says what to do."""


def wait_until_idle(client: Client, kept: Kept, within_s: float = IDLE_WITHIN_S) -> None:
    """Wait until no insert into a table of sums is under way: the sink is held, so it is one of somebody dead.

    Raises RepairError when it does not end.
    """
    sql = "SELECT count() FROM system.processes WHERE query_kind = 'Insert' AND startsWith(query, {begin:String})"
    begin = f"INSERT INTO {DATABASE}.{kept.table} "
    deadline = time.monotonic() + within_s
    while int(client.query(sql, parameters={"begin": begin}).result_rows[0][0]):
        if time.monotonic() > deadline:
            raise RepairError(f"an insert into {kept.table} of a process that died still runs: repair again later")
        time.sleep(_POLL_S)


def add(client: Client, kept: Kept, found: Difference, lease: Lease) -> None:
    """Add what is missing, after a note of it in the table of repairs, which readers of sums in memory look at.

    Raises RepairError, and HoldError when the lease had ended before anything was asked for.
    """
    insert_under(client, list(_inserts(kept, found)), lease)


def insert_under(client: Client, inserts: Sequence[Insert], lease: Lease) -> None:
    """Insert while a lease of the sink lasts, all of it once or in part. Raises as `add` does."""
    if lease.epoch is None:
        raise RepairError("there is no sink to hold, so nothing was added: start the stack with hotline up")
    for insert in inserts:
        until = Until(_now_s(client) + START_WITHIN_S, RUN_S)  # looked up first: however late it is used, it ends first
        lease.renew()
        _send(client, insert, lease.epoch, until)
    if highest_epoch(client) > lease.epoch:
        raise RepairError("the sink was started again in the middle of the repair: repair again")


def _send(client: Client, insert: Insert, epoch: int, until: Until) -> None:
    """Send an insert, and again when its answer is lost: the token and the deadline stay the same."""
    failed: Exception | None = None
    for _ in range(TRIES_MAX):
        try:
            send(client, insert, columns_of(client, insert.table), epoch, until)
        except (ClickHouseError, HTTPError, OSError) as error:
            failed = error
            time.sleep(_POLL_S)
        else:
            return
    first_line = (str(failed).splitlines() or [""])[0][:300]
    raise RepairError(
        f"the engine did not say whether {insert.rows} rows got into {insert.table} ({first_line}): "
        "repair again, which adds what is missing then"
    ) from failed


def _inserts(kept: Kept, found: Difference) -> Iterator[Insert]:
    name = uuid.uuid4().hex
    rows = as_sums(found.sums)
    note = rows.select(
        id=pl.lit(name),
        sums_table=pl.lit(kept.table),
        first_at=pl.col("at").min(),
        last_at=pl.col("at").max(),
        sums=pl.lit(found.differ, pl.UInt64),
    ).head(1)
    yield Insert.of(REPAIRS_TABLE, f"repair/{name}/note", note)
    for number, part in enumerate(rows.iter_slices(ROWS_MAX)):
        yield Insert.of(kept.table, f"repair/{name}/{number}", part)


def _now_s(client: Client) -> int:
    return int(client.query("SELECT toUnixTimestamp(now())").result_rows[0][0])
