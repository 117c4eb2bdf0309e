"""Boards as files: fresh, whole, the same in both languages but for the words."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from grafana_foundation_sdk.builders import gauge

from cli.watch.freshness import EVENTS
from dashboards import generated, look
from dashboards.board import again
from dashboards.boards import BOARDS
from dashboards.boards.annual import ANNUAL, HANDLING_NAMES, ONLINE_NAMES, TICKET_NAMES
from dashboards.entries import Edition, Entry, row
from dashboards.lint import LintError, lint
from dashboards.web import colours
from dashboards.web.lines import lines_spec
from dashboards.web.shown import Tone
from dashboards.words import Lang, kpi_formula, kpi_title
from hotline.buckets import By
from hotline.catalogue import KPIS, Better

if TYPE_CHECKING:
    from dashboards.board import Board

ROOT = Path(__file__).parents[2]
ZONE = "Asia/Shanghai"
PINNED = Path(__file__).parent / "panel_ids.txt"
"""Board, id and key of every panel, written by hand."""
NO_KPI = ("Overdue tickets", "逾期诉求", "Longest wait now", "当前最长等待")
"""A list of tickets, none of which is a number, and a figure of one row: they lead to the rows of a KPI."""
BY_NAME = {board.name: board for board in BOARDS}
PAIRS = [pytest.param(board, id=board.name) for board in BOARDS]


def made(board: Board, lang: Lang, zone: str = ZONE) -> dict[str, Any]:
    return board.json(Edition(lang, zone))


def test_committed_files_say_what_the_code_says() -> None:
    assert generated.stale() == []


def test_a_board_that_breaks_a_rule_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the web cannot draw is refused, with the board and the panel."""
    odd = Entry("odd", lambda _: gauge.Panel().title("Odd").build())
    monkeypatch.setattr(generated, "BOARDS", (replace(BY_NAME["wall"], rows=(row(4, odd),)),))
    with pytest.raises(LintError, match=r"en/wall\.json: .*Odd.*kind 'gauge': the web board draws"):
        generated.files(ZONE)


def test_stale_files_are_named_and_written_anew(tmp_path: Path) -> None:
    """A changed file, a missing one and one that belongs to no board."""
    assert len(generated.write(tmp_path)) == 2 * len(BOARDS)
    (tmp_path / "en" / "wall.json").write_text("{}")
    (tmp_path / "zh" / "wall.json").unlink()
    (tmp_path / "en" / "gone.json").write_text("{}")
    changed = ["en/gone.json", "en/wall.json", "zh/wall.json"]
    assert generated.stale(tmp_path) == changed
    assert generated.write(tmp_path) == changed
    assert generated.stale(tmp_path) == []


