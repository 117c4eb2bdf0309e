"""What a table is: its columns and how its rows are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

INSERTS_REMEMBERED = 1_000
"""Parts whose tokens a table remembers; only the last batch is ever repeated."""

MERGE_BASE = 25
"""Parts of like size that are merged at once (the default is 5): each row is rewritten half as often, which is most of
what a load costs the engine; reads meet a few dozen parts more."""

Columns = Mapping[str, str]
TIME_TYPE = "DateTime('{zone}')"
"""A time, in the zone of the hotline."""


PROJECTED: Mapping[str, str] = {
    "deduplicate_merge_projection_mode": "'rebuild'",  # from the rows that a merge leaves
    "materialize_projections_on_insert": "0",  # for each small part it costs as much as the part itself
    "materialize_projections_on_merge": "1",
}
"""Settings of a table with projections: merges write them; parts that have none yet are read without."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table: columns with their types, in order, and how rows are kept."""

    name: str
    columns: Columns
    order: tuple[str, ...]
    engine: str = "MergeTree"
    partition: str = ""
    ttl: str = ""
    """When a row may be forgotten."""
    indexes: Mapping[str, str] = field(default_factory=dict)
    """Skipping index → its expression and type."""
    projections: Mapping[str, str] = field(default_factory=dict)
    """What the engine keeps of the rows beside them, in the same parts: its name, which says all of it → its SELECT."""
    tokens: int = INSERTS_REMEMBERED
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_settings(self) -> dict[str, str]:
        """Settings of the table: an acknowledged insert is on the disk, and a repeated token adds nothing."""
        return {
            "non_replicated_deduplication_window": str(self.tokens),
            "fsync_after_insert": "1",
            "fsync_part_directory": "1",
            "default_compression_codec": "'ZSTD(1)'",
            "merge_selector_base": str(MERGE_BASE),
            **self.settings,
        }
