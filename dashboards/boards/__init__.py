"""The boards, each in a file that reads like a table of contents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.boards.annual import ANNUAL
from dashboards.boards.calls import CALLS_BOARD
from dashboards.boards.cross import CROSS
from dashboards.boards.department import DEPARTMENT
from dashboards.boards.district import DISTRICT
from dashboards.boards.overdue import OVERDUE
from dashboards.boards.pipeline import PIPELINE
from dashboards.boards.surveys import SURVEYS_BOARD
from dashboards.boards.tickets import TICKETS_BOARD
from dashboards.boards.wall import WALL

if TYPE_CHECKING:
    from dashboards.board import Board

BOARDS: tuple[Board, ...] = (
    WALL,
    CALLS_BOARD,
    TICKETS_BOARD,
    SURVEYS_BOARD,
    DEPARTMENT,
    DISTRICT,
    OVERDUE,
    ANNUAL,
    CROSS,
    PIPELINE,
)
"""In the order in which links name them."""
