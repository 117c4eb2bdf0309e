"""Names that the reference year's annual report gives to events, and what they are called here."""

from __future__ import annotations

_PREFIXES = {"request.": "ticket."}
_WORDS = {"completed": "handled"}


def our_type(report_name: str) -> str:
    """Find the type of an event that a figure of the report counts; a qualifier in brackets is dropped.

    Events of other sub-systems keep their names.
    """
    name = report_name.partition("(")[0]
    for theirs, ours in _PREFIXES.items():
        if name.startswith(theirs):
            word = name.removeprefix(theirs)
            return ours + _WORDS.get(word, word)
    return name
