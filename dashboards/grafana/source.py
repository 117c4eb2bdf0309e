"""The data source of all boards: whether it is there and reaches ClickHouse. It is made by file, never from here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana.answers import Source, SourceHealth
from dashboards.grafana.connection import FORBIDDEN
from dashboards.grafana.errors import AwayError, DeclinedError, GrafanaError
from dashboards.query import DATASOURCE_UID, PLUGIN

if TYPE_CHECKING:
    from dashboards.grafana.connection import Connection

REMEDY = "provision it with deploy/grafana/provisioning/datasources/hotline.yaml and start Grafana again"
_PATH = f"/datasources/uid/{DATASOURCE_UID}"


def check_source(connection: Connection) -> str:
    """Say what is wrong with the data source that may heal by itself; empty when all is well.

    Raises GrafanaError when boards could not show anything with it: it is not there, or of another kind.
    """
    try:
        found = connection.find(lambda grafana: grafana.api.GET(_PATH), Source)
    except DeclinedError as error:
        if error.status == FORBIDDEN:
            return f"the token may not look at the data source {DATASOURCE_UID}, so it was not checked"
        raise
    if found is None:
        raise GrafanaError(f"{connection.address} has no data source with the uid {DATASOURCE_UID}: {REMEDY}")
    if found.type != PLUGIN:
        raise GrafanaError(
            f"the data source {DATASOURCE_UID} of {connection.address} is of the type {found.type!r}, not {PLUGIN}: "
            f"remove it there, and {REMEDY}"
        )
    return _health(connection)


def _health(connection: Connection) -> str:
    try:
        found = connection.ask(lambda grafana: grafana.api.GET(f"{_PATH}/health"), SourceHealth)
    except DeclinedError as error:
        return _unwell(error.said)
    except AwayError as error:
        return _unwell(str(error))
    return "" if found.status == "OK" else _unwell(found.message)


def _unwell(said: str) -> str:
    return (
        f"the data source {DATASOURCE_UID} does not reach ClickHouse ({said}): boards show no value until it does; "
        "look whether ClickHouse answers, and at the address and password that Grafana was started with"
    )
