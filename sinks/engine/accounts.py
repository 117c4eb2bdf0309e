"""The two accounts of the embedded engine and their passwords."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
from enum import StrEnum
from typing import TYPE_CHECKING

from sinks.engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Account(StrEnum):
    """Who asks: the reader changes nothing, the writer owns every table."""

    READER = "reader"
    WRITER = "writer"


class Accounts:
    """Passwords of both accounts, made at the first start and kept in `folder` as ``<account>.password``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        self._passwords: dict[str, str] = {account: _password(folder / f"{account}.password") for account in Account}

    def check(self, headers: Mapping[str, str], given: Mapping[str, str]) -> Account:
        """Find the account whose name and password came with a request; raises error 516 for anything else.

        Taken from Basic auth, else from X-ClickHouse-User and -Key, else from the address, as a server takes them.
        """
        name, password = _credentials(headers, given)
        known = self._passwords.get(name, secrets.token_urlsafe(24))  # an unknown name takes as long as a known one
        if not hmac.compare_digest(known.encode(), password.encode(errors="surrogateescape")):
            shown = name[:64] or "(no user)"
            raise EngineError(
                516,
                f"{shown}: Authentication failed: password is incorrect, or there is no user with such name. "
                "The accounts are reader and writer; their passwords are in the engine's secrets folder.",
            )
        return Account(name)


def _password(file: Path) -> str:
    if not file.exists():
        _write_secret(file, secrets.token_urlsafe(24))
    if file.stat().st_mode & 0o077:
        raise PermissionError(f"{file} can be read by others; run: chmod 600 {file}, or delete it for a new password")
    password = file.read_text().strip()
    if not password:
        raise ValueError(f"{file} is empty; delete it and start again for a new password")
    return password


def _write_secret(file: Path, password: str) -> None:
    """Write whole or not at all: a crash must not leave half a password."""
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(password + "\n")
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)


def _credentials(headers: Mapping[str, str], given: Mapping[str, str]) -> tuple[str, str]:
    kind, _, value = headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return name, password
    if "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
        return headers.get("X-ClickHouse-User", ""), headers.get("X-ClickHouse-Key", "")
    return given.get("user", ""), given.get("password", "")
