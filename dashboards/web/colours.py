"""Colours of charts on the web, beside those of `look.LINES`; texts and tiles have theirs from the page's theme."""

from __future__ import annotations

from dashboards import look
from dashboards.web.shown import Tone

QUIET = "#8E8E8E"
MEANING = {
    Tone.NONE: QUIET,
    Tone.PLAIN: look.PLAIN,
    Tone.GOOD: "#3274D9",
    Tone.WARN: "#B8860B",
    Tone.BAD: "#C15C17",
}
"""What a colour of the boards says → how a chart draws it."""
