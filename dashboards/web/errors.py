"""What cannot be shown or asked, said in both languages; as a plain text it is English, for logs and terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dashboards.words import Text


class SaidError(Exception):
    """Something that a reader is told; `said` has it in both languages."""

    def __init__(self, said: Text) -> None:
        super().__init__(said.en)
        self.said = said
