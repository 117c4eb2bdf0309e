"""A small Grafana on this machine that answers as 12.4 was seen to: its statuses, shapes and oddities, and no more.

What it holds can be looked at and changed by a test; what it was asked is listed. `instead` answers the next matching
request in the place of Grafana, as a proxy or a server that starts does.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]
TOKEN = "glsa_0123456789abcdefghijklmnopqrstuv_89abcdef"  # noqa: S105
FIRST_ID = 1_000_000_000_000_001
"""Numeric ids have 16 digits."""
UID_CHARACTERS_MAX = 40
MESSAGE_CHARACTERS_MAX = 500
PLUGIN = "grafana-clickhouse-datasource"


@dataclass
class Answer:
    """What goes over the wire."""

    status: int
    body: Any = None
    """JSON, or bytes as they are; nothing for none at all."""
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def html(status: int, text: str = "<html><body>no message today</body></html>", **headers: str) -> Answer:
    """What a proxy answers, with the word that the library stumbles over."""
    return Answer(status, text.encode(), "text/html; charset=utf-8", headers)


def no(code: int, message: str, /, **more: Any) -> Answer:
    """What Grafana itself answers when it will not."""
    return Answer(code, {"message": message, **more})


@dataclass
class FakeGrafana:
    """The state of a Grafana."""

    token: str = TOKEN
    anonymous: bool = False
    role: str = "Editor"
    prefix: str = ""
    folders: dict[str, Json] = field(default_factory=dict)
    boards: dict[str, Json] = field(default_factory=dict)
    """uid → {"dashboard", "folderUid", "provisioned", "message"}; with "plugin" it wants to be overwritten."""
    sources: dict[str, Json] = field(
        default_factory=lambda: {
            "hotline-clickhouse": {"id": 1, "uid": "hotline-clickhouse", "type": PLUGIN, "name": "Hotline"}
        }
    )
    source_says: Answer = field(
        default_factory=lambda: Answer(200, {"message": "Data source is working", "status": "OK"})
    )
    notes: list[Json] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    tokens_seen: set[str] = field(default_factory=set)
    instead: list[tuple[Callable[[str, str], bool], Answer]] = field(default_factory=list)
    before_save: list[Callable[[], None]] = field(default_factory=list)
    """Done, one a save, before the save is looked at: somebody else at work."""
    url: str = ""

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Everything asked that is no GET."""
        return [(method, path) for method, path in self.asked if method != "GET"]

    def say_instead(self, answer: Answer, *, times: int = 1, method: str = "", path: str = "") -> None:
        """Answer the next requests of that method and beginning of a path so."""
        self.instead += [(lambda m, p: m.startswith(method) and p.startswith(path), answer)] * times

    def provision(self, board: Json) -> None:
        """Have a board by file, in no folder."""
        kept = {**copy.deepcopy(board), "id": FIRST_ID, "version": 1}
        self.boards[board["uid"]] = {"dashboard": kept, "folderUid": "", "provisioned": True, "message": ""}

    def answer(self, method: str, url: str, token: str, body: Any) -> Answer:
        parts = urlsplit(url.removeprefix(self.prefix))
        self.asked.append((method, parts.path))
        self.tokens_seen.add(token)
        for place, (matches, answer) in enumerate(self.instead):
            if matches(method, parts.path):
                del self.instead[place]
                return answer
        return self._of_grafana(method, parts.path, parse_qs(parts.query), token == self.token, body)

    def _of_grafana(self, method: str, path: str, query: dict[str, list[str]], known: bool, body: Any) -> Answer:  # noqa: FBT001
        if path == "/api/health":
            return Answer(200, {"commit": "0123456", "database": "ok", "version": "12.4.0"})
        if not known and (path == "/api/user" or not self.anonymous):
            return no(401, "Invalid API key", messageId="api-key.invalid", statusCode=401, traceID="", extra=None)
        if method != "GET" and (not known or self.role != "Editor"):
            return no(
                403, "You'll need additional permissions to perform this action. Permissions needed: dashboards:create"
            )
        return self._route(method, path, query, body)

    def _route(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        for of, form, handler in _ROUTES:
            found = re.fullmatch(form, path)
            if of == method and found:
                return handler(self, *found.groups(), *([body] if body else [query] if query else []))
        return no(404, "Not found")

    def _user(self) -> Answer:
        return Answer(200, {"id": 0, "login": "sa-1-hotline", "email": "sa-1-hotline", "isDisabled": False})

    def _folder(self, uid: str) -> Answer:
        return (
            Answer(200, self.folders[uid]) if uid in self.folders else no(404, "folder not found", status="not-found")
        )

    def _rename_folder(self, uid: str, body: Json) -> Answer:
        self.folders[uid] |= {"title": body["title"], "version": self.folders[uid]["version"] + 1}
        return Answer(200, self.folders[uid])

    def _source(self, uid: str) -> Answer:
        return Answer(200, self.sources[uid]) if uid in self.sources else no(404, "Data source not found")

    def _source_health(self, _: str) -> Answer:
        return self.source_says

    def _save_after_others(self, body: Json) -> Answer:
        if self.before_save:
            self.before_save.pop(0)()
        return self._save(body)

    def _nothing(self) -> Answer:
        return Answer(204)

    def _new_folder(self, body: Json) -> Answer:
        if body["uid"] in self.folders:
            return no(412, "the folder has been changed by someone else", status="version-mismatch")
        made = {"id": FIRST_ID + len(self.folders), "uid": body["uid"], "title": body["title"], "version": 1}
        self.folders[body["uid"]] = made
        return Answer(200, made)

    def _board(self, uid: str) -> Answer:
        if uid not in self.boards:
            return no(404, "Dashboard not found")
        kept = self.boards[uid]
        meta = {
            "folderUid": kept["folderUid"],
            "provisioned": kept["provisioned"],
            "provisionedExternalId": "",
            "version": kept["dashboard"]["version"],
            "canSave": True,
            "type": "db",
        }
        return Answer(200, {"dashboard": kept["dashboard"], "meta": meta})

    def _save(self, body: Json) -> Answer:
        board, folder = body["dashboard"], body.get("folderUid", "")
        kept = self.boards.get(board["uid"])
        if refused := self._bad(body, kept):
            return no(400, refused)
        if kept and kept.get("plugin") and not body.get("overwrite"):
            return no(412, "The dashboard belongs to plugin x.", status="plugin-dashboard")
        before = kept["dashboard"] if kept else {"version": 0, "id": FIRST_ID + len(self.boards)}
        if kept and not body.get("overwrite") and board.get("version") != before["version"]:
            return no(412, "The dashboard has been changed by someone else", status="version-mismatch")
        new = {**board, "id": before["id"], "version": before["version"]}
        if not kept or new != before or folder != kept["folderUid"]:
            new["version"] += 1
        self.boards[board["uid"]] = {
            "dashboard": new,
            "folderUid": folder,
            "provisioned": False,
            "message": body.get("message", ""),
        }
        return Answer(
            200,
            {"status": "success", "uid": board["uid"], "id": new["id"], "version": new["version"], "folderUid": folder},
        )

    def _bad(self, body: Json, kept: Json | None) -> str:
        board = body["dashboard"]
        if not board.get("title"):
            return "Dashboard title cannot be empty"
        if len(board["uid"]) > UID_CHARACTERS_MAX:
            return "uid too long, max 40 characters"
        if len(body.get("message", "")) > MESSAGE_CHARACTERS_MAX:
            return "message too long, max 500 characters"
        if body.get("folderUid") and body["folderUid"] not in self.folders:
            return "folder not found"
        return "Cannot save provisioned dashboard" if kept and kept["provisioned"] else ""

    def _find_notes(self, query: dict[str, list[str]]) -> Answer:
        first, last, tags = int(query["from"][0]), int(query["to"][0]), set(query["tags"])
        near = [note for note in self.notes if note["time"] <= last and note["timeEnd"] >= first]
        return Answer(200, [note for note in near if tags <= set(note["tags"])])

    def _note(self, body: Json) -> Answer:
        made = {
            "id": len(self.notes) + 1,
            "time": body["time"],
            "timeEnd": body["timeEnd"] or body["time"],
            "text": body["text"],
            "tags": body["tags"],
            "dashboardUID": None,
        }
        self.notes.append(made)
        return Answer(200, {"id": made["id"], "message": "Annotation added"})


_ROUTES: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", "/api/user", FakeGrafana._user),
    ("GET", "/api/folders/([^/]+)", FakeGrafana._folder),
    ("POST", "/api/folders", FakeGrafana._new_folder),
    ("PUT", "/api/folders/([^/]+)", FakeGrafana._rename_folder),
    ("GET", "/api/datasources/uid/([^/]+)", FakeGrafana._source),
    ("GET", "/api/datasources/uid/([^/]+)/health", FakeGrafana._source_health),
    ("GET", "/api/dashboards/uid/([^/]+)", FakeGrafana._board),
    ("POST", "/api/dashboards/db", FakeGrafana._save_after_others),
    ("GET", "/api/annotations", FakeGrafana._find_notes),
    ("POST", "/api/annotations", FakeGrafana._note),
    ("DELETE", "/api/v1/provisioning/mute-timings/none", FakeGrafana._nothing),
)


def _handler(grafana: FakeGrafana) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # else head and body go out one by one, 40 ms apart

        def __getattr__(self, name: str) -> Any:
            """Serve every method alike."""
            if name.startswith("do_"):
                return self._serve
            raise AttributeError(name)

        def _serve(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            token = self.headers.get("authorization", "").removeprefix("Bearer ")
            answer = grafana.answer(self.command, self.path, token, body)
            given = answer.body
            sent = b"" if given is None else given if isinstance(given, bytes) else json.dumps(given).encode()
            self.send_response(answer.status)
            for name, value in {"content-type": answer.kind, **answer.headers}.items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def fake_grafana(**state: Any) -> Iterator[FakeGrafana]:
    """Serve one on a free port of 127.0.0.1."""
    grafana = FakeGrafana(**state)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(grafana))
    grafana.url = f"http://127.0.0.1:{server.server_address[1]}{grafana.prefix}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield grafana
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
