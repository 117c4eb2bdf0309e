"""The database's side: inserts under tokens and epochs, table after table."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.faults.model.fences import EPOCH, PARTS, TOKEN
from tests.faults.model.state import WHOLE, Account

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.faults.model.rules import Rules
    from tests.faults.model.state import Batch, Database, Output, Row

TABLES = ("events", "rows", "sums", "accounts", "marks")
"""In the order of the inserts; the last two are the sink's own books."""
Part = str
"""What of an insert goes into one partition of its table, and is stored whole or not at all."""


def insert(database: Database, table: str, batch: Batch, epoch: int, rules: Rules) -> Database:
    """One guarded insert: nothing under an older epoch, no part whose token is remembered."""
    if rules.has(EPOCH) and epoch < database.epoch:
        return database
    found = parts(table, batch)
    after = database
    for part in found:
        if not (rules.has(TOKEN) and remembered(database, batch, table, part)):
            after = written(after, table, part, batch)
    of_parts = {(batch.id, table, part) for part in found}
    return after._replace(tokens=after.tokens - of_parts | {(batch.id, table, WHOLE)})


def torn(database: Database, table: str, batch: Batch, epoch: int, rules: Rules) -> Iterator[tuple[int, Database]]:
    """The database after an insert that failed when some of its parts were stored, and how many those are."""
    found = parts(table, batch)
    if (batch.id, table, WHOLE) in database.tokens or (rules.has(EPOCH) and epoch < database.epoch):
        return
    for count, part in enumerate(found[:-1], 1):
        if not remembered(database, batch, table, part):
            token = (batch.id, table, part if rules.has(PARTS) else WHOLE)
            database = written(database, table, part, batch)
            database = database._replace(tokens=database.tokens | {token})
            yield count, database


def remembered(database: Database, batch: Batch, table: str, part: Part) -> bool:
    """Whether the engine knows the token of a part: its insert's, and the partition."""
    return not database.tokens.isdisjoint({(batch.id, table, part), (batch.id, table, WHOLE)})


def parts(table: str, batch: Batch) -> list[Part]:
    """The parts of an insert, in their order: of rows and sums one a row, as if each lay in a year of its own."""
    if table == "rows":
        return [str(row) for row in sorted({one.new for one in batch.taken if one.new})]
    if table == "sums":
        return [str(row) for row, _ in _changes(batch.taken)]
    return [table]


def written(database: Database, table: str, part: Part, batch: Batch) -> Database:
    """The database with one part of a batch in one table."""
    taken = batch.taken
    if table == "events":
        return database._replace(events="".join(sorted(database.events + "".join(one.fresh for one in taken))))
    if table == "rows":
        new = {one.new for one in taken if one.new and str(one.new) == part}
        return database._replace(rows=tuple(sorted(new.union(database.rows))))
    if table == "sums":
        return database._replace(sums=_added(database.sums, [cell for cell in _changes(taken) if str(cell[0]) == part]))
    if table == "accounts":
        return database._replace(accounts=tuple(sorted([*database.accounts, *map(_account, taken)])))
    return database._replace(mark=max(database.mark, batch.after, key=lambda one: one.version))


def whole(database: Database, batch: Batch | None) -> Database:
    """The database as it is once a batch in hand is stored."""
    if batch is None or batch.before != database.mark:
        return database
    for table in TABLES:
        for part in () if (batch.id, table, WHOLE) in database.tokens else parts(table, batch):
            if not remembered(database, batch, table, part):
                database = written(database, table, part, batch)
    return database


def block_stored(database: Database, block: str) -> bool:
    """Whether an account of a whole sending of the block is stored."""
    return any(one.block == block and one.final for one in database.accounts)


def _account(output: Output) -> Account:
    return Account(*output[:5], block=output.block[0], counted=len(output.fresh))


def _changes(taken: Iterable[Output]) -> list[tuple[Row, int]]:
    total: Counter[Row] = Counter()
    for one in taken:
        if one.new:
            total[one.new] += 1
        if one.old:
            total[one.old] -= 1
    return sorted((row, count) for row, count in total.items() if count)


def _added(sums: Iterable[tuple[Row, int]], changes: Iterable[tuple[Row, int]]) -> tuple[tuple[Row, int], ...]:
    total = Counter(dict(sums))
    for row, count in changes:
        total[row] += count
    return tuple(sorted((row, count) for row, count in total.items() if count))
