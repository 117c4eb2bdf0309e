"""From a number to its list, on the real engine: the same number, the rows that make it, and nothing that runs."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import MultiDict

from dashboards import sums
from dashboards.entries import OVER
from dashboards.macros import Chosen, expand
from dashboards.numbers import files, listed, pages
from dashboards.numbers.address import read
from dashboards.numbers.counted import counted
from dashboards.numbers.exports import csv_text
from dashboards.numbers.figure import SHARES_MAX, Figure, figure, shares
from dashboards.numbers.streamed import streamed
from dashboards.web.store import Store, StoreError
from dashboards.words import UNNAMED
from hotline.catalogue import KPIS, Quantile
from hotline.names import DATABASE
from hotline.periods import Period
from hotline.queries import Question, Result, Scope, Statement, answer
from hotline.windows import WINDOWS, span
from sinks.connecting import connect
from tests.dashboards.conftest import BORN_AT, ZONE
from tests.dashboards.number_pages import fetch, read_csv, read_xlsx, visit
from tests.dashboards.test_numbers_address import NAMES, NASTY, VALUES
from tests.hotline.stored_rows import ODD_NAME

if TYPE_CHECKING:
    from tests.dashboards.asking import Asking
    from tests.dashboards.number_pages import Get, Page, Reply
    from tests.hotline.stored_rows import Stored

BORN_S = int(BORN_AT.timestamp())
FROM_S, TO_S = BORN_S - 7200 + 17, BORN_S + 16 * 3600 + 1859
"""A range that cuts minutes and hours."""
CHOSEN = [ODD_NAME, UNNAMED]


def path(name: str, below: str = "", **asked: Any) -> str:
    pairs = {"from": FROM_S * 1000, "to": TO_S * 1000} | {key.replace("_", "-"): each for key, each in asked.items()}
    return f"/numbers/{name}{below}?{urlencode(pairs, doseq=True)}"


def figures(city: Stored, names: list[str], **asked: Any) -> dict[str, Figure]:
    """The number of each KPI as its page has it."""
    pairs = [("from", str(FROM_S * 1000)), ("to", str(TO_S * 1000))]
    pairs += [
        (key.replace("_", "-"), each)
        for key, given in asked.items()
        for each in ([given] if isinstance(given, str) else given)
    ]
    now = datetime.now(UTC)

    async def asks() -> dict[str, Figure]:
        async with Store(city.settings) as store:
            addresses = [read(name, MultiDict(pairs), now, city.zone) for name in names]
            found = [figure(counted(address, now, city.zone), address.by, store) for address in addresses]
            return dict(zip(names, await asyncio.gather(*found), strict=True))

    return asyncio.run(asks())


def test_the_number_of_a_page_is_the_answer_to_a_question_about_its_kpi(city: Stored) -> None:
    """Of every KPI, over a window, numerator and denominator too; and sums and rows agree."""
    (window,) = (each for each in WINDOWS if each.name == "7d")
    period = Period.of(*span(window, TO_S, city.zone), city.zone)
    results = answer(Question(kpis=tuple(KPIS.values()), period=period), city.reader.ask)
    found = figures(city, list(KPIS), over="7d")
    for result in results:
        shown = found[result.kpi].shown
        assert (shown.numerator, shown.denominator, shown.value) == (result.numerator, result.denominator, result.value)
        assert not found[result.kpi].differs, result.kpi


def test_the_number_of_a_page_is_that_of_its_panel(city: Stored, asking: Asking) -> None:
    """Of every KPI, over a range that cuts hours, of two districts together; the shares add up to it."""
    additive = [name for name, kpi in KPIS.items() if not isinstance(kpi.numerator, Quantile)]
    found = figures(city, additive, kind="district", var_district=CHOSEN)
    given = Chosen(from_s=FROM_S, to_s=TO_S, variables={"district": CHOSEN})
    for name in additive:
        kpi = KPIS[name]
        asked = sums.Asked(kpis=(kpi,), span=OVER["range"].span(ZONE), kind="district", chosen="district")
        assert [[found[name].shown.value]] == asking.ask(expand(sums.total(asked), given)).rows, name
        assert not found[name].differs, name
        numerator = sum(share.parts.numerator or 0 for share in found[name].shares)
        denominator = sum(share.parts.denominator or 0 for share in found[name].shares)
        assert (numerator, denominator) == found[name].shown.sums, name


def test_a_department_of_a_range_is_the_line_of_its_table(city: Stored, asking: Asking) -> None:
    """What is kept by the hour is read from recent minutes at the ends of the range, as the panel does."""
    names = ["tickets_created", "timely_handling_rate", "tickets_open"]
    found = figures(city, names, kind="department", var_department="a")
    kpis = tuple(KPIS[name] for name in names)
    asked = sums.Asked(kpis=kpis, span=OVER["range"].span(ZONE), kind="department")
    records = asking.ask(expand(sums.split(asked, order="name"), Chosen(from_s=FROM_S, to_s=TO_S))).records
    (record,) = (each for each in records if each["name"] == "a")
    assert {name: each.shown.value for name, each in found.items()} == {name: record[name] for name in names}
    assert not any(each.differs for each in found.values())


def test_shares_cross_kinds_of_scope_and_many_are_summed_up(city: Stored) -> None:
    """A line's shares by operator group; after the largest ones, the others in one line."""
    found = figures(city, ["service_level_30s"], kind="line", var_line="a", by="operator_group")["service_level_30s"]
    assert len(found.shares) > 1
    assert sum(share.of_denominator or 0 for share in found.shares) == pytest.approx(1)
    kpi, at = KPIS["service_level_30s"], BORN_AT
    many = [
        Result(
            kpi=kpi.name, start=at, end=at, scope=Scope("line", str(n)), numerator=n, denominator=n, value=1.0, unit=""
        )
        for n in range(SHARES_MAX + 5)
    ]
    (*shown, rest) = shares(kpi, many)
    assert (len(shown), rest.others, rest.parts.sums) == (SHARES_MAX, 5, (10, 10))
    assert [share.parts.numerator for share in shown[:2]] == [SHARES_MAX + 4, SHARES_MAX + 3]


