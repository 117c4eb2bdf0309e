"""The Faust app of a worker, with every setting that keeps it from losing records."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import faust
from faust.tables.manager import TableManager

from hotline.names import RECORD_BYTES_MAX
from streams.broker_logs import watch_broker
from streams.ending import end_process
from streams.reading import Assignment, OnGap, OnReconnect, Reading, ResumeFrom
from streams.transport import SafeTransport

FETCH_BYTES_MAX = 32 << 20
COMMIT_S, MARK_S = 0.5, 2.0
"""How often acks become commits, and where nothing is committed (manual assignment) only the lag that we export."""


class NoTables(TableManager):  # type: ignore[misc]
    """The table manager without the second it waits for tables to be declared: there are none."""

    async def on_start(self) -> None:
        """Say that all tables are known, which lets the conductor subscribe."""
        await self._update_channels()
        await self.recovery.start()


class StreamsApp(faust.App):  # type: ignore[misc]
    """A Faust app that reads `reading`, over the safe transport, and ends the process when a part of it crashes."""

    reading: Reading
    source: Any  # the Faust topic of all source topics: `@app.agent(app.source)`
    idempotent: bool
    stopping: bool = False
    in_hand: int = 0  # records whose handler is running

    def _new_transport(self) -> Any:
        return SafeTransport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> Any:
        return SafeTransport(self.conf.broker_producer, self)

    def _crash(self, reason: BaseException) -> None:
        end_process("a service of the worker crashed", error=reason)


def make_app(
    name: str,
    *,
    bootstrap: str,
    source_topics: Sequence[str],
    bundled_topics: Collection[str] = (),
    partitions_owned: Collection[int] | None,
    resume_from: ResumeFrom,
    datadir: Path,
    idempotent: bool,
    assignment: Assignment = "manual",
    on_reconnect: OnReconnect | None = None,
    on_gap: OnGap | None = None,
    log_survives: bool = True,
    instance_id: str | None = None,
    credentials: Any = None,
    buffer_records_max: int = 64,
    poll_records_max: int = 16,
) -> StreamsApp:
    """Make the app of one worker.

    `bootstrap` is host:port, several separated by commas. `bundled_topics` are those of the source topics whose records
    come in bundles. `partitions_owned` (None: all), `resume_from`, `assignment`, `on_reconnect`, `on_gap` and
    `log_survives`: see `Reading`. `idempotent`: True on Kafka, False on the embedded broker, where such a producer does
    not start. `instance_id` names a static member and stays the same over restarts.
    Memory held: `buffer_records_max` records waiting for the agent, and 32 MiB a partition fetched ahead. Topics must
    exist already.

    Raises ValueError for a static group without an `instance_id` or with bundled topics, or without topics.
    """
    if assignment == "static" and not instance_id:
        raise ValueError(f"app {name!r}: a static group needs an instance_id, one for each worker")
    if assignment == "static" and bundled_topics:
        raise ValueError(f"app {name!r}: bundles need manual assignment, a group commits records one by one")
    if not source_topics:
        raise ValueError(f"app {name!r} has no source topics")
    app = StreamsApp(
        name,
        broker="kafka://" + bootstrap.replace(",", ";kafka://"),
        broker_credentials=credentials,
        datadir=datadir,
        stream_buffer_maxsize=buffer_records_max,
        broker_max_poll_records=poll_records_max,
        broker_commit_interval=COMMIT_S if assignment == "static" else MARK_S,
        consumer_group_instance_id=instance_id if assignment == "static" else None,
        **SETTINGS,
    )
    app.reading = Reading(
        topics=tuple(source_topics),
        partitions=None if partitions_owned is None else frozenset(partitions_owned),
        resume_from=resume_from,
        assignment=assignment,
        on_reconnect=on_reconnect,
        on_gap=on_gap,
        log_survives=log_survives,
        bundled=frozenset(bundled_topics),
    )
    app.idempotent = idempotent
    app.source = app.topic(*source_topics, value_type=bytes, acks=True)
    app.task(watch_broker)
    return app


SETTINGS: dict[str, Any] = {
    "store": "memory://",
    "web_enabled": False,
    "autodiscover": False,
    "worker_redirect_stdouts": False,
    "topic_allow_declare": False,
    "topic_disable_leader": True,
    "table_standby_replicas": 0,
    "TableManager": NoTables,
    "key_serializer": "raw",
    "value_serializer": "raw",
    "producer_acks": -1,
    "producer_max_request_size": RECORD_BYTES_MAX,
    "consumer_max_fetch_size": FETCH_BYTES_MAX,
    "consumer_auto_offset_reset": "earliest",  # of a static group, before our own seek; manual assignment has "none"
    "broker_session_timeout": 30.0,
    "broker_heartbeat_interval": 1.0,  # how soon a member hears of a rebalance
    "broker_request_timeout": 60.0,
    "broker_max_poll_interval": 24 * 3600.0,  # an agent may pause for long without losing its membership
    "stream_wait_empty": False,
}
