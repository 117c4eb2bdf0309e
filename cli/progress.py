"""Progress of long work, on stderr: a moving line for people, plain lines now and then for logs."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cli.output import say

PLAIN_EVERY_S = 5.0

Advance = Callable[[float, float | None, str], None]
"""Told how much is done, of how much (None: unknown), and a few words."""


@contextmanager
def progress(what: str, *, in_bytes: bool = False) -> Iterator[Advance]:
    """Show the progress of `what` for the duration of the block."""
    if sys.stderr.isatty():
        with _bar(in_bytes=in_bytes) as bar:
            task = bar.add_task(what, total=None, words="")
            yield lambda done, total, words: bar.update(task, completed=done, total=total, words=words)
    else:
        yield _plain(what)


def _bar(*, in_bytes: bool) -> Any:
    from rich import progress as rich
    from rich.console import Console

    amounts = [rich.DownloadColumn(), rich.TransferSpeedColumn()] if in_bytes else [rich.MofNCompleteColumn()]
    return rich.Progress(
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        *amounts,
        rich.TimeRemainingColumn(),
        rich.TextColumn("{task.fields[words]}"),
        console=Console(stderr=True),
        transient=True,
    )


def _plain(what: str) -> Advance:
    begun = said_at = time.monotonic()

    def advance(done: float, total: float | None, words: str) -> None:
        nonlocal said_at
        now = time.monotonic()
        if now - said_at < PLAIN_EVERY_S:
            return
        said_at = now
        say(f"{what}: {_share(done, total, now - begun)}{words}")

    return advance


def _share(done: float, total: float | None, seconds: float) -> str:
    if not total or not done:
        return ""
    left = seconds * max(0.0, total - done) / done
    return f"{min(1.0, done / total):.0%}, {left:.0f} s left, "
