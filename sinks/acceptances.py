"""What somebody accepts so that a line goes on, and what was given up for it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from hotline.names import ACCEPTANCES_TABLE, DATABASE, GAPS_TABLE

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from hotline.acceptances import Stop


class GivenUp(msgspec.Struct, frozen=True, kw_only=True):
    """Records of a log that were gone before they were read, from `first_offset` up to `next_offset`."""

    topic: str
    partition: int
    log: int
    first_offset: int
    next_offset: int
    records: int
    at: datetime


def accept(client: Client, kind: str, stop: Stop) -> None:
    """Let the line that stopped there go on. May be repeated."""
    client.command(
        f"INSERT INTO {DATABASE}.{ACCEPTANCES_TABLE} (kind, topic, partition, log, offset) "  # noqa: S608 names of ours
        "VALUES ({kind:String}, {topic:String}, {partition:UInt16}, {log:UInt32}, {offset:Int64})",
        parameters={"kind": kind, **stop._asdict()},
        settings={"async_insert": 0},
    )


def given_up(client: Client) -> list[GivenUp]:
    """Every gap, in the order of the logs."""
    sql = (
        "SELECT topic, partition, log, first_offset, next_offset, next_offset - first_offset, given_up_at "  # noqa: S608
        f"FROM {DATABASE}.{GAPS_TABLE} FINAL ORDER BY topic, partition, log, first_offset"
    )
    names = [field.name for field in msgspec.structs.fields(GivenUp)]
    return [GivenUp(**dict(zip(names, row, strict=True))) for row in client.query(sql).result_rows]
