"""The adapters there are. A new one is a file and a line here."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from producers.adapters.amazon_connect import AMAZON_CONNECT
from producers.adapters.asterisk import ASTERISK
from producers.adapters.bank1999 import BANK1999
from producers.adapters.boston311 import BOSTON311
from producers.adapters.errors import UnknownAdapterError
from producers.adapters.open311 import OPEN311

if TYPE_CHECKING:
    from producers.adapters.adapter import Adapter

ADAPTERS: dict[str, Adapter] = {
    adapter.name: adapter for adapter in (AMAZON_CONNECT, ASTERISK, BANK1999, BOSTON311, OPEN311)
}


def adapter(name: str) -> Adapter:
    """Find the adapter of that name. Raises UnknownAdapterError naming the nearest ones."""
    if name in ADAPTERS:
        return ADAPTERS[name]
    near = difflib.get_close_matches(name, ADAPTERS, 3, cutoff=0.5) or sorted(ADAPTERS)
    raise UnknownAdapterError(f"unknown adapter {name!r}; use {' or '.join(near)}")
