"""`python -m tests.versions`: `up` runs a stack with workers of the version that a file beside its data folder says.

The file `deployed` holds the version and the number of the deployment. `worker` is such a worker, and any number is a
version whose command follows.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.versions.later import install, install_migration


def _up() -> None:
    from cli.output import say
    from deploy.stack.plan import Programs, module
    from deploy.stack.running import run_stack
    from hotline.settings import load

    run_stack(load()[0], say=say, programs=Programs(worker=[*module("tests.versions"), "worker"]))


def _worker() -> None:
    version, deployment = (Path(os.environ["HOTLINE_DATA"]).parent / "deployed").read_text().split()
    os.environ["HOTLINE_DEPLOYMENT"] = deployment
    install(int(version))
    from streams.__main__ import worker_app
    from streams.worker import run_worker

    sys.argv = sys.argv[:1]
    run_worker(worker_app())


def _command(version: int, arguments: list[str]) -> int:
    install(version)
    install_migration()
    from cli.main import run

    return run(arguments)


if __name__ == "__main__":
    if sys.argv[1] == "up":
        _up()
    elif sys.argv[1] == "worker":
        _worker()
    else:
        sys.exit(_command(int(sys.argv[1]), sys.argv[2:]))
