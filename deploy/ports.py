"""Loopback ports for the parts of a stack."""

import secrets
import socket

# Below the range that Linux hands to outgoing connections (32768 to 60999). A client that keeps reconnecting to a
# stopped server inside that range can be given the server's own port and connect to itself; the server then finds its
# port taken and cannot come back.
FIRST_PORT = 20_000
LAST_PORT = 31_999
_TRIES_MAX = 200


def free_port() -> int:
    """Return a random TCP port of 127.0.0.1 that nobody listens on now and that no outgoing connection is given.

    Raises OSError when 200 random ports between 20000 and 31999 are all taken.
    """
    for _ in range(_TRIES_MAX):
        port = FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT + 1)
        if _can_bind(port):
            return port
    raise OSError(f"no free port between {FIRST_PORT} and {LAST_PORT} on 127.0.0.1: stop what holds them, or name one")


def answers(host: str, port: int, *, timeout_s: float = 1.0) -> bool:
    """Tell whether somebody accepts TCP connections at host:port within `timeout_s` seconds."""
    try:
        socket.create_connection((host, port), timeout=timeout_s).close()
    except OSError:
        return False
    return True


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