def rows_of(page: Page) -> list[list[str]]:
    return page.tables[-1][1:]


@pytest.mark.parametrize("sort", ["", "district", "handled_at"])
def test_the_rows_of_all_pages_are_those_of_the_number_each_once_in_one_order(sort: str, city: Stored) -> None:
    """Sorted by a column in which many are equal or have none; following the links of the pages."""

    async def walk(get: Get) -> tuple[list[list[str]], Page]:
        reply = await get(path("timely_handling_rate", sort=sort, order="desc" if sort == "district" else "asc"))
        first, rows = reply.page, rows_of(reply.page)
        while (following := reply.page.links.get("Next")) is not None:
            reply = await get(following)
            rows += rows_of(reply.page)
        return rows, first

    rows, first = visit(city.settings, walk)
    heads = first.tables[-1][0]
    number = figures(city, ["timely_handling_rate"])["timely_handling_rate"].shown
    assert len(rows) > 90
    assert len({(row[heads.index("Source")], row[heads.index("Id")]) for row in rows}) == len(rows)
    for name in ("Numerator", "Denominator"):
        assert sum(int(row[heads.index(name)]) for row in rows) == getattr(number, name.lower())
    if sort:
        place = heads.index(sort)
        values = [row[place].replace(UNNAMED, "") for row in rows]
        given = [value for value in values if value != "—"]
        assert given == sorted(given, key=str.encode, reverse=sort == "district")
        assert values == given + ["—"] * (len(values) - len(given))
        assert [tag["aria-sort"] for _, tag in first.tags if "aria-sort" in tag] == [
            "descending" if sort == "district" else "ascending"
        ]


