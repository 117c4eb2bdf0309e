"""Every KPI is declared once; all its readings agree, and every comparison matters."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from hotline.catalogue import (
    KPIS,
    CatalogueError,
    Fields,
    Grain,
    Kpi,
    Measure,
    Quantile,
    Stock,
    Test,
    Unit,
    count,
    kpi,
    measures,
    total,
)
from hotline.catalogue.algebra import COMPARISONS
from hotline.fold import Call, Row, Ticket
from hotline.subjects import SUBJECTS
from tests.hotline.oracle import PARTS
from tests.hotline.random_rows import rows, structs
from tests.hotline.working_times import working_times

CONTRACT = """
calls_offered calls_answered calls_abandoned calls_outbound answered_30s_share service_level_30s service_level_30s_net
answer_rate abandonment_rate average_wait_s average_talk_s long_talk_share average_talk_outbound_s
long_talk_share_outbound average_talk_all_s long_talk_share_all wait_p50_s wait_p90_s wait_p95_s talk_p90_s
handling_p90_days calls_waiting calls_talking tickets_created tickets_answered_online tickets_dispatched tickets_handled
tickets_reopened tickets_closed timely_handling_rate timely_share_of_handled not_late_share_of_handled completion_rate
average_handling_days average_handling_workdays calls_connected tickets_answered_by_operators
tickets_answered_by_specialists
tickets_open tickets_overdue tickets_due_1h surveys_asked surveys_rated participation_rate
participation_rate_cohort satisfaction_rate operator_satisfaction_rate resolution_rate reopened_rate returned_rate
""".split()

call, ticket = Fields(Call), Fields(Ticket)
GRAINS = {"all": Grain.MINUTE}
SUMMED = [k for k in KPIS.values() if not isinstance(k.numerator, Quantile)]


def test_the_catalogue_keeps_its_names() -> None:
    assert sorted(CONTRACT) == sorted(KPIS)


def test_every_summed_kpi_has_an_oracle() -> None:
    assert sorted(PARTS) == sorted(k.name for k in SUMMED)


def _sample(k: Kpi) -> list[Row]:
    return structs(k.subject, rows(k.subject, 7, working=working_times("dispatched")[0]))


@pytest.mark.parametrize("k", SUMMED, ids=lambda k: k.name)
def test_a_kpi_counts_what_its_words_say(k: Kpi) -> None:
    sample = _sample(k)
    for measure, (instant, part) in zip(k.measures, filter(None, PARTS[k.name]), strict=True):
        assert measure.at.name == instant
        assert [measure.of(row) for row in sample] == [part(row) for row in sample]
        assert any(part(row) for row in sample), "the sample says nothing about this measure"


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=list(SUBJECTS))
def test_a_frame_and_a_single_row_are_read_alike(subject: object) -> None:
    chosen = SUBJECTS[subject.name]  # type: ignore[attr-defined]
    frame = rows(chosen, 11)
    sample = structs(chosen, frame)
    for measure in measures(chosen):
        assert frame.select(measure.expr).to_series().to_list() == [measure.of(row) for row in sample], measure.name


def _mutants(test: Test) -> Iterator[Test]:
    ordered = not isinstance(test.right, str | bool)
    for op in COMPARISONS:
        if op != test.op and ordered:
            yield dataclasses.replace(test, op=op)
    if type(test.right) is int:
        yield dataclasses.replace(test, right=test.right + 1)
        yield dataclasses.replace(test, right=test.right - 1)
    if isinstance(test.right, bool):
        yield dataclasses.replace(test, right=not test.right)
    if isinstance(test.right, str):
        yield dataclasses.replace(test, right=f"{test.right}x")


def _mutated(measure: Measure) -> Iterator[Measure]:
    for place, test in enumerate(measure.where):
        rest = measure.where[:place], measure.where[place + 1 :]
        yield dataclasses.replace(measure, where=(*rest[0], *rest[1]))
        for mutant in _mutants(test):
            yield dataclasses.replace(measure, where=(*rest[0], mutant, *rest[1]))


def _survives(mutant: Measure, k: Kpi, sample: list[Row]) -> bool:
    """Whether the oracle sees no difference. A talk of -1 s cannot be, so `>= 0` and `> -1` are one."""
    place = [m.name for m in k.measures].index(mutant.name)
    part = [part for part in PARTS[k.name] if part][place][1]
    return all(mutant.of(row) == part(row) for row in sample)


EQUIVALENT = {(name, op, -1) for name in ("talk_s", "handling_workdays") for op in (">=", ">")}
"""Durations are never negative, so these say what `talk_s >= 0` says."""


@pytest.mark.parametrize("k", [k for k in SUMMED if any(m.where for m in k.measures)], ids=lambda k: k.name)
def test_changing_any_comparison_is_noticed(k: Kpi) -> None:
    sample = _sample(k)
    survivors = [
        f"{mutant.name}: {mutant.sql_where}"
        for measure in k.measures
        for mutant in _mutated(measure)
        if not any((t.left.name, t.op, t.right) in EQUIVALENT for t in mutant.where) and _survives(mutant, k, sample)
    ]
    assert survivors == []


@pytest.mark.parametrize(
    ("misuse", "says"),
    [
        (lambda: call.wait_seconds, "wait_s"),
        (lambda: ticket.wait_s, "add the field to the row"),
        (lambda: call.wait_s <= 30 and call.talk_s, "commas"),
        (lambda: 5 < call.wait_s < 30, "commas"),
        (lambda: call.wait_s <= ticket.returns, "must be of Call"),
        (lambda: call.wait_s.is_("thirty"), "holds int"),
        (lambda: call.direction.is_("in bound"), "plain word"),
        (lambda: count("x", Call, ticket.late.is_(True), at=call.ended_at, grains=GRAINS), "field of Ticket"),
        (lambda: count("x", Call, at=call.wait_s, grains=GRAINS), "holds no time"),
        (lambda: total("x", call.line, at=call.ended_at, grains=GRAINS), "whole numbers"),
        (lambda: count("x", Call, at=call.ended_at, grains={}), "scope kind 'all'"),
        (lambda: _kpi(None), "denominator="),
        (lambda: _kpi(count("d", Ticket, at=ticket.due_at, grains=GRAINS)), "different rows"),
        (lambda: _kpi(count("d", Call, at=call.offered_at, grains=GRAINS)), "across_instants"),
        (lambda: kpi("tickets_created").stock, "tickets_created is no stock"),
    ],
)
def test_misuse_fails_and_says_what_to_write(misuse: object, says: str) -> None:
    with pytest.raises(CatalogueError, match=says):
        misuse()  # type: ignore[operator]


def _kpi(denominator: Measure | None) -> Kpi:
    numerator = count("n", Call, at=call.ended_at, grains=GRAINS)
    return Kpi(
        name="x",
        name_zh="x",
        title="x",
        formula="x",
        formula_zh="x",
        numerator=numerator,
        denominator=denominator,
        unit=Unit.SHARE,
    )


def test_a_ratio_of_nothing_has_no_value() -> None:
    assert kpi("answered_30s_share").value(0, 0) is None
    assert kpi("answered_30s_share").value(1, 4) == 0.25
    assert kpi("calls_offered").value(0, None) == 0
    assert kpi("average_handling_days").value(86_400, 2) == 0.5


def test_a_changed_formula_is_another_column() -> None:
    one = count("x", Call, call.wait_s <= 30, at=call.answered_at, grains=GRAINS)
    assert one.column != count("x", Call, call.wait_s < 30, at=call.answered_at, grains=GRAINS).column


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(KeyError, match="satisfaction_rate"):
        kpi("satisfactionrate")


def test_every_kpi_speaks_chinese_and_english() -> None:
    for k in KPIS.values():
        assert k.title.isascii()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in k.formula_zh), k.name
        assert isinstance(k.numerator, Stock) or k.formula
