"""The commands that need no Grafana: list (which may look into one), export, lint."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.asking import RefusedError
from cli.boards.choosing import Language, Names, TokenFile, Web, chosen, connected
from cli.failures import DIFFERS
from cli.options import Data, Json
from cli.output import print_data, print_json, print_table, say

if TYPE_CHECKING:
    from dashboards.choosing import Chosen

_QUESTION = re.compile(r"(?<=[??])")
THERE = {"created": "missing", "changed": "different", "unchanged": "same", "refused": "by file, different"}
"""How a board stands in a Grafana, by what a push would do about it."""


def list_(
    names: Names = None,
    data: Data = None,
    *,
    lang: Language = None,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="Look into that Grafana.")] = None,
    token_file: TokenFile = None,
    json: Json = False,
) -> int:
    """List boards.

    The uid of each, its language, panels, title and the question that it answers; with --url also how it stands in that
    Grafana: same, different, missing.
    """
    boards = chosen(names, lang, data)
    there = _there(boards, url, token_file) if url else {}
    rows = [_row(board, there) for board in boards]
    if json:
        print_json(rows)
    else:
        shown = ("uid", "lang", "panels", *(("there",) if url else ()), "title", "question")
        print_table([shown, *(tuple(str(row[name]) for name in shown) for row in rows)])
    return 0


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to.", show_default=False)],
    names: Names = None,
    data: Data = None,
    *,
    lang: Language = None,
    web: Web = None,
    json: Json = False,
) -> int:
    """Write boards as files.

    DIR/en/NAME.json and DIR/zh/NAME.json, for a Grafana that takes boards by file: see deploy/grafana. Days are
    those of the hotline's zone. Files that are as they should be are left alone.
    """
    from dashboards.board import text
    from hotline.generated import write

    boards = chosen(names, lang, data, web)
    wrote = write(folder, {board.file: text(board.board) for board in boards})
    if json:
        print_json({"folder": str(folder), "wrote": wrote, "unchanged": len(boards) - len(wrote)})
    else:
        for name in wrote:
            print_data(str(folder / name))
        others = ", the others were there" if len(wrote) < len(boards) else ""
        say(f"wrote {len(wrote)} of {len(boards)} boards{others}")
    return 0


def lint(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Files of boards, or folders of them; default: ours.", show_default=False),
    ] = None,
    data: Data = None,
    *,
    json: Json = False,
) -> int:
    """Check boards against the rules of all boards.

    A line for each breach: the board, the panel, what is wrong and what to write. Exit code 1 when there is one.
    """
    found = _of_files(files) if files else _of_ours(data)
    breaches = {name: broken for name, broken in found.items() if broken}
    if json:
        print_json({"boards": len(found), "breaches": breaches})
    else:
        for name, broken in breaches.items():
            for breach in broken:
                print_data(f"{name}: {breach}")
        say(f"{len(found)} boards, {len(breaches)} of them break a rule")
    return DIFFERS if breaches else 0


def _there(boards: "Iterable[Chosen]", url: str, token_file: Path | None) -> dict[str, str]:
    from dashboards.grafana.pushing import look

    with connected(url, token_file) as connection:
        return {board.uid: THERE[look(connection, board).did] for board in boards}


def _row(board: "Chosen", there: dict[str, str]) -> dict[str, Any]:
    return {
        "uid": board.uid,
        "name": board.name,
        "lang": str(board.lang),
        "title": board.title,
        "question": _QUESTION.split(board.board["description"])[0],
        "panels": len(board.board["panels"]),
        "there": there.get(board.uid),
    }


def _of_ours(data: Path | None) -> dict[str, list[str]]:
    from dashboards.lint import lint as breaches

    return {board.file: breaches(board.board) for board in chosen(None, None, data)}


def _of_files(files: Iterable[Path]) -> dict[str, list[str]]:
    return {str(file): list(_breaches(file)) for given in files for file in _each(given)}


def _each(given: Path) -> list[Path]:
    found = sorted(given.rglob("*.json")) if given.is_dir() else [given]
    if not found:
        raise RefusedError(f"in {given} there is no file of a board (*.json): name another folder")
    return found


def _breaches(file: Path) -> Iterator[str]:
    from dashboards.lint import lint as breaches

    try:
        board = json.loads(file.read_text(encoding="utf-8"))
        yield from breaches(board)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        yield f"no JSON ({error}): export the board again"
    except (KeyError, TypeError, AttributeError) as error:
        yield f"no board of Grafana's classic model ({type(error).__name__}: {error}): export it as that"
