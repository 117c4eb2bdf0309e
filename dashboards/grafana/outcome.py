"""What became of one thing that was to be in Grafana."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from dashboards.grafana.differences import Difference


class Did(StrEnum):
    """What was done, or in a dry run would be."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One folder, board or note; `why` says why it was refused, `differences` what a board differed in."""

    kind: Literal["folder", "board", "note"]
    uid: str
    title: str
    did: Did
    why: str = ""
    differences: list[Difference] = []
