"""``python -m sinks.engine``: run the embedded engine until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import zoneinfo
from pathlib import Path

from sinks.engine.options import MIB, Options
from sinks.engine.serve import FolderInUseError, own, serve


def main(arguments: list[str] | None = None) -> int:
    """Run it; 0 after a clean stop, 2 when it could not start."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    try:
        options = _options(_parser().parse_args(arguments))
        with own(options.data):
            asyncio.run(serve(options))
            sys.stdout.flush()
            os._exit(0)  # a statement that outlived the time to stop must not hold the process
    except (OSError, ValueError, FolderInUseError, RuntimeError) as error:
        sys.stderr.write(f"the engine did not start: {error}\n")
        return 2


def _options(given: argparse.Namespace) -> Options:
    if given.zone not in zoneinfo.available_timezones():
        raise ValueError(f"{given.zone} is no time zone; use a name such as Asia/Shanghai")
    return Options(
        data=given.data.resolve(),
        secrets=given.secrets.resolve(),
        zone=given.zone,
        port=given.port,
        address_file=given.address_file.resolve() if given.address_file else None,
        pool=given.pool,
        body_bytes_max=given.body_mib * MIB,
        memory_bytes_max=given.memory_mib * MIB,
        reader_bytes_max=given.reader_mib * MIB,
        reader_seconds_max=given.reader_seconds,
        writer_seconds_max=given.writer_seconds,
        stop_seconds=given.stop_seconds,
    )


def _parser() -> argparse.ArgumentParser:
    default = Options(data=Path(), secrets=Path(), zone="")
    parser = argparse.ArgumentParser(prog="python -m sinks.engine", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder it owns")
    parser.add_argument("--secrets", type=Path, required=True, metavar="DIR", help="the folder of the passwords")
    parser.add_argument("--zone", required=True, help="the server's time zone, such as Asia/Shanghai")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--address-file", type=Path, metavar="FILE", help="where to write the address")
    parser.add_argument("--pool", type=int, default=default.pool, help="statements at a time (%(default)s)")
    for name, value, text in (
        ("body-mib", default.body_bytes_max // MIB, "largest body, packed and unpacked together"),
        ("memory-mib", default.memory_bytes_max // MIB, "memory of the whole engine"),
        ("reader-mib", default.reader_bytes_max // MIB, "memory of one of the reader's statements"),
        ("reader-seconds", default.reader_seconds_max, "time of one of the reader's statements"),
        ("writer-seconds", default.writer_seconds_max, "time of one of the writer's statements"),
        ("stop-seconds", default.stop_seconds, "time for running statements at a stop"),
    ):
        parser.add_argument(f"--{name}", type=type(value), default=value, help=f"{text} (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
