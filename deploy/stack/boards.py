"""Where the boards of a running stack are, for people and for programs on this machine."""

import socket

from deploy.stack.errors import StackError
from deploy.stack.state import PartState, StackState

ANY_HOST = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "::": "[::1]"}  # noqa: S104  nothing is opened here
"""Hosts that say "on every address", and the one at which this machine is asked."""


def boards_for_people(state: StackState) -> str:
    """The address that people open. Raises StackError when the stack serves no boards."""
    scheme, host, port = _taken_apart(_part(state).address)
    return f"{scheme}://{socket.gethostname() if host in ANY_HOST else host}:{port}"


def boards_here(state: StackState) -> str:
    """The address that a program on this machine asks. Raises StackError when boards are not served now."""
    part = _part(state)
    if part.state != "ready":
        raise StackError(
            f"the part web, which serves the boards, is {part.state}: run hotline status --wait 60, "
            f"or see {state.settings.folder.log / 'web.log'}"
        )
    scheme, host, port = _taken_apart(part.address)
    return f"{scheme}://{ANY_HOST.get(host, host)}:{port}"


def _part(state: StackState) -> PartState:
    for part in state.parts:
        if part.name == "web":
            return part
    why = "a command started it for itself" if state.temporary else "its setting boards is false"
    raise StackError(
        f"the stack (process {state.pid}) serves no boards, because {why}: "
        "start one that does, with boards = true and hotline up"
    )


def _taken_apart(address: str) -> tuple[str, str, str]:
    """Give scheme, host and port."""
    scheme, _, rest = address.partition("://")
    host, _, port = rest.rpartition(":")
    return scheme, host, port
