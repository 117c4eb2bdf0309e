"""`python -m tests.versions`: `up` runs a stack with workers of the version that a file beside its data folder says.

The file `deployed` holds the version and the number of the deployment. `worker` is such a worker, and any number is a
version; a JSON list of commands follows, which it runs one after the other, and it prints a JSON list of what became of
them: exit code, output, and what was said.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path

from tests.versions.later import install, install_migration


def _up() -> None:
    from cli.output import say
    from deploy.stack.children import module
    from deploy.stack.plan import Programs
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


def _commands(version: int, commands: list[list[str]]) -> None:
    install(version)
    install_migration()
    from cli.main import run

    done = []
    for arguments in commands:
        out, said = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
            code = run(arguments)
        done.append((code, out.getvalue(), said.getvalue()))
    sys.stdout.write(json.dumps(done))


if __name__ == "__main__":
    if sys.argv[1] == "up":
        _up()
    elif sys.argv[1] == "worker":
        _worker()
    else:
        _commands(int(sys.argv[1]), json.loads(sys.argv[2]))
