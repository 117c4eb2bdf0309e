"""The command `hotline` with stand-ins for the sink and the workers; engine and broker are the real ones.

What is prepared between the parts is written to `prepared` in the folder of the data, a line each.
"""

import sys

from deploy.stack import plan, running
from deploy.stack.children import module
from deploy.stack.preparing import Preparations
from hotline.settings import Settings

PART = "tests.deploy.stand_in_part"


def note(settings: Settings, text: str) -> None:
    with (settings.data / "prepared").open("a") as prepared:
        prepared.write(text + "\n")


PROGRAMS = plan.Programs(
    sink=[*module(PART), "sink"],
    worker=[*module(PART), "worker"],
    preparations=Preparations(
        migrate=lambda settings: note(settings, "migrated"),
        number_logs=lambda settings, cluster: note(settings, f"numbered {cluster}"),
    ),
)


def main() -> None:
    from cli.main import main as hotline

    running.Programs = lambda: PROGRAMS  # type: ignore[misc,assignment,attr-defined]
    hotline()


if __name__ == "__main__":
    sys.argv[0] = "hotline"
    main()
