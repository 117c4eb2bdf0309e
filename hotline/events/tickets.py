"""Events of a ticket (service request, 诉求/工单)."""

from __future__ import annotations

from hotline.events.envelope import Event, Instant, Name
from hotline.events.words import Audience, Leg, Nature, Rating


class TicketEvent(Event, frozen=True, kw_only=True):
    """Any event of a ticket; all may state where the ticket belongs."""

    line: Name | None = None
    district: Name | None = None
    department: Name | None = None
    channel: Name | None = None
    audience: Audience | None = None
    category: Name | None = None
    nature: Nature | None = None
    operator_group: Name | None = None


class TicketCreated(TicketEvent, frozen=True, kw_only=True, tag="ticket.created"):
    """A request was taken down."""

    call: Name | None = None
    """Id of the call it came from."""


class TicketClassified(TicketEvent, frozen=True, kw_only=True, tag="ticket.classified"):
    """Nature or category was set or corrected."""


class TicketAnsweredOnline(TicketEvent, frozen=True, kw_only=True, tag="ticket.answered_online"):
    """Answered at once, by an operator or a policy specialist (在线解答)."""

    leg: Leg = "operator"


class TicketDispatched(TicketEvent, frozen=True, kw_only=True, tag="ticket.dispatched"):
    """Sent to a department (部门办理), with its deadline where one is stated."""

    due_at: Instant | None = None


class TicketDueChanged(TicketEvent, frozen=True, kw_only=True, tag="ticket.due_changed"):
    """The deadline was moved."""

    due_at: Instant


class TicketReturned(TicketEvent, frozen=True, kw_only=True, tag="ticket.returned"):
    """The department sent it back (回退)."""


class TicketHandled(TicketEvent, frozen=True, kw_only=True, tag="ticket.handled"):
    """The department finished (办结)."""


class TicketReopened(TicketEvent, frozen=True, kw_only=True, tag="ticket.reopened"):
    """The handling was withdrawn (重办)."""


class TicketMerged(TicketEvent, frozen=True, kw_only=True, tag="ticket.merged"):
    """Found to be the same request as another ticket."""

    merged_into: Name | None = None


class TicketClosed(TicketEvent, frozen=True, kw_only=True, tag="ticket.closed"):
    """Archived (办结归档)."""


class SurveyAsked(TicketEvent, frozen=True, kw_only=True, tag="survey.asked"):
    """The citizen was asked for a rating (征集评价)."""


class SurveyRated(TicketEvent, frozen=True, kw_only=True, tag="survey.rated"):
    """The citizen rated (参评). A rating that is not `valid` counts as taking part and nowhere else."""

    rating: Rating | None = None
    operator_rating: Rating | None = None
    resolved: bool | None = None
    valid: bool = True


class TicketSnapshot(TicketEvent, frozen=True, kw_only=True, tag="ticket.snapshot"):
    """State of a ticket that was already open when the hotline moved here."""

    dispatched_at: Instant | None = None
    due_at: Instant | None = None
