"""The settings themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta

from hotline.data_folder import DataFolder

PREFIX = "HOTLINE_"
AGENTS = ("intake", "measure", "roll")

CHINESE_CALENDAR, NO_CALENDAR = "cn", "none"
CHINESE_ZONE = "Asia/Shanghai"

Account = Literal["reader", "writer"]
PORT_MAX = 65_535
Port = Annotated[int, Meta(ge=0, le=PORT_MAX)]
Bytes = Annotated[int, Meta(ge=1 << 20)]


class SettingsError(Exception):
    """A setting cannot be used; the message names it, its value, where that stands, and the remedy."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting of one hotline. Units come last in a name; `doc` gives each field's one line."""

    data: Annotated[Path, Meta(description="Folder of everything that is kept: tables, spool, secrets, logs.")]
    zone: Annotated[
        str, Meta(description="Time zone of the hotline's days; fixed in a data folder at its first start.")
    ] = "Asia/Shanghai"
    calendar: Annotated[
        str,
        Meta(
            min_length=1,
            description="Working days: cn (default in China's zone), a calendar file, or none (default elsewhere).",
        ),
    ] = CHINESE_CALENDAR
    deadline_rule_file: Annotated[
        str, Meta(description="Rule file for tickets without a stated deadline; empty: those have none.")
    ] = ""
    partitions: Annotated[
        int,
        Meta(ge=1, le=1024, description="Partitions of every topic; fixed in a data folder at its first start."),
    ] = 2
    workers: Annotated[int, Meta(ge=1, le=1024, description="Worker processes that share the partitions.")] = 1
    agents: Annotated[
        str, Meta(description="Agents that a worker process runs, with commas: intake, measure; or roll alone.")
    ] = "intake,measure"
    clock: Annotated[
        Literal["wall", "events"],
        Meta(description="What moves live windows: time itself, or in a replay the events' own times."),
    ] = "wall"
    worker: Annotated[int, Meta(ge=0, description="Which of the workers this process is, from 0.")] = 0
    deployment: Annotated[
        int, Meta(ge=1, description="Number of this deployment; a lower one is refused by what a higher one wrote.")
    ] = 1
    broker: Annotated[
        Literal["embedded", "kafka"],
        Meta(
            description="Kind of broker: embedded, which keeps its log in memory, so that what is not yet stored dies "
            "with it (hotline load and send --wait send it again); or kafka, Apache Kafka, which keeps what it "
            "acknowledged."
        ),
    ] = "embedded"
    bootstrap: Annotated[
        str, Meta(description="host:port of a Kafka cluster, several with commas; empty: a broker of the stack's own.")
    ] = ""
    broker_port: Annotated[
        Port, Meta(description="Port of the stack's own broker on 127.0.0.1; 0 takes a free one.")
    ] = 0
    log_bytes_max: Annotated[
        Bytes,
        Meta(description="Memory the embedded broker's log may take before it is begun anew; it never frees any."),
    ] = 256 << 20
    clickhouse_url: Annotated[
        str, Meta(description="http(s)://host:port of a ClickHouse server; empty: an engine of the stack's own.")
    ] = ""
    clickhouse_reader: Annotated[str, Meta(min_length=1, description="Account that reads.")] = "reader"
    clickhouse_writer: Annotated[str, Meta(min_length=1, description="Account that writes.")] = "writer"
    clickhouse_reader_password_file: Annotated[
        str, Meta(description="File with the reader's password; empty: secrets/reader.password in the data folder.")
    ] = ""
    clickhouse_writer_password_file: Annotated[
        str, Meta(description="File with the writer's password; empty: secrets/writer.password in the data folder.")
    ] = ""
    engine_port: Annotated[
        Port, Meta(description="Port of the stack's own engine on 127.0.0.1; 0 takes a free one.")
    ] = 0
    door: Annotated[
        str,
        Meta(description="host:port at which others on the network reach the stack's own engine; empty: nobody does."),
    ] = ""
    door_certificate_file: Annotated[
        str, Meta(description="Certificate chain of the door in PEM: beyond this machine only with TLS.")
    ] = ""
    door_key_file: Annotated[str, Meta(description="Private key of the door's certificate in PEM.")] = ""
    engine_memory_bytes_max: Annotated[Bytes, Meta(description="Memory of the stack's own engine.")] = 1 << 30
    boards: Annotated[bool, Meta(description="Whether the stack serves its boards to browsers.")] = True
    web_port: Annotated[
        Port, Meta(description="Port of the boards on 127.0.0.1; 0 takes 8312, or a free one when that is taken.")
    ] = 0
    web: Annotated[
        str,
        Meta(description="host:port at which others on the network reach the boards, by token; empty: nobody does."),
    ] = ""
    web_certificate_file: Annotated[
        str, Meta(description="Certificate chain of the boards in PEM: beyond this machine only with TLS.")
    ] = ""
    web_key_file: Annotated[str, Meta(description="Private key of the boards' certificate in PEM.")] = ""
    sink_health_port: Annotated[
        Port, Meta(description="Port of the sink's health on 127.0.0.1; 0 takes a free one.")
    ] = 0
    batch_wait_ms: Annotated[int, Meta(ge=1, le=60_000, description="Longest time the sink gathers a batch.")] = 200
    batch_rows_max: Annotated[int, Meta(ge=1, description="Rows at which the sink's batch is full.")] = 500_000
    batch_bytes_max: Annotated[Bytes, Meta(description="Bytes at which the sink's batch is full.")] = 64 << 20
    unstored_bytes_max: Annotated[
        Bytes, Meta(description="Outputs not yet stored at which a worker pauses, all its partitions together.")
    ] = 64 << 20
    intake_block_ms: Annotated[
        int, Meta(ge=1, le=60_000, description="How long intake gathers single events before it sends them as blocks.")
    ] = 150
    future_skew_s: Annotated[
        int, Meta(ge=0, le=86_400, description="How far in the future a single event may lie: clocks differ.")
    ] = 300
    unknown_ticket_wait_s: Annotated[
        int,
        Meta(ge=0, le=3600, description="How long an event without born_at waits for the first event of its ticket."),
    ] = 30
    known_entities_max: Annotated[
        int,
        Meta(ge=1, description="Calls and tickets whose birth intake keeps in memory; of others it asks the tables."),
    ] = 300_000
    sent_bytes_max: Annotated[
        Bytes, Meta(description="Bytes that a sender keeps until they are stored; sending waits above it.")
    ] = 96 << 20
    away_s_max: Annotated[
        int,
        Meta(
            ge=1,
            le=86_400,
            description="How long a sender goes on trying while the stack is away or stores nothing.",
        ),
    ] = 1800
    waiting_events_max: Annotated[
        int,
        Meta(ge=1, description="Events that may wait for their ticket; of more the oldest become dead letters."),
    ] = 100_000
    waiting_bytes_max: Annotated[Bytes, Meta(description="The same in bytes, where they are larger than usual.")] = (
        256 << 20
    )
    dead_events_in_a_row_max: Annotated[
        int, Meta(ge=0, description="Events of a partition that may become dead letters in a row; 0: any number.")
    ] = 5_000
    dead_blocks_in_a_row_max: Annotated[
        int, Meta(ge=0, description="Records of a partition in a row that may be no block at all; 0: any number.")
    ] = 20
    dead_letters_a_minute_max: Annotated[
        int,
        Meta(
            ge=0,
            description="Events and records of a partition that came in one minute and may become dead letters; 0: any "
            "number.",
        ),
    ] = 60_000
    warm_bytes_max: Annotated[Bytes, Meta(description="Memory of a worker for calls and tickets kept at hand.")] = (
        512 << 20
    )

    @property
    def agents_named(self) -> tuple[str, ...]:
        """The agents that a worker runs."""
        return tuple(name.strip() for name in self.agents.split(",") if name.strip())

    @property
    def process(self) -> str:
        """Name of the process that runs these agents."""
        return "roll" if self.agents_named == ("roll",) else f"worker-{self.worker}"

    @property
    def folder(self) -> DataFolder:
        """The places in the data folder."""
        return DataFolder(self.data)


TYPES: dict[str, Any] = get_type_hints(Settings, include_extras=True)
FIELDS = tuple(field.name for field in msgspec.structs.fields(Settings))


def doc(name: str) -> str:
    """Describe a setting in one line."""
    return str(next(m.description for m in TYPES[name].__metadata__ if m.description))


def environment(settings: Settings) -> dict[str, str]:
    """Give the variables by which a child process reads exactly these settings."""
    return {PREFIX + name.upper(): str(getattr(settings, name)) for name in FIELDS}
