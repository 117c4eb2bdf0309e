"""Links from panels to the pages of their numbers, as Grafana's addresses have them.

They lead to the web board, whose address is a constant of every board.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from grafana_foundation_sdk.builders.dashboard import ConstantVariable
from grafana_foundation_sdk.models.dashboard import DashboardLink, VariableOption

from dashboards.spans import WINDOW_VARIABLE
from dashboards.words import Lang, Text, kpi_title
from hotline.catalogue import ALL
from hotline.windows import NOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grafana_foundation_sdk.models.dashboard import VariableModel

    from dashboards.entries import Edition, Scopes
    from hotline.catalogue import Kpi

WEB_VARIABLE = "web"
NUMBERS = "/numbers/"
ROW = "/row"
MADE = Text("How this number is made", "这个数字怎么来的")
_OF_KPI = Text("{kpi}: how this number is made", "{kpi}:这个数字怎么来的")
_EVENTS = Text("What happened to it", "办理经过")
_OF_BOARD = ("${__from}", "${__to}")


class RowSpan(NamedTuple):
    """Columns that say in epoch milliseconds, as texts, where the span begins that values of a row are of, and ends."""

    since: str
    until: str

    def selected(self, since: str, until: str) -> str:
        """Select them, of two instants in SQL."""
        ends = ((self.since, since), (self.until, until))
        return ", ".join(f"toString(toInt64(toUnixTimestamp({at})) * 1000) AS {name}" for name, at in ends)


OWN = RowSpan("since_ms", "until_ms")
YEAR_BEFORE = RowSpan("since_before_ms", "until_before_ms")
"""The span of the row itself, and of its values of the year before."""


def _field(name: str) -> str:
    """What a column of the answer says in the row of a value, whatever its title."""
    return f"${{__data.fields.{name}:percentencode}}"


_NAME = _field("name")
"""The scope that a row is of."""


def web_variable(edition: Edition) -> VariableModel:
    """The address of the web board, out of sight."""
    made = ConstantVariable(WEB_VARIABLE).label(Text("Web board", "网页看板").of(edition.lang)).value(edition.web)
    found = made.build()
    found.skip_url_sync = True  # an address must not lead readers elsewhere
    found.current = VariableOption(selected=True, text=edition.web, value=edition.web)
    return found


def to_numbers(kpis: Sequence[Kpi], over: str, of: Scopes, lang: Lang) -> list[DashboardLink]:
    """Links of a panel, one a KPI: to its number over what the panel shows, of the scopes that are chosen."""
    title = MADE if len(kpis) == 1 else _OF_KPI
    return [
        DashboardLink(title=title.format(kpi=kpi_title(kpi)).of(lang), url=address(kpi, over, of, lang)) for kpi in kpis
    ]


def to_number_of_scope(kpi: Kpi, over: str, kind: str, lang: Lang, by: str = "") -> dict[str, Any]:
    """The link of a value in a row about one scope; `by` is the kind of scope whose shares its page shows."""
    shares = f"&by={by}" if by and kpi.grain(by) else ""
    url = f"{_address(kpi, over, kind, lang)}&var-{kind}={_NAME}{shares}"
    return {"title": MADE.of(lang), "url": url, "targetBlank": False}


def to_number_of_span(kpi: Kpi, lang: Lang, span: RowSpan = OWN) -> dict[str, Any]:
    """The link of a value in a row about one span of time, which two columns of the row name."""
    url = _address(kpi, "range", ALL, lang, (_field(span.since), _field(span.until)))
    return {"title": MADE.of(lang), "url": url, "targetBlank": False}


def to_row(kpi: Kpi, source: str, lang: Lang) -> dict[str, Any]:
    """The link of the id of a call or ticket that counts in a stock now, to what it adds and its events.

    `source` is the column that says which system gave it the id.
    """
    of = f"row={_field(source)}%2F${{__value.raw:percentencode}}"
    url = _address(kpi, NOW, ALL, lang).replace("?", f"{ROW}?", 1)
    return {"title": _EVENTS.of(lang), "url": f"{url}&{of}", "targetBlank": False}


def to_board(name: str, title: Text, edition: Edition) -> DashboardLink:
    """The link of a panel to a board as it opens: what it is about is of now, whatever the range of the panel."""
    return DashboardLink(title=title.of(edition.lang), url=f"/d/{edition.uid(name)}")


def address(kpi: Kpi, over: str, of: Scopes, lang: Lang) -> str:
    """The address of a number, of the scopes that a variable chose."""
    chosen = f"&${{{of.chosen}:queryparam}}" if of.chosen and of.kind != ALL else ""
    return _address(kpi, over, of.kind, lang) + chosen


def _address(kpi: Kpi, over: str, kind: str, lang: Lang, ends: tuple[str, str] = _OF_BOARD) -> str:
    window = f"&${{{WINDOW_VARIABLE}:queryparam}}" if over == WINDOW_VARIABLE else ""
    asked = f"over={over}{window}&kind={kind}&from={ends[0]}&to={ends[1]}&lang={lang}"
    return f"${{{WEB_VARIABLE}:raw}}{NUMBERS}{kpi.name}?{asked}"
