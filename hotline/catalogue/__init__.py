"""The catalogue: every KPI, declared once."""

from __future__ import annotations

import difflib
import zlib

from hotline.catalogue.algebra import CatalogueError, Field, Fields, Grain, Measure, Test, count, total
from hotline.catalogue.calls import CALL_KPIS
from hotline.catalogue.kpi import Better, Cutoff, Kpi, Quantile, Stock, Unit
from hotline.catalogue.scopes import ALL, CALL_GRAINS, SCOPE_NAMES, TICKET_GRAINS
from hotline.catalogue.surveys import SURVEY_KPIS
from hotline.catalogue.tickets import TICKET_CUTOFFS, TICKET_KPIS
from hotline.subjects import SUBJECTS, Subject

KPIS: dict[str, Kpi] = {kpi.name: kpi for kpi in (*CALL_KPIS, *TICKET_KPIS, *SURVEY_KPIS)}
CUTOFFS: dict[str, Kpi] = {kpi.name: kpi for kpi in TICKET_CUTOFFS}
"""KPIs as of a cut-off, which a question about them names."""


def kpi(name: str) -> Kpi:
    """The KPI of that name. Raises KeyError naming the nearest ones."""
    if name not in KPIS:
        near = ", ".join(difflib.get_close_matches(name, KPIS, 3)) or "see hotline kpi --list"
        raise KeyError(f"unknown KPI {name!r}; nearest: {near}")
    return KPIS[name]


def measures(subject: Subject) -> tuple[Measure, ...]:
    """All sums kept for a subject, each once, in the order of declaration."""
    return _MEASURES[subject.name]


def catalogue_name(subject: Subject) -> str:
    """A name for the columns of sums that this catalogue writes of a subject."""
    columns = ",".join(measure.column for measure in measures(subject))
    return f"{zlib.crc32(columns.encode()):08x}"


def scope_kinds(subject: Subject) -> tuple[str, ...]:
    """The ways this subject's numbers can be split, `all` first."""
    return tuple(CALL_GRAINS if subject.name == "calls" else TICKET_GRAINS)


def _collected(subject: Subject) -> tuple[Measure, ...]:
    found = {m.column: m for k in KPIS.values() if k.subject is subject for m in k.measures}
    grains: dict[str, Measure] = {}
    for measure in found.values():
        first = grains.setdefault(measure.at.name, measure)
        if dict(first.grains) != dict(measure.grains):
            raise CatalogueError(
                f"{measure.name} and {first.name} both count at {measure.at.name}; give them the same grains"
            )
    names = [measure.name for measure in found.values()]
    if len(set(names)) < len(names):
        raise CatalogueError(f"two measures of {subject.name} share a name; rename one of {sorted(names)}")
    return tuple(found.values())


_MEASURES = {subject.name: _collected(subject) for subject in SUBJECTS.values()}

__all__ = [
    "ALL",
    "CUTOFFS",
    "KPIS",
    "SCOPE_NAMES",
    "Better",
    "CatalogueError",
    "Cutoff",
    "Field",
    "Fields",
    "Grain",
    "Kpi",
    "Measure",
    "Quantile",
    "Stock",
    "Test",
    "Unit",
    "catalogue_name",
    "count",
    "kpi",
    "measures",
    "scope_kinds",
    "total",
]
