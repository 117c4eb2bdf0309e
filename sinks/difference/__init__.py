"""The difference of a span: what SQL over the standing rows gives, minus what the sums hold, at the stored grain.

Reconcile names it, repair adds it, and so does whoever fills a new column: all of them by one function.

`kept` says which tables hold sums, at which grains and from when on · `cells` is the SQL of both sides ·
`differing` asks it · `spans` and `pieces` cut a period into what is asked about at once.
"""

from sinks.difference.differing import Difference, as_sums, by_instant, difference
from sinks.difference.kept import Kept, RecentStart, kept_tables, recent_start
from sinks.difference.pieces import all_pieces
from sinks.difference.spans import Span, instant, outward

__all__ = [
    "Difference",
    "Kept",
    "RecentStart",
    "Span",
    "all_pieces",
    "as_sums",
    "by_instant",
    "difference",
    "instant",
    "kept_tables",
    "outward",
    "recent_start",
]
