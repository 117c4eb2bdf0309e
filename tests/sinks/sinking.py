"""A sink, an engine and a broker for tests, outputs made by hand, and processes that never outlive their test."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import polars as pl
from kafka import KafkaProducer

from deploy.brokers import create_topics
from deploy.ports import free_port
from hotline import ipc
from hotline.blocks import REJECT_COLUMNS, complete
from hotline.contributions import contributions
from hotline.fold import fold, with_keys
from hotline.live import Live
from hotline.measured import FIRST, Measured, Source, Verdicts, Versions, new_output_id
from hotline.names import EVENTS_TOPICS, KEPT_TOPICS, KPIS_TOPIC, MEASURED_TOPICS, RECORD_BYTES_MAX
from hotline.settings import Settings, environment
from hotline.subjects import SUBJECTS
from sinks.connecting import connect
from sinks.logs import register_logs
from sinks.migrations import apply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clickhouse_connect.driver.client import Client

    from deploy.brokers import Broker
    from hotline.subjects import Subject

ROOT = Path(__file__).parents[2]
ZONE = "Asia/Shanghai"
DEADLINE_S = 120
START = datetime(2023, 12, 31, 15, 59, 30, tzinfo=UTC)
PARTITIONS = 2


class EngineProcess:
    """`python -m sinks.engine` on a folder, with the port it had before when it is started again."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        address = self.data / "engine.json"
        address.unlink(missing_ok=True)
        folders = ["--data", str(self.data / "engine"), "--secrets", str(self.data / "secrets")]
        told = ["--port", str(self.port), "--address-file", str(address)]
        self.process = _start("sinks.engine", [*folders, "--zone", ZONE, *told], self.data)
        wait_until(address.exists, alive=self.process)

    def kill(self) -> None:
        _end(self.process)

    def client(self) -> Client:
        return connect(Settings(data=self.data, clickhouse_url=self.url))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class SinkProcess:
    """`python -m sinks.writer` on a folder."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.data = settings.data
        self.process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def start(self, *arguments: str, ready: bool = True) -> None:
        (self.data / "run" / "sink.json").unlink(missing_ok=True)
        log = self.data / "sinks.writer.log"
        self._log_start = log.stat().st_size if log.exists() else 0
        self.process = _start("sinks.writer", list(arguments), self.data, environment(self.settings))
        if ready:
            wait_until((self.data / "run" / "sink.json").exists, alive=self.process)

    def kill(self) -> None:
        _end(self.process)

    def wait(self) -> int:
        assert self.process is not None
        return self.process.wait(DEADLINE_S)

    def said(self) -> str:
        """Return what its latest run printed."""
        return (self.data / "sinks.writer.log").read_bytes()[self._log_start :].decode()

    def get(self, path: str) -> str:
        return self._ask(path, None, {})[1]

    def health(self) -> Any:
        return json.loads(self.get("/health"))

    def post(self, path: str, body: dict[str, Any], *, token: str | None = None) -> tuple[int, Any]:
        secret = (self.data / "secrets" / "sink.token").read_text().strip() if token is None else token
        status, text = self._ask(path, json.dumps(body).encode(), {"Authorization": f"Bearer {secret}"})
        return status, json.loads(text)

    def _ask(self, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, str]:
        address = json.loads((self.data / "run" / "sink.json").read_text())
        request = urllib.request.Request(f"http://127.0.0.1:{address['port']}{path}", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:  # noqa: S310 our own address
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


@dataclass
class Outputs:
    """What measure would have written: numbered calls and tickets in consecutive outputs of each partition."""

    log: int = 1
    deployment: int = 1
    next_offset: dict[tuple[str, int], int] = field(default_factory=dict)
    last: dict[tuple[str, int], int] = field(default_factory=dict)
    """Ids of the last outputs."""
    entities: int = 0
    made: int = 0
    events: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SUBJECTS, 0))

    def output(self, subject: Subject, partition: int, entities: int = 5, **source: Any) -> Measured:
        """Next output of a partition, with tables of `entities` new calls or tickets."""
        offset = self.next_offset.get((subject.name, partition), 0)
        self.next_offset[subject.name, partition] = offset + 1
        tables, events = made(subject, partition, self.entities, entities)
        self.entities += entities
        self.made += 1
        upon = self.last.get((subject.name, partition), FIRST)
        output_id = self.last[subject.name, partition] = new_output_id()
        self.events[subject.name] += events
        return Measured(
            source=Source(
                **{
                    "log": self.log,
                    "topic": EVENTS_TOPICS[subject.name],
                    "partition": partition,
                    "offset": offset,
                    "first": 0,
                    "last": events + 1,
                    "final": True,
                    "block_id": uuid.uuid4().hex,
                    "output_id": output_id,
                    "upon": upon,
                    **source,
                }
            ),
            verdicts=Verdicts(counted=events, dead=1, reasons={"bad_value": 1}),
            versions=Versions(deployment=self.deployment, fold=1),
            newest_at=int(START.timestamp()),
            tables=tables,
        )

    def round(self, entities: int = 5) -> list[Measured]:
        """One output for every partition of every subject."""
        return [self.output(subject, p, entities) for subject in SUBJECTS.values() for p in range(PARTITIONS)]


def made(subject: Subject, partition: int, first: int, entities: int) -> tuple[dict[str, bytes], int]:
    """Tables of an output: two events an entity, births over a new year, one dead letter; and how many events."""
    numbers = [number for number in range(first, first + entities) for _ in range(2)]
    births = [START + timedelta(seconds=7 * number) for number in numbers]
    kinds = ("call.offered", "call.answered") if subject.name == "calls" else ("ticket.created", "ticket.dispatched")
    frame = pl.DataFrame(
        {
            "type": list(kinds) * entities,
            "source": ["test"] * len(numbers),
            "entity": [f"{subject.singular}-{number}" for number in numbers],
            "born_at": births,
            "occurred_at": [birth + timedelta(seconds=9 * (place % 2)) for place, birth in enumerate(births)],
            "line": ["12345"] * len(numbers),
        }
    )
    events = with_keys(subject, complete(subject, frame))
    rows = fold(subject, events)
    here = pl.lit(partition, pl.UInt16).alias("partition")
    stated = [name for name in complete(subject, frame).columns if name not in REJECT_COLUMNS]
    dead = pl.DataFrame(
        {"subject": [subject.name], "log": [1], "topic": [EVENTS_TOPICS[subject.name]], "offset": [first]}
    ).with_columns(here, place=0, block_id=pl.lit("b"), reason=pl.lit("bad_value"), origin=pl.lit("f:1"), original=b"x")
    frames = {
        subject.events_table: events.select(here, *stated),
        subject.rows_table: rows.drop("entity_key").with_columns(here),
        subject.sums_table: contributions(subject, rows, rows.clear(), ZONE).sums,
        "dead_letters": dead,
        "covered_days": pl.DataFrame({"subject": subject.name, "day": [START.date()]}),
    }
    return {table: ipc.encode(rows) for table, rows in frames.items()}, len(numbers)


@dataclass
class Stack:
    """Engine, topics and log numbers, ready for a sink."""

    data: Path
    engine: EngineProcess
    broker: Broker
    outputs: Outputs = field(default_factory=Outputs)
    sinks: list[SinkProcess] = field(default_factory=list)

    def sink(self, name: str = "", **more: Any) -> SinkProcess:
        """Make a sink; with a name it has a spool of its own, as on another machine."""
        data = self.data / name if name else self.data
        data.mkdir(exist_ok=True)
        usual = {
            "bootstrap": self.broker.bootstrap,
            "clickhouse_url": self.engine.url,
            "clickhouse_writer_password_file": str(self.data / "secrets" / "writer.password"),
        }
        settings = Settings(data=data, **(usual | more))
        self.sinks.append(SinkProcess(settings))
        return self.sinks[-1]

    def new_log(self) -> None:
        """Make the topics on an empty broker and register their logs."""
        topics = (*MEASURED_TOPICS.values(), *EVENTS_TOPICS.values(), *KEPT_TOPICS)
        create_topics(self.broker.bootstrap, dict.fromkeys(topics, PARTITIONS) | dict.fromkeys(KEPT_TOPICS, 1))
        with self.engine.client() as client:
            register_logs(client, topics)

    def send(self, outputs: list[Measured]) -> None:
        producer = KafkaProducer(bootstrap_servers=self.broker.bootstrap, max_request_size=RECORD_BYTES_MAX, acks="all")
        names = {EVENTS_TOPICS[name]: MEASURED_TOPICS[name] for name in SUBJECTS}
        try:
            sent = [
                producer.send(names[one.source.topic], value=one.encode(), partition=one.source.partition)
                for one in outputs
            ]
            for future in sent:
                future.get(DEADLINE_S)
        finally:
            producer.close()

    def publish(self, values: list[Live]) -> None:
        """Send records of current values."""
        self.say(KPIS_TOPIC, [one.encode() for one in values])

    def say(self, topic: str, values: list[bytes]) -> None:
        """Send records to the one partition of a topic."""
        producer = KafkaProducer(bootstrap_servers=self.broker.bootstrap, acks="all")
        try:
            for one in values:
                producer.send(topic, value=one, partition=0).get(DEADLINE_S)
        finally:
            producer.close()

    def ask(self, sql: str) -> Any:
        with self.engine.client() as client:
            return client.query(sql).result_rows[0][0]

    def stored(self) -> dict[str, int]:
        tables = ("call_events", "ticket_events", "calls", "tickets", "accounts", "dead_letters")
        counts = ", ".join(f"(SELECT count() FROM hotline.{table})" for table in tables)  # noqa: S608
        with self.engine.client() as client:
            return dict(zip(tables, client.query(f"SELECT {counts}").result_rows[0], strict=True))

    def expected(self) -> dict[str, int]:
        """Count the rows that stand when every output that was made is stored once."""
        calls, tickets = self.outputs.events["calls"], self.outputs.events["tickets"]
        return {
            "call_events": calls,
            "ticket_events": tickets,
            "calls": calls // 2,
            "tickets": tickets // 2,
            "accounts": self.outputs.made,
            "dead_letters": self.outputs.made,
        }

    def offered(self) -> int:
        """Count the calls offered, from the sums."""
        with self.engine.client() as client:
            found = client.query("SELECT name FROM system.columns WHERE table = 'minute_sums_calls'").result_rows
            column = next(name for (name,) in found if name.startswith("offered_"))
            sql = f"SELECT sum({column}) FROM hotline.minute_sums_calls WHERE scope_kind = 'all'"  # noqa: S608
            return int(client.query(sql).result_rows[0][0])

    def await_stored(self, sink: SinkProcess) -> None:
        """Wait until every output is stored at least once, then see that it is stored exactly once."""
        expected = self.expected()
        made = self.outputs.made
        wait_until(lambda: self.stored()["accounts"] >= made and sink.health()["lag"] == 0, alive=sink.process)
        assert self.stored() == expected
        assert self.offered() == expected["calls"]

    def end_sinks(self) -> None:
        for sink in self.sinks:
            sink.kill()
        self.sinks.clear()

    def close(self) -> None:
        self.end_sinks()
        self.engine.kill()


@contextlib.contextmanager
def stack_on(broker: Broker, data: Path) -> Iterator[Stack]:
    """Start an engine with the migrated database, topics and log numbers; everything is ended at the end."""
    stack = Stack(data, EngineProcess(data), broker)
    try:
        stack.engine.start()
        with stack.engine.client() as client:
            apply(client, ZONE)
        stack.new_log()
        yield stack
    finally:
        stack.close()


def wait_until(there: Callable[[], bool], *, alive: subprocess.Popen[bytes] | None = None) -> None:
    until = time.monotonic() + DEADLINE_S
    while not there():
        assert alive is None or alive.poll() is None, f"the process ended with {alive.poll()}"
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


def _start(
    module: str, arguments: list[str], data: Path, environment: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    with (data / f"{module}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            stdout=log,
            stderr=log,
            env={**os.environ, **(environment or {})},
        )


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None and process.poll() is None:
        process.kill()
        process.wait()
