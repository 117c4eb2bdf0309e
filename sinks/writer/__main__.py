"""`python -m sinks.writer`: run the sink until it is told to stop."""

from __future__ import annotations

import logging
import sys

from sinks.writer.options import from_environment
from sinks.writer.run import run
from sinks.writer.spool import SpoolError


def main() -> int:
    """Run it; 2 when it could not start, else as `run`."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # thousands of lines while a broker is away; we say it once
    try:
        return run(from_environment())
    except (ValueError, OSError, SpoolError) as error:
        sys.stderr.write(f"the sink did not start: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
