"""A browser for the tests of this room, and a site whose clock stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.dashboards.web.sites import AT, Clock, Site, site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hotline.stored_rows import Stored

CHROMIUM = next((path for path in map(Path, ("/usr/bin/chromium", "/usr/bin/chromium-browser")) if path.exists()), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "these tests need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--no-proxy-server", "--enable-precise-memory-info", "--js-flags=--expose-gc"]
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield found
        found.close()


@pytest.fixture(scope="module")
def standing(city: Stored) -> Iterator[Site]:
    """A site of the city whose clock stands."""
    with site(city.settings, clock=Clock(AT, speed=0.0)) as found:
        yield found
