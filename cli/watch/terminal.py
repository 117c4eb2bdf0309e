"""The board on a terminal: redrawn each second and at every key, everything as before when it ends."""

import math
import os
import sys
import time

from rich.console import Console
from rich.live import Live

from cli.stopping import ending
from cli.watch.board import board, page_lines
from cli.watch.keys import keys
from cli.watch.rows_page import rows_of
from cli.watch.scene import Scene
from cli.watch.sources import Sources
from cli.watch.view import View

REDRAW_S = 1.0
_FIXED_SIZE = {"COLUMNS", "LINES"}
"""Exported by some shells, they would hold the board to the size that the terminal had."""


def show_board(sources: Sources, view: View, *, until_s: float = math.inf) -> int:
    """Show the board until q, Ctrl-C, the end of the terminal, or a monotonic instant."""
    environ = {name: value for name, value in os.environ.items() if name not in _FIXED_SIZE}
    console = Console(_environ=environ, emoji=False, highlight=False, markup=False)
    terminal = sys.stdin.fileno() if sys.stdin.isatty() else None
    try:
        with (
            ending(),
            keys(terminal) as pressed,
            Live(
                console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
            ) as live,
        ):
            while time.monotonic() < until_s:
                due_s = time.monotonic() + REDRAW_S
                width, height = console.size
                with sources.scene(view.screen) as scene:
                    drawn = board(scene, view, width, height)
                    rows, page = _scroll(scene, view, width, height)
                live.update(drawn, refresh=True)
                for key in pressed.wait(due_s - time.monotonic()):
                    if key == "q":
                        return 0
                    view = view.pressed(key, rows=rows, page=page)
            return 0
    except KeyboardInterrupt:
        return 0


def _scroll(scene: Scene, view: View, width: int, height: int) -> tuple[int, int]:
    """How many rows there are, and how many fit on a page."""
    rows = rows_of(scene, view)
    return (len(rows.rows), page_lines(scene, view, width, height)) if rows else (0, 1)
