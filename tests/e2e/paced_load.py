"""`hotline load` in small batches, each of which waits to be let go: a load that is in its middle as long as one likes.

    python -m tests.e2e.paced_load DATA ADAPTER CHUNK_BYTES FILE…

A line on standard input lets one batch go; at its end all the rest go. Everything else is the command's own.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from cli.load import _key, _load, _settings, as_json, quiet_clients
from cli.output import print_json
from producers.adapters import ADAPTERS
from producers.files import Files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from producers.adapters import Adapter, Batch


@dataclass(frozen=True)
class Paced:
    """An adapter whose batches are small and wait."""

    adapter: Adapter
    chunk_bytes: int

    def read(self, file: str, **how: Any) -> Iterator[Batch]:
        for batch in self.adapter.read(file, **how, chunk_bytes=self.chunk_bytes):
            yield batch
            sys.stdin.readline()


def main() -> int:
    data, adapter, chunk_bytes, *files = sys.argv[1:]
    quiet_clients()
    settings = _settings(data)
    paced = cast("Adapter", Paced(ADAPTERS[adapter], int(chunk_bytes)))
    result = _load(settings, Files(paced, files, key=_key(settings)), lambda _: None)
    print_json(as_json(result))
    return 0 if result.complete else 1


if __name__ == "__main__":
    sys.exit(main())
