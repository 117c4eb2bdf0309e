"""A line between two programs that can be broken: cut, held, made slow, cut in the middle of what is said on it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Self

from deploy.brokers import KafkaBroker

if TYPE_CHECKING:
    from types import TracebackType

MET_WITHIN_S = 60.0
_PIECE = 64 << 10
_RESET = struct.pack("ii", 1, 0)
"""Close without farewell: the other side sees a reset."""


class Proxy:
    """Hands every connection to its port on to a target on this machine. All methods may be called at any time."""

    def __init__(self, target_port: int, port: int = 0) -> None:
        self._target = target_port
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._flows = threading.Event()
        self._flows.set()
        self._refusing = False
        self._answers = True
        self._mute = False
        self._unheard: set[socket.socket] = set()
        self._pause_s = 0.0
        self._cut_after = 0
        self.bites = 0
        """How often a fault met somebody: connections cut or refused, pieces held up or swallowed."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self._flows.set()
        self.cut()

    @property
    def is_used(self) -> bool:
        """Whether somebody is connected."""
        return bool(self._open)

    # -- faults ----------------------------------------------------------------------------------------------------

    def cut(self) -> None:
        """Reset every connection."""
        with self._lock:
            for one in self._open:
                _reset(one)
            self.bites += len(self._open)
            self._open.clear()

    def away(self, seconds: float) -> None:
        """Nobody is there for a while."""
        before, self._refusing = self.bites, True
        self.cut()
        self._last(seconds, before)
        self._refusing = False

    def hold(self, seconds: float) -> None:
        """Nothing passes for a while, in neither direction; then all of it does."""
        before = self.bites
        self._flows.clear()
        self._last(seconds, before)
        self._flows.set()

    def slow(self, seconds: float, pause_s: float = 0.05) -> None:
        """Every piece waits for a moment, for a while."""
        before, self._pause_s = self.bites, pause_s
        self._last(seconds, before)
        self._pause_s = 0.0

    def swallow(self, seconds: float) -> None:
        """What is asked takes effect, but nobody hears an answer: the connections end without one."""
        before, self._answers = self.bites, False
        self._last(seconds, before)
        self.cut()
        self._answers = True

    def mute(self, seconds: float) -> None:
        """What is asked takes effect, but nobody hears an answer, and no connection ends: whoever asks must give up.

        Only who did counts: connections that their askers closed after an answer to them was lost.
        """
        before, self._mute = self.bites, True
        self._last(seconds, before)
        self._mute = False
        self.cut()

    def cut_within(self, size: int) -> None:
        """Reset the connection on which the next so many bytes are asked, in the middle of them."""
        before, self._cut_after = self.bites, size
        self._last(0, before)
        self._cut_after = 0

    def _last(self, seconds: float, before: int) -> None:
        """Go on for so long, and then until somebody was met."""
        time.sleep(seconds)
        until = time.monotonic() + MET_WITHIN_S
        while self.bites == before and time.monotonic() < until:
            time.sleep(0.01)

    # -- the line --------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        while True:
            try:
                asking, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                self.bites += 1
                _reset(asking)
                continue
            try:
                answering = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            except OSError:
                _reset(asking)
                continue
            answering.settimeout(None)
            with self._lock:
                self._open |= {asking, answering}
            for one, other, asks in ((asking, answering, True), (answering, asking, False)):
                threading.Thread(target=self._hand_on, args=(one, other), kwargs={"asks": asks}, daemon=True).start()

    def _hand_on(self, source: socket.socket, sink: socket.socket, *, asks: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE):
                self.bites += bool(self._pause_s) or not self._flows.is_set()
                self._flows.wait()
                time.sleep(self._pause_s)
                if asks and self._cut_after:
                    self._cut_after -= min(len(piece), self._cut_after)
                    if not self._cut_after:
                        sink.sendall(piece[: len(piece) // 2])
                        self.bites += 1
                        break
                if asks or (self._answers and not self._mute):
                    sink.sendall(piece)
                elif self._mute:
                    self._unheard.add(sink)
                else:
                    self.bites += 1
        self.bites += asks and self._mute and source in self._unheard
        with self._lock:
            self._unheard -= {source, sink}
            self._open -= {source, sink}
        for one in (source, sink):
            _reset(one)


class BehindALine(KafkaBroker):
    """Apache Kafka that tells its clients to come by way of a proxy."""

    advertised_port: int = 0

    def _write_properties(self, data_name: str) -> None:
        super()._write_properties(data_name)
        file = self.folder / "server.properties"
        own, told = f"advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}", self.advertised_port
        text = file.read_text()
        assert own in text
        file.write_text(text.replace(own, f"advertised.listeners=PLAINTEXT://127.0.0.1:{told}"))


def _reset(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        one.shutdown(socket.SHUT_RDWR)
    one.close()
