"""One batch into the engine, whole: spool, tables, marks, forget. Whatever dies in between, the next start goes on."""

from __future__ import annotations

import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from hotline.marks import Mark, Partition
    from sinks.inserting import Insert
    from sinks.writer.barrier import Barrier
    from sinks.writer.batch import Batch
    from sinks.writer.health import Health
    from sinks.writer.spool import Spool
    from sinks.writer.store import Store

from sinks.writer.lacking import with_note

log = logging.getLogger("sinks.writer")

CONNECTIONS = 2
EXIT_ON_PURPOSE = 99
"""How the process ends where a test asked it to die."""


class Applier:
    """Applies one batch after another; never two at a time."""

    def __init__(self, store: Store, spool: Spool, barrier: Barrier, health: Health, *, die_after: str = "") -> None:
        """`die_after` names a step ("spool", "table:NAME", "marks") after which the process dies, for fault tests."""
        self._store = store
        self._spool = spool
        self._barrier = barrier
        self._health = health
        self._die_after = die_after
        self._leases = 0
        self._pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="insert")

    def finish_spool(self) -> dict[Partition, Mark]:
        """Apply what a former life left in the spool; the marks that stand then.

        A batch that does not follow the marks is stored already, or was written by a zombie and never inserted.
        """
        stored = self._store.marks()
        for path, batch in self._spool.left():
            if batch.follows(stored):
                log.warning("finishing batch %s of a former life", batch.id)
                self._insert(batch)
                stored = self._store.marks()
            else:
                log.warning("batch %s of a former life is stored already", batch.id)
            self._spool.remove(path)
        self._health.stored = stored
        return stored

    def apply(self, batch: Batch) -> bool:
        """Apply a new batch; False when the process is to end before it began.

        Raises FencedError and StoppedError; the spool then still has the batch.
        """
        with self._barrier.batch() as go_on:
            if go_on:
                self._apply(batch)
            return go_on

    def _apply(self, batch: Batch) -> None:
        started = time.perf_counter()
        if self._barrier.leases != self._leases:  # whoever held the sink may have made columns, and filled them
            self._leases = self._barrier.leases
            self._store.forget_columns()
        batch = with_note(self._store, batch)
        path = self._written(batch)
        self._passed("spool")
        rows = self._insert(batch)
        self._spool.remove(path)
        self._health.apply_seconds += time.perf_counter() - started
        moved = {(move.topic, move.partition): move.after for move in batch.moves}
        self._health.stored_batch(moved, rows, batch.newest_at)

    def _written(self, batch: Batch) -> Path:
        return self._store.retry(lambda _: self._spool.write(batch), what="spooling", whose="disk")

    def _insert(self, batch: Batch) -> dict[str, int]:
        """Tables, then marks, then the question whether all of it was done under the highest epoch."""
        largest_first = sorted(batch.inserts, key=lambda insert: -len(insert.body))  # so that both ends meet
        counts = list(self._pool.map(self._insert_one, largest_first))
        self._store.insert(batch.marks)
        self._passed("marks")
        self._store.ensure_epoch()
        rows: dict[str, int] = {}
        for insert, count in zip(largest_first, counts, strict=True):
            rows[insert.table] = rows.get(insert.table, 0) + count
        return rows

    def _insert_one(self, insert: Insert) -> int:
        count = self._store.insert(insert)
        self._passed(f"table:{insert.table}")
        return count

    def _passed(self, step: str) -> None:
        if self._die_after == step:
            os._exit(EXIT_ON_PURPOSE)
