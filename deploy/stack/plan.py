"""The parts that settings ask for, in the order in which they start."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from deploy.stack.answering import broker_answers, engine_answers, sink_answers
from deploy.stack.broker_part import BrokerPart
from deploy.stack.children import child_environment, module
from deploy.stack.errors import StackError
from deploy.stack.log_keeper import LogKeeper
from deploy.stack.part import ForeignPart, Part, ProcessPart
from deploy.stack.ports import choose_ports
from deploy.stack.preparing import Preparations, prepare_broker
from hotline.data_folder import told_ready
from hotline.ends import EXIT_HOLE
from hotline.settings import Settings

_MIB = 1 << 20
_SPOOL_TIMEOUT_S = 900.0  # the sink finishes its spool before it says it is ready; killing it would only begin anew


@dataclass(frozen=True)
class Programs:
    """The commands of the parts, and what is prepared between them."""

    engine: Sequence[str] = field(default_factory=lambda: module("sinks.engine"))
    sink: Sequence[str] = field(default_factory=lambda: module("sinks.writer"))
    worker: Sequence[str] = field(default_factory=lambda: module("streams"))
    web: Sequence[str] = field(default_factory=lambda: module("dashboards.web"))
    changing: Sequence[str] = field(default_factory=lambda: module("deploy.stack.changing"))
    preparations: Preparations = field(default_factory=Preparations)


def resolve(settings: Settings) -> Settings:
    """Fill in the addresses of the parts that are the stack's own, the same over their restarts.

    Raises StackError for a broker or a door that cannot be another's, and for files of the door that cannot be read.
    """
    if settings.bootstrap and settings.broker == "embedded":
        raise StackError(
            f"bootstrap is {settings.bootstrap}, but the embedded broker belongs to the stack: "
            "set broker to kafka (HOTLINE_BROKER=kafka), or leave bootstrap out"
        )
    _check_outside(settings)
    wanted = {
        "engine": settings.engine_port,
        "broker": settings.broker_port,
        "sink": settings.sink_health_port,
        "web": settings.web_port,
    }
    ports = choose_ports(settings.folder.ports, wanted)
    return msgspec.structs.replace(
        settings,
        clickhouse_url=settings.clickhouse_url or f"http://127.0.0.1:{ports['engine']}",
        bootstrap=settings.bootstrap or f"127.0.0.1:{ports['broker']}",
        sink_health_port=ports["sink"],
        web_port=ports["web"],
    )


def _check_outside(settings: Settings) -> None:
    if settings.door and settings.clickhouse_url:
        raise StackError(
            f"door is {settings.door}, but the engine at {settings.clickhouse_url} is another's: "
            "leave out door, or clickhouse_url"
        )
    for opened in ("door", "web"):
        for name in (f"{opened}_certificate_file", f"{opened}_key_file"):
            file = getattr(settings, name)
            if getattr(settings, opened) and not os.access(file, os.R_OK):
                raise StackError(f"{name} is {file}, which is not there or cannot be read: name a PEM file")


def plan(asked: Settings, resolved: Settings, programs: Programs) -> list[Part]:
    """List the parts; `resolved` is what `resolve` made of `asked`."""
    workers = [
        _streams(msgspec.structs.replace(resolved, worker=number), programs) for number in range(resolved.workers)
    ]
    roll = _streams(msgspec.structs.replace(resolved, agents="roll", workers=1, worker=0), programs)
    before = [_engine(asked, resolved, programs), _broker(asked, resolved, programs), _sink(resolved, programs)]
    return [*before, *workers, roll, *([_web(resolved, programs)] if resolved.boards else [])]


def log_keeper(parts: Sequence[Part], resolved: Settings, programs: Programs) -> LogKeeper | None:
    """Give the keeper of the log of a broker that frees nothing by itself; None for any other."""
    for part in parts:
        if isinstance(part, BrokerPart) and not part.broker.profile.frees_memory_by_itself:
            return LogKeeper(
                part,
                programs.changing,
                bytes_max=resolved.log_bytes_max,
                log=resolved.folder.log / "changing.log",
                env=child_environment(resolved),
                cwd=resolved.folder.root,
            )
    return None


def _engine(asked: Settings, resolved: Settings, programs: Programs) -> Part:
    prepare = partial(programs.preparations.migrate, resolved)
    if asked.clickhouse_url:
        return ForeignPart(
            "engine", answers=partial(engine_answers, resolved), address=resolved.clickhouse_url, prepare=prepare
        )
    folder = resolved.folder
    memory = resolved.engine_memory_bytes_max // _MIB
    options = ["--data", str(folder.engine), "--secrets", str(folder.secrets), "--zone", resolved.zone]
    return ProcessPart(
        "engine",
        [*programs.engine, *options, *_addresses(resolved), "--memory-mib", str(memory)],
        answers=lambda _: engine_answers(resolved),
        log=folder.log / "engine.log",
        env=child_environment(resolved),
        cwd=folder.root,
        address=resolved.clickhouse_url,
        prepare=prepare,
    )


def _addresses(resolved: Settings) -> list[str]:
    """Give the engine's options for where it listens: for the stack itself, and for others if they are let in."""
    port = resolved.clickhouse_url.rpartition(":")[2]
    if not resolved.door:
        return ["--port", port]
    host, _, outside = resolved.door.rpartition(":")
    files = ["--certificate", _absolute(resolved.door_certificate_file), "--key", _absolute(resolved.door_key_file)]
    return ["--host", host.strip("[]"), "--port", outside, *files, "--inside-port", port]


