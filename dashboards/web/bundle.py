"""The chart library for pages, out of its Python package: bundled once, in a process of its own, and kept in a file."""

from __future__ import annotations

import asyncio
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from hotline.data_folder import write_whole

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = "vl-convert-python"
_PROGRAM = "import sys, vl_convert; sys.stdout.write(vl_convert.javascript_bundle())"


class BundleError(Exception):
    """The chart library could not be bundled; the message says how it failed."""


class Bundle:
    """The one file of charts; made when it is first asked for, which takes some seconds and 300 MiB for as long."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / f"charts-{version(PACKAGE)}.js"
        self._making: asyncio.Task[None] | None = None

    async def ready(self) -> Path:
        """Give the file; it is made once for all who ask, and to its end when they go. Raises BundleError."""
        if not self.file.exists():
            if self._making is None or self._making.done():
                self._making = asyncio.create_task(self._make())
            await asyncio.shield(self._making)
        return self.file

    async def close(self) -> None:
        """Make it no further."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.wait({self._making})

    async def _make(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-c", _PROGRAM, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            made, said = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise BundleError(f"{PACKAGE} ended with {process.returncode}: {said.decode(errors='replace')[-500:]}")
        write_whole(self.file, made.decode())
