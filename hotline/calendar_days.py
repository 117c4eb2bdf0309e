"""The working days of the calendar that the settings name, as they stand in a table for all who ask by SQL.

The sink writes them whole, in one block under its epoch, when it starts and others stand there. The days of the highest
epoch stand and no others: a calendar that knows fewer days than the one before leaves nothing of that behind.
"""

from __future__ import annotations

from hotline.names import CALENDAR_DAYS_TABLE, DATABASE

_DAYS = f"{DATABASE}.{CALENDAR_DAYS_TABLE}"
_STANDING = f"epoch = (SELECT max(epoch) FROM {_DAYS})"  # noqa: S608 names of ours
DIGEST_SQL = f"SELECT any(digest) FROM {_DAYS} WHERE {_STANDING}"  # noqa: S608 names of ours
"""What stands, as one number; 0 when nothing was ever written."""


def standing(columns: str, condition: str = "1") -> str:
    """Select columns of the days that stand and meet a condition: `day`, `working`, `listed`, `holiday` …."""
    return f"SELECT {columns} FROM {_DAYS} WHERE {_STANDING} AND {condition}"  # noqa: S608 names of ours
