"""The database's side: inserts under tokens and epochs, table after table."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.faults.model.fences import EPOCH, TOKEN
from tests.faults.model.state import Account

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.faults.model.rules import Rules
    from tests.faults.model.state import Batch, Database, Output, Row

TABLES = ("events", "rows", "sums", "books")
"""In the order of the inserts; the books are the sink's own: accounts and, last of all, marks."""


def insert(database: Database, table: str, batch: Batch, epoch: int, rules: Rules) -> Database:
    """One guarded insert: nothing under an older epoch, nothing under a token that is remembered."""
    token = (batch.id, table)
    if rules.has(EPOCH) and epoch < database.epoch:
        return database
    if token in database.tokens:
        return database if rules.has(TOKEN) else written(database, table, batch)
    return written(database, table, batch)._replace(tokens=database.tokens | {token})


def written(database: Database, table: str, batch: Batch) -> Database:
    """The database with a batch's rows in one table."""
    taken = batch.taken
    if table == "events":
        return database._replace(events="".join(sorted(database.events + "".join(one.fresh for one in taken))))
    if table == "rows":
        new = {one.new for one in taken if one.new}
        return database._replace(rows=tuple(sorted(new.union(database.rows))))
    if table == "sums":
        return database._replace(sums=_added(database.sums, taken))
    mark = max(database.mark, batch.after, key=lambda one: one.version)
    accounts = [*database.accounts, *map(_account, taken)]
    return database._replace(accounts=tuple(sorted(accounts)), mark=mark)


def whole(database: Database, batch: Batch | None) -> Database:
    """The database as it is once a batch in hand is stored."""
    if batch is None or batch.before != database.mark:
        return database
    for table in TABLES:
        if (batch.id, table) not in database.tokens:
            database = written(database, table, batch)
    return database


def block_stored(database: Database, block: str) -> bool:
    """Whether an account of a whole sending of the block is stored."""
    return any(one.block == block and one.final for one in database.accounts)


def _account(output: Output) -> Account:
    return Account(*output[:5], block=output.block[0], counted=len(output.fresh))


def _added(sums: Iterable[tuple[Row, int]], taken: Iterable[Output]) -> tuple[tuple[Row, int], ...]:
    total = Counter(dict(sums))
    for one in taken:
        if one.new:
            total[one.new] += 1
        if one.old:
            total[one.old] -= 1
    return tuple(sorted((row, count) for row, count in total.items() if count))
