"""The board without a terminal: printed every few seconds, as text or as JSON, the same numbers."""

import io
import math
import shutil
import sys
import time
from typing import Any

import msgspec
from rich.console import Console

from cli.failures import DIFFERS
from cli.output import hand_over, say
from cli.watch.board import printed_board
from cli.watch.contents import SCREENS
from cli.watch.listening import Phase
from cli.watch.rows_page import rows_of
from cli.watch.scene import Scene, own_window
from cli.watch.sources import Sources
from cli.watch.view import View
from cli.watch.words import word
from hotline.catalogue import KPIS, Stock
from hotline.current import Figure
from hotline.windows import NOW, WINDOWS

ONCE_WITHIN_S = 30.0
SIDE_WITHIN_S = 3.0
"""How long the first board waits for what stands beside its figures."""
_POLL_S = 0.1
_WIDTH = 120


def print_boards(
    sources: Sources, view: View, *, once: bool, json: bool, interval_s: float, until_s: float = math.inf
) -> int:
    """Print boards until Ctrl-C, until nobody reads on, or until a monotonic instant; or just one."""
    try:
        if not _await(sources, view, once=once, until_s=until_s):
            return DIFFERS if once else 0
        while time.monotonic() < until_s:
            due_s = time.monotonic() + interval_s
            with sources.scene(view.screen) as scene:
                text = _as_json(scene, view) if json else _as_text(scene, view)
            if not hand_over(text) or once:
                return 0
            time.sleep(max(0.0, min(due_s, until_s) - time.monotonic()))
    except KeyboardInterrupt:
        pass
    return 0


def _await(sources: Sources, view: View, *, once: bool, until_s: float) -> bool:
    """Wait until there is something to print, and say what is waited for; only so long for one board."""
    begun_s, said = time.monotonic(), None
    while True:
        with sources.scene(view.screen) as scene:
            ready = scene.current.known if view.screen in SCREENS else scene.health is not None
            beside = _beside(scene, view)
        waited_s = time.monotonic() - begun_s
        if ready and (beside or waited_s > SIDE_WITHIN_S):
            return True
        if not ready and scene.phase not in {said, Phase.JOINING, Phase.VALUES} and view.screen in SCREENS:
            said = scene.phase
            say(word(scene.phase, view.lang))
        if once and not ready and waited_s > ONCE_WITHIN_S:
            say(f"there were no figures within {ONCE_WITHIN_S:.0f} s: see hotline status")
            return False
        if time.monotonic() > until_s:
            return False
        time.sleep(_POLL_S)


def _beside(scene: Scene, view: View) -> bool:
    """Whether what stands beside the figures is there, too."""
    if view.screen in SCREENS:
        return scene.trend is not None
    rated = scene.health is not None and scene.health.sink is not None and scene.health.sink.events_a_s is not None
    return rated and scene.current.known


def _as_text(scene: Scene, view: View) -> str:
    """A board as lines; with colours only where the output is a terminal."""
    text = io.StringIO()
    width = shutil.get_terminal_size((_WIDTH, 24)).columns
    terminal = sys.stdout.isatty()
    console = Console(
        file=text,
        width=width,
        force_terminal=terminal,
        no_color=not terminal,
        markup=False,
        emoji=False,
        highlight=False,
    )
    console.print(printed_board(scene, view, width))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def _as_json(scene: Scene, view: View) -> str:
    """A board as one line of JSON; ages are seconds, `as_of` is ISO 8601."""
    told: dict[str, Any] = {
        "screen": view.screen,
        "as_of": scene.as_of,
        "silent_s": round(scene.silent_s, 3),
        "newest_event_age_s": {
            subject: round(age_s, 3) for subject, age_s in scene.current.ages_s(scene.silent_s).items()
        },
    }
    if view.screen in SCREENS:
        told["figures"] = _figures(scene, view)
    else:
        told["health"] = scene.health
    return msgspec.json.encode(told).decode()


def _figures(scene: Scene, view: View) -> list[dict[str, Any]]:
    found = []
    for name in SCREENS[view.screen].names:
        windows = [NOW] if isinstance(KPIS[name].numerator, Stock) else [window.name for window in WINDOWS]
        found += [_told(name, window, scene.scope, scene.figure(name, window)) for window in windows]
    rows = rows_of(scene, view)
    if rows:
        for row in rows.rows:
            scope = {"kind": rows.kind, "value": row.scope}
            pairs = zip(rows.kpis, row.figures, strict=True)
            found += [_told(kpi.name, own_window(kpi.name, view.window), scope, one) for kpi, one in pairs]
    return found


def _told(name: str, window: str, scope: Any, figure: Figure | None) -> dict[str, Any]:
    kpi = KPIS[name]
    numerator, denominator, value = figure or (None, None, None)
    met = kpi.meets_target(value) if kpi.target is not None and value is not None else None
    return {
        "kpi": name,
        "window": window,
        "scope": scope,
        "numerator": numerator,
        "denominator": denominator,
        "value": value,
        "unit": kpi.unit.label,
        "target": kpi.target,
        "meets_target": met,
    }
