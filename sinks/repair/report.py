"""What a repair found, added and left."""

from __future__ import annotations

from datetime import datetime

import msgspec

from sinks.reconcile.report import Report


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of one scope kind at one grain: the total of the period before, what is missing, and after."""

    subject: str
    measure: str
    kpis: list[str]
    """KPIs that are read from it."""
    scope_kind: str
    grain: str
    """`minute`, `hour` or `recent minute`; `none` where no sum of this kind should be."""
    sums: int
    """Sums that differed."""
    before: int
    difference: int
    """Of all of them; those that differ in opposite directions may add up to 0."""
    after: int
    """As read again; in a dry run as it would be."""


class RepairReport(msgspec.Struct, kw_only=True, rename={"from_": "from"}):
    """A repair, or in a dry run what it would do."""

    from_: datetime
    to: datetime
    """The period, rounded outward to local hours; half-open."""
    dry_run: bool
    sums: int = 0
    """Sums that differed."""
    remaining: int = 0
    """Sums that differ still: in a dry run all of them."""
    lines: list[Line] = []
    rows: Report
    """Rows against events, which a repair never touches."""
    notes: list[str] = []

    @property
    def clean(self) -> bool:
        """Nothing differs any more."""
        return not self.remaining and self.rows.equal
