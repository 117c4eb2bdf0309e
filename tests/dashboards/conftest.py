"""A small city of the last days on a real engine, for all tests of boards that ask one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.dashboards.asking import Asking
from tests.hotline.stored_rows import Stored, stored

if TYPE_CHECKING:
    from collections.abc import Iterator

ZONE = "Asia/Shanghai"
ENTITIES = 150
BORN_AT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=3)
"""Recent minutes are kept for nine days."""


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    with stored(tmp_path_factory.mktemp("city"), ZONE, entities=ENTITIES, first_birth=BORN_AT) as found:
        yield found


@pytest.fixture(scope="session")
def asking(city: Stored) -> Asking:
    return Asking(city.settings)
