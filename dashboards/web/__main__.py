"""`python -m dashboards.web`: serve the boards, as the stack runs it; its settings come from the environment."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
from typing import TYPE_CHECKING

from aiohttp import web

from dashboards.web import access, server
from hotline.data_folder import tell_ready
from hotline.lean import without_pandas
from hotline.settings import load

if TYPE_CHECKING:
    from hotline.settings import Settings


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(_serve(load(None)[0]))


async def _serve(settings: Settings) -> None:
    ended = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, ended.set)
    token = access.token_in(settings.folder.password_file("web")) if settings.web else None
    runner = server.runner(server.make(settings, token=token))
    await runner.setup()
    try:
        host, _, port = settings.web.rpartition(":") if settings.web else ("127.0.0.1", "", str(settings.web_port))
        tls = _tls(settings) if settings.web else None
        await web.TCPSite(runner, host.strip("[]"), int(port), ssl_context=tls).start()
        tell_ready(settings.folder.ready("web"))
        await ended.wait()
    finally:
        await runner.cleanup()


def _tls(settings: Settings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.web_certificate_file, settings.web_key_file)
    return context


if __name__ == "__main__":
    without_pandas()
    main()
