"""Documents made from the code: schemas of events and topics, the pages of KPIs and of events.

Each generator is a plain function that gives a text; `python -m hotline.documents` writes them all, and a test fails
when a committed one is stale. What a document says is declared in the structs and the catalogue, never here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    written = stale(docs)
    for name in written:
        file = docs / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(DOCUMENTS[name](), encoding="utf-8")
    return written


def stale(docs: Path) -> list[str]:
    """Name the documents below the folder `docs` that are missing or say something else than the code."""
    return [name for name, make in DOCUMENTS.items() if _read(docs / name) != make()]


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None
