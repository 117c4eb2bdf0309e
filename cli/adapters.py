"""The command that lists adapters."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import Data, Json, examples
from cli.output import print_data, print_json, print_table

if TYPE_CHECKING:
    from producers.adapters import Adapter


class Language(StrEnum):
    """Languages of titles."""

    ZH = "zh"
    EN = "en"


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command(epilog=examples("hotline adapters", "hotline adapters --lang zh", "hotline adapters --json"))(adapters)


def adapters(
    *,
    lang: Annotated[Language, typer.Option(help="Language of the titles.")] = Language.EN,
    json: Json = False,
    data: Data = None,
) -> None:
    """List the kinds of files that can be loaded.

    Each with its time zone, the scopes it fills, what its columns become, and what it cannot know.
    """
    from producers.adapters import ADAPTERS

    del data  # every command takes it; what can be loaded is the same everywhere
    if json:
        print_json([_as_json(adapter) for adapter in ADAPTERS.values()])
        return
    for place, adapter in enumerate(ADAPTERS.values()):
        if place:
            print_data("")
        _print(adapter, lang)


def _as_json(adapter: "Adapter") -> dict[str, Any]:
    names = (
        "name",
        "title",
        "title_zh",
        "zone",
        "subjects",
        "scopes",
        "columns",
        "source",
        "licence",
        "limits",
        "grows",
    )
    return {name: getattr(adapter, name) for name in names}


def _print(adapter: "Adapter", lang: Language) -> None:
    print_data(f"{adapter.name}: {adapter.title_zh if lang is Language.ZH else adapter.title}")
    print_table(
        [
            ("  zone", adapter.zone),
            ("  events of", ", ".join(adapter.subjects)),
            ("  scopes", ", ".join(adapter.scopes)),
            ("  from", f"{adapter.source}; {adapter.licence}"),
            ("  --follow", "yes" if adapter.grows else "no"),
            *((f"  column {name}", becomes or "not read") for name, becomes in adapter.columns.items()),
            *(("  cannot know", limit) for limit in adapter.limits),
        ]
    )
