"""`hotline load` in small batches, each of which waits to be let go: a load that is in its middle as long as one likes.

    python -m tests.e2e.paced_load DATA ADAPTER CHUNK_BYTES FILE…

A line on standard input lets one batch go; at its end all the rest go. Everything else is the command's own.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from cli.load import _key, _load, _settings, as_json, quiet_clients
from cli.output import print_json
from producers.adapters import ADAPTERS
from producers.files import Files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from producers.adapters import Adapter, Batch
    from producers.adapters.adapter import Reading
    from producers.adapters.opening import Input


def paced(adapter: Adapter, chunk_bytes: int) -> Adapter:
    """The adapter with small batches that wait."""

    def batches(source: Input, reading: Reading) -> Iterator[Batch]:
        for batch in adapter.batches(source, replace(reading, chunk_bytes=chunk_bytes)):
            yield batch
            sys.stdin.readline()

    return replace(adapter, batches=batches)


def main() -> int:
    data, adapter, chunk_bytes, *files = sys.argv[1:]
    quiet_clients()
    settings = _settings(data)
    slow = paced(ADAPTERS[adapter], int(chunk_bytes))
    result = _load(settings, Files(slow, files, key=_key(settings)), lambda _: None)
    print_json(as_json(result))
    return 0 if result.complete else 1


if __name__ == "__main__":
    sys.exit(main())