def _absolute(file: str) -> str:
    """Give a file that is named from where the user stands as the parts find it, which stand elsewhere."""
    return str(Path(file).absolute())


def _broker(asked: Settings, resolved: Settings, programs: Programs) -> Part:
    prepare = partial(prepare_broker, resolved, programs.preparations)
    if asked.bootstrap:
        answers = partial(broker_answers, resolved)
        return ForeignPart("broker", answers=answers, address=resolved.bootstrap, needs=["engine"], prepare=prepare)
    from deploy.brokers import BROKERS

    port = int(resolved.bootstrap.rpartition(":")[2])
    broker = BROKERS[resolved.broker](resolved.folder.broker, port=port)
    return BrokerPart(broker, needs=["engine"], prepare=prepare)


def _sink(resolved: Settings, programs: Programs) -> Part:
    return ProcessPart(
        "sink",
        programs.sink,
        answers=lambda _: sink_answers(resolved),
        log=resolved.folder.log / "sink.log",
        env=child_environment(resolved),
        cwd=resolved.folder.root,
        address=f"http://127.0.0.1:{resolved.sink_health_port}",
        needs=["engine", "broker"],
        falls_with=["broker"],
        start_timeout_s=_SPOOL_TIMEOUT_S,
    )


def _streams(own: Settings, programs: Programs) -> Part:
    """Make the part of a process of agents, whose own settings these are."""
    from deploy.brokers import BROKERS

    return ProcessPart(
        own.process,
        programs.worker,
        answers=partial(told_ready, own.folder.ready(own.process)),
        log=own.folder.log / f"{own.process}.log",
        env=child_environment(own),
        cwd=own.folder.root,
        needs=["engine", "broker", "sink"],
        falls_with=["broker"],
        blames={} if BROKERS[own.broker].profile.durable else {EXIT_HOLE: "broker"},  # what it held is sent again
        start_timeout_s=180.0,
    )


def _web(resolved: Settings, programs: Programs) -> Part:
    """Make the part that serves boards: it reads what is stored, and needs nobody else."""
    own = msgspec.structs.replace(
        resolved,
        web_certificate_file=_absolute(resolved.web_certificate_file) if resolved.web else "",
        web_key_file=_absolute(resolved.web_key_file) if resolved.web else "",
    )
    return ProcessPart(
        "web",
        programs.web,
        answers=partial(told_ready, own.folder.ready("web")),
        log=own.folder.log / "web.log",
        env=child_environment(own),
        cwd=own.folder.root,
        address=boards_url(own),
        serves="boards",
        needs=["engine"],
    )


def boards_url(resolved: Settings) -> str:
    """The address of the boards."""
    return f"https://{resolved.web}" if resolved.web else f"http://127.0.0.1:{resolved.web_port}"
