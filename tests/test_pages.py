"""Pages for people: what they tell to type exists, and where they point there is something."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from cli.main import app
from hotline.catalogue import KPIS
from hotline.settings.model import FIELDS

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
COMMAND = re.compile(r"\bhotline ([a-z][a-z-]+)(?: ([^`\n]*))?")
CODE = re.compile(r"```\n(.*?)```|`([^`\n]+)`", re.DOTALL)


def commands(page: Path) -> list[tuple[str, str]]:
    """Name and the rest of every `hotline …` in code on a page."""
    code = "\n".join(block or inline for block, inline in CODE.findall(page.read_text(encoding="utf-8")))
    return [(name, rest or "") for name, rest in COMMAND.findall(code)]


def known() -> dict[str, Any]:
    return dict(getattr(get_command(app), "commands"))  # noqa: B009 a group has them


def test_pages_name_commands_at_all() -> None:
    assert {"demo", "kpi", "load", "up"} <= {name for page in PAGES for name, _ in commands(page)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_on_a_page_exists(page: Path) -> None:
    for name, rest in commands(page):
        assert name in known(), f"hotline {name}"
        command = known()[name]
        below = getattr(command, "commands", None)
        if below is not None:
            (word,) = rest.split()[:1]
            assert word in below, f"hotline {name} {word}"
            command = below[word]
        options = {option for parameter in command.params for option in parameter.opts}
        for option in re.findall(r"(?<!\S)--[a-z-]+", rest):
            assert option in options, f"hotline {name} {option}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_kpi_in_a_command_on_a_page_exists(page: Path) -> None:
    for name, rest in commands(page):
        if name in {"kpi", "explain"}:
            named = [word for word in rest.partition(" --")[0].split() if re.fullmatch(r"[a-z][a-z0-9_]+", word)]
            assert [word for word in named if word not in KPIS] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_on_a_page_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        file, _, heading = target.partition("#")
        assert not file.startswith(("http:", "https:")), "pages stand on their own"
        assert (page.parent / file).exists(), target
        assert not heading or f"\n### {heading}\n" in page.read_text(encoding="utf-8")


def test_the_readme_names_every_target_that_a_newcomer_needs() -> None:
    readme, makefile = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()
    named = set(re.findall(r"\bmake ([a-z]+)", readme))
    assert {"demo", "test", "env"} <= named
    for target in named - {"is"}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"


def test_continuous_integration_runs_what_the_readme_says() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_every_test_that_a_page_names_exists() -> None:
    named = [name for page in PAGES for name in re.findall(r"\[([\w/]+\.py::\w+)\]", page.read_text())]
    assert len(named) > 10
    for name in named:
        file, _, test = name.partition("::")
        assert f"def {test}(" in (ROOT / "tests" / file).read_text(), name


GUARANTEES = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
TEST = re.compile(r"\[[\w/]+\.py::\w+\]")
IN_THE_PATH = ("streams/**/*.py", "sinks/writer/*.py", "producers/*.py", "deploy/stack/*.py", "hotline/names.py")
"""Where whatever is limited by a constant is on its way from a sender to the tables."""
UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "s": 1}


def rows(table: str) -> list[list[str]]:
    """Cells of each row of a Markdown table."""
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def limits() -> tuple[list[list[str]], list[list[str]]]:
    """Rows of the settings that are limits, and of the constants."""
    settings, _, constants = GUARANTEES.partition("## Limits")[2].partition("The others follow")
    return rows(settings), rows(constants)


def test_every_promise_names_its_test() -> None:
    promises, _, tables = GUARANTEES.partition("## Limits")
    points = re.findall(r"^- .*?(?=\n\S|\n\n|\Z)", promises, re.MULTILINE | re.DOTALL)
    arrows = [" | ".join(row) for row in rows(promises)]
    settings = [" | ".join(row) for row in rows(tables.partition("The others follow")[0])]
    assert (len(points) > 15, len(arrows) > 15, len(settings) > 5) == (True, True, True)
    assert [said for said in (*points, *arrows, *settings) if not TEST.search(said)] == []


def test_every_setting_that_is_a_limit_stands_on_the_page_with_its_reason() -> None:
    found, _ = limits()
    assert {len(row) for row in found} == {4}
    assert all(all(row) for row in found)
    named = [name for row in found for name in re.findall(r"`(\w+)`", row[1])]
    assert sorted(named) == sorted(name for name in FIELDS if name.endswith("_max"))


def constants_in(file: Path) -> set[str]:
    """Public names of a module that are limits, with the module's."""
    module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
    names = {
        name.id
        for statement in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name) and re.fullmatch(r"[A-Z][A-Z_]*_MAX(_\w+)?", name.id)
    }
    return {f"{module}.{name}" for name in names}


def test_every_constant_limit_stands_on_the_page_with_its_value_and_every_one_there_exists() -> None:
    _, found = limits()
    assert all(all(row) and len(row) == 4 for row in found)
    stated = {row[1].strip("`"): row[2] for row in found}
    files = (file for pattern in IN_THE_PATH for file in ROOT.glob(pattern))
    assert stated.keys() == set().union(*map(constants_in, files))
    for name, value in stated.items():
        module, _, constant = name.rpartition(".")
        number, _, unit = value.partition(" ")
        told = float(number.replace(",", "")) * UNITS[unit]
        assert getattr(importlib.import_module(module), constant) == told, name
