"""The life of the engine's process: one owner a folder, an address told, a clean stop."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import sys
from typing import IO, TYPE_CHECKING

from aiohttp import web

from sinks.engine.accounts import Accounts
from sinks.engine.bodies import Incoming
from sinks.engine.door import Door
from sinks.engine.session import Engine

if TYPE_CHECKING:
    from pathlib import Path

    from sinks.engine.options import Options

HOST = "127.0.0.1"
READ_BYTES = 1 << 20


class FolderInUseError(RuntimeError):
    """Another engine owns the data folder."""


def own(data: Path) -> IO[str]:
    """Make the data folder and lock it for as long as the returned file is open; raises FolderInUseError."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = (data / "engine.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise FolderInUseError(f"another engine runs on {data}; stop it, or name another --data folder") from error
    return lock


async def serve(options: Options) -> None:
    """Open the engine, tell the address, answer until SIGTERM or SIGINT, and let running requests finish."""
    accounts = Accounts(options.secrets)
    engine = Engine(options)
    incoming = Incoming(options.data / "incoming", bytes_max=options.body_bytes_max)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):  # after the engine, which sets handlers of its own
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", Door(engine, accounts, incoming, options).handle)
    runner = web.AppRunner(
        app,
        access_log=None,
        auto_decompress=False,  # the door unpacks itself: in pieces, with a bound, and lz4 too
        read_bufsize=READ_BYTES,
        max_line_size=1 << 20,  # statements and parameters may stand in the address
        shutdown_timeout=options.stop_seconds,
    )
    await runner.setup()
    site = web.TCPSite(runner, HOST, options.port)
    await site.start()
    _tell(options, port=site.port, engine=engine)
    await stop.wait()
    await runner.cleanup()
    engine.close()


def _tell(options: Options, *, port: int, engine: Engine) -> None:
    """Print the address as one line of JSON, and write it to the address file, whole or not at all."""
    address = {"host": HOST, "port": port, "pid": os.getpid(), "version": engine.version, "zone": engine.zone}
    line = json.dumps(address) + "\n"
    if options.address_file:
        draft = options.address_file.with_name(f"{options.address_file.name}.{os.getpid()}.new")
        draft.write_text(line)
        draft.replace(options.address_file)
    sys.stdout.write(line)
    sys.stdout.flush()
