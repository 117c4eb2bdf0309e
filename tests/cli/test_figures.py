"""Every unit of the catalogue can be shown, in both languages."""

from __future__ import annotations

import pytest

from cli.asking import Lang
from cli.figures import NOTHING, figure
from hotline.catalogue import KPIS, Unit


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("unit", Unit, ids=lambda unit: unit.name)
def test_a_figure_of_any_unit_has_words(unit: Unit, lang: Lang) -> None:
    assert unit in {kpi.unit for kpi in KPIS.values()}
    assert figure(None, unit.label, lang) == NOTHING
    assert figure(0.5, unit.label, lang).startswith(("0.50", "50.00%"))


def test_working_days_are_no_days() -> None:
    assert figure(5.1, "working days", Lang.ZH) == "5.10 个工作日"
    assert figure(5.1, "working days", Lang.EN) == "5.10 working days"
