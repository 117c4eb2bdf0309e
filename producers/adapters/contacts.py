"""What one contact record of Amazon Connect tells of its call. A record is a contact's last state, whole by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from producers.adapters.told import Told
from producers.adapters.values import RefusedError, instant, later, name, person, required, required_instant, seconds

CHANNELS = {"VOICE": None, "CHAT": "chat", "TASK": "task", "EMAIL": "email", "SMS": "chat", "MESSAGING": "chat"}
"""Channel → why it is left out; None: it is a call."""
INBOUND = frozenset({"INBOUND", "WEBRTC_API"})
OUTBOUND = frozenset({"OUTBOUND", "EXTERNAL_OUTBOUND", "CALLBACK", "API"})
GOES_ON = frozenset({"TRANSFER", "QUEUE_TRANSFER"})
"""A contact that goes on with the call of the contact before it."""
NO_CALLS = {"DISCONNECT": "after the call", "MONITOR": "listening in", "FLOW": "flow", "AGENT_REPLY": "flow"}
"""Contacts that no caller waits in → why they are left out."""
GAVE_UP = frozenset({None, "CUSTOMER_DISCONNECT"})
"""Why a waiting contact ended when its caller hung up; old records do not say why."""

_LEVELS = ("Level5", "Level4", "Level3", "Level2", "Level1")


@dataclass(frozen=True)
class Contact:
    """A record as it was read; times are epoch seconds."""

    contact: str
    method: str
    previous: str | None
    next: str | None
    initiated_at: int
    system_at: int | None
    queue: str | None
    enqueued_at: int | None
    dequeued_at: int | None
    wait_s: int | None
    agent_at: int | None
    operator: str | None
    operator_group: str | None
    talk_s: int | None
    moved_at: int | None
    disconnected_at: int | None
    reason: str | None
    caller: str | None
    copy: int
    """Number of this copy of the record: the latest one stands."""

    @property
    def goes_on(self) -> bool:
        """Whether it goes on with the call of another contact."""
        return self.method in GOES_ON

    @property
    def answered_at(self) -> int | None:
        """When a person and the other party were connected."""
        if self.method not in OUTBOUND or self.agent_at is None:
            return self.agent_at
        return None if self.system_at is None else max(self.agent_at, self.system_at)

    @property
    def talked_s(self) -> int:
        """Seconds that the operator talked, holds left out, as stated; else from answer to end."""
        if self.answered_at is None:
            return 0
        if self.talk_s is not None or self.disconnected_at is None:
            return self.talk_s or 0
        return max(0, self.disconnected_at - self.answered_at)


def left_out(record: dict[str, Any]) -> str | None:
    """Why this record is of no call; None when it is of one. Raises RefusedError for a word that nobody knows."""
    channel, method = required(record.get("Channel")).upper(), required(record.get("InitiationMethod")).upper()
    if channel not in CHANNELS or method not in {*INBOUND, *OUTBOUND, *GOES_ON, *NO_CALLS}:
        raise RefusedError("unknown_word")
    return CHANNELS[channel] or NO_CALLS.get(method)


def contact_of(record: dict[str, Any], key: bytes, zone: str) -> Contact:
    """Read a record of a call. Raises RefusedError."""
    queue, agent = _part(record, "Queue", "QueueInfo"), _part(record, "Agent", "AgentInfo")

    def at(part: dict[str, Any], field: str) -> int | None:
        return instant(part.get(field), zone)

    contact = required(record.get("ContactId") or record.get("Id"))
    name(f"{contact} call.transferred")  # the longest id of an event that is made of it must be a name as well
    initiated_at = required_instant(record.get("InitiationTimestamp"), zone)
    updated_at = at(record, "LastUpdateTimestamp")
    return Contact(
        contact=contact,
        method=required(record.get("InitiationMethod")).upper(),
        previous=name(record.get("PreviousContactId")) or name(record.get("InitialContactId")),
        next=name(record.get("NextContactId")),
        initiated_at=initiated_at,
        system_at=at(record, "ConnectedToSystemTimestamp"),
        queue=name(queue.get("Name")) or name(queue.get("Id")),
        enqueued_at=at(queue, "EnqueueTimestamp"),
        dequeued_at=at(queue, "DequeueTimestamp"),
        wait_s=seconds(queue.get("Duration")),
        agent_at=at(agent, "ConnectedToAgentTimestamp"),
        operator=person(agent.get("Username") or agent.get("ARN") or agent.get("Id"), key),
        operator_group=_group(agent),
        talk_s=seconds(agent.get("AgentInteractionDuration")),
        moved_at=at(record, "TransferCompletedTimestamp"),
        disconnected_at=at(record, "DisconnectTimestamp"),
        reason=name(record.get("DisconnectReason")),
        caller=person(_part(record, "CustomerEndpoint").get("Address"), key),
        copy=0 if updated_at is None else later(updated_at - initiated_at),
    )


def events_of(contact: Contact, talked_before_s: int) -> list[Told]:
    """Events of a contact; the talk of its end is that of the whole call so far."""
    events = [*_begun(contact), *_outcome(contact), *_ended(contact, talked_before_s)]
    where = {"line": contact.queue, "operator_group": contact.operator_group, "revision": contact.copy}
    return [{**where, "id": f"{contact.contact} {event['type']}", **event} for event in events]


def _part(record: dict[str, Any], *fields: str) -> dict[str, Any]:
    value: Any = next((record[field] for field in fields if record.get(field)), {})
    if not isinstance(value, dict):
        raise RefusedError("bad_value")
    return value


def _group(agent: dict[str, Any]) -> str | None:
    """Read the innermost group that the agent is in."""
    levels = _part(agent, "HierarchyGroups")
    return next((name(_part(levels, level).get("GroupName")) for level in _LEVELS if levels.get(level)), None)


def _begun(contact: Contact) -> list[Told]:
    direction = "outbound" if contact.method in OUTBOUND else "inbound"
    offered_at = contact.initiated_at if direction == "outbound" else contact.enqueued_at or contact.initiated_at
    offered = {"type": "call.offered", "direction": direction, "caller": contact.caller, "occurred_at": offered_at}
    moved = {"type": "call.transferred", "occurred_at": contact.initiated_at}
    queued = {"type": "call.queued", "occurred_at": contact.enqueued_at}
    first = moved if contact.goes_on else offered
    return [first, queued] if contact.enqueued_at is not None and direction == "inbound" else [first]


def _outcome(contact: Contact) -> list[Told]:
    # The wait in a later queue is not that of the call: that follows from when it was queued first.
    wait_s = contact.wait_s if contact.method in INBOUND else None
    if contact.answered_at is not None:
        operator = {"leg": "operator", "operator": contact.operator, "wait_s": wait_s}
        return [{"type": "call.answered", "occurred_at": contact.answered_at, **operator}]
    if contact.method in OUTBOUND or contact.enqueued_at is None:
        left_at = contact.disconnected_at
    else:
        left_at = contact.dequeued_at or contact.disconnected_at
    if left_at is None:
        return []
    queued = contact.method not in OUTBOUND and contact.enqueued_at is not None
    if queued and contact.next is None and contact.moved_at is None and contact.reason in GAVE_UP:
        return [{"type": "call.abandoned", "occurred_at": left_at, "wait_s": wait_s}]
    return [{"type": "call.lost", "occurred_at": left_at}]


def _ended(contact: Contact, talked_before_s: int) -> list[Told]:
    events: list[Told] = []
    if contact.moved_at is not None:
        moved = {"type": "call.transferred", "id": f"{contact.contact} moved out"}
        events.append({**moved, "occurred_at": contact.moved_at})
    if contact.answered_at is not None and contact.disconnected_at is not None:
        talk_s = talked_before_s + contact.talked_s
        events.append({"type": "call.ended", "occurred_at": contact.disconnected_at, "talk_s": talk_s})
    return events
