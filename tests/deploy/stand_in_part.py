"""A stand-in for the sink (argument `sink`) or a worker (`worker`): ready like the real ones, without doing anything.

Each start adds a line "name pid" to `starts` in the folder of the data. A file `fail-<name>` there makes it end at
once with code 70; `deaf-<name>` lets it run without ever being ready.
"""

import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, NoReturn

from hotline.data_folder import tell_ready
from hotline.settings import Settings, load


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ready\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  as in the base class
        pass


def main(kind: str) -> NoReturn:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    settings, _ = load()
    name = kind if kind == "sink" else f"worker-{settings.worker}"
    with (settings.data / "starts").open("a") as starts:
        starts.write(f"{name} {os.getpid()} {settings.bootstrap} {settings.clickhouse_url}\n")
    if (settings.data / f"fail-{name}").exists():
        sys.stderr.write(f"the {name} cannot: told so by a test\n")
        sys.stderr.flush()
        os._exit(70)
    if not (settings.data / f"deaf-{name}").exists():
        tell(kind, settings)
    threading.Event().wait()
    raise AssertionError


def tell(kind: str, settings: Settings) -> None:
    if kind == "worker":
        tell_ready(settings.folder.worker_ready(settings.worker))
        return
    HTTPServer(("127.0.0.1", settings.sink_health_port), Health).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