def test_files_hold_the_rows_of_all_pages(city: Stored) -> None:
    """CSV with instants and their offset, a workbook with wall clocks; numbers are numbers in both."""
    text, book = fetch(
        city.settings, path("average_wait_s", "/rows.csv", lang="zh"), path("average_wait_s", "/rows.xlsx")
    )
    lines, cells = read_csv(text), read_xlsx(book)
    assert lines[0] == cells[0]
    assert len(lines) == len(cells) > 20
    instants = {place for place, name in enumerate(lines[0]) if name == "at" or name.endswith("_at")}
    assert instants
    for line, row in zip(lines[1:], cells[1:], strict=True):
        padded = [*row, *[None] * (len(line) - len(row))]
        for place, (written, cell) in enumerate(zip(line, padded, strict=True)):
            if place in instants and written:
                assert datetime.fromisoformat(written).astimezone(city.zone).replace(tzinfo=None) == cell
            elif isinstance(cell, float):
                assert float(written) == cell
            else:
                assert written == (cell or "")
    found = figures(city, ["average_wait_s"])["average_wait_s"].shown
    place = lines[0].index("numerator")
    assert sum(int(line[place]) for line in lines[1:]) == found.numerator
    assert '"numerator",' in text.text.partition("\r\n")[0]
    assert re.search(r'",\d+,\d,"', text.text), "numbers stand bare"
    assert text.headers["Content-Disposition"].startswith('attachment; filename="average_wait_s-2')
    about = {line[0]: line[1] for line in read_xlsx(book, sheet=2)}
    assert about["Time zone"] == ZONE
    assert about["The rows behind"] == len(lines) - 1


