"""Opening a page in the user's browser, where there is somebody to look at it."""

import os
import sys
import webbrowser


def may_open() -> bool:
    """Whether somebody sits at a terminal of a machine with a screen."""
    has_screen = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")) or sys.platform == "darwin"
    return has_screen and sys.stdin.isatty() and sys.stderr.isatty()


def open_in_browser(address: str) -> bool:
    """Open a page; whether a browser took it."""
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False
