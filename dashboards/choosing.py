"""The boards that somebody means: by name or uid, by language."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, NamedTuple

from dashboards.boards import BOARDS
from dashboards.entries import WEB, Edition
from dashboards.generated import files
from dashboards.words import Lang

if TYPE_CHECKING:
    from collections.abc import Collection

    from dashboards.board import Board


class UnknownBoardError(ValueError):
    """A name that no board has; the message names the nearest ones."""


class Chosen(NamedTuple):
    """One board in one language."""

    name: str
    lang: Lang
    board: dict[str, Any]

    @property
    def file(self) -> str:
        """Its path below a folder of boards."""
        return f"{self.lang}/{self.name}.json"

    @property
    def uid(self) -> str:
        """What names it in Grafana."""
        return str(self.board["uid"])

    @property
    def title(self) -> str:
        """What people see of it."""
        return str(self.board["title"])


def choose(names: Collection[str], lang: Lang | None, zone: str, web: str = WEB) -> list[Chosen]:
    """Make the boards of those names or uids, all when none is named, in one language or in all.

    `zone` is that of the hotline's days, `web` the address to which numbers link. Raises UnknownBoardError, and
    LintError for a board that breaks a rule.
    """
    _refuse_unknown(names, zone)

    def wanted(board: Board, edition: Edition) -> bool:
        return lang in {None, edition.lang} and (
            not names or not {board.name, edition.uid(board.name)}.isdisjoint(names)
        )

    return [_chosen(path, board) for path, board in files(zone, wanted, web).items()]


def _chosen(path: str, board: dict[str, Any]) -> Chosen:
    lang, _, name = path.removesuffix(".json").partition("/")
    return Chosen(name, Lang(lang), board)


def _refuse_unknown(names: Collection[str], zone: str) -> None:
    known = {word for board in BOARDS for lang in Lang for word in (board.name, Edition(lang, zone).uid(board.name))}
    for name in names:
        if name not in known:
            near = ", ".join(difflib.get_close_matches(name, sorted(known), 3) or sorted(known))
            raise UnknownBoardError(f"there is no board {name!r}: use {near}, or see hotline boards list")
