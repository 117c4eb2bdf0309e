"""Repair: the difference between the rows and the sums of a period is added to the sums; nothing is taken away.

`repairing` does it piece by piece under the sink's barrier · `filling` does the same for a column that is new ·
`adding` is how a difference gets in exactly once ·
`lines` and `report` say what was there before, what was added and what is there now.
"""

from sinks.repair.adding import RepairError
from sinks.repair.filling import fill, unfilled
from sinks.repair.repairing import repair
from sinks.repair.report import Line, RepairReport

__all__ = ["Line", "RepairError", "RepairReport", "fill", "repair", "unfilled"]
