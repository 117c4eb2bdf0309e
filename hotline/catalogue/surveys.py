"""KPIs of surveys: what citizens say of how their tickets were handled."""

from __future__ import annotations

import functools

from hotline.catalogue.algebra import Fields, count
from hotline.catalogue.kpi import Better, Kpi, Unit, counted
from hotline.catalogue.scopes import TICKET_GRAINS
from hotline.rows import Ticket

REPORT = "Suzhou 12345 annual report 2023"

ticket = Fields(Ticket)
valid = ticket.rating_valid.is_(True)

_G = TICKET_GRAINS
asked = count("asked", Ticket, at=ticket.asked_at, grains=_G)
asked_rated = count("asked_rated", Ticket, ticket.rated.is_(True), at=ticket.asked_at, grains=_G)
rated = count("rated", Ticket, at=ticket.rated_at, grains=_G)
rated_valid = count("rated_valid", Ticket, valid, at=ticket.rated_at, grains=_G)
rated_satisfied = count("rated_satisfied", Ticket, valid, ticket.satisfied.is_(True), at=ticket.rated_at, grains=_G)
rated_operator_satisfied = count(
    "rated_operator_satisfied", Ticket, valid, ticket.operator_satisfied.is_(True), at=ticket.rated_at, grains=_G
)
rated_resolved = count("rated_resolved", Ticket, valid, ticket.resolved.is_(True), at=ticket.rated_at, grains=_G)

_count = functools.partial(counted, source=REPORT)

SURVEY_KPIS: tuple[Kpi, ...] = (
    _count("surveys_asked", "征集评价", "Surveys asked", asked, ("tickets a rating was asked for", "征集评价的诉求数")),
    _count("surveys_rated", "参评", "Surveys rated", rated, ("tickets that were rated", "参评的诉求数")),
    Kpi(
        name="participation_rate",
        name_zh="参评率",
        title="Participation",
        formula="tickets rated in the period ÷ tickets asked in the period, each at its own instant",
        formula_zh="期内参评的诉求数 ÷ 期内征集评价的诉求数,各按其时间计",
        numerator=rated,
        denominator=asked,
        unit=Unit.SHARE,
        better=Better.HIGHER,
        published_as="参评率",
        source=REPORT,
        across_instants=True,
    ),
    Kpi(
        name="participation_rate_cohort",
        name_zh="参评率(同批)",
        title="Participation of those asked",
        formula="tickets rated by all that is known ÷ tickets asked, at the asking",
        formula_zh="征集评价的诉求中已参评数 ÷ 征集评价数,按征集时间计",
        numerator=asked_rated,
        denominator=asked,
        unit=Unit.SHARE,
        better=Better.HIGHER,
    ),
    Kpi(
        name="satisfaction_rate",
        name_zh="满意率",
        title="Satisfaction",
        formula="valid ratings that are fairly satisfied or better ÷ valid ratings, at the rating",
        formula_zh="有效评价中基本满意及以上 ÷ 有效评价数,按评价时间计",
        numerator=rated_satisfied,
        denominator=rated_valid,
        unit=Unit.SHARE,
        better=Better.HIGHER,
        target=0.95,
        published_as="群众有效参评满意率(%)",
        source=REPORT,
    ),
    Kpi(
        name="operator_satisfaction_rate",
        name_zh="接听员满意率",
        title="Satisfaction with the operator",
        formula="valid ratings fairly satisfied or better with the operator ÷ valid ratings, at the rating",
        formula_zh="有效评价中对接听员基本满意及以上 ÷ 有效评价数,按评价时间计",
        numerator=rated_operator_satisfied,
        denominator=rated_valid,
        unit=Unit.SHARE,
        better=Better.HIGHER,
        target=0.95,
        published_as="民声接听员服务满意率(%)",
        source=REPORT,
    ),
    Kpi(
        name="resolution_rate",
        name_zh="实际解决率",
        title="Actually resolved",
        formula="valid ratings that say the matter was resolved ÷ valid ratings, at the rating",
        formula_zh="有效评价中问题实际解决数 ÷ 有效评价数,按评价时间计",
        numerator=rated_resolved,
        denominator=rated_valid,
        unit=Unit.SHARE,
        better=Better.HIGHER,
        published_as="问题实际解决率(%)",
        source=REPORT,
    ),
)
