"""What is on which screen of the board: names of KPIs only; what they are is in the catalogue."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hotline.catalogue import Kpi


class ScreenName(StrEnum):
    """The screens, in the order of their keys 1 to 4."""

    CALLS = "calls"
    TICKETS = "tickets"
    SURVEYS = "surveys"
    HEALTH = "health"


@dataclass(frozen=True)
class Contents:
    """One screen of figures.

    `stocks` and `headlines` (KPI, window) are shown large. `kpis` are the lines, the most important first: a low
    terminal shows as many as fit. `columns` are those of the rows by line, district …, volume first; `worst` is
    what the rows are ranked by. `splits` are the scope kinds on the keys of `SPLIT_KEYS`.
    """

    stocks: tuple[str, ...]
    headlines: tuple[tuple[str, str], ...]
    kpis: tuple[str, ...]
    columns: tuple[str, ...]
    worst: str
    splits: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Every KPI of the screen, each once."""
        return tuple(dict.fromkeys((*self.stocks, *(name for name, _ in self.headlines), *self.kpis, *self.columns)))


SPLIT_KEYS = "ldp"

SCREENS: dict[ScreenName, Contents] = {
    ScreenName.CALLS: Contents(
        stocks=("calls_waiting", "calls_talking"),
        headlines=(("service_level_30s", "5min"), ("average_wait_s", "5min")),
        kpis=(
            "calls_offered",
            "calls_answered",
            "calls_abandoned",
            "service_level_30s",
            "answered_30s_share",
            "answer_rate",
            "abandonment_rate",
            "average_wait_s",
            "average_talk_s",
            "calls_outbound",
            "service_level_30s_net",
            "long_talk_share",
            "average_talk_outbound_s",
            "long_talk_share_outbound",
        ),
        columns=(
            "calls_offered",
            "calls_waiting",
            "service_level_30s",
            "abandonment_rate",
            "average_wait_s",
            "answer_rate",
            "calls_answered",
            "calls_abandoned",
            "average_talk_s",
            "calls_talking",
        ),
        worst="service_level_30s",
        splits=("line", "district", "operator_group"),
    ),
    ScreenName.TICKETS: Contents(
        stocks=("tickets_open", "tickets_overdue", "tickets_due_1h"),
        headlines=(("timely_handling_rate", "today"),),
        kpis=(
            "tickets_created",
            "tickets_dispatched",
            "tickets_handled",
            "timely_handling_rate",
            "completion_rate",
            "tickets_answered_online",
            "tickets_reopened",
            "tickets_closed",
            "average_handling_days",
            "average_handling_workdays",
            "timely_share_of_handled",
            "not_late_share_of_handled",
            "reopened_rate",
            "returned_rate",
        ),
        columns=(
            "tickets_created",
            "tickets_open",
            "tickets_overdue",
            "tickets_due_1h",
            "timely_handling_rate",
            "tickets_handled",
            "tickets_dispatched",
            "completion_rate",
            "average_handling_days",
            "reopened_rate",
            "returned_rate",
        ),
        worst="timely_handling_rate",
        splits=("line", "district", "department"),
    ),
    ScreenName.SURVEYS: Contents(
        stocks=(),
        headlines=(("satisfaction_rate", "today"), ("resolution_rate", "today"), ("participation_rate", "today")),
        kpis=(
            "surveys_asked",
            "surveys_rated",
            "participation_rate",
            "satisfaction_rate",
            "operator_satisfaction_rate",
            "resolution_rate",
            "participation_rate_cohort",
        ),
        columns=(
            "surveys_rated",
            "satisfaction_rate",
            "operator_satisfaction_rate",
            "resolution_rate",
            "participation_rate",
            "surveys_asked",
        ),
        worst="satisfaction_rate",
        splits=("line", "district", "department"),
    ),
}


def kinds_of(screen: ScreenName) -> tuple[str, ...]:
    """The kinds of scope that the figures of a screen are kept by, the whole city aside."""
    from hotline.catalogue import ALL, scope_kinds

    (first, *_) = kpis_of(SCREENS[screen].names)
    return tuple(kind for kind in scope_kinds(first.subject) if kind != ALL)


def kpis_of(names: tuple[str, ...]) -> "list[Kpi]":
    """The declarations of KPIs by name."""
    from hotline.catalogue import KPIS

    return [KPIS[name] for name in names]
