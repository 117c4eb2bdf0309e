"""The life of the engine's process: one owner a folder, an address told, a clean stop."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import shutil
import signal
import ssl
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from aiohttp import web

from sinks.engine.accounts import Account, Accounts
from sinks.engine.bodies import Incoming
from sinks.engine.door import Door
from sinks.engine.options import LOOPBACK, check_address
from sinks.engine.query_log import QueryLog
from sinks.engine.session import Engine

if TYPE_CHECKING:
    from pathlib import Path

    from sinks.engine.options import Options

READ_BYTES = 1 << 20
_CLEANUP_S = 1.0


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
    """Open the engine, tell the address, answer until SIGTERM or SIGINT, and let running requests finish.

    Raises ValueError for an address that others can reach without TLS, and for a certificate that is none.
    """
    check_address(options)
    encryption = _encryption(options)
    accounts = Accounts(options.secrets)
    engine = Engine(options)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):  # after the engine, which sets handlers of its own
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # What a client sends instead of HTTP may hold a password, and aiohttp would print it.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", _door(engine, accounts, options).handle)
    runner = web.AppRunner(
        app,
        access_log=None,
        auto_decompress=False,  # the door unpacks itself: in pieces, with a bound, and lz4 too
        handler_cancellation=True,  # a client that went away waits for nothing
        read_bufsize=READ_BYTES,
        max_line_size=1 << 20,  # statements and parameters may stand in the address
        shutdown_timeout=options.stop_seconds,
    )
    await runner.setup()
    site = web.TCPSite(runner, options.host, options.port, ssl_context=encryption)
    await site.start()
    if options.inside_port is not None:
        await web.TCPSite(runner, LOOPBACK, options.inside_port).start()
    _tell(options, port=site.port, engine=engine)
    await stop.wait()
    with suppress(TimeoutError):  # a statement that nobody waits for any more may still hold its request
        await asyncio.wait_for(runner.cleanup(), options.stop_seconds + _CLEANUP_S)
    engine.close()


def _door(engine: Engine, accounts: Accounts, options: Options) -> Door:
    sizes = {Account.WRITER: options.body_bytes_max, Account.READER: options.reader_body_bytes_max}
    bodies = options.data / "incoming"
    shutil.rmtree(bodies, ignore_errors=True)
    incoming = {account: Incoming(bodies / account, bytes_max=size) for account, size in sizes.items()}
    return Door(engine, accounts, incoming, QueryLog(options.data), options)


def _encryption(options: Options) -> ssl.SSLContext | None:
    if options.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(options.certificate, options.key)
    except OSError as error:  # of which SSLError is one
        raise ValueError(
            f"the certificate {options.certificate} with the key {options.key} cannot be used: {error}; "
            "both must be PEM, and belong together"
        ) from error
    return context


def _tell(options: Options, *, port: int, engine: Engine) -> None:
    """Print the address as one line of JSON, and write it to the address file, whole or not at all."""
    address = {
        "host": options.host,
        "port": port,
        "pid": os.getpid(),
        "version": engine.version,
        "zone": engine.zone,
        "secure": options.certificate is not None,
    }
    line = json.dumps(address) + "\n"
    if options.address_file:
        draft = options.address_file.with_name(f"{options.address_file.name}.{os.getpid()}.new")
        draft.write_text(line)
        draft.replace(options.address_file)
    sys.stdout.write(line)
    sys.stdout.flush()
