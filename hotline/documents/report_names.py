"""Names that the reference year's annual report gives to events, and what they are called here."""

from __future__ import annotations

PREFIXES = {"request.": "ticket."}
REPLACED = {"request.completed": "ticket.handled"}
"""Stronger than a prefix."""


def our_type(report_name: str) -> str:
    """Find the type of an event that a figure of the report counts; a qualifier in brackets is dropped.

    Events of other sub-systems keep their names.
    """
    name = report_name.partition("(")[0]
    if name in REPLACED:
        return REPLACED[name]
    for theirs, ours in PREFIXES.items():
        if name.startswith(theirs):
            return ours + name.removeprefix(theirs)
    return name
