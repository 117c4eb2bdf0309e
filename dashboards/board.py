"""A board: what it declares, and the JSON that Grafana reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grafana_foundation_sdk.builders.dashboard import Dashboard as Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    AnnotationContainer,
    Dashboard,
    DashboardCursorSync,
    DashboardDashboardTemplating,
    DashboardLink,
    DashboardLinkType,
    GridPos,
    Panel,
)

from dashboards.entries import Edition
from dashboards.links import web_variable
from dashboards.query import register
from dashboards.words import Lang, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.annotations import Annotation
    from dashboards.entries import Row
    from dashboards.variables import Variable

TAG = "hotline"


@dataclass(frozen=True, kw_only=True)
class Board:
    """One board; `about` is the question that it answers. `since` is where its range begins, which ends now."""

    name: str
    title: Text
    about: Text
    since: str
    rows: tuple[Row, ...]
    refresh: str = ""
    until: str = "now"
    variables: tuple[Variable, ...] = ()
    annotations: tuple[Annotation, ...] = ()

    def json(self, edition: Edition) -> dict[str, Any]:
        """The board in one edition, as Grafana stores it."""
        builder = (
            Builder(self.title.of(edition.lang))
            .uid(edition.uid(self.name))
            .description(self.about.of(edition.lang))
            .tags([TAG, _tag(edition.lang)])
            .timezone(edition.zone)
            .time(self.since, self.until)
            .refresh(self.refresh)
            .tooltip(DashboardCursorSync.CROSSHAIR)
            .week_start("monday")
            .readonly()
        )
        made = builder.build()
        made.panels = list(self._panels(edition))
        made.templating = DashboardDashboardTemplating(
            [*(variable.make(edition) for variable in self.variables), web_variable(edition)]
        )
        made.annotations = AnnotationContainer([annotation.make(edition) for annotation in self.annotations])
        made.links = [_to_boards(edition), _to_other_language(self.name, edition)]
        return finish(made)

    def _panels(self, edition: Edition) -> Iterator[Panel]:
        """Panels in their places: rows one below the other, without a hole."""
        y = 0
        for row in self.rows:
            x = 0
            for entry, width in zip(row.entries, row.widths(), strict=True):
                panel = entry.make(edition)
                panel.id_val, panel.grid_pos = entry.id, GridPos(h=row.height, w=width, x=x, y=y)
                yield panel
                x += width
            y += row.height


def finish(made: Dashboard) -> dict[str, Any]:
    """Give the JSON of a board without what the SDK adds unasked.

    It places links and annotations in a menu, which hides them.
    """
    board: dict[str, Any] = json.loads(json.dumps(made, cls=JSONEncoder))
    of_panels = [link for panel in board["panels"] for link in panel.get("links", ())]
    for placed in (*board["links"], *board["annotations"]["list"], *of_panels):
        placed.pop("placement", None)
    return board


def again(board: dict[str, Any]) -> dict[str, Any]:
    """Read a board into the SDK's models and write it again: keys that they do not know are lost."""
    register()
    return finish(Dashboard.from_json(board))


def text(board: dict[str, Any]) -> str:
    """What stands in the file of a board."""
    return json.dumps(board, ensure_ascii=False, indent=1) + "\n"


def _tag(lang: Lang) -> str:
    return f"{TAG}-{lang}"


def _to_boards(edition: Edition) -> DashboardLink:
    return DashboardLink(
        title=Text("Boards", "看板").of(edition.lang),
        type_val=DashboardLinkType.DASHBOARDS,
        tags=[_tag(edition.lang)],
        include_vars=True,
        keep_time=True,
    )


def _to_other_language(name: str, edition: Edition) -> DashboardLink:
    other = edition._replace(lang=Lang.EN if edition.lang is Lang.ZH else Lang.ZH)
    return DashboardLink(
        title="English" if other.lang is Lang.EN else "中文",
        type_val=DashboardLinkType.LINK,
        url=f"/d/{other.uid(name)}",
        include_vars=True,
        keep_time=True,
    )
