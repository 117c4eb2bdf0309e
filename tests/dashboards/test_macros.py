"""What the plug-in and Grafana make of a text, ours makes of it too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.macros import ALL_VALUE, Chosen, MacroError, expand, variables_of

SCOPED = "WHERE $__conditionalAll(if(a = '', 'x', a) IN (${line:singlequote}), $line) AND b < $__toTime"


def chosen(*lines: str) -> Chosen:
    return Chosen(from_s=100, to_s=200, interval_s=30, variables={"line": lines})


@pytest.mark.parametrize(
    ("sql", "expanded"),
    [
        ("$__fromTime, $__toTime", "toDateTime(100), toDateTime(200)"),
        ("STEP $__interval_s", "STEP 30"),
        ("IN (${line:singlequote})", "IN ('a','b')"),
        (SCOPED, "WHERE if(a = '', 'x', a) IN ('a','b') AND b < toDateTime(200)"),
        ("SELECT 'price $', 1", "SELECT 'price $', 1"),
    ],
)
def test_macros_and_variables_are_expanded(sql: str, expanded: str) -> None:
    assert expand(sql, chosen("a", "b")) == expanded


@pytest.mark.parametrize("lines", [(ALL_VALUE,), (), ("",)])
def test_all_or_nothing_chosen_drops_the_condition(lines: tuple[str, ...]) -> None:
    assert expand(SCOPED, chosen(*lines)) == "WHERE 1=1 AND b < toDateTime(200)"


def test_conditions_within_one_text_are_each_decided_alone() -> None:
    two = "$__conditionalAll(a IN (${line:singlequote}), $line) OR $__conditionalAll(b = ${x:singlequote}, ${x})"
    found = expand(two, Chosen(from_s=0, to_s=1, variables={"line": [ALL_VALUE], "x": "y"}))
    assert found == "1=1 OR b = 'y'"


@given(st.text())
def test_a_value_stays_one_quoted_string_whatever_it_holds(value: str) -> None:
    """Quotes and backslashes are escaped; a name that looks like a macro is not expanded."""
    (quoted,) = [expand("${line:singlequote}", chosen(value))]
    assert quoted[0] == quoted[-1] == "'"
    inner, plain = iter(quoted[1:-1]), []
    for char in inner:
        assert char != "'"
        plain.append(next(inner) if char == "\\" else char)
    assert "".join(plain) == value


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("$__timeFilter(at)", "unknown macro $__timeFilter"),
        ("${linee:singlequote}", "unknown variable 'linee'; there are line"),
        ("${line}", "would stand unquoted: write ${line:singlequote}"),
        ("$line", "would stand unquoted"),
        ("${line:csv}", "unknown format 'csv'"),
        ("$__conditionalAll(a = 1)", "takes a condition and a variable"),
        ("$__conditionalAll(a = 1, $line", "is not closed"),
    ],
)
def test_what_cannot_be_expanded_is_named(sql: str, said: str) -> None:
    with pytest.raises(MacroError) as told:
        expand(sql, chosen("a"))
    assert said in str(told.value)


def test_variables_of_a_text_are_found() -> None:
    assert variables_of(SCOPED + " ${window:singlequote}") == {"line", "window"}
