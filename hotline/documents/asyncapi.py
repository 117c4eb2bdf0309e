"""The topics and what lies in their records, as an AsyncAPI 3 document."""

from __future__ import annotations

from typing import Any

import msgspec

from hotline import blocks, contributions, health, live
from hotline.documents.event_schemas import as_json, describe
from hotline.events import SCHEMA
from hotline.measured import MEASURED_VERSION, Measured, Source, Verdicts, Versions
from hotline.names import (
    ARROW_STREAM,
    BLOCK_BYTES_MAX,
    BLOCK_EVENTS,
    BLOCK_ID,
    CHANGED_DAYS_TABLE,
    CONTENT_TYPE,
    COVERED_DAYS_TABLE,
    DEAD_LETTERS_TABLE,
    EVENTS_TOPICS,
    HEALTH,
    HEALTH_TABLE,
    HEALTH_TOPIC,
    INTAKE_TOPIC,
    JSON_BYTES_MAX,
    KPIS_TOPIC,
    LIVE,
    MEASURED,
    MEASURED_TOPICS,
    OUTPUT_BYTES_MAX,
)
from hotline.subjects import SUBJECTS, Subject
from hotline.windows import NOW, WINDOWS

Json = dict[str, Any]

INTAKE = "intake"
INTAKE_EVENT = "intakeEvent"
_WITH_TABLES = (Measured, live.Live)
_RECORDS = (*_WITH_TABLES, health.Told)

KPIS = "kpis"
KPIS_RECORD = "currentValues"
HEALTH_CHANNEL = "health"
HEALTH_RECORD = "processHealth"


def asyncapi() -> str:
    """Every topic that the pipeline reads or writes; the application is the hotline's measuring stage."""
    return as_json(
        {
            "asyncapi": "3.0.0",
            "info": {
                "title": "Hotline Pulse",
                "version": f"{SCHEMA}.0.0",
                "description": (
                    "Single events go in as JSON and become blocks of events; blocks go in from all producers, outputs "
                    "of the measuring stage come out. An output of a record of "
                    "partition p is in partition p of the measured topic, and all events of one call or ticket are in "
                    "one partition. All these topics have the same number of partitions. Current values come out of "
                    "the rolling stage into a topic of one partition."
                ),
                "license": {"name": "Apache-2.0"},
            },
            "channels": {
                INTAKE: _channel(INTAKE_TOPIC, "Single events, from any outside system.", INTAKE_EVENT),
                **{name: channel for subject in SUBJECTS.values() for name, channel in _channels(subject)},
                KPIS: _channel(KPIS_TOPIC, "The current value of every KPI, scope and window.", KPIS_RECORD),
                HEALTH_CHANNEL: _channel(HEALTH_TOPIC, "What each worker tells of itself now and then.", HEALTH_RECORD),
            },
            "operations": {
                "read_intake": _operation("receive", INTAKE, INTAKE_EVENT),
                **{name: step for subject in SUBJECTS.values() for name, step in _operations(subject)},
                "publish_kpis": _operation("send", KPIS, KPIS_RECORD),
                "tell_health": _operation("send", HEALTH_CHANNEL, HEALTH_RECORD),
            },
            "components": {
                "messages": {
                    INTAKE_EVENT: _event(),
                    **{name: msg for subject in SUBJECTS.values() for name, msg in _messages(subject)},
                    KPIS_RECORD: _live(),
                    HEALTH_RECORD: _health(),
                },
                "schemas": _schemas(),
            },
        }
    )


def _channels(subject: Subject) -> list[tuple[str, Json]]:
    name = subject.name
    events = f"Blocks of events of {name}, from any producer."
    measured = f"What each block of {name} changes: new events, verdicts, rows, sums."
    return [
        (name, _channel(EVENTS_TOPICS[name], events, f"{name}Block")),
        (f"{name}Measured", _channel(MEASURED_TOPICS[name], measured, f"{name}Output")),
    ]


def _channel(topic: str, description: str, message: str) -> Json:
    ref = {"$ref": f"#/components/messages/{message}"}
    return {"address": topic, "description": description, "messages": {message: ref}}


def _operations(subject: Subject) -> list[tuple[str, Json]]:
    name = subject.name
    return [
        (f"read_{name}", _operation("receive", name, f"{name}Block")),
        (f"measure_{name}", _operation("send", f"{name}Measured", f"{name}Output")),
    ]


def _operation(action: str, channel: str, message: str) -> Json:
    where = f"#/channels/{channel}"
    return {"action": action, "channel": {"$ref": where}, "messages": [{"$ref": f"{where}/messages/{message}"}]}


