"""``python -m deploy.stack.migrating``: bring the tables to what this version needs, by the HOTLINE_* variables.

The last line printed says what went wrong, if anything did.
"""

import sys
from contextlib import closing

from hotline.lean import without_pandas
from hotline.settings import load


def main() -> int:
    """Run it; 1 when it failed."""
    from sinks.connecting import connect
    from sinks.migrations import apply

    settings, _ = load()
    try:
        with closing(connect(settings)) as client:
            apply(client, settings.zone)
    except Exception as error:  # noqa: BLE001  the supervisor tells the sentence, and tries again
        sys.stderr.write((str(error).partition("\n")[0].strip() or type(error).__name__) + "\n")
        return 1
    return 0


if __name__ == "__main__":
    without_pandas()
    sys.exit(main())
