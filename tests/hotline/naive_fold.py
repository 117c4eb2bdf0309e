"""A second reading of the fold, one event at a time in plain Python; shares no code with the product's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.hotline.naive_working_time import Naive

Event = dict[str, Any]
Rows = dict[tuple[str, str, datetime], Event]

RANK = {
    "calls": "offered queued answered abandoned transferred ended lost".split(),
    "tickets": (
        "snapshot created classified answered_online dispatched due_changed returned handled reopened merged closed "
        "asked rated"
    ).split(),
}
GOOD = {"very_satisfied", "satisfied", "fairly_satisfied"}
NEVER_S = 366 * 86_400


@dataclass(frozen=True)
class Working:
    """A rule as its file says it, and a calendar."""

    calendar: Naive
    version: int
    receipt: str
    terms: list[dict[str, Any]]


def fold(subject: str, events: Iterable[Event], working: Working | None = None) -> Rows:
    """Rows by (source, entity, born_at). Each event has `key`, the number by which the product orders equal ranks."""
    entities: dict[tuple[str, str, datetime], dict[Any, Event]] = {}
    sizes: dict[tuple[str, str, datetime], set[Any]] = {}
    for event in events:
        entity = (event["source"], event["entity"], event["born_at"])
        name = event["id"] if event["id"] is not None else (event["type"], event["occurred_at"])
        standing = entities.setdefault(entity, {})
        sizes.setdefault(entity, set()).add((name, event["revision"], event["digest"]))
        known = standing.get(name)
        if known is None or (known["revision"], known["digest"]) < (event["revision"], event["digest"]):
            standing[name] = event
    rows = {}
    for entity, standing in entities.items():
        ordered = sorted(standing.values(), key=lambda e: (e["occurred_at"], _rank(subject, e), e["key"]))
        row = _call(ordered) if subject == "calls" else _ticket(ordered, working)
        row.update(source=entity[0], entity=entity[1], born_at=entity[2], size=len(sizes[entity]))
        rows[entity] = row
    return rows


def _rank(subject: str, event: Event) -> int:
    return RANK[subject].index(event["type"].split(".")[1])


def _of(events: list[Event], kind: str) -> list[Event]:
    return [event for event in events if event["type"].split(".")[1] == kind]


def _first(events: list[Event], kind: str) -> datetime | None:
    return min((event["occurred_at"] for event in _of(events, kind)), default=None)


def _last(events: list[Event], field: str) -> Any:
    found = None
    for event in events:
        if event.get(field) is not None:
            found = event[field]
    return found


def _stated(events: list[Event], kind: str, field: str) -> Any:
    for event in _of(events, kind):
        if event.get(field) is not None:
            return event[field]
    return None


def _gap(later: datetime | None, earlier: datetime | None) -> int | None:
    if later is None or earlier is None:
        return None
    return round((later - earlier).total_seconds())


def _later(start: datetime | None, end: datetime | None) -> datetime | None:
    if start is None or end is None:
        return None
    return max(start, end)


def _call(events: list[Event]) -> Event:
    row: Event = {name: _last(events, name) or "" for name in ("line", "district", "operator_group")}
    row["direction"] = _last(events, "direction") or "inbound"
    row["operator"], row["caller"] = _last(events, "operator"), _last(events, "caller")
    for kind in ("offered", "queued", "answered", "abandoned", "transferred", "lost"):
        row[f"{kind}_at"] = _first(events, kind)
    row["ended_at"] = max((event["occurred_at"] for event in _of(events, "ended")), default=None)
    answered = row["answered_at"] is not None
    if answered:
        row["abandoned_at"] = None
    gave_up = row["abandoned_at"] is not None
    row["outcome"] = "answered" if answered else "abandoned" if gave_up else None
    row["outcome_at"] = row["answered_at"] if answered else row["abandoned_at"]
    row["transfers"] = len(_of(events, "transferred"))
    row["wait_s"] = _wait(row, events) if row["outcome"] else None
    row["gave_up_after_s"] = NEVER_S if answered else row["wait_s"]
    row["talk_s"] = _talk(row, events) if answered else None
    gone = row["outcome_at"] or row["lost_at"] or row["ended_at"]
    row["left_queue_at"] = _later(row["queued_at"], gone)
    row["left_talk_at"] = _later(row["answered_at"], row["ended_at"])
    return row


def _wait(row: Event, events: list[Event]) -> int | None:
    stated = _stated(events, row["outcome"], "wait_s")
    if stated is not None:
        return int(stated)
    gap = _gap(row["outcome_at"], row["queued_at"] or row["offered_at"])
    return None if gap is None else max(0, gap)


def _talk(row: Event, events: list[Event]) -> int | None:
    stated = _last(events, "talk_s")
    if stated is not None:
        return int(stated)
    gap = _gap(row["ended_at"], row["answered_at"])
    return None if gap is None else max(0, gap)


SCOPES = ("line", "district", "department", "channel", "audience", "category", "nature", "operator_group")


def _ticket(events: list[Event], working: Working | None) -> Event:
    row: Event = {name: _last(events, name) or "" for name in SCOPES}
    row["call"], row["merged_into"], row["due_at"] = (_last(events, n) for n in ("call", "merged_into", "due_at"))
    for kind in ("created", "answered_online", "returned", "reopened", "merged"):
        row[f"{kind}_at"] = _first(events, kind)
    row["answered_by"] = _stated(events, "answered_online", "leg")
    row["first_handled_at"] = _first(events, "handled")
    row["asked_at"] = _first(events, "asked")
    moved_in = [e["dispatched_at"] for e in _of(events, "snapshot") if e["dispatched_at"] is not None]
    row["dispatched_at"] = _first(events, "dispatched") or min(moved_in, default=None)
    row["returns"], row["reopenings"] = len(_of(events, "returned")), len(_of(events, "reopened"))
    row["handled_at"], row["closed_at"] = _unless_reopened(events, "handled"), _unless_reopened(events, "closed")
    _survey(row, _of(events, "rated"))
    _working_time(row, working)
    _deadline(row)
    return row


def _unless_reopened(events: list[Event], kind: str) -> datetime | None:
    at = None
    for event in events:
        what = event["type"].split(".")[1]
        if what == kind:
            at = event["occurred_at"]
        elif what == "reopened":
            at = None
    return at


def _survey(row: Event, ratings: list[Event]) -> None:
    last = ratings[-1] if ratings else {}
    row["rated"], row["rated_at"] = bool(ratings), last.get("occurred_at")
    row["rating_valid"], row["resolved"] = last.get("valid"), last.get("resolved")
    for name, field in (("satisfied", "rating"), ("operator_satisfied", "operator_rating")):
        row[name] = None if last.get(field) is None else last[field] in GOOD


def _working_time(row: Event, working: Working | None) -> None:
    row["rule_version"] = row["calendar_version"] = 0
    row["handling_workdays"] = None
    if working is None or row["dispatched_at"] is None:
        return
    if row["handled_at"] is not None:
        days = working.calendar.workdays(_s(row["dispatched_at"]), _s(row["handled_at"]))
        row["handling_workdays"] = 0 if days is not None and row["handled_at"] < row["dispatched_at"] else days
        row["calendar_version"] = working.calendar.content["version"]
    term = next((t for t in working.terms if _fits(t, row)), None)
    if row["due_at"] is not None or term is None:
        return
    receipt = row["created_at"] if working.receipt == "created" and row["created_at"] else row["dispatched_at"]
    words = {"within": term["within"], "unit": term["unit"], "begins": term["from"], "ends": term["ends"]}
    due = working.calendar.due(_s(receipt), **words)
    row["due_at"] = None if due is None else datetime.fromtimestamp(due, UTC)
    row["rule_version"], row["calendar_version"] = working.version, working.calendar.content["version"]


def _fits(term: Event, row: Event) -> bool:
    return all(term.get(name) in {None, row[name]} for name in ("nature", "category"))


def _s(at: datetime) -> int:
    return int(at.timestamp())


def _deadline(row: Event) -> None:
    handled, merged, due = row["handled_at"], row["merged_at"], row["due_at"]
    left = min((at for at in (handled, merged) if at is not None), default=None)
    row["dispatched"], row["handled"] = row["dispatched_at"] is not None, handled is not None
    row["has_deadline"] = due is not None
    row["late"] = handled is not None and due is not None and handled > due
    row["handling_s"] = _gap(handled, row["dispatched_at"])
    row["left_open_at"] = _later(row["dispatched_at"], left)
    row["overdue_at"] = row["left_overdue_at"] = row["due_soon_at"] = row["left_due_soon_at"] = None
    if due is None:
        return
    soon = due - timedelta(hours=1)
    if left is None or left > due:
        row["overdue_at"], row["left_overdue_at"] = due, left
    if left is None or left > soon:
        row["due_soon_at"], row["left_due_soon_at"] = soon, due if left is None else min(due, left)
