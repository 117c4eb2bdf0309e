"""Events: one struct a type, closed vocabularies, and the columns they share in a block."""

from __future__ import annotations

from hotline.events.calls import (
    CallAbandoned,
    CallAnswered,
    CallEnded,
    CallEvent,
    CallLost,
    CallOffered,
    CallQueued,
    CallTransferred,
)
from hotline.events.envelope import NAME_BYTES_MAX, SCHEMA, SECONDS_MAX, YEAR_MAX, YEAR_MIN, Event
from hotline.events.tickets import (
    SurveyAsked,
    SurveyRated,
    TicketAnsweredOnline,
    TicketClassified,
    TicketClosed,
    TicketCreated,
    TicketDispatched,
    TicketDueChanged,
    TicketEvent,
    TicketHandled,
    TicketMerged,
    TicketReopened,
    TicketReturned,
    TicketSnapshot,
)
from hotline.events.words import CHINESE, SATISFIED, WORDS

CALL_EVENTS: tuple[type[CallEvent], ...] = (
    CallOffered,
    CallQueued,
    CallAnswered,
    CallAbandoned,
    CallTransferred,
    CallEnded,
    CallLost,
)
"""In rank order: events of equal time are read in this order."""

TICKET_EVENTS: tuple[type[TicketEvent], ...] = (
    TicketSnapshot,
    TicketCreated,
    TicketClassified,
    TicketAnsweredOnline,
    TicketDispatched,
    TicketDueChanged,
    TicketReturned,
    TicketHandled,
    TicketReopened,
    TicketMerged,
    TicketClosed,
    SurveyAsked,
    SurveyRated,
)
"""In rank order: events of equal time are read in this order."""

__all__ = [
    "CALL_EVENTS",
    "CHINESE",
    "NAME_BYTES_MAX",
    "SATISFIED",
    "SCHEMA",
    "SECONDS_MAX",
    "TICKET_EVENTS",
    "WORDS",
    "YEAR_MAX",
    "YEAR_MIN",
    "CallAbandoned",
    "CallAnswered",
    "CallEnded",
    "CallEvent",
    "CallLost",
    "CallOffered",
    "CallQueued",
    "CallTransferred",
    "Event",
    "SurveyAsked",
    "SurveyRated",
    "TicketAnsweredOnline",
    "TicketClassified",
    "TicketClosed",
    "TicketCreated",
    "TicketDispatched",
    "TicketDueChanged",
    "TicketEvent",
    "TicketHandled",
    "TicketMerged",
    "TicketReopened",
    "TicketReturned",
    "TicketSnapshot",
]
