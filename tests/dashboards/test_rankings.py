"""The order of rankings, on the real engine, against what plain Python makes of the same sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dashboards.entries import Edition, Scopes
from dashboards.macros import Chosen, expand
from dashboards.panels import ranking
from dashboards.words import Lang
from hotline.catalogue import KPIS, Better
from tests.dashboards.conftest import RANKED, RANKED_AT, ZONE

if TYPE_CHECKING:
    from tests.dashboards.asking import Asking

FROM_S = int(RANKED_AT.timestamp())
HOUR = Chosen(from_s=FROM_S, to_s=FROM_S + 3600)
BEST_IS = {"answered_30s_share": Better.HIGHER, "average_wait_s": Better.LOWER, "calls_answered": Better.NEITHER}


def values(name: str) -> dict[str, float | None]:
    """What each group has; nothing where there is nothing to divide by."""
    if name == "calls_answered":
        return {group: answered for group, (_, answered, _) in RANKED.items() if answered}
    above = {group: (within if name == "answered_30s_share" else wait) for group, (within, _, wait) in RANKED.items()}
    return {group: above[group] / answered if answered else None for group, (_, answered, _) in RANKED.items()}


def ranked(name: str, *, worst: bool) -> list[tuple[str, float | None]]:
    """The best first, or the worst; the most of what is neither. Ties by name, and who has no value last."""
    falls = BEST_IS[name] is Better.NEITHER or (BEST_IS[name] is Better.HIGHER) is not worst
    known = [(group, value) for group, value in values(name).items() if value is not None]
    ordered = sorted(known, key=lambda each: (-each[1] if falls else each[1], each[0].encode()))
    return [*ordered, *sorted((group, None) for group, value in values(name).items() if value is None)]


@pytest.mark.parametrize("rows", [10, 100])
@pytest.mark.parametrize("worst", [False, True], ids=["best", "worst"])
@pytest.mark.parametrize("name", BEST_IS)
def test_a_ranking_begins_with_the_best_or_the_worst_and_ends_with_who_has_no_value(
    name: str, asking: Asking, *, worst: bool, rows: int
) -> None:
    """As good is higher, lower or neither; of equals by name; of more groups than bars, those at the top."""
    assert KPIS[name].better is BEST_IS[name]
    entry = ranking(name, "range", Scopes("operator_group"), worst=worst, rows=rows)
    panel = entry.make(Edition(Lang.EN, ZONE))
    options: Any = panel.options
    (target,) = panel.targets or []
    found = asking.ask(expand(target.sql, HOUR)).rows  # type: ignore[attr-defined]
    expected = ranked(name, worst=worst)
    assert [(group, value) for group, value in found] == [
        (group, value if value is None else pytest.approx(value)) for group, value in expected[:rows]
    ]
    assert options.reduce_options.limit == rows
    assert 10 < len(expected) < 100
    assert len({value for _, value in expected}) < len(expected)  # ties


@pytest.mark.parametrize("worst", [False, True], ids=["best", "worst"])
def test_the_worst_are_called_worst_and_the_first_first(*, worst: bool) -> None:
    for lang, words in (
        (Lang.EN, ("worst 10 by operator group", "first 10 by")),
        (Lang.ZH, ("班组后10名", "班组前10名")),
    ):
        entry = ranking("answered_30s_share", "range", Scopes("operator_group"), worst=worst)
        assert words[not worst] in (entry.make(Edition(lang, ZONE)).title or "")
