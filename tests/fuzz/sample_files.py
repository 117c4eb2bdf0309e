"""Sound files of every adapter, small, drawn at random: lines or records, and how they stand in a file."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from producers.adapters import ADAPTERS
from producers.adapters.asterisk import SKIPPED

PHONE = "13912345678"
START = datetime(2024, 3, 1, 10, tzinfo=UTC)
BANK_COLUMNS, BOSTON_COLUMNS = (tuple(ADAPTERS[name].columns) for name in ("bank1999", "boston311"))
_QUEUE_EVENTS = (
    *("ENTERQUEUE", "ENTERQUEUE", "CONNECT", "CONNECT", "COMPLETEAGENT", "COMPLETECALLER", "TRANSFER", "BLINDTRANSFER"),
    *("ATTENDEDTRANSFER", "ABANDON", "EXITWITHKEY", "EXITWITHTIMEOUT", "EXITEMPTY", "SYSCOMPAT", *SKIPPED),
)


def _at(draw: random.Random) -> datetime:
    return START + timedelta(seconds=draw.randrange(-1000, 90_000))


def bank_fields(draw: random.Random) -> list[str]:
    """Fields of a line of the bank's calls."""
    clocks = [f"{draw.randrange(24)}:{draw.randrange(60):02}:{draw.randrange(60):02}" for _ in range(6)]
    if draw.random() < 0.3:
        clocks[draw.randrange(6)] = "0:00:00"
    outcome = draw.choice(("AGENT", "HANG", "PHANTOM"))
    day = draw.choice(("990101", "990331", "19990402", "991231", "000101", "20240330"))
    spans = [str(draw.randrange(900)) for _ in range(3)]
    return [
        *(f"AA010{draw.randrange(9)}", str(draw.randrange(60_000)), draw.choice(("0", PHONE)), "2", "PS", day),
        *(clocks[0], clocks[1], spans[0], clocks[2], clocks[3], spans[1], outcome, clocks[4], clocks[5], spans[2]),
        draw.choice(("NO_SERVER", "DORIT")),
    ]


def boston_fields(draw: random.Random) -> list[str]:
    """Fields of a row of Boston's cases."""
    times = [_at(draw).strftime("%m/%d/%Y %I:%M:%S %p") if draw.random() < 0.7 else "" for _ in range(2)]
    opened = _at(draw).strftime("%Y-%m-%d %H:%M:%S")
    words = [
        "ONTIME",
        "Closed",
        "Public Works",
        "Trees",
        "Tree, fallen",
        "PWDx_Tree",
        "PWDx",
        "Roxbury",
        "5",
        "Self Service",
    ]
    return [str(10**11 + draw.randrange(10**6)), opened, *times, *words, draw.choice(("", 'he said "no"\nand left'))]


def queue_fields(draw: random.Random) -> list[str]:
    """Fields of a line of Asterisk's queue log."""
    at = int(_at(draw).timestamp())
    call = draw.choice((f"{at - 20}.{draw.randrange(9)}", f"{int(START.timestamp())}.7", "wazo-1709287200.12", "NONE"))
    data = [draw.choice(("", "12", "60", "1", PHONE, "SIP/8007")) for _ in range(draw.randrange(6))]
    return [
        str(at),
        call,
        draw.choice(("support", "NONE")),
        draw.choice(("NONE", "SIP/8007")),
        draw.choice(_QUEUE_EVENTS),
        *data,
    ]


def queue_row(draw: random.Random) -> dict[str, Any]:
    """The same as a row of its table."""
    at, call, queue, agent, event, *data = queue_fields(draw)
    named = {f"data{place}": value for place, value in enumerate(data, 1)}
    time = draw.choice((at, datetime.fromtimestamp(int(at), UTC).isoformat(" ")))
    return {"id": "7", "time": time, "callid": call, "queuename": queue, "agent": agent, "event": event, **named}


