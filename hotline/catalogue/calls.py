"""KPIs of calls."""

from __future__ import annotations

import functools

from hotline.catalogue.algebra import Fields, Measure, count, total
from hotline.catalogue.kpi import Better, Kpi, Quantile, Stock, Unit, counted
from hotline.catalogue.scopes import CALL_GRAINS
from hotline.rows import Call

ANSWER_WITHIN_S = 30
"""The threshold that the reference year publishes (30秒人工接通率)."""
GAVE_UP_AT_ONCE_S = 5
"""Who gives up this early is not held against the hotline in `service_level_30s_net`."""
LONG_TALK_S = 600
"""More than ten minutes (话务通话时长超10分钟占比)."""

REPORT = "Suzhou 12345 annual report 2023, table 话务服务"

call = Fields(Call)
inbound = call.direction.is_("inbound")
outbound = call.direction.is_("outbound")
was_answered = call.outcome.is_("answered")
was_abandoned = call.outcome.is_("abandoned")
in_time = call.wait_s <= ANSWER_WITHIN_S
talked = call.talk_s >= 0
long_talk = call.talk_s > LONG_TALK_S

_G = CALL_GRAINS
offered = count("offered", Call, inbound, at=call.offered_at, grains=_G)
answered = count("answered", Call, inbound, at=call.answered_at, grains=_G)
answered_30s = count("answered_30s", Call, inbound, in_time, at=call.answered_at, grains=_G)
answer_wait_s = total("answer_wait_s", call.wait_s, inbound, at=call.answered_at, grains=_G)
abandoned = count("abandoned", Call, inbound, at=call.abandoned_at, grains=_G)
connected_outbound = count("connected_outbound", Call, outbound, at=call.answered_at, grains=_G)

outcomes = count("outcomes", Call, inbound, at=call.outcome_at, grains=_G)
outcomes_answered = count("outcomes_answered", Call, inbound, was_answered, at=call.outcome_at, grains=_G)
outcomes_answered_30s = count(
    "outcomes_answered_30s", Call, inbound, was_answered, in_time, at=call.outcome_at, grains=_G
)
outcomes_abandoned = count("outcomes_abandoned", Call, inbound, was_abandoned, at=call.outcome_at, grains=_G)
outcomes_net = count(
    "outcomes_net", Call, inbound, call.gave_up_after_s > GAVE_UP_AT_ONCE_S, at=call.outcome_at, grains=_G
)

talks = count("talks", Call, inbound, talked, at=call.ended_at, grains=_G)
talk_s = total("talk_s", call.talk_s, inbound, at=call.ended_at, grains=_G)
talks_long = count("talks_long", Call, inbound, long_talk, at=call.ended_at, grains=_G)
talks_outbound = count("talks_outbound", Call, outbound, talked, at=call.ended_at, grains=_G)
talk_outbound_s = total("talk_outbound_s", call.talk_s, outbound, at=call.ended_at, grains=_G)
talks_long_outbound = count("talks_long_outbound", Call, outbound, long_talk, at=call.ended_at, grains=_G)
talks_all = count("talks_all", Call, talked, at=call.ended_at, grains=_G)
talk_all_s = total("talk_all_s", call.talk_s, at=call.ended_at, grains=_G)
talks_long_all = count("talks_long_all", Call, long_talk, at=call.ended_at, grains=_G)

queued = count("queued", Call, inbound, at=call.queued_at, grains=_G)
left_queue = count("left_queue", Call, inbound, at=call.left_queue_at, grains=_G)
talking = count("talking", Call, at=call.answered_at, grains=_G)
left_talk = count("left_talk", Call, at=call.left_talk_at, grains=_G)


_count = functools.partial(counted, source=REPORT)


def _wait_quantile(percent: int) -> Kpi:
    return Kpi(
        name=f"wait_p{percent}_s",
        name_zh=f"等待时长P{percent}",
        title=f"Wait, {percent}th percentile",
        formula=f"the smallest wait with at least {percent} % of answered inbound calls' waits at or below it",
        formula_zh=f"已接听呼入的等待时长中,使至少{percent}%不超过它的最小值",
        numerator=Quantile(f"wait_p{percent}", call.wait_s, percent, 100, (inbound, was_answered), call.answered_at),
        unit=Unit.SECONDS,
        better=Better.LOWER,
    )


def _talks(suffix: str, zh: str, en: str, sums: tuple[Measure, Measure, Measure]) -> tuple[Kpi, Kpi]:
    seconds, long, number = sums
    average = Kpi(
        name=f"average_talk{suffix}_s",
        name_zh=f"{zh}平均通话时长",
        title=f"Average talk, {en}",
        formula=f"seconds talked in {en} calls ÷ {en} calls talked, at the end of the talk",
        formula_zh=f"{zh}通话秒数 ÷ {zh}通话数,按通话结束时间计",
        numerator=seconds,
        denominator=number,
        unit=Unit.SECONDS,
        published_as="平均通话时长(秒)",
        source=REPORT,
    )
    share = Kpi(
        name=f"long_talk_share{suffix}",
        name_zh=f"{zh}话务通话时长超10分钟占比",
        title=f"Talks over ten minutes, {en}",
        formula=f"{en} calls talked for more than 600 s ÷ {en} calls talked, at the end of the talk",
        formula_zh=f"{zh}通话超过600秒的通话数 ÷ {zh}通话数,按通话结束时间计",
        numerator=long,
        denominator=number,
        unit=Unit.SHARE,
        better=Better.LOWER,
        published_as="话务通话时长超10分钟占比(%)",
        source=REPORT,
    )
    return average, share


