"""``python -m sinks.writer``: run the sink until it is told to stop, with all its settings from HOTLINE_* variables."""

from __future__ import annotations

import argparse
import logging
import sys

from hotline.lean import without_pandas
from hotline.settings import SettingsError, load
from sinks.writer.options import from_settings
from sinks.writer.run import run
from sinks.writer.spool import SpoolError


def main(arguments: list[str] | None = None) -> int:
    """Run it; 2 when it could not start, else as `run`."""
    parser = argparse.ArgumentParser(prog="python -m sinks.writer", description=__doc__)
    parser.add_argument("--die-after", default="", metavar="STEP", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # thousands of lines while a broker is away; we say it once
    try:
        settings, _ = load()
        return run(from_settings(settings, die_after=given.die_after))
    except (SettingsError, OSError, SpoolError) as error:
        sys.stderr.write(f"the sink did not start: {error}\n")
        return 2


if __name__ == "__main__":
    without_pandas()
    sys.exit(main())
