"""Documents made from the code: schemas of events and topics, the pages of KPIs and of events.

Each generator is a plain function that gives a text; `python -m hotline.documents` writes them all, and a test fails
when a committed one is stale. What a document says is declared in the structs and the catalogue, never here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline import generated
from hotline.documents.asyncapi import asyncapi
from hotline.documents.event_page import event_page
from hotline.documents.event_schemas import event_schemas
from hotline.documents.kpi_page import kpi_page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DOCUMENTS: dict[str, Callable[[], str]] = {
    "schemas/events.json": event_schemas,
    "schemas/asyncapi.json": asyncapi,
    "events.md": event_page,
    "kpis.md": kpi_page,
}
"""Path below `docs/` → what it must hold."""


def write(docs: Path) -> list[str]:
    """Write the documents that are missing or stale below the folder `docs`; the names of those."""
    return generated.write(docs, _wanted())


def stale(docs: Path) -> list[str]:
    """Name the documents below the folder `docs` that are missing or say something else than the code."""
    return generated.stale(docs, _wanted())


def _wanted() -> dict[str, str]:
    return {name: make() for name, make in DOCUMENTS.items()}
