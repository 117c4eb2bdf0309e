"""Every name that two rooms must agree on: topics, headers, tables."""

from __future__ import annotations

from hotline.subjects import SUBJECTS

EVENTS_TOPICS: dict[str, str] = {name: f"hotline.{name}" for name in SUBJECTS}
INTAKE_TOPIC = "hotline.intake"
"""One JSON event a record, from any outside system."""
MEASURED_TOPICS: dict[str, str] = {name: f"hotline.{name}.measured" for name in SUBJECTS}
KPIS_TOPIC = "hotline.kpis"
"""Current values of all KPIs, see `hotline.live`; one partition."""
HEALTH_TOPIC = "hotline.health"
"""What processes tell of themselves, see `hotline.health`; one partition."""
KEPT_TOPICS = (KPIS_TOPIC, HEALTH_TOPIC)
"""Topics whose records state what was true at their time, each by itself: one that is gone is missed by nobody."""

CONTENT_TYPE = "content-type"
BLOCK_ID = "block-id"
PSEUDONYMISED = "pseudonymised"
"""On a JSON event: callers and names in it are pseudonyms already, as in what is kept of a dead letter."""
ARROW_STREAM = b"application/vnd.apache.arrow.stream"
MEASURED = b"application/vnd.hotline.measured"
LIVE = b"application/vnd.hotline.live"
HEALTH = b"application/vnd.hotline.health"
REFOLD = b"application/vnd.hotline.refold+json"
"""On a topic of blocks: no block but a request to fold again, see `hotline.refold`."""

DATABASE = "hotline"
ACCEPTANCES_TABLE = "acceptances"
ACCOUNTS_TABLE = "accounts"
CALENDAR_DAYS_TABLE = "calendar_days"
CHANGED_DAYS_TABLE = "changed_days"
COVERED_DAYS_TABLE = "covered_days"
DEAD_LETTERS_TABLE = "dead_letters"
FILLED_COLUMNS_TABLE = "filled_columns"
GAPS_TABLE = "gaps"
HEALTH_TABLE = "health"
KPIS_TABLE = "kpis"
LOGS_TABLE = "logs"
MARKS_TABLE = "marks"
MIGRATIONS_TABLE = "migrations"
RECONCILIATIONS_TABLE = "reconciliations"
REPAIRS_TABLE = "repairs"
SINK_EPOCHS_TABLE = "sink_epochs"

SUMS_DAY = "toDate32(at)"
"""The local day of a sum, by which the engine keeps sums of sums. A condition on `toDate` would become one on `at`."""

RECORD_BYTES_MAX = 20 * 2**20
"""Largest Kafka record, on the broker and in every client: an undecodable record of 16 MiB must fit its dead letter."""
JSON_BYTES_MAX = 2**20
"""Largest JSON event."""
BLOCK_BYTES_MAX = 16 * 2**20
"""Largest record a producer may send."""
BLOCK_EVENTS = 50_000
"""Events in a bulk block."""
BLOCK_ROWS_MAX = 1_000_000
"""Events in the largest block that is read."""
BLOCK_UNPACKED_BYTES_MAX = 256 * 2**20
"""Largest block that is read, when unpacked: 16 MiB of ordinary events take half of that."""
BLOCK_ID_BYTES_MAX = 200
"""What is kept of a block's id, which stands on each of its dead letters."""
OUTPUT_BYTES_MAX = 8 * 2**20
"""An output of measure that would pass this is cut into slices."""


def intake_group(log: int) -> str:
    """The consumer group whose committed offsets say how far intake has forwarded this log of `INTAKE_TOPIC`.

    A group of its own for each log: an offset of the log before means nothing in the next one.
    """
    return f"{INTAKE_TOPIC}.{log}"


def block_id(header: bytes | None, topic: str, partition: int, offset: int) -> str:
    """The id of a block, of a long one the beginning; or one made of its place where the sender gave none."""
    return header[:BLOCK_ID_BYTES_MAX].decode(errors="replace") if header else f"{topic}/{partition}/{offset}"