def test_a_file_that_is_cut_says_so_and_so_does_the_page(city: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (files, pages, listed):
        monkeypatch.setattr(module, "ROWS_MAX", 7)
    text, book, page = fetch(city.settings, *(path("calls_offered", end) for end in ("/rows.csv", "/rows.xlsx", "")))
    assert len(read_csv(text)) == 1 + 7 + 1
    assert read_csv(text)[-1] == [
        "This file ends here: it holds the first 7 rows. Choose a shorter period for the others."
    ]
    assert len(read_xlsx(book)) == 1 + 7
    assert "the first 7 rows" in read_xlsx(book, sheet=2)[-1][1]
    assert "Pages and files hold the first 7 rows" in page.page.text


HOSTILE = [*NASTY[:5], "@SUM(1+1)", "\t=1+1", "＝1+1", " +1", "-1", '"><img src=x onerror=alert(1)>', "a\r\nb"]
LONG_AGO = BORN_AT - timedelta(days=800)
THEN: dict[str, Any] = {
    "from": int((LONG_AGO.timestamp() - 86_400) * 1000),
    "to": int((LONG_AGO.timestamp() + 86_400) * 1000),
}


@pytest.fixture(scope="module")
def hostile(city: Stored) -> None:
    """Calls long ago, rows and events but no sums, in which every name is hostile; each has left."""
    heads = ["partition", "source", "entity", "born_at", "version", "line", "district", "operator_group", "direction"]
    heads += ["offered_at", "transfers"]
    at = LONG_AGO
    rows = [[0, "s", f"{text}{n}", at, 1, text, text, text, "inbound", at, 0] for n, text in enumerate(HOSTILE)]
    names = ["partition", "type", "source", "entity", "born_at", "occurred_at", "line", "caller", "digest"]
    events = [[0, "call.offered", "s", row[2], at, at, row[5], "0f3a", 1] for row in rows]
    with connect(city.settings) as client:
        client.insert(f"{DATABASE}.calls", rows, column_names=heads)
        client.insert(f"{DATABASE}.call_events", events, column_names=names)


@pytest.mark.usefixtures("hostile")
def test_hostile_names_are_text_on_pages_and_in_files(city: Stored) -> None:
    """No tag, no attribute and no address comes of them; cells of CSV that would run begin with an apostrophe."""
    listed, text, book = fetch(
        city.settings, *(path("calls_offered", end, **THEN, by="district") for end in ("", "/rows.csv", "/rows.xlsx"))
    )
    page = listed.page
    assert {tag for tag, _ in page.tags} <= {
        *("html", "head", "meta", "title", "link", "body", "main", "header", "h1", "code", "p", "data", "nav", "a"),
        *("section", "h2", "dl", "dt", "dd", "details", "summary", "div", "table", "caption", "thead", "tr", "th"),
        *("tbody", "td", "tfoot", "span", "time", "strong"),
    }
    assert not [tag for _, tag in page.tags if any(name.startswith("on") or name == "style" for name in tag)]
    assert all(href.startswith(("/numbers/calls_offered", "/")) for href in page.links.values())
    shown = {row[page.tables[-1][0].index("district")] for row in rows_of(page)}
    plain = {name.replace("\r\n", "\n") for name in HOSTILE}
    assert {name.replace("\r\n", "\n") for name in shown} == plain
    assert {row[0].replace("\r\n", "\n") for row in page.tables[0][1:-1]} == plain
    place = read_csv(text)[0].index("district")
    cells = [line[place] for line in read_csv(text)[1:]]
    assert sorted(cell.removeprefix("'") if cell[1:] in HOSTILE else cell for cell in cells) == sorted(HOSTILE)
    runs = {name for name in HOSTILE if name.strip()[0] in "=+-@＝"}
    assert {cell[1:] for cell in cells if cell.startswith("'") and cell[1:] in HOSTILE} == runs
    assert len(runs) == 6
    written = [row[place] for row in read_xlsx(book)[1:]]
    assert sorted(name.replace("_x000D_", "\r") for name in written) == sorted(HOSTILE)


@pytest.mark.parametrize("parting", [",", ";"])
@pytest.mark.parametrize("name", ["a;=1+1;b", "a\n=1+1", "a\r\n +1+1", "a; @b", "x;\u3000＝1", "=1+1", "\t-1", ";\n-1"])
def test_no_cell_runs_whatever_a_spreadsheet_parts_cells_by(name: str, parting: str) -> None:
    """Where a comma is the decimal sign, a semicolon parts cells; quotes inside one hold nothing together."""
    read = csv.reader(io.StringIO(csv_text([["source", name, 7]])), delimiter=parting)
    assert not [cell for row in read for cell in row if cell.strip()[:1] in set("=+-@＝")]


@pytest.mark.usefixtures("hostile")
def test_every_link_of_a_page_about_hostile_names_leads_to_what_it_says(city: Stored) -> None:
    """A district alone, a row with its events; and a page whose sums say something else says so."""

    async def follow(get: Get) -> tuple[Reply, list[Reply], list[Reply]]:
        page = await get(path("calls_offered", **THEN, by="district"))
        links = page.page.links
        of_scope = [await get(links[row[0]]) for row in page.page.tables[0][1:-1]]
        of_row = [await get(href) for href in links.values() if "/row?" in href]
        return page, of_scope, of_row

    page, of_scope, of_row = visit(city.settings, follow)
    assert page.status == 200
    assert "The sums say 0 / 0, the rows 12 / 0" in page.page.text
    assert [len(rows_of(each.page)) for each in of_scope] == [1] * len(HOSTILE)
    assert len(of_row) == len(HOSTILE)
    for reply in of_row:
        assert reply.status == 200
        adds, events = reply.page.tables
        assert len(adds) == len(events) == 2
        assert "0f3a" in events[1]


def test_what_is_not_there_is_said_on_a_page(city: Stored) -> None:
    cases = {
        path("nonsense"): (404, "unknown KPI"),
        path("calls_offered", page=10_000): (404, "the last one is"),
        path("calls_offered", sort="caller"): (400, "'caller' is no column of these rows: source, entity"),
        path("calls_offered", sort="at; DROP TABLE calls"): (400, "is no column"),
        path("calls_offered", "/rows.csv", sort="x"): (400, "is no column"),
        path("calls_offered", "/row"): (400, "write SOURCE/ENTITY@BIRTH"),
        path("calls_offered", "/row", row="s/nobody@2020-01-01T00:00:00+08:00"): (404, "no call s/nobody@2020"),
        path("calls_offered", "/row", row="s/nobody"): (404, "no call s/nobody"),
        path("calls_offered", "/row", row="s/x@0001-01-01T00:00:00+14:00"): (400, "outside the years"),
        path("calls_offered", over="<b>", lang="zh"): (400, "over不能是'<b>':请写range, now"),
        path("calls_offered", "/row", row="s/nobody", lang="zh"): (404, "没有存储s/nobody"),
        path("tickets_overdue", over="now", kind="line", var_line="nobody"): (200, "There is no row."),
    }
    for reply, (status, says) in zip(fetch(city.settings, *cases), cases.values(), strict=True):
        assert reply.status == status, reply.text
        assert says in reply.page.text
        assert reply.headers["Content-Type"] == "text/html; charset=utf-8"


STRAY = [
    *("/numbers/../../etc/passwd", "/numbers/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/numbers/static/../routes.py"),
    *(
        "/numbers/static/..%2froutes.py",
        "/numbers/static/numbers.css%00",
        "/numbers/",
        "/numbers/%00",
        "/numbers/%ff%fe",
    ),
    *("/numbers/calls_offered/rows.exe", "/numbers/calls_offered/rows.csv/../../x", f"/numbers/{'x' * 4000}"),
    f"/numbers/calls_offered?var-line={'x' * 7000}",
    "/numbers/calls_offered?kind=line&" + "&".join(f"var-line={n}" for n in range(900)),
    "/numbers/calls_offered?kind=line&var-line=%ff%fe&var-line=%ed%a0%80&from=now-1h",
]


@settings(max_examples=6, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["", "/row", "/rows.csv"]), st.lists(st.tuples(NAMES, VALUES), max_size=5)),
        max_size=10,
    )
)
def test_no_address_makes_a_page_fail(city: Stored, asked: list[tuple[str, list[tuple[str, str]]]]) -> None:
    drawn = [f"/numbers/average_wait_s{below}?{urlencode(pairs, errors='surrogatepass')}" for below, pairs in asked]
    for address, reply in zip((*STRAY, *drawn), fetch(city.settings, *STRAY, *drawn), strict=True):
        assert reply.status in {200, 400, 404}, (address, reply.text)
        assert b"root:" not in reply.body
        assert b"Traceback" not in reply.body


