"""``python -m sinks.engine``: run the embedded engine until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

from hotline.lean import without_pandas
from hotline.zone_names import zone
from sinks.engine.options import MIB, Options
from sinks.engine.serve import FolderInUseError, own, serve


def main(arguments: list[str] | None = None) -> int:
    """Run it; 0 after a clean stop, 2 when it could not start."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    try:
        options = _options(_parser().parse_args(arguments))
        with own(options.data):
            # Not asyncio.run, which would wait for whatever still runs when the time to stop is over.
            asyncio.new_event_loop().run_until_complete(serve(options))
            sys.stdout.flush()
            os._exit(0)  # a statement that outlived the time to stop must not hold the process
    except (OSError, ValueError, FolderInUseError, RuntimeError) as error:
        sys.stderr.write(f"the engine did not start: {error}\n")
        return 2


def _options(given: argparse.Namespace) -> Options:
    default = Options(data=Path(), secrets=Path(), zone="")
    return Options(
        data=given.data.resolve(),
        secrets=given.secrets.resolve(),
        zone=zone(given.zone).key,
        host=given.host,
        port=given.port,
        certificate=given.certificate.resolve() if given.certificate else None,
        key=given.key.resolve() if given.key else None,
        inside_port=given.inside_port,
        address_file=given.address_file.resolve() if given.address_file else None,
        databases=tuple(given.database or default.databases),
        pool=given.pool,
        reader_pool=given.reader_pool,
        body_bytes_max=given.body_mib * MIB,
        memory_bytes_max=given.memory_mib * MIB,
        light_bytes_max=min(given.light_mib * MIB, given.memory_mib * MIB // 16),  # a quarter is always the writer's
        reader_bytes_max=min(given.reader_mib * MIB, given.memory_mib * MIB // 2),
        reader_rows_max=given.reader_rows,
        reader_seconds_max=given.reader_seconds,
        writer_seconds_max=given.writer_seconds,
        stall_seconds_max=given.stall_seconds,
        stop_seconds=given.stop_seconds,
    )


def _parser() -> argparse.ArgumentParser:
    default = Options(data=Path(), secrets=Path(), zone="")
    parser = argparse.ArgumentParser(prog="python -m sinks.engine", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder it owns")
    parser.add_argument("--secrets", type=Path, required=True, metavar="DIR", help="the folder of the passwords")
    parser.add_argument("--zone", required=True, help="the server's time zone, such as Asia/Shanghai")
    parser.add_argument("--host", default=default.host, help="where to listen; beyond loopback only with TLS")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="certificate chain in PEM, for TLS")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its private key in PEM")
    parser.add_argument("--inside-port", type=int, help="a port on 127.0.0.1 besides, without TLS")
    parser.add_argument(
        "--database", action="append", metavar="NAME", help=f"one the reader may read ({', '.join(default.databases)})"
    )
    parser.add_argument("--address-file", type=Path, metavar="FILE", help="where to write the address")
    parser.add_argument("--pool", type=int, default=default.pool, help="the writer's, at a time (%(default)s)")
    parser.add_argument(
        "--reader-pool", type=int, default=default.reader_pool, help="the reader's statements at a time (%(default)s)"
    )
    for name, value, text in (
        ("body-mib", default.body_bytes_max // MIB, "largest body, packed and unpacked together"),
        ("memory-mib", default.memory_bytes_max // MIB, "memory of the whole engine"),
        ("light-mib", default.light_bytes_max // MIB, "memory of one of the reader's statements beside others"),
        ("reader-mib", default.reader_bytes_max // MIB, "memory of one of the reader's statements that runs alone"),
        ("reader-rows", default.reader_rows_max, "rows of one of the reader's results"),
        ("reader-seconds", default.reader_seconds_max, "time of one of the reader's statements"),
        ("writer-seconds", default.writer_seconds_max, "time of one of the writer's statements"),
        ("stall-seconds", default.stall_seconds_max, "time for a client to take the next piece of its answer"),
        ("stop-seconds", default.stop_seconds, "time for running statements at a stop"),
    ):
        parser.add_argument(f"--{name}", type=type(value), default=value, help=f"{text} (%(default)s)")
    return parser


if __name__ == "__main__":
    without_pandas()
    sys.exit(main())