def _event() -> Json:
    return {
        "name": INTAKE_EVENT,
        "title": "One event",
        "summary": (
            f"One JSON object in UTF-8, at most {JSON_BYTES_MAX} bytes; no header and no key is needed. `born_at` may "
            "be left out where an earlier event of the same source and entity tells it. Fields that events do not have "
            "are ignored."
        ),
        "contentType": "application/json",
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": "events.json"},
        },
    }


def _messages(subject: Subject) -> list[tuple[str, Json]]:
    return [(f"{subject.name}Block", _block(subject)), (f"{subject.name}Output", _output(subject))]


def _block(subject: Subject) -> Json:
    return {
        "name": f"{subject.name}Block",
        "title": f"Block of {subject.name}",
        "summary": (
            f"An Arrow IPC stream, at most {BLOCK_BYTES_MAX} bytes; bulk blocks hold {BLOCK_EVENTS} events. A column "
            "that is absent is null, or its default; a column that is not listed is ignored. Types: "
            f"{', '.join(subject.types)}."
        ),
        "contentType": ARROW_STREAM.decode(),
        "headers": _headers(ARROW_STREAM, required=[BLOCK_ID, CONTENT_TYPE]),
        "payload": {
            "schemaFormat": f"{ARROW_STREAM.decode()};version={blocks.BLOCK_VERSION}",
            "schema": {"fields": _arrow_fields(subject)},
        },
    }


def _arrow_fields(subject: Subject) -> list[Json]:
    return [{"name": field.name, "type": str(field.type)} for field in blocks.schema_of(subject)]


def _output(subject: Subject) -> Json:
    sums = ", ".join(contributions.sums_schema(subject))
    tables = (
        *(subject.events_table, subject.rows_table, subject.sums_table, subject.recent_table),
        *(DEAD_LETTERS_TABLE, COVERED_DAYS_TABLE, CHANGED_DAYS_TABLE),
    )
    return {
        "name": f"{subject.name}Output",
        "title": f"What a block of {subject.name} changes",
        "summary": (
            "A MessagePack map in these fields. Tables, each an Arrow IPC stream, absent when empty: "
            f"{', '.join(tables)}. About {OUTPUT_BYTES_MAX} bytes of tables at most: a block that changes more gives "
            f"several outputs. Columns of {subject.sums_table}: {sums}."
        ),
        "contentType": MEASURED.decode(),
        "headers": _headers(MEASURED, required=[CONTENT_TYPE]),
        "payload": {"$ref": f"#/components/schemas/{Measured.__name__}"},
    }


def _live() -> Json:
    columns = ", ".join(f"{name} ({str(dtype).lower()})" for name, dtype in live.COLUMNS.items())
    windows = ", ".join([*(window.name for window in WINDOWS), NOW])
    return {
        "name": KPIS_RECORD,
        "title": "Current values",
        "summary": (
            "A MessagePack map in these fields. A full record comes every second, and up to four times a second one "
            "with what changed. A full one leaves out what is nothing (a count of 0, a ratio of no cases) of all "
            f"scopes but the whole city. Columns of the values: {columns}. Windows: {windows} (the stocks)."
        ),
        "contentType": LIVE.decode(),
        "headers": _headers(LIVE, required=[CONTENT_TYPE]),
        "payload": {"$ref": f"#/components/schemas/{live.Live.__name__}"},
    }


def _health() -> Json:
    facts = "; ".join(f"{name}: {meaning}" for name, meaning in health.FACTS.items())
    return {
        "name": HEALTH_RECORD,
        "title": "Health of a process",
        "summary": (
            f"A MessagePack map in these fields, every {health.TELL_EVERY_S} seconds; its facts become rows of the "
            f"table {HEALTH_TABLE}. What is told: {facts}."
        ),
        "contentType": HEALTH.decode(),
        "headers": _headers(HEALTH, required=[CONTENT_TYPE]),
        "payload": {"$ref": f"#/components/schemas/{health.Told.__name__}"},
    }


def _headers(content_type: bytes, *, required: list[str]) -> Json:
    known: Json = {
        CONTENT_TYPE: {"type": "string", "const": content_type.decode()},
        BLOCK_ID: {"type": "string", "description": "Random; the same when the same block is sent again."},
    }
    return {"type": "object", "properties": {name: known[name] for name in required}, "required": required}


def _schemas() -> Json:
    _, definitions = msgspec.json.schema_components(_RECORDS, ref_template="#/components/schemas/{name}")
    describe(definitions, [*_RECORDS, Source, Verdicts, Versions, live.Position, health.Fact])
    definitions[Measured.__name__]["title"] = f"Measured, version {MEASURED_VERSION}"
    for record in _WITH_TABLES:
        tables = definitions[record.__name__]["properties"]["tables"]
        tables["additionalProperties"] = {"type": "string", "contentMediaType": ARROW_STREAM.decode()}
    return definitions
