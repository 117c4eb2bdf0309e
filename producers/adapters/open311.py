"""Service requests as Open311 GeoReport v2 answers them in JSON, with the notes that Chicago adds.

Fields by the specification GeoReport v2, "GET Service Requests"; for a closed request it defines `updated_datetime` as
the closing. `notes` and `extended_attributes` are as the City of Chicago gives them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotline.subjects import TICKETS
from producers.adapters.adapter import Adapter, Batch, Reading
from producers.adapters.errors import UnreadableError
from producers.adapters.objects import Found, objects
from producers.adapters.told import Telling, Told
from producers.adapters.values import RefusedError, instant, later, name, required, required_instant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from producers.adapters.opening import Input

NAME = "open311"
ID = "service_request_id"
LISTS = frozenset({"service_requests", "requests"})
"""Names under which servers put the list of requests, when they do not answer with the list itself."""
COLUMNS = {
    ID: "entity",
    "requested_datetime": "ticket.created, ticket.dispatched, born_at",
    "updated_datetime": "ticket.handled and ticket.closed of a closed request without notes; tells which copy is newer",
    "expected_datetime": "due_at",
    "status": "open or closed",
    "service_name": "category (without it: service_code)",
    "service_code": "category, where there is no service_name",
    "agency_responsible": "department",
    "notes[].type, notes[].datetime": "closed: ticket.handled, ticket.closed; opened again: ticket.reopened",
    "extended_attributes.channel": "channel",
    "extended_attributes.ward": "district",
    "extended_attributes.duplicate": "ticket.merged instead of ticket.handled",
    "extended_attributes.parent_service_request_id": "merged_into, of a duplicate",
    "notes[].summary, notes[].description": "",
    "status_notes": "",
    "description": "",
    "service_notice": "",
    "address, address_id, zipcode, lat, long": "",
    "media_url": "",
    "attributes": "",
}
STATUSES = ("open", "closed")
CLOSED, REOPENED, OPENED = "closed", "reopened", "opened"

_Life = list[tuple[str, int]]
"""Closings and reopenings with their times, in order."""


def _batches(source: Input, reading: Reading) -> Iterator[Batch]:
    if source.head.lstrip().startswith(b"<"):
        raise UnreadableError(source.name, "it is XML", "Ask the server for JSON: requests.json instead of .xml.")
    telling = Telling(TICKETS, NAME)
    recognised = False
    for found in objects(source, reading.chunk_bytes, LISTS):
        recognised = recognised or any(ID in each.value for each in found)
        if not recognised:
            break
        for each in found:
            _tell(each, reading, telling)
        yield telling.batch(source.position)
    if not recognised:
        reason = f"no object at its start has a {ID}"
        raise UnreadableError(source.name, reason, "Use the adapter of what it holds.")


def _tell(found: Found, reading: Reading, telling: Telling) -> None:
    try:
        found.check()
        born_at = required_instant(found.value.get("requested_datetime"), reading.zone)
        entity = required(found.value.get(ID))
        telling.events(_events(found.value, born_at, reading.zone), entity=entity, born_at=born_at)
    except RefusedError as refused:
        telling.refused(refused.reason, found.raw, f"{reading.origin}:{found.line}")


def _events(request: dict[str, Any], born_at: int, zone: str) -> list[Told]:
    more = _object(request, "extended_attributes")
    updated_at = instant(request.get("updated_datetime"), zone)
    # A copy that was fetched later may name another department or deadline: the newest one stands.
    copy = 0 if updated_at is None else later(updated_at - born_at)
    created = {
        "category": name(request.get("service_name")) or name(request.get("service_code")),
        "channel": name(more.get("channel")),
        "district": name(more.get("ward")),
    }
    dispatched = {
        "department": name(request.get("agency_responsible")),
        "due_at": instant(request.get("expected_datetime"), zone),
    }
    return [
        {"type": "ticket.created", "occurred_at": born_at, "id": "created", "revision": copy, **created},
        {"type": "ticket.dispatched", "occurred_at": born_at, "id": "dispatched", "revision": copy, **dispatched},
        *_endings(_life(request, updated_at, zone), more),
    ]


def _object(request: dict[str, Any], field: str) -> dict[str, Any]:
    value = request.get(field) or {}
    if not isinstance(value, dict):
        raise RefusedError("bad_value")
    return value


def _endings(life: _Life, more: dict[str, Any]) -> list[Told]:
    merged = str(more.get("duplicate")).lower() == "true"
    events: list[Told] = []
    for kind, at in life:
        if kind == REOPENED:
            events.append({"type": "ticket.reopened", "occurred_at": at})
            continue
        into = name(more.get("parent_service_request_id")) if merged else None
        handled = {"type": "ticket.merged", "merged_into": into} if merged else {"type": "ticket.handled"}
        events += [{**handled, "occurred_at": at}, {"type": "ticket.closed", "occurred_at": at}]
    return events


def _life(request: dict[str, Any], updated_at: int | None, zone: str) -> _Life:
    """What the notes tell of closings and reopenings, brought to where the status says that the request is now."""
    status = required(request.get("status")).lower()
    if status not in STATUSES:
        raise RefusedError("unknown_word")
    life = _of_notes(request.get("notes") or [], zone)
    closed = bool(life) and life[-1][0] == CLOSED
    if closed == (status == CLOSED):
        return life
    if status == CLOSED:
        if updated_at is None:
            raise RefusedError("missing_field")
        return [*life, (CLOSED, updated_at)]
    if updated_at is not None and updated_at > life[-1][1]:
        return [*life, (REOPENED, updated_at)]
    while life and life[-1][0] == CLOSED:  # open again, and nobody says since when: the status is right
        life.pop()
    return life


def _of_notes(notes: Any, zone: str) -> _Life:
    if not isinstance(notes, list) or not all(isinstance(note, dict) for note in notes):
        raise RefusedError("bad_value")
    told = [(note.get("type"), note.get("datetime")) for note in notes]
    dated = [(kind, required_instant(at, zone)) for kind, at in told if kind in (CLOSED, REOPENED, OPENED)]
    life: _Life = []
    for kind, at in sorted(dated, key=lambda note: note[1]):
        if kind == CLOSED:
            life.append((CLOSED, at))
        elif life and life[-1][0] == CLOSED:
            life.append((REOPENED, at))
    return life


OPEN311 = Adapter(
    name=NAME,
    title="Service requests of Open311 GeoReport v2 (JSON), with notes",
    title_zh="Open311 GeoReport v2 服务请求(JSON,含办理记录)",
    source="any Open311 server's requests.json; sample: City of Chicago",
    licence="the city's own terms",
    zone="UTC",
    subjects=(TICKETS.name,),
    scopes=("district", "department", "channel", "category"),
    columns=COLUMNS,
    batches=_batches,
    limits=(
        "A request says nothing of its dispatch: it counts as dispatched when it was requested.",
        "Without notes only the last closing is known, and no reopening.",
        "What follow-on requests of other departments took is theirs; it is not part of this request.",
        "Ratings of citizens, and who answered, are not in the format.",
    ),
)
