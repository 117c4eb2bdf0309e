"""The command `kpi`: figures of a period."""

import csv
import io
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.asking import (
    Lang,
    Language,
    Period,
    RefusedError,
    Scope,
    complete_kpi,
    load_settings,
    read_cutoff,
    read_question,
    reader,
)
from cli.figures import figure, formula_of, heading, name_of, scope_text, show, table, target_of, when
from cli.options import Data, Json, examples
from cli.output import print_data, print_json, say
from hotline.buckets import By

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotline.queries import Result

COLUMNS = ("kpi", "from", "to", "scope", "numerator", "denominator", "value", "unit")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "hotline kpi calls_offered answered_30s_share --period 1999-01",
            "hotline kpi average_wait_s --period 1999-01-07 --by hour",
            "hotline kpi timely_handling_rate --period 2015-Q1 --split department --csv",
            "hotline kpi tickets_open --period today --scope district=East --json",
            "hotline kpi completion_rate --period 2015-Q1 --until 2015-03-31",
            "hotline kpi --list --lang zh",
        )
    )(kpi)


def kpi(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="KPIs by name.", autocompletion=complete_kpi, show_default=False),
    ] = None,
    data: Data = None,
    *,
    period: Period = None,
    by: Annotated[By | None, typer.Option(help="Cut the period into local minutes, hours, days ...")] = None,
    scope: Scope = None,
    split: Annotated[
        str | None, typer.Option(metavar="KIND", help="A figure for each line, district, department ...")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="PERIOD", help="As known at the end of that day (month ...), from the events: completion_rate only."
        ),
    ] = None,
    json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    list_all: Annotated[bool, typer.Option("--list", help="List the KPIs there are.")] = False,
    lang: Language = Lang.EN,
) -> None:
    """Print KPIs of a period.

    A share without anything to divide by has no value, and neither has a count where nothing was stored. With --until
    the figure is that of completion_rate_until: tickets dispatched in the period and handled by the cut-off.
    """
    if json and as_csv:
        raise RefusedError("--json and --csv exclude each other: choose one", context)
    if list_all:
        _list(as_json=json, lang=lang)
        return
    if not names:
        raise RefusedError("name a KPI, such as calls_offered: hotline kpi --list shows all", context)
    settings = load_settings(data)
    question = read_question(
        context, settings, names, period=period, by=by, scope=scope, split=split, until=until is not None
    )
    cutoff = read_cutoff(context, settings, until) if until else None
    from hotline.queries import QuestionError, answer, answer_until, unfilled

    try:
        with reader(settings) as asked:
            results = answer_until(question, cutoff, asked.ask) if cutoff else answer(question, asked.ask)
            without = [] if cutoff else unfilled(question.kpis, asked.ask)
    except QuestionError as error:
        raise RefusedError(str(error), context) from error
    if without:
        say(f"{', '.join(without)}: no value, because its sums are new or lack something: run hotline migrate")
    elif split and not results:
        say(f"there is nothing to count by {split} in {period}")
    _print(results, as_json=json, as_csv=as_csv, lang=lang)


def _print(results: "Sequence[Result]", *, as_json: bool, as_csv: bool, lang: Lang) -> None:
    if as_json:
        print_json(results)
    elif as_csv:
        _print_csv(results)
    else:
        _print_table(results, lang)


def _print_csv(results: "Sequence[Result]") -> None:
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(COLUMNS)
    for result in results:
        head = (result.kpi, result.start.isoformat(), result.end.isoformat(), scope_text(result.scope))
        out.writerow([*head, result.numerator, result.denominator, result.value, result.unit])
    print_data(text.getvalue().removesuffix("\n"))


def _print_table(results: "Sequence[Result]", lang: Lang) -> None:
    from hotline.catalogue import CUTOFFS, KPIS

    kpis = KPIS | CUTOFFS
    headings = ["KPI", "from", "to", "scope", "value", "target", "numerator", "denominator"]
    rows = [
        [
            result.kpi if lang is Lang.EN else kpis[result.kpi].name_zh,
            when(result.start),
            when(result.end),
            scope_text(result.scope),
            figure(result.value, result.unit, lang),
            target_of(kpis[result.kpi], result.value, lang),
            figure(result.numerator, "count", lang),
            figure(result.denominator, "count", lang),
        ]
        for result in results
    ]
    kept = [place for place in range(len(headings)) if place < 3 or not rows or any(row[place] for row in rows)]
    shown = [[row[place] for place in kept] for row in rows]
    right = [kept.index(place) for place in (4, 6, 7) if place in kept]
    show(table([heading(headings[place], lang) for place in kept], shown, right=right))


def _list(*, as_json: bool, lang: Lang) -> None:
    from hotline.catalogue import KPIS

    described = [_described(name, lang) for name in KPIS]
    if as_json:
        print_json(described)
        return
    headings = ["KPI", "name", "unit", "target", "kept by", "formula"]
    rows = [
        [
            str(found["kpi"]),
            str(found["name"]),
            str(found["unit"]),
            target_of(KPIS[str(found["kpi"])], None, lang),
            ", ".join(found["scopes"]),
            str(found["formula"]),
        ]
        for found in described
    ]
    show(table([heading(text, lang) for text in headings], rows))


def _described(name: str, lang: Lang) -> dict[str, Any]:
    """Describe a KPI; `scopes` are the kinds that it is kept by, with the finest grain of each."""
    from hotline.catalogue import KPIS, scope_kinds

    found = KPIS[name]
    grains = {kind: found.grain(kind) for kind in scope_kinds(found.subject)}
    return {
        "kpi": name,
        "name": name_of(found, lang),
        "formula": formula_of(found, lang),
        "unit": found.unit.label,
        "better": found.better.value,
        "target": found.target,
        "scopes": {kind: grain.name.lower() for kind, grain in grains.items() if grain},
        "published_as": found.published_as or None,
        "source": found.source or None,
    }
