"""Colours of charts on the web; texts and tiles have theirs from the page's theme."""

from __future__ import annotations

from dashboards.web.shown import Tone

LINES = ("#5794F2", "#B877D9", "#1F9E89", "#7A7A3A", "#C2408D", "#6B8299")
"""Of series that have no colour of their own, in their order; told apart in any theme and by most kinds of sight.
None of them says good, late or bad: those colours have that meaning everywhere."""
QUIET = "#8E8E8E"
MEANING = {
    Tone.NONE: QUIET,
    Tone.PLAIN: LINES[0],
    Tone.GOOD: "#3274D9",
    Tone.WARN: "#B8860B",
    Tone.BAD: "#C15C17",
}
"""What a colour of the boards says → how a chart draws it."""
