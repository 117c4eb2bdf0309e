"""Checks of a live installation, each a few questions to its tables: nothing is changed.

`sources` whether every piece of every log was accepted once · `stocks` whether what is open is what the stocks say ·
`lives` calls and tickets whose steps do not fit together · `deadlines` tickets that lack one
for want of a calendar · `stored` from when to when anything is stored at all.
Sums against rows and rows against events are `sinks.reconcile`.
"""

from sinks.checkup.deadlines import WithoutDeadline, without_deadline
from sinks.checkup.lives import ODDITIES, Oddity, odd_lives
from sinks.checkup.sources import Chain, chains, events_lost, marks_off
from sinks.checkup.stocks import StockCheck, stocks
from sinks.checkup.stored import stored_span

__all__ = [
    "ODDITIES",
    "Chain",
    "Oddity",
    "StockCheck",
    "WithoutDeadline",
    "chains",
    "events_lost",
    "marks_off",
    "odd_lives",
    "stocks",
    "stored_span",
    "without_deadline",
]
