"""Every KPI once more, in plain Python over one row: what DESIGN and the report say, not what the catalogue does.

Each entry gives (instant, numerator, denominator) for ratios and counts, (came, left) instants with conditions for
stocks. Shares no code with the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Row = Any
Part = tuple[str, Callable[[Row], int]]


def one(at: str, test: Callable[[Row], bool] = lambda _: True) -> Part:
    """1 for a row that has the instant and passes."""
    return at, lambda row: int(getattr(row, at) is not None and test(row))


def value(at: str, field: str, test: Callable[[Row], bool] = lambda _: True) -> Part:
    return at, lambda row: (getattr(row, field) or 0) if getattr(row, at) is not None and test(row) else 0


def inbound(row: Row) -> bool:
    return bool(row.direction == "inbound")


def outbound(row: Row) -> bool:
    return bool(row.direction == "outbound")


def _talks(which: Callable[[Row], bool]) -> dict[str, tuple[Part, Part]]:
    talked = one("ended_at", lambda r: which(r) and r.talk_s is not None)
    return {
        "average": (value("ended_at", "talk_s", which), talked),
        "long": (one("ended_at", lambda r: which(r) and r.talk_s is not None and r.talk_s > 600), talked),
    }


def _answered_in_30(r: Row) -> bool:
    return inbound(r) and r.answered_at is not None and r.wait_s is not None and r.wait_s <= 30


def _net(r: Row) -> bool:
    if not inbound(r):
        return False
    return r.answered_at is not None or (r.wait_s is not None and r.wait_s > 5)


def _timely(r: Row) -> bool:
    return r.handled_at is not None and r.due_at is not None and r.handled_at <= r.due_at


def _valid(r: Row) -> bool:
    return r.rating_valid is True


_IN, _OUT, _ANY = _talks(inbound), _talks(outbound), _talks(lambda _: True)
_OUTCOMES = one("outcome_at", inbound)
_DUE, _HANDLED = one("due_at"), one("handled_at")
_VALID = one("rated_at", _valid)

PARTS: dict[str, tuple[Part, Part | None]] = {
    "calls_offered": (one("offered_at", inbound), None),
    "calls_answered": (one("answered_at", inbound), None),
    "calls_abandoned": (one("abandoned_at", inbound), None),
    "calls_outbound": (one("answered_at", outbound), None),
    "answered_30s_share": (one("answered_at", _answered_in_30), one("answered_at", inbound)),
    "service_level_30s": (one("outcome_at", _answered_in_30), _OUTCOMES),
    "service_level_30s_net": (one("outcome_at", _answered_in_30), one("outcome_at", _net)),
    "answer_rate": (one("outcome_at", lambda r: inbound(r) and r.answered_at is not None), _OUTCOMES),
    "abandonment_rate": (one("outcome_at", lambda r: inbound(r) and r.abandoned_at is not None), _OUTCOMES),
    "average_wait_s": (value("answered_at", "wait_s", inbound), one("answered_at", inbound)),
    "average_talk_s": _IN["average"],
    "long_talk_share": _IN["long"],
    "average_talk_outbound_s": _OUT["average"],
    "long_talk_share_outbound": _OUT["long"],
    "average_talk_all_s": _ANY["average"],
    "long_talk_share_all": _ANY["long"],
    "calls_connected": (one("answered_at"), None),
    "tickets_created": (one("created_at"), None),
    "tickets_answered_online": (one("answered_online_at"), None),
    "tickets_answered_by_operators": (one("answered_online_at", lambda r: r.answered_by == "operator"), None),
    "tickets_answered_by_specialists": (one("answered_online_at", lambda r: r.answered_by == "specialist"), None),
    "tickets_dispatched": (one("dispatched_at"), None),
    "tickets_handled": (_HANDLED, None),
    "tickets_reopened": (one("reopened_at"), None),
    "tickets_closed": (one("closed_at"), None),
    "timely_handling_rate": (one("due_at", _timely), _DUE),
    "timely_share_of_handled": (one("handled_at", _timely), one("handled_at", lambda r: r.due_at is not None)),
    "not_late_share_of_handled": (one("handled_at", lambda r: r.due_at is None or _timely(r)), _HANDLED),
    "completion_rate": (one("dispatched_at", lambda r: r.handled_at is not None), one("dispatched_at")),
    "average_handling_workdays": (
        value("handled_at", "handling_workdays"),
        one("handled_at", lambda r: r.handling_workdays is not None),
    ),
    "average_handling_days": (
        value("handled_at", "handling_s"),
        one("handled_at", lambda r: r.dispatched_at is not None),
    ),
    "surveys_asked": (one("asked_at"), None),
    "surveys_rated": (one("rated_at"), None),
    "participation_rate": (one("rated_at"), one("asked_at")),
    "participation_rate_cohort": (one("asked_at", lambda r: r.rated_at is not None), one("asked_at")),
    "satisfaction_rate": (one("rated_at", lambda r: _valid(r) and r.satisfied is True), _VALID),
    "operator_satisfaction_rate": (one("rated_at", lambda r: _valid(r) and r.operator_satisfied is True), _VALID),
    "resolution_rate": (one("rated_at", lambda r: _valid(r) and r.resolved is True), _VALID),
    "reopened_rate": (one("first_handled_at", lambda r: r.reopenings > 0), one("first_handled_at")),
    "returned_rate": (one("dispatched_at", lambda r: r.returns > 0), one("dispatched_at")),
    # stocks: what came, and what left
    "calls_waiting": (one("queued_at", inbound), one("left_queue_at", inbound)),
    "calls_talking": (one("answered_at"), one("left_talk_at")),
    "tickets_open": (one("dispatched_at"), one("left_open_at")),
    "tickets_overdue": (one("overdue_at"), one("left_overdue_at")),
    "tickets_due_1h": (one("due_soon_at"), one("left_due_soon_at")),
}
