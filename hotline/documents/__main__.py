"""`python -m hotline.documents [--check] [DIR]`: write the documents below DIR (default docs), or say which are stale.

Exit code 1 when `--check` finds a stale one.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hotline.documents import stale, write
from hotline.generated import told


def main(arguments: list[str]) -> int:
    """Write or check all documents; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hotline.documents", description="Write the generated documents.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a document is stale")
    parser.add_argument("docs", metavar="DIR", nargs="?", type=Path, default=Path("docs"), help="default: docs")
    asked = parser.parse_args(arguments)
    found = stale(asked.docs) if asked.check else write(asked.docs)
    return told(asked.docs, found, check=asked.check, command="python -m hotline.documents")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
