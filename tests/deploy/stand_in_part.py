"""A stand-in for the sink (argument `sink`) or a worker (`worker`): ready like the real ones, without doing anything.

Each start adds a line to `starts` in the folder of the data: its name, its process id, how many preparations were
made before it, and whether the sink answered. A file `fail-<name>` there makes it end at
once with code 70; `deaf-<name>` lets it run without ever being ready. On SIGUSR1 it ends as
for a hole in the log.
"""

import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, NoReturn

from deploy.stack.answering import sink_answers
from hotline.data_folder import tell_ready
from hotline.ends import EXIT_HOLE
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
    signal.signal(signal.SIGUSR1, lambda *_: os._exit(EXIT_HOLE))
    settings, _ = load()
    name = kind if kind == "sink" else settings.process
    with (settings.data / "starts").open("a") as starts:
        starts.write(f"{name} {os.getpid()} {prepared(settings)} {sink_answers(settings)}\n")
    if (settings.data / f"fail-{name}").exists():
        sys.stderr.write(f"the {name} cannot: told so by a test\n")
        sys.stderr.flush()
        os._exit(70)
    if not (settings.data / f"deaf-{name}").exists():
        tell(kind, settings)
    threading.Event().wait()
    raise AssertionError


def prepared(settings: Settings) -> int:
    file = settings.data / "prepared"
    return len(file.read_text().splitlines()) if file.exists() else 0


def tell(kind: str, settings: Settings) -> None:
    if kind == "worker":
        tell_ready(settings.folder.ready(settings.process))
        return
    HTTPServer(("127.0.0.1", settings.sink_health_port), Health).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
