"""Files that are made from the code and committed beside it: written, or compared with what the code says now."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from pathlib import Path


def stale(folder: Path, wanted: Mapping[str, str], others: Collection[str] = ()) -> list[str]:
    """Name the files below `folder` that are missing or say something else than the code, and those that nobody wants.

    `wanted` is path → text; `others` are paths that stand there, of which those that are not wanted are to go.
    """
    different = [name for name, text in wanted.items() if _read(folder / name) != text]
    return [*different, *sorted(set(others) - wanted.keys())]


def write(folder: Path, wanted: Mapping[str, str], others: Collection[str] = ()) -> list[str]:
    """Write what is stale and delete what nobody wants; the names of those."""
    changed = stale(folder, wanted, others)
    for name in changed:
        file = folder / name
        if name not in wanted:
            file.unlink()
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(wanted[name], encoding="utf-8")
    return changed


def told(folder: Path, found: Collection[str], *, check: bool, command: str) -> int:
    """Print what was written, or with `check` what is stale and the command that writes it; the exit code."""
    for name in found:
        sys.stdout.write(f"{'stale' if check else 'wrote'}: {folder / name}\n")
    if check and found:
        sys.stderr.write(f"run {command} and commit what it writes\n")
        return 1
    return 0


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None
