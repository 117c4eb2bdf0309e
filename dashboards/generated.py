"""The files of all boards: made from the code, committed beside it, compared by `make lint`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dashboards.board import Board, text
from dashboards.boards import BOARDS
from dashboards.entries import WEB, Edition
from dashboards.lint import LintError, lint
from dashboards.words import Lang
from hotline import generated
from hotline.settings import Settings

FOLDER = Path(__file__).parent / "json"


def files(
    zone: str, wanted: Callable[[Board, Edition], bool] = lambda *_: True, web: str = WEB
) -> dict[str, dict[str, Any]]:
    """Path below `FOLDER` → board, for a hotline in that zone whose web board is at that address.

    Raises LintError for a board that breaks a rule.
    """
    editions = [Edition(lang, zone, web) for lang in Lang]
    made = {
        f"{edition.lang}/{board.name}.json": board.json(edition)
        for edition in editions
        for board in BOARDS
        if wanted(board, edition)
    }
    broken = [f"{name}: {breach}" for name, board in made.items() for breach in lint(board)]
    if broken:
        raise LintError("\n".join(broken))
    return made


def committed() -> dict[str, str]:
    """Path below `FOLDER` → what must stand there: boards of a hotline in the zone that settings have by default."""
    return {name: text(board) for name, board in files(Settings(data=Path()).zone).items()}


def stale(folder: Path = FOLDER) -> list[str]:
    """Name the files that are missing, say something else than the code, or belong to no board."""
    return sorted(generated.stale(folder, committed(), _there(folder)))


def write(folder: Path = FOLDER) -> list[str]:
    """Write what is stale, delete what belongs to no board; the names of those."""
    return sorted(generated.write(folder, committed(), _there(folder)))


def _there(folder: Path) -> list[str]:
    return [file.relative_to(folder).as_posix() for file in folder.rglob("*.json")]
