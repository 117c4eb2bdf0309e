"""Which stored rows were folded by other versions than those of today, by the day they were born on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hotline.fold import SIZE_UNIT
from hotline.names import DATABASE
from hotline.windows import DAY_S

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from hotline.subjects import Subject

_LAST_S = 2**32 - 1


class Births(NamedTuple):
    """What was born on one day of UTC."""

    day: int
    """Days since 1970-01-01."""
    rows: int
    older: int
    """Rows that older versions folded."""
    newer: int
    """Rows that newer versions folded; nothing takes their place but newer ones still."""
    events: int


def births(client: Client, subject: Subject, folded_by: int, days: tuple[int, int] | None = None) -> list[Births]:
    """Count the rows that stand by birth day, ascending; `days`: from the first one to before the second.

    `folded_by` is what `hotline.fold.folded_by` gives for the versions of today. Raises the client's errors.
    """
    first, end = days or (0, _LAST_S)
    sql = (
        f"SELECT intDiv(toUnixTimestamp(born_at), {DAY_S}) AS day, count() AS rows, "  # noqa: S608 names of ours
        f"countIf(version % {SIZE_UNIT} < {{by:UInt32}}), countIf(version % {SIZE_UNIT} > {{by:UInt32}}), "
        f"sum(intDiv(version, {SIZE_UNIT})) FROM {DATABASE}.{subject.rows_table} FINAL "
        "WHERE born_at >= toDateTime({lo:UInt32}) AND born_at < toDateTime({hi:UInt32}) GROUP BY day ORDER BY day"
    )
    asked = {"by": folded_by, "lo": max(first, 0) * DAY_S, "hi": min(end * DAY_S, _LAST_S)}
    found = client.query(sql, parameters=asked).result_rows
    return [Births(*map(int, row)) for row in found]
