"""Keeping the sink still while something is read that must not move."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from hotline.settings import Settings

LEASE_S = 120.0
"""How long the sink waits for one piece of work before it goes on by itself."""
READ_LEASE_S = 6.0
"""The same where nothing is added: who reads begins the lease anew again and again, and if killed stops nobody long."""
WAIT_S = LEASE_S + 30.0
"""How long another lease is waited for: longer than that of one who was killed, which nobody gives back."""
SINK_WAIT_S = 15.0
"""How long a sink that does not answer is waited for, once: it may be starting."""
_POLL_S = 0.2
_HOST = "127.0.0.1"


class HoldError(RuntimeError):
    """The sink is there and cannot be held; the message says why and what to do."""


class Lease:
    """What a hold gives while it lasts: the epoch of the sink that stands still."""

    def __init__(self, epoch: int | None, renew: Callable[[], bool] = lambda: True) -> None:
        self.epoch = epoch
        """Statements that carry it insert nothing once another sink took over; None when no sink was there to hold."""
        self._renew = renew

    def renew(self) -> None:
        """Begin the lease anew. Raises HoldError when it has ended: what was read under it may have moved."""
        if not self._renew():
            raise HoldError("the sink went on meanwhile: what was read may have moved; do the same again")


Holding = Callable[[], AbstractContextManager[Lease]]


@contextmanager
def no_hold() -> Iterator[Lease]:
    """Hold nothing, as where no sink ever was."""
    yield Lease(epoch=0)


class Hold:
    """Holds the sink of a data folder, piece by piece: `with hold(): …`; without a sink nothing, and it says so."""

    def __init__(
        self,
        settings: Settings,
        *,
        lease_s: float = LEASE_S,
        sink_wait_s: float = SINK_WAIT_S,
        kept_s: float = 0.0,
    ) -> None:
        """`kept_s`: for so long a lease begins anew by itself while its block runs."""
        self._folder = settings.folder
        self._lease_s = lease_s
        self._kept_s = kept_s
        self._sink_until = time.monotonic() + sink_wait_s
        self.notes: list[str] = []
        """Why what was read may not have stood still; empty when it did."""

    @classmethod
    def to_read(cls, settings: Settings) -> Self:
        """Hold it for who only reads and, if killed, keeps it waiting for a moment.

        Not for who adds: what is added under a lease must not outlive whoever holds it.
        """
        return cls(settings, lease_s=READ_LEASE_S, kept_s=LEASE_S)

    @contextmanager
    def __call__(self) -> Iterator[Lease]:
        """Wait for the batch in hand, hold the sink for the block, and let it go whatever happens.

        Raises HoldError when the sink refuses.
        """
        taken = self._take()
        if taken is None:
            yield Lease(epoch=None)
            return
        name = str(taken["lease"])
        try:
            with self._kept(name) if self._kept_s else nullcontext():
                yield Lease(int(taken["epoch"]), lambda: self._renewed(name) is True)
        finally:
            self._give_back(name)

    @contextmanager
    def _kept(self, lease: str) -> Iterator[None]:
        over, until = threading.Event(), time.monotonic() + self._kept_s

        def keep() -> None:
            while not over.wait(self._lease_s / 4) and time.monotonic() < until and self._renewed(lease) is not False:
                pass

        keeping = threading.Thread(target=keep, name="lease", daemon=True)
        keeping.start()
        try:
            yield
        finally:
            over.set()
            keeping.join()

    def _take(self) -> Any:
        """Take the lease: the sink's answer, None without a sink."""
        deadline = time.monotonic() + WAIT_S
        while True:
            port = self._port()
            answer = self._post(port, "/hold", {"seconds": self._lease_s}) if port else None
            if answer and answer[0] == http.client.OK:
                return answer[1]
            if answer and (answer[0] != http.client.CONFLICT or time.monotonic() > deadline):
                why = answer[1].get("error", answer[0])
                raise HoldError(f"the sink cannot be held: {why}; try again in a while")
            if not answer and time.monotonic() > self._sink_until:
                self._note(self._without_sink())
                return None
            time.sleep(_POLL_S)

    def _give_back(self, lease: str) -> None:
        port = self._port()
        answer = self._post(port, "/release", {"lease": lease}) if port else None
        if answer is None:
            self._note("the sink ended meanwhile")
        elif answer[0] != http.client.OK:
            longest_s = max(self._lease_s, self._kept_s)
            self._note(f"the lease of {longest_s:g} s ended meanwhile: the sink went on, or was started again")

    def _renewed(self, lease: str) -> bool | None:
        """Whether it begins anew; None when nobody answered, as may be once."""
        port = self._port()
        body = {"lease": lease, "seconds": self._lease_s}
        answer = self._post(port, "/renew", body, within_s=self._lease_s / 4) if port else None
        return None if answer is None else answer[0] == http.client.OK

    def _without_sink(self) -> str:
        if any(self._folder.sink.glob("*.batch")):
            return "the sink is down in the middle of a batch: differences may be what it has yet to store"
        return "the sink is down: nothing was held, and nothing moves"

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _port(self) -> int | None:
        try:
            return int(json.loads((self._folder.run / "sink.json").read_text())["port"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _token(self) -> str:
        file = self._folder.secrets / "sink.token"
        try:
            return file.read_text().strip()
        except OSError as error:
            raise HoldError(f"cannot read {file} ({error.strerror}): only the sink's owner may hold it") from error

    def _post(
        self, port: int, path: str, body: dict[str, Any], *, within_s: float | None = None
    ) -> tuple[int, Any] | None:
        """Ask the sink; None when nobody answers, at once or in time: what is asked for may wait for a batch."""
        headers = {"Authorization": f"Bearer {self._token()}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(_HOST, port, timeout=within_s or self._lease_s + 10)
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()
