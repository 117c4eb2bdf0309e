"""The token: from a file or the environment, never from an argument, never printed."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from dashboards.grafana.errors import HOW_TO_GET_A_TOKEN, GrafanaError
from hotline.data_folder import require_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TOKEN_VARIABLE = "GRAFANA_TOKEN"  # noqa: S105
_VISIBLE = re.compile(r"[!-~]+")


def read_token(file: Path | None, environ: Mapping[str, str] = os.environ) -> str:
    """Read the token from that file, else from the environment. Raises GrafanaError without the token in it."""
    where = str(file) if file else f"the environment variable {TOKEN_VARIABLE}"
    token = (_of_file(file) if file else environ.get(TOKEN_VARIABLE, "")).strip()
    if not token:
        raise GrafanaError(
            f"no token in {where}: put one there, or name a file with --token-file; {HOW_TO_GET_A_TOKEN}"
        )
    if not _VISIBLE.fullmatch(token):
        raise GrafanaError(f"what stands in {where} is no token: it holds spaces, line ends or letters with accents")
    return token


def _of_file(file: Path) -> str:
    try:
        require_private(file)
        return file.read_text(encoding="utf-8")
    except PermissionError as error:
        raise GrafanaError(f"cannot take the token from {file}: {error}") from error
    except OSError as error:
        raise GrafanaError(f"cannot take the token from {file}: {error.strerror}; name another file") from error
    except UnicodeDecodeError as error:
        raise GrafanaError(f"{file} is no text, so no token stands in it: name another file") from error
