"""The verdict of a comparison, kept for whoever watches the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clickhouse_connect.driver.exceptions import ClickHouseError

from hotline.names import DATABASE, RECONCILIATIONS_TABLE

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from sinks.reconcile.report import Report


def note(client: Client, report: Report) -> None:
    """Keep what was compared and how much differs; where that cannot be done, a note of the report says so."""
    row = {
        "first_at": report.from_,
        "until_at": report.to,
        "cells": report.cells,
        "rows": report.rows,
        "events": report.events,
        "sums_differ": report.sums_differ,
        "rows_differ": report.rows_differ,
        "held": report.held,
    }
    try:
        client.insert(f"{DATABASE}.{RECONCILIATIONS_TABLE}", [list(row.values())], column_names=list(row))
    except ClickHouseError as error:
        report.notes.append(f"the verdict could not be kept: {str(error).splitlines()[0]}")
