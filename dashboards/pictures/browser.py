"""The Chromium that draws: where it is, and one that runs without a window, a past or a network."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from dashboards.pictures.devtools import DevTools
from dashboards.pictures.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FONTS_PACKAGE = "fonts-noto-cjk"
ENDS_WITHIN_S = 5.0
_MESSAGE_BYTES_MAX = 256 << 20
"""What a picture may have, in text."""
_FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--no-pings",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--password-store=basic",
)
# The browser reads what it is told from 3 and answers on 4; we hold its standard input and output.
_ON_PIPES = ("sh", "-c", 'exec "$@" 3<&0 4>&1 0</dev/null 1>&2', "sh")


def find(named: str | None = None) -> str:
    """Find the browser: the one that is named, else the first that is installed. Raises PictureError."""
    for name in (named,) if named else NAMES:
        if found := shutil.which(name):
            return found
    if named:
        raise PictureError(f"{named} is no program: name a Chromium or Chrome with --browser")
    raise PictureError(
        "pictures need Chromium, which is not installed: on Debian apt-get install chromium, "
        "or name the program with --browser"
    )


def lacks_chinese() -> bool:
    """Whether this machine knows its fonts and none has Chinese characters."""
    program = shutil.which("fc-list")
    if program is None:
        return False
    done = subprocess.run([program, ":lang=zh", "family"], capture_output=True, text=True, check=False, timeout=30)
    return done.returncode == 0 and not done.stdout.strip()


def command(program: str, profile: Path, host: str) -> list[str]:
    """Write the command of a browser that reaches that host and no other."""
    reach = f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {host}"
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's own does not work for root
    return [*_ON_PIPES, program, *_FLAGS, *sandbox, reach, f"--user-data-dir={profile}", "about:blank"]


@contextlib.asynccontextmanager
async def running(program: str, host: str) -> AsyncIterator[DevTools]:
    """Run a browser with a profile of its own, which is gone afterwards. Raises PictureError when it ends early."""
    with tempfile.TemporaryDirectory(prefix="hotline-picture-", ignore_cleanup_errors=True) as folder:
        said = Path(folder) / "said"
        with said.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *command(program, Path(folder) / "profile", host),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                limit=_MESSAGE_BYTES_MAX,
            )
        try:
            yield DevTools(process)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise PictureError(f"{program} ended before the picture was taken: {_last_line(said)}") from error
        finally:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the browser and all processes that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), ENDS_WITHIN_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _last_line(said: Path) -> str:
    lines = [line.strip() for line in said.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][-300:] if lines else "it said nothing"
