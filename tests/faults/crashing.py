"""Native decoders that really crash: a module for PYTHONPATH that lets a process of agents read an address of nobody.

No test hook stands in the product. Python imports `sitecustomize` first; there the reader of Arrow streams and the
decoder of JSON get a fault as such libraries had them: certain bytes end the process by SIGSEGV.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.e2e.stacks import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DEADLY_COLUMN, DEADLY_TEXT = "crashes a decoder of blocks", "crashes a decoder of JSON"
_SITECUSTOMIZE = f"""
import sys
if any(argument.startswith("streams") for argument in sys.orig_argv):
    import ctypes
    import msgspec
    import pyarrow.ipc

    def open_stream(source, *more, stock=pyarrow.ipc.open_stream, **others):
        found = stock(source, *more, **others)
        if {DEADLY_COLUMN!r} in found.schema.names:
            ctypes.string_at(0)
        return found

    class Decoder:
        def __init__(self, *more, stock=msgspec.json.Decoder, **others):
            self._stock = stock(*more, **others)

        def decode(self, value):
            if {DEADLY_TEXT.encode()!r} in value:
                ctypes.string_at(0)
            return self._stock.decode(value)

        def __getattr__(self, name):
            return getattr(self._stock, name)

    pyarrow.ipc.open_stream = open_stream
    msgspec.json.Decoder = Decoder
"""


def pythonpath(folder: Path) -> str:
    """Write the module into a folder and give the PYTHONPATH with which processes get it."""
    (folder / "sitecustomize.py").write_text(_SITECUSTOMIZE)
    return os.pathsep.join([str(folder), str(ROOT)])