def test_the_command_checks_the_committed_files() -> None:
    done = subprocess.run([sys.executable, "-m", "dashboards", "--check"], cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("board", PAIRS)
def test_a_board_breaks_no_rule_and_is_known_to_the_models_to_the_last_key(board: Board, lang: Lang) -> None:
    """A misspelt key would vanish in the round trip."""
    found = made(board, lang)
    assert lint(found) == []
    assert again(found) == found


@pytest.mark.parametrize("board", PAIRS)
def test_both_languages_ask_the_same_in_the_same_places(board: Board) -> None:
    english, chinese = (made(board, lang) for lang in Lang)

    def asked(found: dict[str, Any]) -> list[Any]:
        return [
            (panel["id"], panel["type"], panel["gridPos"], [target["rawSql"] for target in panel.get("targets", ())])
            for panel in found["panels"]
        ]

    assert asked(english) == asked(chinese)
    assert (english["uid"], chinese["uid"]) == (f"hotline-{board.name}", f"hotline-{board.name}-zh")


@pytest.mark.parametrize("board", PAIRS)
def test_every_title_and_description_is_in_its_language(board: Board) -> None:
    for lang in Lang:
        found = made(board, lang)
        texts = [found["title"], found["description"], *(v["label"] for v in found["templating"]["list"])]
        texts += [panel[name] for panel in found["panels"] for name in ("title", "description")]
        for text in texts:
            own = text if lang is Lang.ZH else re.sub(r"Published as [^.]*\.", "", text)  # as it was printed
            assert bool(re.search("[一-鿿]", own)) is (lang is Lang.ZH), text


def test_panels_of_the_same_content_have_the_same_id_on_all_boards_and_others_have_others() -> None:
    keys = {entry.key: entry.id for board in BOARDS for each in board.rows for entry in each.entries}
    assert max(Counter(keys.values()).values()) == 1


def test_every_board_shows_how_old_the_data_of_its_own_subjects_is() -> None:
    """One about tickets would be fresh by calls alone when no ticket arrives any more, and the other way round."""
    for board in BOARDS:
        (age,) = (entry for each in board.rows for entry in each.entries if entry.key.startswith("data age"))
        read = {
            found for panel in made(board, Lang.EN)["panels"] for found in tables_of(panel) if panel["id"] != age.id
        }
        (asked,) = (panel for panel in made(board, Lang.EN)["panels"] if panel["id"] == age.id)
        assert read <= tables_of(asked) or board.name == "pipeline", board.name
        assert tables_of(asked) <= read or board.name == "cross", board.name


def test_data_is_late_and_old_from_the_same_age_on_as_on_the_terminal() -> None:
    for board in BOARDS:
        (age,) = (panel for panel in made(board, Lang.EN)["panels"] if panel["title"].startswith("Data age"))
        _, *steps = age["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert steps == [
            {"value": 0, "color": look.GOOD},
            {"value": EVENTS.late_s, "color": look.WARN},
            {"value": EVENTS.old_s, "color": look.BAD},
        ]


@pytest.mark.parametrize(("tile", "table"), [("Last stored", "Stored by partition"), ("Lag, records", "Processes")])
def test_what_a_tile_says_of_all_its_table_says_of_each_in_the_same_colours(tile: str, table: str) -> None:
    (pipeline,) = (made(board, Lang.EN) for board in BOARDS if board.name == "pipeline")
    panels = {panel["title"].partition(" <")[0]: panel for panel in pipeline["panels"]}
    of_columns = [
        {one["id"]: one["value"] for one in rule["properties"]} for rule in panels[table]["fieldConfig"]["overrides"]
    ]
    steps = panels[tile]["fieldConfig"]["defaults"]["thresholds"]["steps"]
    judged = [of for of in of_columns if of.get("thresholds", {}).get("steps") == steps]
    assert [of["custom.cellOptions"] for of in judged] == [{"type": "color-text"}]


def test_every_number_of_a_board_follows_one_of_its_variables() -> None:
    """Whoever chose a line must not read the city's number beside it. Bars of operator groups say of whom they are."""
    for board in BOARDS:
        found = made(board, Lang.EN)
        chosen = {each["name"] for each in found["templating"]["list"] if each["type"] == "query"}
        for panel in (panel for panel in found["panels"] if chosen):
            asked = str([target["rawSql"] for target in panel["targets"]])
            follows = chosen & set(re.findall(r"\$\{(\w+):singlequote\}", asked))
            by_itself = panel["title"].startswith("Data age") or panel["title"].endswith("by operator group")
            assert bool(follows) is not by_itself, (board.name, panel["title"])


def tables_of(panel: dict[str, Any]) -> set[str]:
    """The sums that a panel reads."""
    return set(re.findall(r"minute_sums_\w+", str([target["rawSql"] for target in panel.get("targets", ())])))


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("board", PAIRS)
def test_no_colour_without_its_limit(board: Board, lang: Lang) -> None:
    """Whoever cannot tell colours apart reads in the title from where on a number is not good.

    In that of the panel, or of the column, or of the line where a dashed one shows the target.
    """
    for panel in (each for each in made(board, lang)["panels"] if each["type"] not in {"text", "heatmap"}):
        columns = [overridden(panel, each["matcher"]["options"]) for each in panel["fieldConfig"]["overrides"]]
        if is_limited(panel["fieldConfig"]["defaults"]):
            titles = [panel["title"], *(given.get("displayName", "") for given in columns)]
            assert any(map(LIMIT.search, titles)), panel["title"]
        for given in filter(is_limited, columns):
            assert LIMIT.search(given["displayName"]), (panel["title"], given["displayName"])


LIMIT = re.compile("[<≤≥] [0-9]")


def is_limited(field: dict[str, Any]) -> bool:
    steps = field.get("thresholds", {}).get("steps", [])
    return bool({look.WARN, look.BAD} & {step["color"] for step in steps})


def test_no_colour_of_a_line_says_good_or_bad() -> None:
    meant = {colours.MEANING[tone] for tone in (Tone.GOOD, Tone.WARN, Tone.BAD)}
    limits = {look.NO_DATA, look.GOOD, look.WARN, look.BAD}
    assert not (meant | limits) & set(look.LINES)
    assert len(set(look.LINES)) == len(look.LINES)


def test_a_kpi_has_the_same_colour_in_every_trend_in_both_languages_and_on_the_web() -> None:
    """Grafana's palettes go by the name that is shown, which may make a line green or red, and another one elsewhere.

    What was a week or a year before is grey.
    """
    found: dict[str, set[str]] = defaultdict(set)
    panels = [panel for board in BOARDS for lang in Lang for panel in made(board, lang)["panels"]]
    for panel in (panel for panel in panels if panel["type"] == "timeseries"):
        drawn = on_the_web(panel)
        for name in (each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]):
            given = panel["fieldConfig"]["defaults"] | overridden(panel, name)
            assert given["color"]["mode"] == "fixed", (panel["title"], name)
            assert drawn[given["displayName"]] == given["color"]["fixedColor"]
            found[name].add(given["color"]["fixedColor"])
        assert len(set(drawn.values())) == len(drawn), panel["title"]
    of_kpis = {name: some for name, some in found.items() if name in KPIS}
    assert len(of_kpis) > 15
    assert all(len(some) == 1 and some <= set(look.LINES) for some in of_kpis.values()), of_kpis
    assert {colour for name in found if name.endswith("_before") for colour in found[name]} == {look.NO_DATA}


