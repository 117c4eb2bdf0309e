"""Births of calls and tickets as the tables have them, by source and id."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from hotline.names import DATABASE
from hotline.subjects import SUBJECTS
from streams.intake.births import entity_name

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

IDS_MAX = 500
"""Ids asked for at once: each may be a false hit in one of a thousand granules (`sinks.tables.ENTITY_INDEX`)."""

_OF = {entity_name(subject, "", "").partition("\0")[0]: subject for subject in SUBJECTS.values()}


class StoredBirths:
    """Look-ups in the tables of rows, through the index over their ids. Raises what the client raises."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __call__(self, names: Collection[str]) -> Iterator[tuple[str, int]]:
        """Births, in epoch seconds, of those of the entities (`entity_name`) that are stored."""
        for kind, group in itertools.groupby(sorted(names), key=lambda name: name.partition("\0")[0]):
            wanted = set(group)
            ids = sorted({name.rpartition("\0")[2] for name in wanted})
            for start in range(0, len(ids), IDS_MAX):
                yield from self._of(kind, ids[start : start + IDS_MAX], wanted)

    def _of(self, kind: str, ids: list[str], wanted: set[str]) -> Iterator[tuple[str, int]]:
        subject = _OF[kind]
        found = self._client.query(
            f"SELECT DISTINCT source, entity, toUnixTimestamp(born_at) FROM {DATABASE}.{subject.rows_table} "  # noqa: S608
            "WHERE entity IN {ids:Array(String)}",
            parameters={"ids": ids},
        )
        for source, entity, born in found.result_rows:
            name = entity_name(subject, str(source), str(entity))
            if name in wanted:
                yield name, int(born)
