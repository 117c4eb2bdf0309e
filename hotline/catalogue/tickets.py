"""KPIs of tickets."""

from __future__ import annotations

import functools

from hotline.catalogue.algebra import Fields, count, total
from hotline.catalogue.kpi import Better, Cutoff, Kpi, Quantile, Stock, Unit, counted
from hotline.catalogue.scopes import DUE_GRAINS, TICKET_GRAINS
from hotline.rows import Ticket

REPORT = "Suzhou 12345 annual report 2023"

ticket = Fields(Ticket)
in_time = ticket.handled_at <= ticket.due_at
is_handled = ticket.handled.is_(True)

_G, _DUE = TICKET_GRAINS, DUE_GRAINS
created = count("created", Ticket, at=ticket.created_at, grains=_G)
answered_online = count("answered_online", Ticket, at=ticket.answered_online_at, grains=_G)
answered_by_operators = count(
    "answered_by_operators", Ticket, ticket.answered_by.is_("operator"), at=ticket.answered_online_at, grains=_G
)
answered_by_specialists = count(
    "answered_by_specialists", Ticket, ticket.answered_by.is_("specialist"), at=ticket.answered_online_at, grains=_G
)
dispatched = count("dispatched", Ticket, at=ticket.dispatched_at, grains=_G)
dispatched_handled = count("dispatched_handled", Ticket, is_handled, at=ticket.dispatched_at, grains=_G)
dispatched_returned = count("dispatched_returned", Ticket, ticket.returns >= 1, at=ticket.dispatched_at, grains=_G)
handled = count("handled", Ticket, at=ticket.handled_at, grains=_G)
handled_due = count("handled_due", Ticket, ticket.has_deadline.is_(True), at=ticket.handled_at, grains=_G)
handled_in_time = count("handled_in_time", Ticket, in_time, at=ticket.handled_at, grains=_G)
handled_not_late = count("handled_not_late", Ticket, ticket.late.is_(False), at=ticket.handled_at, grains=_G)
handled_dispatched = count("handled_dispatched", Ticket, ticket.dispatched.is_(True), at=ticket.handled_at, grains=_G)
handling_s = total("handling_s", ticket.handling_s, at=ticket.handled_at, grains=_G)
handled_counted = count("handled_counted", Ticket, ticket.handling_workdays >= 0, at=ticket.handled_at, grains=_G)
handling_workdays = total("handling_workdays", ticket.handling_workdays, at=ticket.handled_at, grains=_G)
first_handled = count("first_handled", Ticket, at=ticket.first_handled_at, grains=_G)
first_handled_reopened = count(
    "first_handled_reopened", Ticket, ticket.reopenings >= 1, at=ticket.first_handled_at, grains=_G
)
reopened = count("reopened", Ticket, at=ticket.reopened_at, grains=_G)
closed = count("closed", Ticket, at=ticket.closed_at, grains=_G)
due = count("due", Ticket, at=ticket.due_at, grains=_DUE)
due_in_time = count("due_in_time", Ticket, in_time, at=ticket.due_at, grains=_DUE)

left_open = count("left_open", Ticket, at=ticket.left_open_at, grains=_G)
overdue = count("overdue", Ticket, at=ticket.overdue_at, grains=_DUE)
left_overdue = count("left_overdue", Ticket, at=ticket.left_overdue_at, grains=_DUE)
due_soon = count("due_soon", Ticket, at=ticket.due_soon_at, grains=_DUE)
left_due_soon = count("left_due_soon", Ticket, at=ticket.left_due_soon_at, grains=_DUE)


_count = functools.partial(counted, source=REPORT)


def _stock(name: str, name_zh: str, title: str, stock: Stock, words: tuple[str, str]) -> Kpi:
    return Kpi(
        name=name,
        name_zh=name_zh,
        title=title,
        formula=words[0],
        formula_zh=words[1],
        numerator=stock,
        unit=Unit.COUNT,
        better=Better.LOWER,
    )