def on_the_web(panel: dict[str, Any]) -> dict[str, str]:
    """The title of each line with its colour there."""
    scale = lines_spec(panel)["layer"][0]["encoding"]["color"]["scale"]
    return dict(zip(scale["domain"], scale["range"], strict=True))


def test_ids_of_panels_stay() -> None:
    """They stand in addresses that people keep, and in annotations of Grafana; a panel that comes or goes is listed."""
    entries = {(board.name, entry.key, entry.id) for board in BOARDS for each in board.rows for entry in each.entries}
    found = [f"{board} {number} {key}" for board, key, number in sorted(entries)]
    assert found == PINNED.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("board", PAIRS)
def test_panels_say_of_their_kpis_what_the_catalogue_says(board: Board) -> None:
    """Formula in the description; unit and decimals of each value."""
    for lang in Lang:
        for panel in made(board, lang)["panels"]:
            for kpi in map(KPIS.get, re.findall(r"/numbers/(\w+)\?", str(panel.get("links")))):
                assert kpi is not None
                assert (kpi.formula if lang is Lang.EN else kpi.formula_zh) in panel["description"]
                shown = panel["fieldConfig"]["defaults"] | overridden(panel, kpi.name)
                if not panel["title"].startswith(NO_KPI):
                    assert (shown["unit"], shown["decimals"]) == (look.unit(kpi.unit, lang), look.decimals(kpi.unit))


def overridden(panel: dict[str, Any], name: str) -> dict[str, Any]:
    return {
        given["id"]: given["value"]
        for each in panel["fieldConfig"]["overrides"]
        if each["matcher"]["options"] == name
        for given in each["properties"]
    }


def test_links_lead_to_boards_that_exist() -> None:
    uids = {made(board, lang)["uid"] for board in BOARDS for lang in Lang}
    for board in BOARDS:
        for lang in Lang:
            linked = set(re.findall(r"/d/([\w-]+)", str(made(board, lang))))
            assert linked <= uids
            assert {uid.endswith("-zh") for uid in linked} in ({True}, {False}, {True, False})


