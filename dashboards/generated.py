"""The files of all boards: made from the code, committed beside it, compared by `make lint`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dashboards.board import text
from dashboards.boards import BOARDS
from dashboards.entries import Edition
from dashboards.lint import LintError, lint
from dashboards.words import Lang
from hotline.settings import Settings

FOLDER = Path(__file__).parent / "json"


def files(zone: str) -> dict[str, dict[str, Any]]:
    """Path below `FOLDER` → board, for a hotline in that zone. Raises LintError for a board that breaks a rule."""
    made = {f"{lang}/{board.name}.json": board.json(Edition(lang, zone)) for lang in Lang for board in BOARDS}
    broken = [f"{name}: {breach}" for name, board in made.items() for breach in lint(board)]
    if broken:
        raise LintError("\n".join(broken))
    return made


def committed() -> dict[str, str]:
    """Path below `FOLDER` → what must stand there: boards of a hotline in the zone that settings have by default."""
    return {name: text(board) for name, board in files(Settings(data=Path()).zone).items()}


def stale(folder: Path = FOLDER) -> list[str]:
    """Name the files that are missing, say something else than the code, or belong to no board."""
    wanted = committed()
    there = {file.relative_to(folder).as_posix() for file in folder.rglob("*.json")}
    different = {
        name for name, board in wanted.items() if name not in there or (folder / name).read_text("utf-8") != board
    }
    return sorted(different | (there - wanted.keys()))


def write(folder: Path = FOLDER) -> list[str]:
    """Write what is stale, delete what belongs to no board; the names of those."""
    wanted, changed = committed(), stale(folder)
    for name in changed:
        file = folder / name
        if name not in wanted:
            file.unlink()
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(wanted[name], encoding="utf-8")
    return changed
