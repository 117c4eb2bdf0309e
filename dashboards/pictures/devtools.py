"""What a browser is asked over its pipe: JSON messages, each ended by a zero byte, one at a time."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from dashboards.pictures.errors import PictureError

if TYPE_CHECKING:
    import asyncio

END = b"\0"


class DevTools:
    """The protocol of one browser."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = itertools.count(1)

    async def ask(self, method: str, session: str = "", **given: Any) -> dict[str, Any]:
        """Ask, and give the result. Raises PictureError for what it refuses, IncompleteReadError when it ends."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": given, **({"sessionId": session} if session else {})}
        to, answers = self._process.stdin, self._process.stdout
        if to is None or answers is None:
            raise PictureError("the browser was started without its pipes")
        to.write(json.dumps(message).encode() + END)
        await to.drain()
        while True:
            answer = json.loads((await answers.readuntil(END)).removesuffix(END))
            if answer.get("id") == number:  # all others are events
                break
        if "error" in answer:
            raise PictureError(f"the browser refused {method}: {answer['error']['message']}")
        found: dict[str, Any] = answer["result"]
        return found

    async def page(self) -> Page:
        """Open an empty page."""
        target = await self.ask("Target.createTarget", url="about:blank")
        attached = await self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        return Page(self, attached["sessionId"])


class Page:
    """One page of a browser."""

    def __init__(self, devtools: DevTools, session: str) -> None:
        self._devtools = devtools
        self._session = session

    async def ask(self, method: str, **given: Any) -> dict[str, Any]:
        """Ask about this page. Raises PictureError."""
        return await self._devtools.ask(method, self._session, **given)

    async def evaluate(self, expression: str) -> Any:
        """Give the value of an expression, also of one that is promised. Raises PictureError when it fails."""
        found = await self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise PictureError(f"the page failed: {found['exceptionDetails'].get('text')}")
        return found["result"].get("value")
