"""The sink's loopback port: health, metrics, and the barrier for those who know its token."""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from sinks.writer.barrier import Barrier, BarrierError

if TYPE_CHECKING:
    from pathlib import Path

    from sinks.writer.health import Health

HOST = "127.0.0.1"
BODY_BYTES_MAX = 4096
Answer = tuple[int, Mapping[str, Any]]


class Door:
    """Answers on its own threads until closed. `port` 0 takes a free one."""

    def __init__(self, health: Health, barrier: Barrier, *, token: str, port: int = 0) -> None:
        self._health = health
        self._barrier = barrier
        self._token = token
        self._server = ThreadingHTTPServer((HOST, port), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="door", daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def tell(self, file: Path) -> None:
        """Write the address, whole or not at all."""
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{os.getpid()}.new")
        draft.write_text(json.dumps({"host": HOST, "port": self.port, "pid": os.getpid()}) + "\n")
        draft.replace(file)

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    def read(self, path: str) -> tuple[int, str, str]:
        """Status, content type and body of a question."""
        if path == "/health":
            status = 200 if self._health.started else 503
            return status, "application/json", json.dumps(self._health.as_json(time.time()))
        if path == "/metrics":
            return 200, "text/plain; version=0.0.4", self._health.as_metrics(time.time())
        known = "there are /health and /metrics, /hold, /renew and /release"
        return 404, "application/json", json.dumps({"error": known})

    def change(self, path: str, authorization: str, body: bytes) -> Answer:
        """Hold, renew or release."""
        actions: dict[str, Callable[[Any], Mapping[str, Any]]] = {
            "/hold": self._hold,
            "/renew": self._renew,
            "/release": self._release,
        }
        if not secrets.compare_digest(authorization.encode(), f"Bearer {self._token}".encode()):
            return 401, {"error": "send the secret of the sink's token file as Authorization: Bearer …"}
        if path not in actions:
            return 404, {"error": "there are /hold, /renew and /release"}
        try:
            return 200, actions[path](json.loads(body or b"{}"))
        except BarrierError as error:
            return 409, {"error": str(error)}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            bodies = 'send {"seconds": 30} to hold, {"lease": "…"} to release, both to renew'
            return 400, {"error": f"{bodies} ({error})"}

    def _hold(self, asked: Any) -> Mapping[str, Any]:
        lease = self._barrier.hold(float(asked["seconds"]))
        return {
            "lease": lease,
            "seconds": float(asked["seconds"]),
            "epoch": self._health.epoch,
            "marks": [
                {
                    "topic": topic,
                    "partition": partition,
                    "log": mark.log,
                    "position": mark.position,
                    "accepted": {name: getattr(mark.accepted, name) for name in mark.accepted.__struct_fields__},
                }
                for (topic, partition), mark in sorted(self._health.stored.items())
            ],
        }

    def _renew(self, asked: Any) -> Mapping[str, Any]:
        self._barrier.renew(str(asked["lease"]), float(asked["seconds"]))
        return {"renewed": True}

    def _release(self, asked: Any) -> Mapping[str, Any]:
        self._barrier.release(str(asked["lease"]))
        return {"released": True}


def read_token(file: Path) -> str:
    """Read the secret in `file`, made with 0600 when absent. Raises PermissionError when others can read it."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = file.with_name(f"{file.name}.{os.getpid()}.new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(24) + "\n")
        draft.replace(file)
    if file.stat().st_mode & 0o077:
        raise PermissionError(f"{file} can be read by others; run: chmod 600 {file}, or delete it for a new secret")
    return file.read_text().strip()


def _handler(door: Door) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 30  # of a client that says nothing

        def do_GET(self) -> None:
            self._answer(*door.read(self.path))

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > BODY_BYTES_MAX:
                self._answer(413, "application/json", json.dumps({"error": "the body is too large"}))
                return
            status, said = door.change(self.path, self.headers.get("Authorization", ""), self.rfile.read(length))
            self._answer(status, "application/json", json.dumps(said))

        def _answer(self, status: int, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing: every scrape would be a line."""

    return Handler
