"""A wire between a client and the engine that loses answers: the statement takes effect and nobody hears of it."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD_END = b"\r\n\r\n"


class LossyWire:
    """Forwards HTTP requests one by one; of those that hold `losing` the answer is kept back.

    `times` answers are lost, then all come through. `stalls`: the client is left waiting instead of being cut off.
    """

    def __init__(self, port: int, losing: bytes, *, times: int, stalls: bool = False) -> None:
        self._port, self._losing, self._stalls = port, losing, stalls
        self.left = times
        self.lost = threading.Event()
        """Set when a statement took effect whose answer was lost."""
        self._closing = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def cut_off(self) -> None:
        """End the connections of those that are left waiting."""
        self._closing.set()

    def close(self) -> None:
        self.cut_off()
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            while request := _message(client):
                with socket.create_connection(("127.0.0.1", self._port)) as engine:
                    engine.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
                    answer = b"".join(iter(lambda: engine.recv(1 << 16), b""))
                if self._losing in request and self.left:
                    self.left -= 1
                    self.lost.set()
                    if self._stalls:
                        self._closing.wait()
                    return
                client.sendall(answer)
                return  # one request a connection: the engine closes it, too


def _message(client: socket.socket) -> bytes:
    """Read one request, whose length its head states or which comes in chunks."""
    got = b""
    while _HEAD_END not in got:
        more = client.recv(1 << 16)
        if not more:
            return b""
        got += more
    head, body = got.split(_HEAD_END, 1)
    lowered = head.lower()
    if b"transfer-encoding: chunked" in lowered:
        while not body.endswith(b"0\r\n\r\n"):
            body += client.recv(1 << 16)
    elif b"content-length:" in lowered:
        length = int(lowered.split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += client.recv(1 << 16)
    return head + _HEAD_END + body


@contextlib.contextmanager
def lossy_wire(port: int, losing: bytes, *, times: int, stalls: bool = False) -> Iterator[LossyWire]:
    """Give a wire to the engine on a port; closed at the end."""
    wire = LossyWire(port, losing, times=times, stalls=stalls)
    try:
        yield wire
    finally:
        wire.close()
