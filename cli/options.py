"""Options that many commands share, and the examples in every --help."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", help="Folder of everything that is kept; default HOTLINE_DATA, else .hotline."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def examples(*lines: str) -> str:
    """Lay out examples for the end of a --help, a line each."""
    return "\b\n" + "\n".join(["Examples:", *(f"  {line}" for line in lines)])
