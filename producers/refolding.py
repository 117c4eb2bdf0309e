"""Asking measure to fold again: requests into every partition, a few at a time, until their answers are stored."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, NamedTuple

from hotline.fold import folded_by_versions
from hotline.names import ACCOUNTS_TABLE, DATABASE
from producers.bounds import DEFAULTS, Bounds
from producers.sending import Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from clickhouse_connect.driver.client import Client

    from hotline.refold import Refold
    from hotline.subjects import Subject
    from producers.sending import Connect

AHEAD = 2
"""Requests that wait in each partition: what comes in meanwhile waits for as many and no more."""
_ANSWERS = (
    "SELECT block_id, max(fold), max(rule), max(calendar), sum(rows), sum(sums), groupUniqArray(catalogue) "  # noqa: S608 names of ours
    f"FROM {DATABASE}.{ACCOUNTS_TABLE} WHERE startsWith(block_id, {{name:String}}) GROUP BY block_id"
)


class Answer(NamedTuple):
    """What became of the requests of one subject."""

    rows: int
    """Rows that changed."""
    sums: int
    """Cells of the sums that changed."""
    unable: int
    """Requests whose worker has older versions than they ask for: nothing was folded again."""
    catalogues: frozenset[str]
    """Of the workers that answered."""


def ask(
    connect: Connect,
    subject: Subject,
    requests: Sequence[Refold],
    partitions: int,
    *,
    progress: Callable[[int], None] = lambda _: None,
    bounds: Bounds = DEFAULTS,
) -> Answer:
    """Send requests to every partition of a subject, wait until the answers are stored, and say what they changed.

    May be repeated, after an interruption as well. Raises StackAwayError when nothing answers for too long.
    """
    name = f"refold/{uuid.uuid4().hex}/"
    with Sender(connect, lambda *_: None, bounds=bounds) as sender:
        for number, request in enumerate(requests):
            for partition in range(partitions):
                sender.ask_to_refold(f"{name}{number}/{partition}", subject, partition, request)
            while sender.waiting > AHEAD * partitions:
                sender.wait()
            progress(number)
        while sender.waiting:
            sender.wait()
    progress(len(requests))
    return _answer(connect()[1], name, subject, requests)


def _answer(client: Client, name: str, subject: Subject, requests: Sequence[Refold]) -> Answer:
    rows = client.query(_ANSWERS, parameters={"name": name}).result_rows
    asked = [folded_by_versions(subject, one.fold, one.rule, one.calendar) for one in requests]
    folded = [(_number(block), folded_by_versions(subject, *map(int, versions))) for block, *versions, _, _, _ in rows]
    return Answer(
        rows=sum(int(row[4]) for row in rows),
        sums=sum(int(row[5]) for row in rows),
        unable=sum(by < asked[number] for number, by in folded),
        catalogues=_all(row[6] for row in rows),
    )


def _number(block_id: str) -> int:
    return int(block_id.split("/")[2])


def _all(names: Iterable[Sequence[str]]) -> frozenset[str]:
    return frozenset(name for some in names for name in some)
