"""Values of tables, followed to the pages of their numbers as the web board leads there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from multidict import MultiDict

from dashboards.numbers.address import read
from dashboards.numbers.counted import counted
from dashboards.web.drawing import linked
from tests.dashboards.conftest import ZONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.dashboards.asking import Asking


def followed(panel: dict[str, Any], record: dict[str, Any], asking: Asking) -> Iterator[tuple[str, Any]]:
    """Columns of a row whose values lead to a page, with the value that stands on it."""
    for override in panel["fieldConfig"]["overrides"]:
        name = override["matcher"]["options"]
        for url in (link["url"] for each in override["properties"] if each["id"] == "links" for link in each["value"]):
            split = urlsplit(linked(url, record[name], record).replace("${web:raw}", ""))
            pairs = MultiDict(parse_qsl(split.query, strict_parsing=True))
            address = read(split.path.removeprefix("/numbers/"), pairs, datetime.now(UTC), ZoneInfo(ZONE))
            found = counted(address, datetime.now(UTC), ZoneInfo(ZONE))
            assert found.sql
            yield name, asking.ask(found.sql).records[0]["value"]