def test_numbers_lead_to_the_web_board_of_the_settings_and_no_address_can_change_that() -> None:
    found = BOARDS[1].json(Edition(Lang.EN, ZONE, "https://board.example:8443"))
    (web,) = (variable for variable in found["templating"]["list"] if variable["name"] == "web")
    assert (web["query"], web["current"]["value"]) == ("https://board.example:8443",) * 2
    assert (web["type"], web["hide"], web["skipUrlSync"]) == ("constant", 2, True)


def test_the_zone_of_the_hotline_is_that_of_a_board_and_of_its_days() -> None:
    found = made(BOARDS[0], Lang.EN, "America/New_York")
    assert found["timezone"] == "America/New_York"
    assert ZONE not in str(found)


def test_a_value_as_good_as_its_target_has_the_colour_of_good_ones() -> None:
    """Grafana's steps count from their value on; targets include their own value in both directions."""
    for kpi in KPIS.values():
        if kpi.target is None:
            continue
        steps = look.steps(kpi)

        def colour(value: float, steps: Any = steps) -> str:
            return str([step.color for step in steps if step.value is None or value >= step.value][-1])

        worse = kpi.target + (1e-9 if kpi.better is Better.LOWER else -1e-9)
        for value in (kpi.target, worse, kpi.target / 2, (kpi.target + 1) / 2):
            assert colour(value) == (look.GOOD if kpi.meets_target(value) else look.BAD), (kpi.name, value)


def test_the_wall_fits_a_screen_and_has_few_numbers() -> None:
    found = made(BOARDS[0], Lang.EN)
    numbers = [panel for panel in found["panels"] if panel["type"] == "stat"]
    assert len(numbers) == 8 + 1  # and the age of the data
    assert max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in found["panels"]) <= 26
    assert [variable["name"] for variable in found["templating"]["list"]] == ["web"]


def test_a_row_that_does_not_fill_the_grid_is_refused() -> None:
    entry = Entry("a", lambda _: pytest.fail("not made"))
    assert row(5, entry, entry.wide(6)).widths() == [18, 6]
    with pytest.raises(ValueError, match="do not fill a row of 24"):
        row(5, entry.wide(6), entry.wide(6)).widths()
    with pytest.raises(ValueError, match="do not fill a row of 24"):
        row(5, *[entry] * 5).widths()


def test_the_year_has_every_subject_by_month_quarter_and_year_and_who_answered_in_total() -> None:
    """Counts and ratios of each; what the year table is called after, it has."""
    keys = [entry.key.split() for each in ANNUAL.rows for entry in each.entries]
    tables = {(key[2], By(key[-1])): {*key[2:-1]} for key in keys if key[:2] == ["year", "table"]}
    firsts = {"calls_answered", "tickets_created", "surveys_asked"}
    assert tables.keys() == {(first, by) for first in firsts for by in (By.MONTH, By.QUARTER, By.YEAR)}
    for by in (By.QUARTER, By.YEAR):
        assert {*TICKET_NAMES, *HANDLING_NAMES} <= tables["tickets_created", by]
    assert [key[2:] for key in keys if key[:2] == ["year", "totals"]] == [ONLINE_NAMES]


def test_the_year_names_the_version_of_every_definition_it_shows() -> None:
    """Beside each formula the sums it is read from, whose names end with a digest of it: every KPI of its panels."""
    for lang in Lang:
        panels = ANNUAL.json(Edition(lang, ZONE))["panels"]
        (told,) = [panel["options"]["content"] for panel in panels if panel["type"] == "text"]
        statements = " ".join(target["rawSql"] for panel in panels for target in panel.get("targets", ()))
        shown = [kpi for kpi in KPIS.values() if re.search(rf" AS {kpi.name}\b", statements)]
        assert len(shown) > 20
        for kpi in shown:
            (line,) = [line for line in told.splitlines() if line.startswith(f"| {kpi_title(kpi).of(lang)} |")]
            assert kpi_formula(kpi).of(lang) in line
            assert all(f"`{measure.column}`" in line for measure in kpi.measures)
            assert all(re.fullmatch(rf"{measure.name}_[0-9a-f]{{6}}", measure.column) for measure in kpi.measures)
