"""The rules of the house that no type checker knows."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
MIDDLE = {"streams", "producers", "sinks", "dashboards"}
MAY_IMPORT = {
    "hotline": set[str](),
    **{room: {"hotline"} for room in MIDDLE},
    "deploy": {"hotline", *MIDDLE},
    "cli": {"hotline", *MIDDLE, "deploy"},
}
"""Room → rooms it may import besides itself."""
CLIENTS = {"kafka", "faust", "mode", "aiokafka", "clickhouse_connect", "chdb"}
OWNED = {"grafana_api": "dashboards/grafana/connection.py", "chdb": "sinks/engine/session.py"}
"""Packages with odd cases, and the module that alone knows them."""
LINES_MAX = 300
NO_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}
NO_MARKS = {"skip", "skipif", "xfail", "importorskip"}

TEXTS = {".py", ".md", ".toml", ".lock", ".sql", ".json", ".xml", ".properties", ".svg", ".txt", ".sh", ".yml", ".yaml"}
NAMED_TEXTS = {"Makefile", "run", ".gitignore"}
NOT_OURS = re.compile(r"^(\.(?!ci)|build$|__pycache__$|.*\.egg-info$)")
OF_A_MACHINE = re.compile(r"(?<![\w.~-])/(home|root|work|Users|mnt)/\w|/opt/wheels")
OF_A_REGISTRY = re.compile(
    r"pypi\.org|pythonhosted|repo1?\.maven|registry\.npmjs|deb\.debian|crates\.io"
    r"|--(extra-)?index-url[ =]\S*:|--find-links|--trusted-host",
    re.IGNORECASE,
)


@cache
def texts() -> dict[str, str]:
    """Every text file of the repository, by its path."""
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in _files(ROOT)}


def _files(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if NOT_OURS.match(entry.name):
            continue
        if entry.is_dir():
            yield from _files(entry)
        elif entry.suffix in TEXTS or entry.name in NAMED_TEXTS:
            yield entry


@cache
def trees(room: str) -> dict[str, ast.Module]:
    """Every module of a room, by its path."""
    found = {path: text for path, text in texts().items() if path.startswith(f"{room}/") and path.endswith(".py")}
    return {path: ast.parse(text, path) for path, text in found.items()}


def imported(tree: ast.Module) -> Iterator[str]:
    """Top-level names of all imports, those inside functions and for types only included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "" if node.level else (node.module or "").partition(".")[0]


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_imports_go_one_way(room: str) -> None:
    assert trees(room), f"{room} has no modules"
    forbidden = set(MAY_IMPORT) | {"", "tests", "bench"}
    forbidden -= MAY_IMPORT[room] | {room}
    wrong = {path: names for path, tree in trees(room).items() if (names := forbidden & set(imported(tree)))}
    assert not wrong


def test_every_folder_of_modules_is_a_room_that_the_rule_knows() -> None:
    folders = {path.partition("/")[0] for path in texts() if path.endswith(".py") and "/" in path}
    assert folders - {"tests", "bench"} == set(MAY_IMPORT)


def test_the_domain_knows_no_client_of_kafka_faust_or_clickhouse() -> None:
    wrong = {path: names for path, tree in trees("hotline").items() if (names := CLIENTS & set(imported(tree)))}
    assert not wrong


@pytest.mark.parametrize("package", OWNED)
def test_a_package_with_odd_cases_is_known_to_one_module(package: str) -> None:
    knowing = {path for room in MAY_IMPORT for path, tree in trees(room).items() if package in imported(tree)}
    assert knowing == {OWNED[package]}


def test_no_module_is_longer_than_three_hundred_lines() -> None:
    lines = {path: len(texts()[path].splitlines()) for room in MAY_IMPORT for path in trees(room)}
    assert {path: count for path, count in lines.items() if count > LINES_MAX} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    rooms = (*MAY_IMPORT, "tests", "bench")
    parts = {path: set(Path(path).with_suffix("").parts) for room in rooms for path in trees(room)}
    assert {path: names & NO_NAMES for path, names in parts.items() if names & NO_NAMES} == {}


def test_names_of_limits_end_in_min_or_max() -> None:
    """A limit is `rows_max`, never `max_rows`. What other people's interfaces are called is not defined here."""
    names = {(path, name) for room in MAY_IMPORT for path, tree in trees(room).items() for name in _defined(tree)}
    assert (
        sorted(f"{path}: {name}" for path, name in names if re.match(r"(max|min)(imum)?_", name, re.IGNORECASE)) == []
    )


def _defined(tree: ast.Module) -> Iterator[str]:
    """Names of parameters, and of what is assigned."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def test_no_file_names_a_path_of_a_machine_or_the_address_of_a_registry() -> None:
    here = str(Path(__file__).relative_to(ROOT))
    assert "requirements.lock" in texts()
    found = [
        f"{path}: {match[0]}"
        for path, text in texts().items()
        if path != here
        for pattern in (OF_A_MACHINE, OF_A_REGISTRY)
        for match in pattern.finditer(text)
    ]
    assert found == []


def test_no_test_is_passed_over() -> None:
    marks = [
        f"{path}:{node.lineno}"
        for path, tree in trees("tests").items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name)
        and (node.attr if isinstance(node, ast.Attribute) else node.id) in NO_MARKS
    ]
    assert marks == []


def test_every_locked_package_has_a_version_and_a_hash() -> None:
    lock = re.sub(r"\\\n", " ", re.sub(r"^ *#.*\n", "", texts()["requirements.lock"], flags=re.MULTILINE))
    lines = [line for line in lock.splitlines() if line.strip()]
    assert len(lines) > len(_dependencies())
    for line in lines:
        assert re.match(r"[a-z0-9._-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line), line


def test_what_the_project_pins_is_what_the_lock_holds() -> None:
    lock = texts()["requirements.lock"]
    assert [pin for pin in _dependencies() if f"\n{pin} " not in lock] == []


def _dependencies() -> list[str]:
    import tomllib

    project = tomllib.loads(texts()["pyproject.toml"])["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["test"]]
