"""Apache Kafka: one node that is broker and controller at once (KRaft), durable in its folder."""

import contextlib
import shutil
import tempfile
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import ClassVar

from deploy.brokers.admin import BrokerError
from deploy.brokers.broker import Broker, remedy
from deploy.brokers.kafka_jars import (
    DEFAULT_CACHE,
    JAVA_ENVIRONMENT,
    UNFINISHED,
    install_kafka,
    locked,
    require_program,
)
from deploy.brokers.profile import KAFKA, Profile
from deploy.ports import free_port
from deploy.processes import Child

RECORD_BYTES_MAX = 20 << 20

# A small machine's broker: serial collection and the first compiler only, which halves start and memory.
_JVM = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_FORMAT_TIMEOUT_S = 60.0
_SETTINGS = "server.properties"
_LOGGING = "log4j2.properties"

# One node can hold one replica; Kafka's own topics ask for three unless told. The first rebalance of a group would
# wait 3 s for more members. Controller voters are static: with them the controller's port may change at a restart.
# Names are relative to the folder: the file is read as Latin-1, and commas separate folders.
# After a crash the controller refuses the broker until the session of its former life is over: 9 s by default.
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={data_name}
auto.create.topics.enable=false
num.partitions=1
default.replication.factor=1
min.insync.replicas=1
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=400
message.max.bytes={record_bytes_max}
replica.fetch.max.bytes={record_bytes_max}
log.retention.ms=-1
log.segment.bytes=134217728
num.network.threads=2
num.io.threads=2
"""


class KafkaBroker(Broker):
    """Apache Kafka from its jars: up in 2 to 5 s, about 300 MB; data and cluster id stay in the folder."""

    profile: ClassVar[Profile] = KAFKA
    start_timeout_s: ClassVar[float] = 90.0  # 15 s were seen on a busy machine
    stop_grace_s: ClassVar[float] = 20.0
    environment: ClassVar[Mapping[str, str]] = JAVA_ENVIRONMENT

    def __init__(self, folder: Path, *, port: int | None = None, cache: Path = DEFAULT_CACHE) -> None:
        """Describe a broker; `cache` is where the jars are kept, shared by all brokers of this machine."""
        super().__init__(folder, port=port)
        self._cache = cache

    @property
    def cluster_id(self) -> str | None:
        """The id in the folder's data, None before the first start."""
        meta = self._data / "meta.properties"
        if not meta.exists():
            return None
        return next(line.partition("=")[2] for line in meta.read_text().splitlines() if line.startswith("cluster.id="))

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _command(self) -> list[str]:
        java = require_program("java", "apt-get install openjdk-17-jre-headless (Java 17 or newer)")
        jars = install_kafka(self._cache)
        (self.folder / _LOGGING).write_bytes(files("deploy.brokers").joinpath(_LOGGING).read_bytes())
        classes = self._class_options(java, jars)
        kafka = [java, *_JVM, *classes, f"-Dlog4j2.configurationFile={_LOGGING}", "-cp", f"{jars}/*"]
        if not self._data.exists():
            self._format(kafka)
        self._write_properties(self._data.name)
        return [*kafka, "kafka.Kafka", _SETTINGS]

    def _class_options(self, java: str, jars: Path) -> list[str]:
        """Take the classes as they are after loading, where that is known: a start then takes half the time."""
        archive = _class_archive(java, jars)
        return [f"-XX:SharedArchiveFile={archive}", "-Xshare:auto"] if archive else []

    def _write_properties(self, data_name: str) -> None:
        text = _PROPERTIES.format(
            port=self.port, controller_port=free_port(), data_name=data_name, record_bytes_max=RECORD_BYTES_MAX
        )
        (self.folder / _SETTINGS).write_text(text)

    def _format(self, kafka: list[str]) -> None:
        """Make the data folder; under another name first, so that one that is there is whole."""
        forming = self.folder / "data.forming"
        shutil.rmtree(forming, ignore_errors=True)
        self._write_properties(forming.name)
        tool = ["kafka.tools.StorageTool", "format", f"--cluster-id={self._new_cluster_id()}", f"--config={_SETTINGS}"]
        child = Child([*kafka, *tool], log=self.folder / "format.log", cwd=self.folder, env=self.environment)
        code = child.run(_FORMAT_TIMEOUT_S)
        if code != 0:
            tail = child.log_tail()
            raise BrokerError(f"Kafka could not make its data folder {self._data}: {remedy(tail)}\n{tail}")
        forming.rename(self._data)

    def _new_cluster_id(self) -> str:
        """The identity that a data folder gets when it is made."""
        return urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


class _Rehearsal(KafkaBroker):
    """A broker whose JVM writes down at its end which classes it loaded, as they are then."""

    stop_grace_s: ClassVar[float] = 120.0

    def __init__(self, folder: Path, archive: Path, *, cache: Path) -> None:
        super().__init__(folder, cache=cache)
        self._archive = archive

    def _class_options(self, java: str, jars: Path) -> list[str]:
        del java, jars
        return []

    def _command(self) -> list[str]:
        java, *rest = super()._command()
        return [java, f"-XX:ArchiveClassesAtExit={self._archive}", *rest]


def _class_archive(java: str, jars: Path) -> Path | None:
    """Give the archive of the classes of these jars in this Java, made by a rehearsal when there is none yet.

    Java takes an archive only if it is of the same Java and the same jars; what is wrong with it is no reason not to
    start. None where a rehearsal wrote none.
    """
    program = Path(java).resolve().stat()
    archive = jars.with_name(f"{jars.name}-{program.st_size:x}-{program.st_mtime_ns:x}.jsa")
    try:
        if not archive.exists():
            with locked(jars.with_name("lock")):
                if not archive.exists():
                    _rehearse(archive)
        return archive if archive.stat().st_size else None
    except OSError:  # nothing can be written there
        return None


def _rehearse(archive: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=archive.parent) as work:
        written = Path(work) / "classes.jsa"
        # What hinders a rehearsal hinders the start itself, which says so.
        with contextlib.suppress(BrokerError), _Rehearsal(Path(work) / "broker", written, cache=archive.parent):
            pass
        written.touch()
        written.replace(archive)
