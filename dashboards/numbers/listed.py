"""The rows behind a number, and the events of one of them, as tables that a page shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dashboards.numbers import says
from dashboards.numbers.address import AddressError, Order
from dashboards.numbers.exports import ROWS_MAX
from dashboards.web.errors import SaidError
from dashboards.words import Text
from hotline.catalogue import Quantile
from hotline.queries import (
    QuestionError,
    behind,
    behind_count,
    behind_row,
    events_of,
    identity_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.numbers.address import Address
    from dashboards.numbers.counted import Counted
    from dashboards.web.store import Store
    from hotline.catalogue import Kpi
    from hotline.queries import Identity, Listing

ROWS_A_PAGE = 50
EVENTS_MAX = 1000
_IN_ITS_NAME = frozenset({"source", "entity", "born_at"})
_NEVER_SHOWN = frozenset({"schema", "received_at", "digest"})
Record = dict[str, Any]


class NothingListedError(SaidError, LookupError):
    """There is no such row or page; the message says what there is."""


@dataclass(frozen=True)
class Cell:
    """A cell as text; `at` is its instant, `href` where it leads."""

    text: str
    number: bool = False
    at: str = ""
    href: str = ""


@dataclass(frozen=True)
class Head:
    """A column: its title, how it is sorted (`ascending`, `descending` or not), and the address that sorts by it."""

    title: str
    name: str
    sorted: str = ""
    href: str = ""


@dataclass(frozen=True)
class Table:
    """Columns and rows."""

    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Page:
    """One page of the rows. `pages` are those of the first `ROWS_MAX` rows; 0 where there is none."""

    table: Table
    rows_total: int
    page: int
    pages: int

    @property
    def first(self) -> int:
        """The place of its first row among all."""
        return (self.page - 1) * ROWS_A_PAGE + 1

    @property
    def last(self) -> int:
        """The place of its last row among all."""
        return self.first + len(self.table.rows) - 1


def listing(counted: Counted, address: Address, *, page: int = 1, rows: int = ROWS_A_PAGE) -> Listing:
    """The rows as an address sorts them. Raises AddressError for a column that there is none of."""
    falls = address.order is Order.DESCENDING
    try:
        return behind(counted.question, page=page, rows=rows, sort=address.sort, descending=falls)
    except QuestionError as error:
        raise AddressError(Text(str(error), f"明细没有“{address.sort}”一列:请点表头排序")) from error


async def page(counted: Counted, address: Address, store: Store) -> Page:
    """Ask for a page. Raises AddressError, NothingListedError, StoreError."""
    listed = listing(counted, address, page=address.page)
    total = await count(counted, store)
    pages = -(-min(total, ROWS_MAX) // ROWS_A_PAGE)
    if address.page > max(1, pages):
        last = f"{max(1, pages):,}"
        raise NothingListedError(
            Text(
                f"there is no page {address.page:,}: the last one is {last}",
                f"没有第{address.page:,}页:最后一页是第{last}页",
            )
        )
    found = await store.run(listed.statement)
    names = [column.name for column in listed.columns if column.name != "denominator" or has_two_parts(address.kpi)]
    records = listed.records(found.rows, counted.period.zone)
    table = Table(
        tuple(_head(address, name) for name in names), tuple(_row(address, names, record) for record in records)
    )
    return Page(table, total, address.page, pages)


async def count(counted: Counted, store: Store) -> int:
    """How many rows are behind a number. Raises StoreError."""
    return int((await store.run(behind_count(counted.question))).rows[0][0])


async def one(counted: Counted, address: Address, row: Identity, store: Store) -> tuple[Table, Table]:
    """What one row adds, and its events. Raises NothingListedError, StoreError."""
    adds, events = behind_row(counted.question, row), events_of(address.kpi, row).part(rows=EVENTS_MAX)
    zone = counted.period.zone
    records = adds.records((await store.run(adds.statement)).rows, zone)
    if not records:
        raise NothingListedError(
            Text(
                f"no {address.kpi.subject.singular} {row.text(zone)} is stored: follow a link of the list of rows",
                f"没有存储{row.text(zone)}:请点明细中的链接",
            )
        )
    happened = await store.run(events.statement)
    return _plain(address, records, frozenset()), _plain(
        address, events.records(happened.rows, zone), _IN_ITS_NAME | _NEVER_SHOWN
    )


def _head(address: Address, name: str) -> Head:
    title = says.column_title(address.kpi, name, address.lang)
    is_sorted, falls = name == address.sort, address.order is Order.DESCENDING
    order = Order.DESCENDING if is_sorted and not falls else Order.ASCENDING
    shown = ("descending" if falls else "ascending") if is_sorted else ""
    return Head(title, name, shown, address.link(sort=name, order=order, page=1))


def has_two_parts(kpi: Kpi) -> bool:
    """Whether a KPI has something in its denominator's place."""
    return kpi.denominator is not None or isinstance(kpi.numerator, Quantile)


def _row(address: Address, names: Sequence[str], record: Record) -> tuple[Cell, ...]:
    named = identity_of(record).text(record["born_at"].tzinfo)
    return tuple(
        _cell(address, name, record[name], address.link("/row", row=named) if name == "entity" else "")
        for name in names
    )


def _plain(address: Address, records: Sequence[Record], left_out: frozenset[str]) -> Table:
    """Columns that are empty throughout are left out."""
    names = [
        name
        for name in (records[0] if records else ())
        if name not in left_out and any(each[name] not in {None, ""} for each in records)
    ]
    heads = tuple(Head(says.column_title(address.kpi, name, address.lang), name) for name in names)
    return Table(heads, tuple(tuple(_cell(address, name, each[name]) for name in names) for each in records))


def _cell(address: Address, name: str, content: Any, href: str = "") -> Cell:
    number = isinstance(content, int | float) and not isinstance(content, bool)
    at = content.isoformat() if isinstance(content, datetime) else ""
    return Cell(says.cell(address.kpi, name, content, address.lang), number, at, href)
