"""``python -m sinks.migrations new``: write the next migration when structs, rows or the catalogue have new columns."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sinks.migrations.generate import write_next


def main(arguments: list[str] | None = None) -> int:
    """Write it; 0 also when nothing is missing."""
    parser = argparse.ArgumentParser(prog="python -m sinks.migrations", description=__doc__)
    parser.add_argument("command", choices=["new"])
    parser.add_argument("title", nargs="?", default="columns", help="the file's name after its number (%(default)s)")
    given = parser.parse_args(arguments)
    if not given.title.isidentifier():
        parser.error(f"{given.title!r} is no plain word; use letters, digits and underscores")
    path = write_next(Path(__file__).parent, title=given.title)
    sys.stdout.write(f"{path}\n" if path else "nothing is missing: the migrations make every column\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
