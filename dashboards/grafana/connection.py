"""The one place that knows `grafana-api` and its odd cases, and what proxies answer in Grafana's stead.

- The library reads every answer as JSON: a success without a body (204) raises JSONDecodeError, which is no error here.
- It looks for "message" in whatever an error's body is, so a proxy's HTML with that word raises TypeError. Every answer
  is therefore looked at before the library sees it: what is no JSON, or sends elsewhere, is not from a Grafana.
- It does not try again. Here connections that fail and 502, 503, 504 are tried again with growing pauses; new
  annotations alone only when they cannot have arrived, because a repeated one is a second one.
- A wrong token is no error while anonymous access is on, and reads answer as anonymous: `login` asks who the token is.
- An answer may hold anything: it is read into the type that is expected, and words out of it are made safe to print.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import msgspec
import requests
from grafana_api.grafana_api import GrafanaClientError, GrafanaException
from grafana_api.grafana_face import GrafanaFace
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from dashboards.grafana.address import Address
from dashboards.grafana.answers import User
from dashboards.grafana.errors import HOW_TO_GET_A_TOKEN, AwayError, DeclinedError, GrafanaError

Kind = TypeVar("Kind")
Call = Callable[[GrafanaFace], object]
BUSY = (502, 503, 504)
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, SERVER_ERROR = 401, 403, 404, 500
SAID_CHARACTERS_MAX = 300
ANSWER_BYTES_MAX = 64 << 20
ANSWER_S_MAX = 60.0
"""What a whole answer may take: a timeout alone is for each piece of it."""
_PIECE_BYTES = 1 << 16
_SAFE = frozenset({"GET"})


@dataclass(frozen=True)
class Patience:
    """How long an answer is waited for, how often it is asked for again, and the pause that doubles in between."""

    timeout_s: float = 10.0
    again_max: int = 4
    pause_s: float = 0.5


PATIENCE = Patience()


class Connection:
    """One Grafana, asked with one token; a context manager that closes what it opened."""

    def __init__(self, address: Address, token: str, patience: Patience | None = None) -> None:
        patience = patience or PATIENCE
        self.address = address
        self._token = token
        self._grafana = GrafanaFace(
            auth=token,
            host=address.host,
            port=address.port,
            url_path_prefix=address.prefix,
            protocol=address.protocol,
            timeout=patience.timeout_s,
        )
        session = self._grafana.api.s
        session.hooks["response"].append(self._refuse_foreign)
        session.mount(str(address), HTTPAdapter(max_retries=_retry(patience, None)))
        session.mount(f"{address}/api/annotations", HTTPAdapter(max_retries=_retry(patience, _SAFE)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._grafana.api.s.close()

    def ask(self, call: Call, kind: type[Kind]) -> Kind:
        """Make a call of the library and read its answer; `type(None)` is an answer without a body.

        Raises DeclinedError for 4xx, AwayError when nobody answers now, GrafanaError for what no Grafana answers.
        """
        answer = self._answer(call)
        try:
            return msgspec.convert(answer, kind)
        except msgspec.ValidationError as error:
            raise GrafanaError(
                f"{self.address} answered what no Grafana answers ({self._safe(str(error))}): check the address"
            ) from error

    def find(self, call: Call, kind: type[Kind]) -> Kind | None:
        """Ask for something that may not be there; None when it is not. Raises as `ask`."""
        try:
            return self.ask(call, kind)
        except DeclinedError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def login(self) -> str:
        """Tell whose token it is. Raises GrafanaError for a token that is not known, also with anonymous access."""
        return self.ask(lambda grafana: grafana.api.GET("/user"), User).login

    def _answer(self, call: Call) -> object:
        try:
            return call(self._grafana)
        except requests.exceptions.JSONDecodeError:
            return None
        except GrafanaClientError as error:
            raise self._declined(error) from None
        except GrafanaException as error:
            said = self._said(error)
            raise AwayError(f"{self.address} answered {error.status_code}: {said}; see Grafana's own log") from None
        except requests.RequestException as error:
            raise AwayError(f"no answer from {self.address}: {_reason(error)}") from None

    def _declined(self, error: GrafanaClientError) -> DeclinedError:
        said = self._said(error)
        what = {
            UNAUTHORIZED: f"does not know the token (expired? deleted?): make one {HOW_TO_GET_A_TOKEN}",
            FORBIDDEN: f"forbids this to the token ({said}): give its service account the role Editor",
        }.get(error.status_code, f"answered {error.status_code}: {said}")
        return DeclinedError(f"{self.address} {what}", error.status_code, said)

    def _said(self, error: GrafanaException) -> str:
        response = error.response
        return self._safe(str(response.get("message") or "without a word") if isinstance(response, dict) else "")

    def _safe(self, words: str) -> str:
        """Make words of others fit for a terminal and a log: no secret, no control characters, not too long."""
        hidden = words.replace(self._token, "********")
        return "".join(c if c.isprintable() else " " for c in hidden)[:SAID_CHARACTERS_MAX]

    def _refuse_foreign(self, response: requests.Response, *_: object, **__: object) -> None:
        """Raise for an answer that is not from a Grafana, before anything is made of it or of where it sends to."""
        self._take(response)
        if response.is_redirect:
            to = self._safe(response.headers["location"])
            raise GrafanaError(f"{self.address} is no Grafana, it sends on to {to}: give Grafana's own address")
        if not response.content or _is_answer(response):
            return
        kind = "HTML" if "html" in response.headers.get("content-type", "").lower() else "no JSON"
        what = f"not a Grafana: {self.address} answered {kind} ({response.status_code})"
        if response.status_code >= SERVER_ERROR:
            raise AwayError(f"{what}, as a proxy does whose Grafana is away: look whether Grafana runs")
        raise GrafanaError(f"{what}, as a login page or another service does: give Grafana's own address")

    def _take(self, response: requests.Response) -> None:
        """Read an answer to its end. Raises GrafanaError for one that has none."""
        taken, until_s = bytearray(), time.monotonic() + ANSWER_S_MAX
        try:
            while piece := response.raw.read1(_PIECE_BYTES, decode_content=True):
                taken += piece
                if len(taken) > ANSWER_BYTES_MAX or time.monotonic() > until_s:
                    response.close()
                    raise GrafanaError(f"{self.address} answers without an end: give Grafana's own address")
        except HTTPError as error:
            raise requests.ConnectionError(error) from error
        response._content = bytes(taken)  # noqa: SLF001  as `requests` keeps what it has read


def _retry(patience: Patience, methods: frozenset[str] | None) -> Retry:
    return Retry(
        patience.again_max,
        backoff_factor=patience.pause_s,
        status_forcelist=BUSY,
        allowed_methods=methods,
        raise_on_status=False,
        respect_retry_after_header=False,  # whoever answers could keep us waiting for hours
    )


def _is_answer(response: requests.Response) -> bool:
    """Whether it is JSON, and for an error an object, which alone the library can read."""
    try:
        body: Any = response.json()
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict | (list if response.ok else dict))


def _reason(error: BaseException) -> str:
    """Say what the system said, below what three libraries made of it."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted; name the file of your authority in REQUESTS_CA_BUNDLE"
    causes = list(_causes(error))
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return "it took too long; look whether Grafana runs, or --wait for it"
    said = [cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror]
    return f"{(said or [type(error).__name__])[-1]}; check the address, look whether Grafana runs, or --wait for it"


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__
