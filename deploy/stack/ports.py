"""The ports of the stack's own parts: those of the last start, so that clients find them again."""

import json
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.ports import free_port
from hotline.data_folder import write_whole

USUAL = {"web": 8312}
"""Ports that people type."""
_CLAIMED: dict[int, socket.socket] = {}


def choose_ports(file: Path, wanted: Mapping[str, int]) -> dict[str, int]:
    """Give each name the port it wants, else (0) its last or its usual one if free, else a free one; keep them."""
    last = _read(file)
    ports = {
        name: port or _again(last.get(name, 0)) or _again(USUAL.get(name, 0)) or free_port()
        for name, port in wanted.items()
    }
    write_whole(file, json.dumps(ports) + "\n")
    return ports


def _claimed(port: int) -> bool:
    """Whether this process may take a usual port, for as long as it lives: stacks that start at once all find it free.

    Where names of sockets are not the kernel's own (no Linux) everybody may.
    """
    if port in _CLAIMED or port not in USUAL.values() or sys.platform != "linux":
        return True
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0hotline-pulse/{port}")
    except OSError:
        claim.close()
        return False
    _CLAIMED[port] = claim
    return True


def _read(file: Path) -> dict[str, int]:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return {name: port for name, port in found.items() if isinstance(port, int)} if isinstance(found, dict) else {}


def _again(port: int) -> int:
    if not port or not _claimed(port):
        return 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of the last life may still close
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port