def contact(draw: random.Random) -> dict[str, Any]:
    """A contact record of Amazon Connect."""
    times = iter(sorted(_at(draw) for _ in range(7)))

    def at() -> str:
        return next(times).strftime("%Y-%m-%dT%H:%M:%SZ")

    return {
        "ContactId": f"c{draw.randrange(20)}",
        "PreviousContactId": draw.choice((None, f"c{draw.randrange(20)}")),
        "NextContactId": draw.choice((None, None, "c3")),
        "Channel": draw.choice(("VOICE", "VOICE", "VOICE", "CHAT")),
        "InitiationMethod": draw.choice(("INBOUND", "INBOUND", "OUTBOUND", "TRANSFER", "CALLBACK", "MONITOR")),
        "InitiationTimestamp": at(),
        "ConnectedToSystemTimestamp": at(),
        "Queue": {"Name": "q", "EnqueueTimestamp": at(), "DequeueTimestamp": at(), "Duration": draw.randrange(90)},
        "Agent": draw.choice(
            (None, {"Username": "li", "ConnectedToAgentTimestamp": at(), "AgentInteractionDuration": 60})
        ),
        "DisconnectTimestamp": at(),
        "LastUpdateTimestamp": at(),
        "DisconnectReason": draw.choice((None, "CUSTOMER_DISCONNECT", "TELECOM_PROBLEM")),
        "CustomerEndpoint": {"Address": PHONE, "Type": "TELEPHONE_NUMBER"},
    }


def request(draw: random.Random) -> dict[str, Any]:
    """A service request of Open311."""
    stamps = [_at(draw).isoformat() for _ in range(5)]
    notes = [
        {"type": draw.choice(("opened", "closed", "reopened", "activity")), "datetime": stamp} for stamp in stamps[3:]
    ]
    return {
        "service_request_id": f"14-{draw.randrange(99)}",
        "status": draw.choice(("open", "closed")),
        "service_name": "Pothole",
        "service_code": "4fd3",
        "agency_responsible": "CDOT",
        **dict(zip(("requested_datetime", "updated_datetime", "expected_datetime"), stamps, strict=False)),
        "notes": draw.choice((notes, [], None)),
        "extended_attributes": {
            "channel": "phone",
            "ward": "21",
            "duplicate": draw.random() < 0.2,
            "parent_service_request_id": "14-1",
        },
    }


FIELDS: dict[str, tuple[Callable[[random.Random], list[str]], str]] = {
    "bank1999": (bank_fields, "\t"),
    "boston311": (boston_fields, ","),
    "asterisk": (queue_fields, "|"),
}
"""Adapters of lines → the fields of one, and what stands between them."""
OBJECTS: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "asterisk": queue_row,
    "amazon-connect": contact,
    "open311": request,
}
HEADERS: dict[str, str] = {"bank1999": "\t".join(BANK_COLUMNS), "boston311": ",".join(BOSTON_COLUMNS)}


def line_of(name: str, fields: Sequence[str]) -> str:
    """A line of fields; those of a CSV in quotes where they need them."""
    if name == "boston311":
        fields = [f'"{field.replace(chr(34), chr(34) * 2)}"' if set(field) & set(',"\n') else field for field in fields]
    return FIELDS[name][1].join(fields)


def objects_file(draw: random.Random, name: str, objects: Sequence[str]) -> str:
    """Objects in a file: one a line, one after the other, in a list, or in a list under a name."""
    kind = draw.randrange(4)
    if kind == 0:
        return "\n".join(text.replace("\n", " ") for text in objects) + "\n"
    if kind == 1:
        return "\n\n ".join(objects)
    listed = "[\n" + ",\n".join(objects) + "\n]"
    under = {"asterisk": "queue_log", "open311": "requests"}.get(name)
    return listed if kind == 2 or under is None else json.dumps({"count": 3})[:-1] + f', "{under}": {listed}}}'


def parquet_file(rows: Sequence[Sequence[str]], times: pl.DataType) -> bytes:
    """Rows of Boston's cases as parquet, times as texts or as times."""
    frame = pl.DataFrame([row[: len(BOSTON_COLUMNS)] for row in rows], schema=list(BOSTON_COLUMNS), orient="row")
    if times != pl.String:
        opened = pl.col("OPEN_DT").str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False)
        frame = frame.with_columns(opened.cast(times))
    out = io.BytesIO()
    frame.write_parquet(out, row_group_size=7)
    return out.getvalue()
