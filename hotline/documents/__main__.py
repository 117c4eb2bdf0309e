"""`python -m hotline.documents [--check] [DIR]`: write the documents below DIR (default docs), or say which are stale.

Exit code 1 when `--check` finds a stale one.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hotline.documents import stale, write


def main(arguments: list[str]) -> int:
    """Write or check all documents; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hotline.documents", description="Write the generated documents.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a document is stale")
    parser.add_argument("docs", metavar="DIR", nargs="?", type=Path, default=Path("docs"), help="default: docs")
    asked = parser.parse_args(arguments)
    found = stale(asked.docs) if asked.check else write(asked.docs)
    for name in found:
        sys.stdout.write(f"{'stale' if asked.check else 'wrote'}: {asked.docs / name}\n")
    if asked.check and found:
        sys.stderr.write("run python -m hotline.documents and commit what it writes\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
