"""The command `explain`: a figure, its formula, the rows behind it, and the events of a row."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from cli.asking import Lang, Language, Period, RefusedError, Scope, complete_kpi, load_settings, read_question, reader
from cli.failures import DIFFERS
from cli.figures import NOTHING, figure, formula_of, heading, name_of, scope_text, show, table, target_of, when
from cli.options import Data, Json, examples
from cli.output import print_json, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli.reader import Reader
    from hotline.queries import Question, Result
    from hotline.queries.behind import Listing

ROWS_MAX = 10_000
_NEVER_SHOWN = frozenset({"schema", "received_at"})
_IN_ITS_IDENTITY = frozenset({"source", "entity", "born_at"})


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "hotline explain answered_30s_share --period 1999-01-07",
            "hotline explain timely_handling_rate --period 2015-Q1 --scope line=311 --page 2 --rows 50",
            "hotline explain calls_offered --period 1999-01-07 --row bank1999/AA0101-1@1999-01-07T08:00:05+02:00",
        )
    )(explain)


def explain(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="KPI", help="A KPI by name.", autocompletion=complete_kpi, show_default=False)
    ],
    data: Data = None,
    *,
    period: Period = None,
    scope: Scope = None,
    page: Annotated[int, typer.Option(min=1, help="Page of the rows.")] = 1,
    rows: Annotated[int, typer.Option(min=1, max=ROWS_MAX, help="Rows a page.")] = 20,
    row: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE/ENTITY[@BIRTH]",
            help="One row as the list names it: what it adds, and its events. Without the birth all rows are searched.",
        ),
    ] = None,
    json: Json = False,
    lang: Language = Lang.EN,
) -> int:
    """Show where a figure comes from.

    Prints its formula, its numerator and denominator, and the rows behind them by pages. Exit code 1 when the stored
    sums and the rows differ.
    """
    settings = load_settings(data)
    question = read_question(context, settings, [name], period=period, scope=scope)
    from hotline.queries import answer, answer_from_rows

    with reader(settings) as asked:
        (result,) = answer(question, asked.ask)
        (counted,) = answer_from_rows(question, asked.ask)
        found = _row(context, question, asked, row) if row else _page(question, asked, page, rows)
    if json:
        print_json({**_figure(question, result, lang), **found})
    else:
        _print(question, result, found, lang)
    if result != counted:
        say(
            f"the sums say {result.numerator} / {result.denominator}, the rows {counted.numerator} / "
            f"{counted.denominator}: ask again when no load runs, then run hotline reconcile --period {period}"
        )
    return 0 if result == counted else DIFFERS


def _figure(question: "Question", result: "Result", lang: Lang) -> dict[str, Any]:
    from hotline.queries import condition

    (kpi,) = question.kpis
    plain: dict[str, Any] = msgspec.to_builtins(result)
    return {**plain, "name": name_of(kpi, lang), "formula": formula_of(kpi, lang), "sql": condition(kpi)}


def _page(question: "Question", asked: "Reader", page: int, rows: int) -> dict[str, Any]:
    from hotline.queries import behind, behind_count

    total = int(asked.ask(behind_count(question))[0][0])
    listed = _rows(question, asked, behind(question, page=page, rows=rows))
    return {"rows_total": total, "page": page, "pages": -(-total // rows), "rows": listed}


def _row(context: typer.Context, question: "Question", asked: "Reader", row: str) -> dict[str, Any]:
    from hotline.queries import QuestionError, behind_row, events_of, parse_identity

    (kpi,) = question.kpis
    try:
        named = parse_identity(row)
    except QuestionError as error:
        raise RefusedError(str(error), context) from error
    listed = _rows(question, asked, behind_row(question, named))
    if not listed:
        singular = kpi.subject.singular
        raise RefusedError(
            f"no {singular} {row} is stored: write SOURCE/ENTITY@BIRTH as the list of rows shows them", context
        )
    events = _records(question, asked, events_of(kpi, named))
    return {"row": row, "rows": listed, "events": [{k: v for k, v in e.items() if v is not None} for e in events]}


def _rows(question: "Question", asked: "Reader", listing: "Listing") -> list[dict[str, Any]]:
    """Give the rows of a list, each with the identity by which --row finds it."""
    from hotline.queries import identity_of

    listed = _records(question, asked, listing)
    return [{"row": identity_of(record).text(question.period.zone), **record} for record in listed]


def _records(question: "Question", asked: "Reader", listing: "Listing") -> list[dict[str, Any]]:
    return listing.records(asked.ask(listing.statement), question.period.zone)


def _print(question: "Question", result: "Result", found: dict[str, Any], lang: Lang) -> None:
    (kpi,) = question.kpis
    span = f"{when(result.start)} .. {when(result.end)} ({question.period.zone.key})"
    words = _figure(question, result, lang)["sql"]
    value = figure(result.value, result.unit, lang)
    lines = [
        ["KPI", kpi.name, name_of(kpi, lang)],
        ["period", scope_text(result.scope), span],
        ["formula", "", formula_of(kpi, lang)],
        *([part, _part(result, part, lang), text] for part, text in words.items()),
        ["value", value, target_of(kpi, result.value, lang)],
    ]
    show(table([], [[heading(part, lang), *rest] for part, *rest in lines]), "")
    if "events" in found:
        show(_records_table(found["rows"]), "", _records_table(found["events"]))
        return
    rows = f"{heading('rows', lang)}: {found['rows_total']:,}"
    if found["pages"]:
        rows += f"; {heading('page', lang)} {found['page']}/{found['pages']}"
    show(rows, _records_table(found["rows"]))


def _part(result: "Result", part: str, lang: Lang) -> str:
    """Show the figure of a part that has one: the parts of a stock and of a quantile have none."""
    figures = {"numerator": result.numerator, "denominator": result.denominator}
    return figure(figures[part], "count", lang) if part in figures else ""


def _records_table(records: "Sequence[dict[str, Any]]") -> Any:
    """Lay out records; columns that are empty throughout are left out."""
    said = _NEVER_SHOWN | (_IN_ITS_IDENTITY if records and "row" in records[0] else set())
    names = dict.fromkeys(name for record in records for name in record if name not in said)
    shown = [name for name in names if any(record.get(name) not in {None, ""} for record in records)]
    return table(shown, [[_cell(record.get(name)) for name in shown] for record in records])


def _cell(value: Any) -> str:
    if value is None:
        return NOTHING
    return when(value) if isinstance(value, datetime) else str(value)
