"""A query of Grafana's ClickHouse plug-in, which the SDK has no type for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from grafana_foundation_sdk.cog import builder, plugins, runtime, variants
from grafana_foundation_sdk.models.common import DataSourceRef

if TYPE_CHECKING:
    from collections.abc import Mapping

PLUGIN = "grafana-clickhouse-datasource"
PLUGIN_VERSION = "4.20.0"
DATASOURCE_UID = "hotline-clickhouse"
SERIES, TABLE = 0, 1
"""Formats: a series needs a column `time`."""


def datasource() -> DataSourceRef:
    """The one data source of all boards."""
    return DataSourceRef(type_val=PLUGIN, uid=DATASOURCE_UID)


@dataclass
class ClickHouseQuery(variants.Dataquery, builder.Builder["ClickHouseQuery"]):
    """One query; its own builder."""

    sql: str
    format: int = TABLE
    ref: str = "A"

    def build(self) -> Self:
        """Give itself."""
        return self

    def to_json(self) -> dict[str, object]:
        """Give what the plug-in reads; `editorType` picks its editor, `format` decides."""
        return {
            "refId": self.ref,
            "datasource": datasource(),
            "editorType": "sql",
            "queryType": "timeseries" if self.format == SERIES else "table",
            "format": self.format,
            "pluginVersion": PLUGIN_VERSION,
            "meta": {},
            "rawSql": self.sql,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave."""
        return cls(data["rawSql"], data["format"], data["refId"])


def register() -> None:
    """Let the SDK read such queries, and every kind of panel, out of JSON."""
    plugins.register_default_plugins()
    runtime.register_dataquery_variant(runtime.DataqueryConfig(PLUGIN, ClickHouseQuery.from_json))
