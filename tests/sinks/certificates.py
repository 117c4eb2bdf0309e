"""A certificate for this machine that signs itself."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1, and its key, both in PEM."""
    made, key = folder / "certificate.pem", folder / "key.pem"
    told = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-nodes"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-keyout", str(key), "-out", str(made), *told]
    subprocess.run(command, check=True, capture_output=True)
    return made, key
