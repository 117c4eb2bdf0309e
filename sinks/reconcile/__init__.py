"""Reconcile: what is stored recomputed from what it was made of, and every difference by name.

Sums are recomputed from rows (in SQL, by the catalogue), rows from events (by the fold). Both are laws of every stored
batch, so they are checked piece by piece, each piece under a short hold of the sink, and live traffic goes on between.

`report` is what it finds · `pieces` groups birth days · `reading` gives stored events and rows as frames · `sums`,
`rows` and `births` are the three comparisons · `reconciling` does it all · `noting` keeps the verdict. What sums should
be says `sinks.difference`.
"""

from hotline.holding import Hold, HoldError, no_hold
from sinks.reconcile.noting import note
from sinks.reconcile.reconciling import Progress, reconcile
from sinks.reconcile.report import Report, RowDifference, SumDifference, TwoBirths

__all__ = [
    "Hold",
    "HoldError",
    "Progress",
    "Report",
    "RowDifference",
    "SumDifference",
    "TwoBirths",
    "no_hold",
    "note",
    "reconcile",
]
