"""`python -m dashboards [--check]`: write the boards' JSON, or say which files are stale.

Exit code 1 when `--check` finds a stale one, or a board breaks a rule.
"""

from __future__ import annotations

import argparse
import sys

from dashboards.generated import FOLDER, stale, write
from dashboards.lint import LintError
from hotline.generated import told


def main(arguments: list[str]) -> int:
    """Write or check all boards; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dashboards", description="Write the boards' JSON.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is stale")
    asked = parser.parse_args(arguments)
    try:
        found = stale() if asked.check else write()
    except LintError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return told(FOLDER, found, check=asked.check, command="python -m dashboards")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
