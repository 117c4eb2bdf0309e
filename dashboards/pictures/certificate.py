"""Seeing that a server of this machine is the one that was set up, whatever name its certificate has."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dashboards.pictures.errors import PictureError

if TYPE_CHECKING:
    from pathlib import Path

_END = "-----END CERTIFICATE-----"


def check_certificate(address: str, file: Path) -> None:
    """Raise PictureError unless the server shows the first certificate of that file (PEM)."""
    url = urlsplit(address)
    ours = file.read_text(encoding="ascii").partition(_END)[0] + _END
    try:
        shown = ssl.get_server_certificate((url.hostname or "", url.port or 443), timeout=10)
    except OSError as error:
        raise PictureError(f"{url.netloc} cannot be reached ({error}): see hotline status") from error
    if ssl.PEM_cert_to_DER_cert(shown) != ssl.PEM_cert_to_DER_cert(ours[ours.index("-----BEGIN") :]):
        raise PictureError(f"{url.netloc} shows another certificate than {file}: start the stack again")
