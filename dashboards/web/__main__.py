"""`python -m dashboards.web`: serve the boards, as the stack runs it; its settings come from the environment."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
import sys
from typing import TYPE_CHECKING

from aiohttp import web

from dashboards.web import access, server
from dashboards.web.descriptors import room_for
from dashboards.web.feeds import VIEWERS_MAX
from hotline.data_folder import tell_ready
from hotline.lean import without_pandas
from hotline.settings import SettingsError, load

if TYPE_CHECKING:
    from hotline.settings import Settings

LOG = logging.getLogger(__name__)


def main() -> int:
    """Serve until SIGTERM or SIGINT; 2 when that could not begin."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(_serve(load(None)[0]))
    except (SettingsError, OSError) as error:
        sys.stderr.write(f"the web board did not start: {error}\n")
        return 2
    return 0


async def _serve(settings: Settings) -> None:
    ended = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, ended.set)
    token = access.token_in(settings.folder.password_file("web")) if settings.web else None
    runner = server.runner(server.make(settings, token=token, viewers_max=room_for(VIEWERS_MAX)))
    await runner.setup()
    try:
        await _listen(runner, settings)
        tell_ready(settings.folder.ready("web"))
        await ended.wait()
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, settings: Settings) -> None:
    """Take the address. Raises SettingsError when somebody else has it, or this machine does not."""
    host, _, port = settings.web.rpartition(":") if settings.web else ("127.0.0.1", "", str(settings.web_port))
    tls = _tls(settings) if settings.web else None
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port), ssl_context=tls).start()
    except OSError as error:
        name = "web" if settings.web else "web_port"
        raise SettingsError(
            f"{host}:{port} of the setting {name} cannot be listened at ({error.strerror or error}): stop what has "
            "it, or set another"
        ) from error
    LOG.info("boards are served at %s", ", ".join(f"{at[0]}:{at[1]}" for at in runner.addresses))


def _tls(settings: Settings) -> ssl.SSLContext:
    """The settings' certificate and key. Raises SettingsError for files that are none, or do not belong together."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.web_certificate_file, settings.web_key_file)
    except OSError as error:
        raise SettingsError(
            f"web_certificate_file is {settings.web_certificate_file} and web_key_file {settings.web_key_file}, which "
            f"cannot be used together ({error}): name a certificate chain and its key, both in PEM"
        ) from error
    return context


if __name__ == "__main__":
    without_pandas()
    sys.exit(main())
