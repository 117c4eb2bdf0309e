"""What later versions change: the second counts talks as long from a minute on, the third folds anew as well."""

from __future__ import annotations

import dataclasses

import hotline.fold
from hotline import catalogue
from hotline import rows as fold_rows
from hotline.catalogue import KPIS, Fields, Kpi, Measure
from hotline.fold import FOLD_VERSION, Call
from hotline.fold import versions as fold_versions
from hotline.subjects import CALLS

CHANGED = "long_talk_share"
SECOND, THIRD = 2, 3
LONG_S = 60


def changed_kpi() -> Kpi:
    """The KPI with another formula of its numerator, so with another column."""
    kpi = KPIS[CHANGED]
    assert isinstance(kpi.numerator, Measure)
    talk_s = Fields(Call).talk_s
    where = tuple(talk_s > LONG_S if test.left.name == "talk_s" else test for test in kpi.numerator.where)
    changed = dataclasses.replace(kpi.numerator, where=where)
    assert changed.column != kpi.numerator.column
    return dataclasses.replace(kpi, numerator=changed)


def install(version: int) -> None:
    """Make this process one of that version, before it imports anything that asks the catalogue or the fold."""
    if version >= SECOND:
        KPIS[CHANGED] = changed_kpi()
        catalogue._MEASURES[CALLS.name] = catalogue._collected(CALLS)
    if version >= THIRD:
        for module in (fold_rows, fold_versions, hotline.fold):
            module.FOLD_VERSION = FOLD_VERSION + 1  # type: ignore[attr-defined]


def install_migration() -> None:
    """Have the migration that makes the columns of this process's catalogue, as the generator writes it."""
    from sinks import migrations
    from sinks.migrations.generate import made_by, missing
    from sinks.tables import tables

    first = migrations.migrations()
    more = missing(made_by(first), tables())
    added = [migrations.Migration("9002_second.sql", more)] if more else []
    migrations.migrations = lambda *_: [*first, *added]
