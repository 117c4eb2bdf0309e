"""What comes along with the packages of a process and is only a burden there."""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import ModuleType


def without_pandas() -> None:
    """Let pandas count as not installed in this process, from now on.

    It comes with chdb. Where it is there, pyarrow and the ClickHouse client import it to ask whether a list is one of
    its series: half a second of CPU at the start of each process, and 45 MiB for good (measured).
    """
    sys.meta_path.insert(0, _NoPandas())


class _NoPandas(MetaPathFinder, Loader):
    """Finds pandas and cannot load it: who only asks whether it is there gets an answer, as polars does."""

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname == "pandas" else None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        _left_out(spec)

    def exec_module(self, module: ModuleType) -> None:
        _left_out(module.__spec__)


def _left_out(spec: ModuleSpec | None) -> NoReturn:
    raise ModuleNotFoundError("pandas is left out of this process", name=spec.name if spec else None)