def test_pages_speak_both_languages_and_say_how_a_number_is_made(city: Stored) -> None:
    for lang, words in (("en", "How this number is made"), ("zh", "这个数字怎么来的")):
        (reply,) = fetch(city.settings, path("timely_handling_rate", lang=lang, theme="dark"))
        page, kpi = reply.page, KPIS["timely_handling_rate"]
        assert words in page.text
        assert (kpi.formula_zh if lang == "zh" else kpi.formula) in page.text
        assert all(measure.sql_where in page.text for measure in kpi.measures)
        assert page.tags[1][1].get("data-theme") == "dark" or page.tags[0][1]["data-theme"] == "dark"
        regions = [tag for _, tag in page.tags if tag.get("role") == "region"]
        assert regions
        assert all(tag["tabindex"] == "0" and tag["aria-labelledby"] for tag in regions)
        assert [tag for tag, _ in page.tags].count("caption") == len(page.tables)


def test_a_percentile_has_no_sums_and_says_how_many_values_it_ranks(city: Stored) -> None:
    (reply,) = fetch(city.settings, path("wait_p90_s", kind="line", var_line=["a", "b"], by="district"))
    found = figures(city, ["wait_p90_s"], kind="line", var_line=["a", "b"], by="district")["wait_p90_s"]
    assert "A percentile is read from the rows" in reply.page.text
    assert found.of_sums is None
    assert sum(share.parts.denominator or 0 for share in found.shares) == found.shown.denominator
    assert reply.page.tables[0][-1][:3] == ["Total", str(found.shown.denominator), "100.0 %"]


def test_what_the_store_refuses_is_a_store_error(city: Stored) -> None:
    async def ask() -> None:
        async with Store(city.settings) as store:
            async for _ in streamed(store, Statement("SELECT throwIf(number = 70000, 'enough') FROM numbers(100000)")):
                pass

    with pytest.raises(StoreError, match="enough"):
        asyncio.run(ask())
