"""What every broker of ours can do: start, answer, stop."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from kafka.errors import KafkaError

from deploy.brokers.admin import BrokerError, open_admin
from deploy.brokers.profile import Profile
from deploy.ports import answers, free_port
from deploy.processes import Child


class Broker(ABC):
    """One broker process on 127.0.0.1 with a folder of its own.

    `port` is chosen once when not given and kept over restarts, as is the folder. Nothing runs before `start`.
    """

    profile: ClassVar[Profile]
    start_timeout_s: ClassVar[float]
    stop_grace_s: ClassVar[float]
    environment: ClassVar[Mapping[str, str]] = {}
    poll_s: ClassVar[float] = 0.05

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.folder = folder.absolute()
        self.port = free_port() if port is None else port
        self._child: Child | None = None

    @property
    def bootstrap(self) -> str:
        """The address for clients, "127.0.0.1:port"."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """The file that receives what the broker prints."""
        return self.folder / "broker.log"

    @property
    def pid(self) -> int | None:
        """The id of the broker's process, None when it does not run."""
        return self._child.pid if self._child else None

    @property
    @abstractmethod
    def cluster_id(self) -> str | None:
        """The identity of the log behind the offsets, None before the first start.

        Offsets seen under one id mean nothing under another: Kafka keeps its id with its data, the embedded broker
        takes a new one at each start.
        """

    @abstractmethod
    def _command(self) -> list[str]:
        """Prepare the folder and return the command line, to be run in it.

        Raises BrokerError with a remedy when something is missing.
        """

    def alive(self) -> bool:
        """Tell whether the broker's process runs."""
        return self._child is not None and self._child.alive()

    def start(self, *, timeout_s: float | None = None) -> None:
        """Start it and return when it answers an admin request under its own cluster id. Harmless when it runs.

        Raises BrokerError with the log's tail and a remedy when it ends, or does not answer in `timeout_s` seconds
        (default: generous for a busy machine); then nothing is left running.
        """
        if self.alive():
            return
        if answers("127.0.0.1", self.port):
            raise BrokerError(f"port {self.port} is taken by another program: stop it, or choose another port")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._child = Child(self._command(), log=self.log, cwd=self.folder, env=self.environment)
        self._child.start()
        try:
            self._await(self._child, self.start_timeout_s if timeout_s is None else timeout_s)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End it in order (SIGTERM), by SIGKILL after a bound. Harmless when it does not run."""
        if self._child:
            self._child.stop(self.stop_grace_s)

    def kill(self) -> None:
        """End it at once (SIGKILL), as a crash would."""
        if self._child:
            self._child.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _await(self, child: Child, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not self._answers():
            if not child.alive():
                raise self._failure(child, f"ended with code {child.exit_code} instead of starting")
            if time.monotonic() > deadline:
                raise self._failure(child, f"did not answer on {self.bootstrap} within {timeout_s:g} s")
            time.sleep(self.poll_s)

    def _answers(self) -> bool:
        # The port first: kafka-python leaves a thread behind for each admin client that finds nobody.
        if not answers("127.0.0.1", self.port):
            return False
        try:
            with open_admin(self.bootstrap, timeout_s=5) as admin:
                found = admin.describe_cluster()["cluster_id"]
        except (BrokerError, KafkaError):
            return False
        if found and found != self.cluster_id:
            raise BrokerError(f"{self.bootstrap} is answered by another broker (cluster {found}): choose another port")
        return bool(found)

    def _failure(self, child: Child, what: str) -> BrokerError:
        tail = child.log_tail()
        return BrokerError(f"the {self.profile.name} broker {what}: {remedy(tail)}\nlast lines of {self.log}:\n{tail}")


_REMEDIES = {
    "Address already in use": "stop the program that holds the port, or choose another port",
    "UnsupportedClassVersionError": "install Java 17 or newer (apt-get install openjdk-17-jre-headless)",
    "Could not reserve enough space": "free some memory",
    "No space left on device": "free some space on the disk",
    "Failed to acquire lock on file": "stop the broker that uses this folder, or choose another folder",
}


def remedy(tail: str) -> str:
    """Name the cure for a cause that a broker's log shows."""
    return next(
        (cure for cause, cure in _REMEDIES.items() if cause in tail), "the log says why; correct that and retry"
    )
