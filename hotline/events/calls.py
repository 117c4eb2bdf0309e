"""Events of a call."""

from __future__ import annotations

from hotline.events.envelope import Event, Name, Seconds
from hotline.events.words import Direction, Leg


class CallEvent(Event, frozen=True, kw_only=True):
    """Any event of a call; all may state where the call belongs."""

    line: Name | None = None
    district: Name | None = None
    operator_group: Name | None = None


class CallOffered(CallEvent, frozen=True, kw_only=True, tag="call.offered"):
    """A call reached the hotline, after any menu (呼入); or, outbound, was dialled."""

    direction: Direction = "inbound"
    caller: Name | None = None
    """Pseudonym of the other party: keyed hash, never a number."""


class CallQueued(CallEvent, frozen=True, kw_only=True, tag="call.queued"):
    """The caller began to wait for an operator."""


class CallAnswered(CallEvent, frozen=True, kw_only=True, tag="call.answered"):
    """A person answered (人工接听)."""

    leg: Leg | None = None
    operator: Name | None = None
    wait_s: Seconds | None = None
    """Seconds waited before the answer, as the source states them."""


class CallAbandoned(CallEvent, frozen=True, kw_only=True, tag="call.abandoned"):
    """The caller gave up before anybody answered."""

    wait_s: Seconds | None = None


class CallTransferred(CallEvent, frozen=True, kw_only=True, tag="call.transferred"):
    """The call was handed to another person or group."""

    leg: Leg | None = None
    operator: Name | None = None


class CallEnded(CallEvent, frozen=True, kw_only=True, tag="call.ended"):
    """The conversation ended."""

    talk_s: Seconds | None = None
    """Seconds talked, as the source states them."""


class CallLost(CallEvent, frozen=True, kw_only=True, tag="call.lost"):
    """The system dropped the call: neither answered nor given up by the caller."""
