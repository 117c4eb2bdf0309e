"""All sums of a period in pieces that are compared at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline.subjects import SUBJECTS
from sinks.difference.kept import Kept, RecentStart, kept_tables
from sinks.difference.spans import Span, sum_pieces

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


def all_pieces(client: Client, span: Span, zone: str, recent: RecentStart) -> list[tuple[Kept, Span]]:
    """Cut the sums of a span of local hours, both tables of both subjects: recent minutes first, while they are so."""
    parts = [(kept, kept.part(span, recent)) for subject in SUBJECTS.values() for kept in kept_tables(subject)]
    cut = [(kept, piece) for kept, part in parts if part for piece in sum_pieces(client, kept.subject, part, zone)]
    return sorted(cut, key=lambda piece: not piece[0].recent)
