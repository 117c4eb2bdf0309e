"""The first command of a newcomer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.demo import KPIS
from hotline.catalogue import kpi

ROOT = Path(__file__).parents[2]
WITHIN_S = 240


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Run `hotline demo`: what it printed, and the folder in which it could make temporary ones."""
    temporary = tmp_path_factory.mktemp("demo")
    given = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    command = [sys.executable, "-P", "-m", "cli", "demo"]
    env = {**given, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=temporary, env=env, capture_output=True, text=True, timeout=WITHIN_S, check=False
    ), temporary


def test_the_demo_counts_every_event_and_reconciles(
    shown: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, _ = shown
    assert done.returncode == 0, done.stderr
    assert "0 seen before, 0 revised, 0 dead" in done.stderr
    assert "equal:" in done.stdout


def test_the_demo_shows_a_value_for_each_of_its_kpis(shown: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    lines = {line.split()[0]: line.split() for line in shown[0].stdout.splitlines() if line.strip()}
    for name in KPIS:
        assert kpi(name).name == name
        assert any(character.isdigit() for character in lines[name][3])


def test_a_demo_without_a_folder_leaves_nothing_behind(
    shown: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    assert list(shown[1].iterdir()) == []
