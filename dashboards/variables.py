"""Variables of boards: the scopes of a kind, and the window of live figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders.dashboard import CustomVariable, QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableModel, VariableOption, VariableRefresh

from dashboards.macros import ALL_VALUE
from dashboards.query import datasource
from dashboards.spans import WINDOW_VARIABLE
from dashboards.sums import SCOPE_NAME
from dashboards.words import Text, kind_label, window_title
from hotline.names import DATABASE
from hotline.windows import WINDOWS

if TYPE_CHECKING:
    from dashboards.entries import Edition
    from hotline.subjects import Subject

ALL_WORD = Text("All", "全部")


@dataclass(frozen=True)
class Variable:
    """A variable by name, made in one edition."""

    name: str
    make: Callable[[Edition], VariableModel]


def scope(kind: str, *subjects: Subject) -> Variable:
    """The scopes of a kind that any of the subjects has sums of; several may be chosen, or all."""
    sql = _names(kind, subjects)

    def make(edition: Edition) -> VariableModel:
        everything = ALL_WORD.of(edition.lang)
        return (
            QueryVariable(kind)
            .label(kind_label(kind).of(edition.lang))
            .datasource(datasource())
            .query(sql)
            .definition(sql)
            .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
            .multi(True)
            .include_all(True)
            .current(VariableOption(selected=True, text=[everything], value=[ALL_VALUE]))
            .build()
        )

    return Variable(kind, make)


def _names(kind: str, subjects: Sequence[Subject]) -> str:
    of_each = [
        f"SELECT DISTINCT {SCOPE_NAME} AS name FROM {DATABASE}.{subject.sums_table} WHERE scope_kind = '{kind}'"  # noqa: S608
        for subject in subjects
    ]
    if len(of_each) == 1:
        return f"{of_each[0]} ORDER BY name"
    return f"SELECT DISTINCT name FROM ({' UNION ALL '.join(of_each)}) ORDER BY name"  # noqa: S608  names of ours


def window(default: str) -> Variable:
    """The window that live figures are counted over; `default` is the one that a board opens with."""

    def make(edition: Edition) -> VariableModel:
        titles = {found.name: window_title(found).of(edition.lang) for found in WINDOWS}
        options = [VariableOption(selected=name == default, text=title, value=name) for name, title in titles.items()]
        (current,) = (option for option in options if option.selected)
        return (
            CustomVariable(WINDOW_VARIABLE)
            .label(Text("Window", "时段").of(edition.lang))
            .values(", ".join(f"{title} : {name}" for name, title in titles.items()))
            .options(options)
            .current(current)
            .allow_custom_value(allow_custom_value=False)
            .build()
        )

    return Variable(WINDOW_VARIABLE, make)
