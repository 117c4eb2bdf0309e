"""The boards as the web shows them: the JSON that Grafana reads, by uid."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dashboards.web.shown import Tone, tone_of
from dashboards.words import Lang
from hotline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]
COMMITTED = Path(__file__).parent.parent / "json"
ORDER = ("wall", "calls", "tickets", "surveys", "department", "district", "overdue", "annual", "cross", "pipeline")
"""As `dashboards.boards` has them, which takes a second to import."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


SCREEN_ROWS_MAX = 26
"""Units of the grid that one screen shows legibly."""


class MarkKind(NamedTuple):
    """One kind of marks: what it is called, what its colour says, and the statement that finds them."""

    title: str
    tone: Tone
    sql: str


@dataclass(frozen=True)
class WebBoard:
    """One board in one language."""

    lang: Lang
    json: Json

    @property
    def uid(self) -> str:
        """Its uid, the same in Grafana."""
        return str(self.json["uid"])

    @property
    def title(self) -> str:
        """Its name."""
        return str(self.json["title"])

    @property
    def about(self) -> str:
        """The question that it answers."""
        return str(self.json["description"])

    @property
    def panels(self) -> list[Json]:
        """Its panels, as they stand from top left."""
        return sorted(self.json["panels"], key=lambda panel: (panel["gridPos"]["y"], panel["gridPos"]["x"]))

    @property
    def variables(self) -> list[Json]:
        """What a reader may choose."""
        return [variable for variable in self.json["templating"]["list"] if variable["type"] != "constant"]

    @property
    def marks(self) -> list[MarkKind]:
        """The kinds of marks in its trends; notes that people keep in Grafana are not here."""
        return [
            MarkKind(annotation["name"], tone_of(annotation["iconColor"]), annotation["target"]["rawSql"])
            for annotation in self.json["annotations"]["list"]
            if "rawSql" in annotation["target"]
        ]

    @property
    def refresh_s(self) -> int | None:
        """How often it is asked anew; None: once."""
        text = self.json["refresh"]
        return seconds(text) if text else None

    def other(self) -> str:
        """The uid of the same board in the other language."""
        return self.uid.removesuffix("-zh") if self.lang is Lang.ZH else f"{self.uid}-zh"


def fits_a_screen(board: Json) -> bool:
    """Whether a board is made for one screen, so that it can fill it."""
    rows: int = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    return rows <= SCREEN_ROWS_MAX


def seconds(span: str) -> int:
    """Read `5s`, `1m`, `1h` or `1d`."""
    return int(span[:-1]) * _SECONDS[span[-1]]


def read(zone: str) -> Mapping[str, WebBoard]:
    """All boards by uid, in the order in which links name them, for a hotline in that zone."""
    found = (WebBoard(Lang(name.partition("/")[0]), board) for name, board in _files(zone).items())
    return {board.uid: board for board in found}


def _files(zone: str) -> dict[str, Json]:
    if zone == Settings(data=Path()).zone:
        return _committed()
    from dashboards.generated import files  # takes a second: not for the zone that is committed

    return files(zone)


def _committed() -> dict[str, Json]:
    named = [f"{lang}/{name}.json" for lang in Lang for name in ORDER]
    return {name: json.loads((COMMITTED / name).read_text(encoding="utf-8")) for name in named}
