"""Stacks that several tests use, and the data that all of them need."""

from __future__ import annotations

import fcntl
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e import bank
from tests.e2e.stacks import DATA, Hotline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ZONE = "Asia/Jerusalem"


@pytest.fixture(scope="session", autouse=True)
def real_data() -> None:
    """Fail, not skip, when the data are not there."""
    needed = [*bank.FILES.values(), DATA / "bank1999/expected.json", DATA / "boston311/2015_h1.parquet"]
    missing = [str(file) for file in needed if not file.exists()]
    assert not missing, f"these tests read data that is not part of the project; missing: {missing}"


@pytest.fixture(scope="module")
def new_hotline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Hotline]]:
    """Make data folders that are not there yet; whatever runs on them at the end is killed."""
    made: list[Hotline] = []

    def make(**environ: str) -> Hotline:
        made.append(Hotline(tmp_path_factory.mktemp("hotline") / "d", **environ))
        return made[-1]

    yield make
    for hotline in made:
        hotline.clean()


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hotline]:
    """Give a stack that both months were loaded into, in order, and that nothing happens to: it is only read."""
    with _loaded(tmp_path_factory.mktemp("calm") / "d") as hotline:
        yield hotline


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> list[dict[str, Any]]:
    """Every figure of the bank's two months when nothing happened: asked for once, by whichever process needs it first.

    The stack that they come from ends with the question: one that nobody asks costs something as well.
    """
    asked = tmp_path_factory.getbasetemp().parent / f"undisturbed-{testrun_uid}.json"
    with asked.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # others wait here until it is whole
        if not asked.stat().st_size:
            with _loaded(tmp_path_factory.mktemp("undisturbed") / "d") as hotline:
                asked.write_text(json.dumps(bank.every_figure(hotline)))
    figures: list[dict[str, Any]] = json.loads(asked.read_text())
    return figures


@contextmanager
def _loaded(data: Path) -> Iterator[Hotline]:
    """Load both months in order into a stack of their own."""
    hotline = Hotline(data, HOTLINE_ZONE=ZONE)
    try:
        hotline.running()
        account = hotline.load("bank1999", *map(str, bank.FILES.values()))
        assert account["counted"] == sum(bank.EVENTS.values())
        assert account["lines"] == {"read": 64_943, "broken": 0, "skipped": {"phantom": 518}}
        yield hotline
    finally:
        hotline.clean()
