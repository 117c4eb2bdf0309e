"""Where output goes: data to stdout, everything else to stderr."""

import os
import sys
from collections.abc import Iterable, Sequence

import msgspec


def say(text: str) -> None:
    """Tell the user something that is no data."""
    sys.stderr.write(f"hotline: {text}\n")
    sys.stderr.flush()


def print_data(text: str) -> None:
    """Print data; when the reader has read enough and gone, the rest goes nowhere and the command ends as it would."""
    try:
        sys.stdout.write(f"{text}\n")
    except BrokenPipeError:
        _to_nowhere()


def print_lines(lines: Iterable[str]) -> None:
    """Print lines of data as they come, until there are no more or their reader has gone."""
    try:
        for line in lines:
            sys.stdout.write(f"{line}\n")
    except BrokenPipeError:
        _to_nowhere()


def hand_over(text: str) -> bool:
    """Print data at once; whether its reader is still there to have more."""
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _to_nowhere()
        return False
    return True


def flush_data() -> None:
    """Hand over what was printed."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _to_nowhere()


def _to_nowhere() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def print_json(value: object) -> None:
    """Print data as indented JSON."""
    print_data(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns as wide as their widest cell, so that a pipe gets whole lines."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print_data("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