CALL_KPIS: tuple[Kpi, ...] = (
    _count("calls_offered", "呼入量", "Calls offered", offered, ("inbound calls offered", "呼入的电话数")),
    _count("calls_answered", "人工接听量", "Calls answered", answered, ("inbound calls answered", "人工接听的呼入数")),
    _count("calls_abandoned", "放弃量", "Calls abandoned", abandoned, ("inbound calls abandoned", "放弃的呼入数")),
    _count("calls_outbound", "呼出量", "Calls out", connected_outbound, ("outbound calls connected", "接通的呼出数")),
    Kpi(
        name="answered_30s_share",
        name_zh="30秒人工接通率",
        title="Answered within 30 s",
        formula="answered inbound calls that waited at most 30 s ÷ answered inbound calls, at the answer",
        formula_zh="等待不超过30秒的人工接听数 ÷ 人工接听数,按接听时间计",
        numerator=answered_30s,
        denominator=answered,
        unit=Unit.SHARE,
        better=Better.HIGHER,
        target=0.95,
        published_as="30秒人工接通率(%)",
        source=REPORT,
    ),
    Kpi(
        name="service_level_30s",
        name_zh="30秒服务水平",
        title="Service level, 30 s",
        formula="inbound calls answered within 30 s ÷ inbound calls answered or abandoned, at the outcome",
        formula_zh="30秒内接听数 ÷ (接听数 + 放弃数),按结果时间计",
        numerator=outcomes_answered_30s,
        denominator=outcomes,
        unit=Unit.SHARE,
        better=Better.HIGHER,
        target=0.8,
    ),
    Kpi(
        name="service_level_30s_net",
        name_zh="30秒服务水平(不计即时放弃)",
        title="Service level, 30 s, net",
        formula="inbound calls answered within 30 s ÷ those answered, or abandoned after more than 5 s, at the outcome",
        formula_zh="30秒内接听数 ÷ (接听数 + 等待超过5秒的放弃数),按结果时间计",
        numerator=outcomes_answered_30s,
        denominator=outcomes_net,
        unit=Unit.SHARE,
        better=Better.HIGHER,
        target=0.8,
    ),
    Kpi(
        name="answer_rate",
        name_zh="接通率",
        title="Answer rate",
        formula="inbound calls answered ÷ inbound calls answered or abandoned, at the outcome",
        formula_zh="接听数 ÷ (接听数 + 放弃数),按结果时间计",
        numerator=outcomes_answered,
        denominator=outcomes,
        unit=Unit.SHARE,
        better=Better.HIGHER,
        target=0.9,
    ),
    Kpi(
        name="abandonment_rate",
        name_zh="放弃率",
        title="Abandonment rate",
        formula="inbound calls abandoned ÷ inbound calls answered or abandoned, at the outcome",
        formula_zh="放弃数 ÷ (接听数 + 放弃数),按结果时间计",
        numerator=outcomes_abandoned,
        denominator=outcomes,
        unit=Unit.SHARE,
        better=Better.LOWER,
        target=0.1,
    ),
    Kpi(
        name="average_wait_s",
        name_zh="平均等待时长",
        title="Average wait",
        formula="seconds that answered inbound calls waited ÷ answered inbound calls, at the answer",
        formula_zh="人工接听的呼入等待秒数 ÷ 人工接听数,按接听时间计",
        numerator=answer_wait_s,
        denominator=answered,
        unit=Unit.SECONDS,
        better=Better.LOWER,
        target=20.0,
        published_as="平均等待时长(秒)",
        source=REPORT,
    ),
    *_talks("", "呼入", "inbound", (talk_s, talks_long, talks)),
    *_talks("_outbound", "呼出", "outbound", (talk_outbound_s, talks_long_outbound, talks_outbound)),
    *_talks("_all", "全部", "all", (talk_all_s, talks_long_all, talks_all)),
    *(_wait_quantile(percent) for percent in (50, 90, 95)),
    Kpi(
        name="talk_p90_s",
        name_zh="通话时长P90",
        title="Talk, 90th percentile",
        formula="the smallest talk with at least 90 % of inbound talks at or below it",
        formula_zh="呼入通话时长中,使至少90%不超过它的最小值",
        numerator=Quantile("talk_p90", call.talk_s, 90, 100, (inbound,), call.ended_at),
        unit=Unit.SECONDS,
    ),
    Kpi(
        name="calls_waiting",
        name_zh="排队",
        title="Calls waiting",
        formula="inbound calls queued that were not yet answered, abandoned, lost or ended",
        formula_zh="已排队而尚无结果的呼入数",
        numerator=Stock(queued, left_queue),
        unit=Unit.COUNT,
        better=Better.LOWER,
    ),
    Kpi(
        name="calls_talking",
        name_zh="通话中",
        title="Calls talking",
        formula="calls answered that had not yet ended",
        formula_zh="已接听而尚未结束的通话数",
        numerator=Stock(talking, left_talk),
        unit=Unit.COUNT,
    ),
    _count(
        "calls_connected",
        "话务总量",
        "Calls connected",
        talking,
        ("inbound calls answered and outbound calls connected", "人工接听的呼入数与接通的呼出数之和"),
    ),
)
