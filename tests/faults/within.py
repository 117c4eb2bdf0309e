"""What is done to processes from within: `within_process.py` is their `sitecustomize`, and looks into files beside it.

No test hook stands in the product. Of each fault there is a file; it is there as long as the fault is.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.stacks import ROOT

SPOOLED, SNAPSHOT = "draft", "new"
"""Endings of files that are not whole yet: a batch that the sink spools, and roll's snapshot."""
ASKED = "a topic"


@dataclass(frozen=True)
class Within:
    """The folder in which processes look."""

    folder: Path

    def pythonpath(self, *, patience_s: float | None = None) -> str:
        """Make the folder; the PYTHONPATH by which processes look there.

        `patience_s`: after so long workers, the sink and the sender give a request up, to broker or engine.
        """
        self.folder.mkdir()
        shutil.copyfile(Path(__file__).with_name("within_process.py"), self.folder / "sitecustomize.py")
        if patience_s:
            self._say("patience_s", str(patience_s))
        return os.pathsep.join([str(self.folder), str(ROOT)])

    def dying_command(self, after: str) -> str:
        """Make the folder; the PYTHONPATH by which a command kills itself when an insert is in the table `after`.

        With ASKED it does so when its first record is in a topic.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        path = self.pythonpath()
        self._say("dies_after", after)
        return path

    def set_ahead(self, seconds: int) -> None:
        """Let the clocks of workers be so many seconds ahead of the time from now on, or behind it."""
        self._say("ahead_s", str(seconds))

    def die_in_snapshot(self) -> None:
        """Have roll die in its next snapshot: when the new one is written, and not yet in the old one's place."""
        self._say("dying", "")

    def is_to_die(self) -> bool:
        """Whether it is still to die."""
        return (self.folder / "dying").exists()

    def slow_disk(self, longest_s: float) -> None:
        """Let each fsync of sink and roll take up to so much longer, drawn anew each time; 0: as long as it takes."""
        self._say("slow_s", str(longest_s))

    def slowed(self) -> int:
        """How many fsyncs of the sink and of roll were slowed so far."""
        return len(list(self.folder.glob("slowed-*")))

    def fill_disk(self, kind: str, size: int) -> None:
        """Let the disk be full after so many bytes of each file of a kind (SPOOLED, SNAPSHOT), until there is room."""
        self._say(f"full-{kind}", str(size))

    def give_room(self, kind: str) -> None:
        """Let the disk have room again."""
        (self.folder / f"full-{kind}").unlink()

    def _say(self, what: str, text: str) -> None:
        draft = self.folder / f"{what}.new"
        draft.write_text(text)
        draft.replace(self.folder / what)
