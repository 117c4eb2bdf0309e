"""Stacks that several tests use, and the data that all of them need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e import bank
from tests.e2e.stacks import DATA, Hotline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@pytest.fixture(scope="package")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hotline]:
    """Give a stack that both months were loaded into, in order, and that nothing happens to: it is only read.

    It ends with the tests of this room: a stack costs something also when nobody asks.
    """
    hotline = Hotline(tmp_path_factory.mktemp("calm") / "d", HOTLINE_ZONE=ZONE)
    try:
        hotline.running()
        account = hotline.load("bank1999", *map(str, bank.FILES.values()))
        assert account["counted"] == sum(bank.EVENTS.values())
        assert account["lines"] == {"read": 64_943, "broken": 0, "skipped": {"phantom": 518}}
        yield hotline
    finally:
        hotline.clean()


@pytest.fixture(scope="package")
def undisturbed(calm: Hotline) -> list[dict[str, Any]]:
    """Every figure of the bank's two months when nothing happened."""
    return bank.every_figure(calm)
