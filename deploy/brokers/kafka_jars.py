"""The jars of Apache Kafka, resolved once by Maven into a cache folder."""

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from deploy.brokers.admin import BrokerError
from deploy.processes import Child

KAFKA_VERSION = "4.3.1"
DEFAULT_CACHE = Path("~/.cache/hotline-pulse") / f"kafka-{KAFKA_VERSION}"

# Where the system names no language, Java cannot open a folder whose name is not ASCII.
JAVA_ENVIRONMENT = {"LC_ALL": "C.UTF-8"}

_INSTALL_TIMEOUT_S = 900.0  # 10 s on an ordinary line; a slow one must come through as well
UNFINISHED = "unfinished-"


def install_kafka(cache: Path = DEFAULT_CACHE) -> Path:
    """Return the folder of Kafka's jars below `cache`, resolved by Maven when they are not there yet.

    Several processes may ask at once: one resolves, the others wait for it. A folder is complete or absent, and one
    made from other versions is never used. Raises BrokerError when Maven is missing or fails.
    """
    cache = cache.expanduser()
    pom = files("deploy.brokers").joinpath("pom.xml").read_bytes()
    jars = cache / f"jars-{hashlib.sha256(pom).hexdigest()[:12]}"
    if jars.is_dir():
        return jars
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BrokerError(f"cannot keep Kafka's jars in {cache} ({error.strerror}): name another folder") from error
    with locked(cache / "lock"):
        if not jars.is_dir():
            _resolve(cache, pom, jars)
    return jars


def _resolve(cache: Path, pom: bytes, jars: Path) -> None:
    for left_by_a_crash in cache.glob(f"{UNFINISHED}*"):
        shutil.rmtree(left_by_a_crash, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=cache))
    try:
        (work / "pom.xml").write_bytes(pom)
        _run_maven(work, cache / "install.log")
        (work / "jars").rename(jars)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _run_maven(work: Path, log: Path) -> None:
    maven = require_program("mvn", "apt-get install maven")
    goal = "dependency:copy-dependencies"
    options = ["-B", "-q", "-ntp", "-DincludeScope=runtime", "-DoutputDirectory=jars"]
    child = Child([maven, *options, goal], log=log, cwd=work, env=JAVA_ENVIRONMENT)
    code = child.run(_INSTALL_TIMEOUT_S)
    if code != 0:
        outcome = f"did not end within {_INSTALL_TIMEOUT_S:g} s" if code is None else f"ended with code {code}"
        raise BrokerError(
            f"Maven could not resolve Kafka {KAFKA_VERSION} ({outcome}): check the network and Maven's settings, "
            f"then start again, or use the embedded broker\nlast lines of {log}:\n{child.log_tail()}"
        )


def require_program(name: str, remedy: str) -> str:
    """Return the path of a program; raises BrokerError with the remedy when it is not installed."""
    path = shutil.which(name)
    if path is None:
        raise BrokerError(f"the kafka broker needs {name}, which is not on PATH: {remedy}, or use the embedded broker")
    return path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock; the kernel lets go of it when the process dies."""
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
