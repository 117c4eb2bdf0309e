"""The second reading of figures finds every figure that is wrong, and none that is right."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from hotline.catalogue import KPIS
from hotline.subjects import SUBJECTS
from tests.faults.figures import STOCKS, differing, names, right_figure
from tests.hotline.random_rows import rows
from tests.hotline.working_times import working_times

START, END = datetime(2023, 3, 1, tzinfo=UTC), datetime(2023, 3, 4, tzinfo=UTC)
WORKING = working_times("dispatched")[0]
ROWS = {
    name: [SimpleNamespace(**row) for row in rows(of, 7, working=WORKING).iter_rows(named=True)]
    for name, of in SUBJECTS.items()
}


def answers() -> list[dict[str, Any]]:
    found = []
    for name in names():
        figure = right_figure(name, ROWS[KPIS[name].subject.name], START, END)
        found.append({"kpi": name, "from": START.isoformat(), "to": END.isoformat(), **figure._asdict()})
    return found


def test_every_kpi_of_the_catalogue_has_a_second_reading() -> None:
    assert sorted(names()) == sorted(KPIS)


def test_right_figures_are_right() -> None:
    assert differing(answers(), ROWS) == []
    assert all(one["value"] for one in answers() if one["kpi"] not in STOCKS), "a figure that is nothing shows nothing"


@pytest.mark.parametrize("field", ["numerator", "denominator", "value"])
def test_a_wrong_figure_is_found_and_named(field: str) -> None:
    place = random.randrange(len(names()))
    for number in range(len(names())):
        told = answers()[(place + number) % len(names())]
        if told[field] is not None:
            break
    wrong = [{**one, field: one[field] + 1} if one["kpi"] == told["kpi"] else one for one in answers()]
    (said,) = differing(wrong, ROWS)
    assert said.startswith(f"{told['kpi']} from ")


def test_a_figure_that_is_not_answered_or_has_no_value_is_found() -> None:
    first, *others = answers()
    assert differing(others, ROWS) == [f"{first['kpi']} has no answer"]
    (said,) = differing([{**first, "numerator": None, "denominator": None, "value": None}, *others], ROWS)
    assert said.startswith(first["kpi"])