TICKET_KPIS: tuple[Kpi, ...] = (
    _count("tickets_created", "诉求量", "Tickets created", created, ("tickets created", "受理的诉求数")),
    _count(
        "tickets_answered_online",
        "在线解答",
        "Answered online",
        answered_online,
        ("tickets answered at once by an operator or policy specialist", "座席或政策专员在线解答的诉求数"),
    ),
    _count(
        "tickets_answered_by_operators",
        "民声接听员在线解答",
        "Answered online by operators",
        answered_by_operators,
        ("tickets answered at once by an operator", "民声接听员在线解答的诉求数"),
    ),
    _count(
        "tickets_answered_by_specialists",
        "政策专员在线解答",
        "Answered online by specialists",
        answered_by_specialists,
        ("tickets answered at once by a policy specialist", "政策专员在线解答的诉求数"),
    ),
    _count(
        "tickets_dispatched",
        "部门办理",
        "Tickets dispatched",
        dispatched,
        ("tickets dispatched to a department, at the first dispatch", "转部门办理的诉求数,按首次派单时间计"),
    ),
    _count(
        "tickets_handled",
        "办结",
        "Tickets handled",
        handled,
        ("tickets whose last handling stands, at that handling", "办结且未被重办撤销的诉求数,按最后一次办结时间计"),
    ),
    _count(
        "tickets_reopened",
        "重办",
        "Tickets reopened",
        reopened,
        ("tickets reopened, each once, at the first reopening", "被重办的诉求数,每件一次,按首次重办时间计"),
    ),
    _count(
        "tickets_closed",
        "办结归档",
        "Tickets closed",
        closed,
        ("tickets archived whose archiving stands", "办结归档的诉求数"),
    ),
    Kpi(
        name="timely_handling_rate",
        name_zh="及时处办率",
        title="Timely handling",
        formula="tickets handled at or before their deadline ÷ all tickets that fell due, at the deadline",
        formula_zh="在截止时间之前(含)办结的诉求数 ÷ 全部到期诉求数,按截止时间计",
        numerator=due_in_time,
        denominator=due,
        unit=Unit.SHARE,
        better=Better.HIGHER,
        target=0.99,
        published_as="及时处办率",
        source=REPORT,
    ),
    Kpi(
        name="timely_share_of_handled",
        name_zh="办结及时率",
        title="Timely among handled",
        formula="tickets handled at or before their deadline ÷ tickets handled that had one, at the handling",
        formula_zh="按期办结的诉求数 ÷ 有截止时间的办结诉求数,按办结时间计",
        numerator=handled_in_time,
        denominator=handled_due,
        unit=Unit.SHARE,
        better=Better.HIGHER,
        target=0.99,
    ),
    Kpi(
        name="not_late_share_of_handled",
        name_zh="办结未逾期率",
        title="Not late among handled",
        formula="tickets handled and not late (no deadline is never late) ÷ tickets handled, at the handling",
        formula_zh="未逾期办结的诉求数(无截止时间视为未逾期) ÷ 办结诉求数,按办结时间计",
        numerator=handled_not_late,
        denominator=handled,
        unit=Unit.SHARE,
        better=Better.HIGHER,
        target=0.99,
    ),
    Kpi(
        name="completion_rate",
        name_zh="累计办结率",
        title="Completion",
        formula="dispatched tickets whose handling stands by all that is known ÷ tickets dispatched, at the dispatch",
        formula_zh="截至目前已办结的派单诉求数 ÷ 派单诉求数,按派单时间计",
        numerator=dispatched_handled,
        denominator=dispatched,
        unit=Unit.SHARE,
        better=Better.HIGHER,
        target=0.98,
        published_as="累计办结率",
        source=REPORT,
    ),
    Kpi(
        name="average_handling_workdays",
        name_zh="平均办理时长(工作日)",
        title="Average handling, working days",
        formula=(
            "working days after the day of dispatch, up to and including the day of handling ÷ dispatched tickets "
            "handled whose days the calendar knows, at the handling"
        ),
        formula_zh="派单次日起至办结当日(含)的工作日数 ÷ 办结且工作日历可知的派单诉求数,按办结时间计",
        numerator=handling_workdays,
        denominator=handled_counted,
        unit=Unit.WORKDAYS,
        better=Better.LOWER,
        published_as="平均办理时长(工作日)",
        source=REPORT,
    ),
    Kpi(
        name="average_handling_days",
        name_zh="平均办理时长(日)",
        title="Average handling, days",
        formula="seconds from dispatch to handling ÷ 86,400 ÷ dispatched tickets handled, at the handling",
        formula_zh="派单至办结的秒数 ÷ 86400 ÷ 办结的派单诉求数,按办结时间计",
        numerator=handling_s,
        denominator=handled_dispatched,
        unit=Unit.DAYS,
        better=Better.LOWER,
    ),
    Kpi(
        name="handling_p90_days",
        name_zh="办理时长P90(日)",
        title="Handling, 90th percentile, days",
        formula="the smallest handling time with at least 90 % of handled tickets' at or below it",
        formula_zh="办结诉求的办理时长中,使至少90%不超过它的最小值",
        numerator=Quantile("handling_p90", ticket.handling_s, 90, 100, (), ticket.handled_at),
        unit=Unit.DAYS,
        better=Better.LOWER,
    ),
    _stock(
        "tickets_open",
        "在办",
        "Open",
        Stock(dispatched, left_open),
        ("tickets dispatched that were not yet handled or merged", "已派单而未办结、未合并的诉求数"),
    ),
    _stock(
        "tickets_overdue",
        "逾期",
        "Overdue",
        Stock(overdue, left_overdue),
        ("tickets past their deadline that were not yet handled or merged", "已过截止时间而未办结、未合并的诉求数"),
    ),
    _stock(
        "tickets_due_1h",
        "即将到期",
        "Due within the hour",
        Stock(due_soon, left_due_soon),
        ("tickets not yet handled or merged whose deadline is at most an hour away", "一小时内到期的在办诉求数"),
    ),
    Kpi(
        name="reopened_rate",
        name_zh="重办率",
        title="Reopened",
        formula="tickets ever reopened ÷ tickets handled, at the first handling",
        formula_zh="曾被重办的诉求数 ÷ 办结诉求数,按首次办结时间计",
        numerator=first_handled_reopened,
        denominator=first_handled,
        unit=Unit.SHARE,
        better=Better.LOWER,
    ),
    Kpi(
        name="returned_rate",
        name_zh="回退率",
        title="Returned",
        formula="tickets ever returned by a department ÷ tickets dispatched, at the dispatch",
        formula_zh="曾被回退的诉求数 ÷ 派单诉求数,按派单时间计",
        numerator=dispatched_returned,
        denominator=dispatched,
        unit=Unit.SHARE,
        better=Better.LOWER,
    ),
)

TICKET_CUTOFFS: tuple[Kpi, ...] = (
    Kpi(
        name="completion_rate_until",
        name_zh="累计办结率(截至)",
        title="Completion as of a cut-off",
        formula="dispatched tickets whose handling stood at the cut-off ÷ tickets dispatched by then, at the dispatch",
        formula_zh="截至所给时点已办结且未被重办撤销的派单诉求数 ÷ 该时点之前的派单诉求数,按派单时间计",
        numerator=dispatched_handled,
        denominator=dispatched,
        unit=Unit.SHARE,
        better=Better.HIGHER,
        target=0.98,
        source=REPORT,
        cutoff=Cutoff(reached="ticket.handled", undone="ticket.reopened"),
    ),
)
