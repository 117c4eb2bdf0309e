"""The bank's two months as files of any year, and every figure that the product gives of them."""

from __future__ import annotations

import gzip
from functools import cache
from typing import TYPE_CHECKING, Any

from hotline.catalogue import KPIS, Stock
from tests.e2e.stacks import DATA

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.stacks import Hotline

MONTHS = ("january", "february")
EVENTS = {"january": 106_464, "february": 111_353}
"""By a reading of the lines that tests/producers/test_bank1999.py holds together with the adapter."""
FILES = {month: DATA / "bank1999" / f"{month}.txt.gz" for month in MONTHS}
YEAR = 1999
_DATE_COLUMN = 5


@cache
def lines(month: str, year: int = YEAR) -> list[bytes]:
    """Lines of a month, the header first; `year` (199x) takes the place of 1999, and nothing else changes.

    The zone has no summer time in these months of any year, so that every figure is the same in every year.
    """
    header, *rows = gzip.decompress(FILES[month].read_bytes()).splitlines(keepends=True)
    return [header, *(_moved(row, str(year % 100).encode()) for row in rows)]


def _moved(row: bytes, year: bytes) -> bytes:
    columns = row.split(b"\t")
    columns[_DATE_COLUMN] = year + columns[_DATE_COLUMN][2:]
    return b"\t".join(columns)


def write(file: Path, content: list[bytes]) -> str:
    """Write lines to a file; its name."""
    file.write_bytes(b"".join(content))
    return str(file)


def months(year: int = YEAR) -> str:
    """Write January and February of a year as a period."""
    return f"{year}-01-01..{year}-03-01"


def every_figure(hotline: Hotline, year: int = YEAR, *, end: str = "03-01") -> list[dict[str, Any]]:
    """Ask for every KPI by day, and for those of calls by queue and month; the year taken out.

    Stocks only look like sums of a period: they count from the beginning of all time, so only KPIs of flows are here.
    """
    flows = [name for name, kpi in KPIS.items() if not isinstance(kpi.numerator, Stock)]
    of_calls = [name for name in flows if KPIS[name].subject.name == "calls"]
    period = f"{year}-01-01..{year}-{end}"
    found = hotline.figures(*flows, period=period, more=("--by", "day"))
    found += hotline.figures(*of_calls, period=period, more=("--by", "month", "--split", "line"))
    assert sum(result["value"] is not None for result in found) > len(found) / 4
    return [{**result, "from": _no_year(result["from"]), "to": _no_year(result["to"])} for result in found]


def january_of(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep what lies in January."""
    return [result for result in figures if result["from"].startswith("-01-")]


def _no_year(instant: str) -> str:
    return instant[4:]
