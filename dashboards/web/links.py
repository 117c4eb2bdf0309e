"""Links of boards: Grafana's variables in their addresses, as this page has them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from dashboards.web.boards import Json
    from dashboards.web.choice import Choice

_CHOSEN = re.compile(r"\$\{(\w+):queryparam\}")


def filled(url: str, choice: Choice) -> str:
    """An address with range and variables of the page; those of a cell stay."""
    plain = {
        "${__url_time_range}": choice.range(),
        "${__from}": quote(choice.since, safe=""),
        "${__to}": quote(choice.until, safe=""),
        "${web:raw}": "",
    }
    for name, value in plain.items():
        url = url.replace(name, value)
    return _CHOSEN.sub(lambda found: _chosen(found[1], choice), url)


def _chosen(name: str, choice: Choice) -> str:
    return urlencode([(f"var-{name}", value) for value in choice.values(name)])


def with_links(value: Any, choice: Choice) -> Any:
    """A panel, or a part of it, with every address filled in."""
    if isinstance(value, dict):
        return {
            name: filled(inner, choice) if name == "url" else with_links(inner, choice) for name, inner in value.items()
        }
    if isinstance(value, list):
        return [with_links(inner, choice) for inner in value]
    return value


def is_own(url: str) -> bool:
    """Whether an address leads to a page of ours: no scheme, no host."""
    return url.startswith("/") and not url.startswith("//")


def panel_links(panel: Json) -> list[Json]:
    """The links of a panel that lead to pages of ours."""
    return [link for link in panel.get("links", ()) if is_own(link["url"])]
