"""What the engine keeps of sums beside them, in the same parts: by local day, and by time.

Names end with the catalogue's own, so that other measures are another projection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline.catalogue import catalogue_name, measures
from hotline.contributions import sums_schema
from hotline.names import SUMS_DAY

if TYPE_CHECKING:
    from hotline.subjects import Subject


def by_day(subject: Subject) -> dict[str, str]:
    """Sums of all measures by local day: what was ever, or in a year, of each scope, in a fraction of the rows."""
    day = f"scope_kind, {SUMS_DAY}, scope"
    sums = ", ".join(f"sum({measure.column})" for measure in measures(subject))
    return {f"by_day_{catalogue_name(subject)}": f"(SELECT {day}, {sums} GROUP BY {day})"}


def by_time(subject: Subject) -> dict[str, str]:
    """The same rows by time: a window of all scopes is a fraction of them."""
    select = f"(SELECT {', '.join(sums_schema(subject))} ORDER BY scope_kind, at)"
    return {f"by_time_{catalogue_name(subject)}": select}
