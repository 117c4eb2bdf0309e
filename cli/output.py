"""Where output goes: data to stdout, everything else to stderr."""

import sys
from collections.abc import Sequence

import msgspec


def say(text: str) -> None:
    """Tell the user something that is no data."""
    sys.stderr.write(f"hotline: {text}\n")
    sys.stderr.flush()


def print_data(text: str) -> None:
    """Print data."""
    sys.stdout.write(f"{text}\n")


def print_json(value: object) -> None:
    """Print data as indented JSON."""
    print_data(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns as wide as their widest cell, so that a pipe gets whole lines."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print_data("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
