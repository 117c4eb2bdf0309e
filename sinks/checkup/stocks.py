"""What is open by its rows, and what the stocks say, which are sums since ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hotline.catalogue import ALL, KPIS, Stock
from hotline.names import DATABASE

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from hotline.catalogue import Kpi


class StockCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A stock at the end of the running minute."""

    kpi: str
    by_sums: int
    by_rows: int
    """Rows that have come in and not yet left."""


def stocks(client: Client) -> list[StockCheck]:
    """Compare every stock of the catalogue. The sink must stand still meanwhile."""
    end_s = int(client.query("SELECT intDiv(toUnixTimestamp(now()), 60) * 60 + 60").result_rows[0][0])
    return [_checked(client, kpi, kpi.numerator, end_s) for kpi in KPIS.values() if isinstance(kpi.numerator, Stock)]


def _checked(client: Client, kpi: Kpi, stock: Stock, end_s: int) -> StockCheck:
    came, left = stock.came, stock.left
    in_, out = (f"ifNull({m.sql_where} AND {m.at.name} < toDateTime({{end:UInt32}}), false)" for m in (came, left))
    sql = (
        f"SELECT (SELECT sum({came.column}) - sum({left.column}) FROM {DATABASE}.{kpi.subject.sums_table} "  # noqa: S608 names of ours
        f"WHERE scope_kind = '{ALL}' AND at < toDateTime({{end:UInt32}})), "
        f"(SELECT countIf({in_} AND NOT {out}) FROM {DATABASE}.{kpi.subject.rows_table} FINAL)"
    )
    by_sums, by_rows = client.query(sql, parameters={"end": end_s}).result_rows[0]
    return StockCheck(kpi=kpi.name, by_sums=int(by_sums), by_rows=int(by_rows))
