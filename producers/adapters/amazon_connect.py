"""Contact records of Amazon Connect, as its data stream gives them: JSON objects, one a contact."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hotline.subjects import CALLS
from producers.adapters.adapter import Adapter, Batch, Reading
from producers.adapters.contacts import INBOUND, Contact, contact_of, events_of, left_out
from producers.adapters.errors import UnreadableError
from producers.adapters.objects import Found, objects
from producers.adapters.told import Telling
from producers.adapters.values import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from producers.adapters.opening import Input

NAME = "amazon-connect"
LISTS = frozenset({"records", "Records", "Contacts"})
COLUMNS = {
    "ContactId": "entity of a call's first contact (in answers of the API: Id)",
    "InitiationTimestamp": "born_at of a first contact; call.transferred of a contact that goes on with a call",
    "InitiationMethod": "INBOUND, WEBRTC_API: inbound; OUTBOUND, EXTERNAL_OUTBOUND, CALLBACK, API: outbound; "
    "TRANSFER, QUEUE_TRANSFER: goes on with the call of the contact before",
    "PreviousContactId": "the contact before (without it: InitialContactId)",
    "NextContactId": "with it a contact that nobody answered is not abandoned",
    "Channel": "VOICE: a call; others are no calls",
    "Queue.Name": "line",
    "Queue.EnqueueTimestamp": "call.offered, call.queued",
    "Queue.DequeueTimestamp": "call.abandoned, call.lost",
    "Queue.Duration": "wait_s",
    "ConnectedToSystemTimestamp": "call.answered of an outbound call, with ConnectedToAgentTimestamp",
    "Agent.ConnectedToAgentTimestamp": "call.answered",
    "Agent.Username": "operator, as a pseudonym (without it: Agent.ARN)",
    "Agent.HierarchyGroups": "operator_group, the innermost one",
    "Agent.AgentInteractionDuration": "talk_s",
    "TransferCompletedTimestamp": "call.transferred, out of the contact centre",
    "DisconnectTimestamp": "call.ended",
    "DisconnectReason": "CUSTOMER_DISCONNECT, or none: call.abandoned; others: call.lost (of who waited)",
    "CustomerEndpoint.Address": "caller, as a pseudonym",
    "LastUpdateTimestamp": "tells which copy of a record is newer",
    "Attributes, Recordings, Tags, …": "",
}
CHAIN_CONTACTS_KEPT = 200_000
"""Contacts whose call is remembered at most, for contacts that go on with it."""
HELD_MAX = 10_000
"""Contacts held at most until the one before them is read."""

_MEMORY = "chains"
MENU = "menu only"


class _Call(NamedTuple):
    """The call that a contact belongs to, and what was talked in it up to the contact's end."""

    entity: str
    born_at: int
    talked_s: int


class _Held(NamedTuple):
    contact: Contact
    raw: bytes
    origin: str


class _Chains:
    """Which contact belongs to which call; contacts that came before the one that they follow wait here."""

    def __init__(self) -> None:
        self._calls: dict[str, _Call] = {}
        self._held: dict[str, list[_Held]] = {}
        self._held_count = 0

    def take(self, held: _Held, telling: Telling) -> None:
        """Tell a contact's events, and those of contacts that waited for it; or hold it."""
        contact = held.contact
        before = (
            self._calls.get(contact.previous or "")
            if contact.goes_on
            else _Call(contact.contact, contact.initiated_at, 0)
        )
        if before is not None:
            self._tell(contact, before, telling)
        elif contact.previous is None:
            telling.refused("missing_field", held.raw, held.origin)
        else:
            self._hold(contact.previous, held, telling)

    def rest(self, telling: Telling) -> None:
        """Refuse what still waits: the files do not hold the beginning of its call."""
        while self._held:
            self._refuse_oldest(telling)

    def _tell(self, contact: Contact, before: _Call, telling: Telling) -> None:
        telling.events(events_of(contact, before.talked_s), entity=before.entity, born_at=before.born_at)
        self._calls.pop(contact.contact, None)
        self._calls[contact.contact] = before._replace(talked_s=before.talked_s + contact.talked_s)
        if len(self._calls) > CHAIN_CONTACTS_KEPT:
            del self._calls[next(iter(self._calls))]
        for held in self._held.pop(contact.contact, ()):
            self._held_count -= 1
            self._tell(held.contact, self._calls[contact.contact], telling)

    def _hold(self, previous: str, held: _Held, telling: Telling) -> None:
        self._held.setdefault(previous, []).append(held)
        self._held_count += 1
        if self._held_count > HELD_MAX:
            self._refuse_oldest(telling)

    def _refuse_oldest(self, telling: Telling) -> None:
        for held in self._held.pop(next(iter(self._held))):
            self._held_count -= 1
            telling.refused("missing_field", held.raw, held.origin)


def _batches(source: Input, reading: Reading) -> Iterator[Batch]:
    chains: _Chains = reading.memory.setdefault(_MEMORY, _Chains())
    telling = Telling(CALLS, NAME)
    recognised = reading.recognised
    for found in objects(source, reading.chunk_bytes, LISTS):
        recognised = recognised or any(_is_contact(each.value) for each in found)
        if not recognised:
            break
        reading.recognise()
        for each in found:
            _take(each, chains, telling, reading)
        yield telling.batch(source.position)
    if not recognised:
        reason = "no object at its start has a ContactId and an InitiationMethod"
        raise UnreadableError(source.name, reason, "Use the adapter of what it holds.")


def _is_contact(value: dict[str, Any]) -> bool:
    return ("ContactId" in value or "Id" in value) and "InitiationMethod" in value


def _take(found: Found, chains: _Chains, telling: Telling, reading: Reading) -> None:
    origin = f"{reading.origin}:{found.line}"
    try:
        found.check()
        why = left_out(found.value)
        contact = None if why else contact_of(found.value, reading.key, reading.zone)
        if contact is None or _in_menu(contact):
            telling.skipped(why or MENU)
        else:
            chains.take(_Held(contact, found.raw, origin), telling)
    except RefusedError as refused:
        telling.refused(refused.reason, found.raw, origin)


def _in_menu(contact: Contact) -> bool:
    """Whether the caller left, or was served, before any operator was asked for."""
    return contact.method in INBOUND and not (contact.enqueued_at or contact.agent_at or contact.next)


def _rest(memory: dict[str, Any]) -> Iterator[Batch]:
    chains: _Chains | None = memory.get(_MEMORY)
    telling = Telling(CALLS, NAME)
    if chains is not None:
        chains.rest(telling)
    batch = telling.batch(0)
    if batch.lines_read:
        yield batch


AMAZON_CONNECT = Adapter(
    name=NAME,
    title="Amazon Connect contact records (JSON lines)",
    title_zh="Amazon Connect 联系记录(JSON 行)",
    source="Amazon Connect, contact records by Kinesis or S3",
    licence="your own data",
    zone="UTC",
    subjects=(CALLS.name,),
    scopes=("line", "operator_group"),
    columns=COLUMNS,
    batches=_batches,
    grows=True,
    rest=_rest,
    limits=(
        "A record comes a minute or more after its contact ended: nobody is seen waiting or talking live.",
        "Calls that end in the menu are left out, and so is time in menus.",
        "A contact that goes on with a call belongs to it only when the contact before it is in the same load.",
        "Otherwise it is a dead letter (missing_field): load its file together with the one before.",
        "A call back that was asked for in a queue is an outbound call; the call that asked for it is lost.",
        "Work after the talk, and holds, are not part of the talk.",
        "Copies made more than four and a half hours after a contact began are told apart by minutes, later by hours.",
    ),
)
