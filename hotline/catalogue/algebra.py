"""What a KPI is made of: sums over rows, each counted at one instant of the row.

Everything a measure can say is said three times, side by side: of one row (`of`), of a polars frame (`expr`) and in
ClickHouse SQL (`sql`); tests hold the three together. There is no OR, no NOT and no arithmetic: five comparisons and
AND. A KPI that needs more wants a new field on its row, which the fold computes.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_type_hints

from hotline.rows import Row

if TYPE_CHECKING:
    import polars as pl

Comparison = Callable[[Any, Any], Any]
COMPARISONS: dict[str, Comparison] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "=": operator.eq,
}


class CatalogueError(TypeError):
    """A declaration that cannot be; its message says what to write instead."""


class Grain(enum.IntEnum):
    """The stored span of a sum, in seconds. Hours are local hours."""

    MINUTE = 60
    HOUR = 3600


@dataclass(frozen=True)
class Field:
    """One field of a row, and the column of the same name."""

    row: type[Row]
    name: str

    def __le__(self, other: Operand) -> Test:
        return Test(self, "<=", other)

    def __lt__(self, other: Operand) -> Test:
        return Test(self, "<", other)

    def __ge__(self, other: Operand) -> Test:
        return Test(self, ">=", other)

    def __gt__(self, other: Operand) -> Test:
        return Test(self, ">", other)

    def is_(self, other: Operand) -> Test:
        """Equality; `==` is kept for comparing declarations."""
        return Test(self, "=", other)

    def __bool__(self) -> bool:
        raise CatalogueError(
            f"{self.name} is a field, not a value: write {self.name}.is_(…), and give several tests with commas"
        )

    @property
    def holds(self) -> Any:
        """The Python type of its values, `None` aside."""
        hint = _hints(self.row)[self.name]
        inner = [arg for arg in getattr(hint, "__args__", (hint,)) if arg is not type(None)]
        return inner[0]


@functools.cache
def _hints(row: type[Row]) -> dict[str, Any]:
    return get_type_hints(row)


Operand = Field | str | int | bool


class Fields:
    """`call = Fields(Call)`, then `call.wait_s`. A misspelt field fails at import and names the nearest."""

    def __init__(self, row: type[Row]) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Field:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._row.__struct_fields__:
            import difflib

            near = difflib.get_close_matches(name, self._row.__struct_fields__, 3)
            hint = f"write {' or '.join(near)}" if near else "add the field to the row and to its fold"
            raise CatalogueError(f"{self._row.__name__} has no field {name!r}; {hint}")
        return Field(self._row, name)


@dataclass(frozen=True)
class Test:
    """A comparison of a field with a constant or another field. A missing value passes no test, as in SQL."""

    __test__ = False  # not a pytest class

    left: Field
    op: str
    right: Operand

    def __post_init__(self) -> None:
        right = self.right
        if isinstance(right, Field):
            if right.row is not self.left.row:
                raise CatalogueError(f"{self.sql}: both fields must be of {self.left.row.__name__}")
        elif isinstance(right, str) and not right.isidentifier():
            raise CatalogueError(f"{right!r} would need quoting rules; compare with a plain word")
        elif type(right) is not self.left.holds:
            raise CatalogueError(f"{self.left.name} holds {self.left.holds.__name__}; {right!r} is none")

    def __bool__(self) -> bool:
        raise CatalogueError(f"`{self.sql}`: give several tests with commas; `and`, `or`, `not` and a < b < c are lost")

    def of(self, row: Row) -> bool:
        """Whether one row passes."""
        left = getattr(row, self.left.name)
        right = getattr(row, self.right.name) if isinstance(self.right, Field) else self.right
        return left is not None and right is not None and bool(COMPARISONS[self.op](left, right))

    @property
    def expr(self) -> pl.Expr:
        """The same over a frame of rows; never null."""
        import polars as pl

        right = pl.col(self.right.name) if isinstance(self.right, Field) else pl.lit(self.right)
        result: pl.Expr = COMPARISONS[self.op](pl.col(self.left.name), right)
        return result.fill_null(value=False)

    @property
    def sql(self) -> str:
        """The same in ClickHouse SQL."""
        return f"{self.left.name} {self.op} {_sql_operand(self.right)}"

    @property
    def reads(self) -> set[str]:
        """Names of the fields it looks at."""
        return {self.left.name} | ({self.right.name} if isinstance(self.right, Field) else set())


def _sql_operand(operand: Operand) -> str:
    if isinstance(operand, Field):
        return operand.name
    if isinstance(operand, bool):
        return "true" if operand else "false"
    return repr(operand)


@dataclass(frozen=True)
class Measure:
    """A sum over the rows that pass every test, each at one instant; of ones when `value` is None.

    `grains` says for which scope kinds it is kept, and how finely.
    """

    name: str
    row: type[Row]
    value: Field | None
    where: tuple[Test, ...]
    at: Field
    grains: Mapping[str, Grain]

    def __post_init__(self) -> None:
        for part in (*(test.left for test in self.where), self.at, *([] if self.value is None else [self.value])):
            if part.row is not self.row:
                raise CatalogueError(
                    f"{self.name}: {part.name} is a field of {part.row.__name__}, not {self.row.__name__}"
                )
        if self.at.holds is not datetime:
            raise CatalogueError(f"{self.name}: at={self.at.name} holds no time; name an instant such as offered_at")
        if self.value is not None and self.value.holds is not int:
            raise CatalogueError(f"{self.name}: only whole numbers can be summed; {self.value.name} holds none")
        if "all" not in self.grains:
            raise CatalogueError(f"{self.name}: grains must name the scope kind 'all'")

    @functools.cached_property
    def column(self) -> str:
        """Its column in the sums: the name and a digest of the formula, so that a changed formula is a new column."""
        return f"{self.name}_{hashlib.sha256(self.formula.encode()).hexdigest()[:6]}"

    @property
    def formula(self) -> str:
        """All that decides its value, in SQL's words."""
        what = "1" if self.value is None else self.value.name
        kept = ", ".join(f"{kind}:{grain.name.lower()}" for kind, grain in self.grains.items())
        return f"sum of {what} where {self.sql_where} at {self.at.name} kept {kept}"

    def of(self, row: Row) -> int:
        """What one row adds."""
        if getattr(row, self.at.name) is None or not all(test.of(row) for test in self.where):
            return 0
        return 1 if self.value is None else getattr(row, self.value.name) or 0

    @property
    def passes(self) -> pl.Expr:
        """Whether each row of a frame counts, its instant included."""
        import polars as pl

        return pl.all_horizontal(pl.col(self.at.name).is_not_null(), *(test.expr for test in self.where))

    @property
    def expr(self) -> pl.Expr:
        """What each row of a frame adds, as Int64."""
        import polars as pl

        value = pl.lit(1) if self.value is None else pl.col(self.value.name).fill_null(0)
        return pl.when(self.passes).then(value).otherwise(0).cast(pl.Int64)

    @property
    def sql_where(self) -> str:
        """The condition on rows, its instant's presence included."""
        return " AND ".join([f"isNotNull({self.at.name})", *(test.sql for test in self.where)])

    @property
    def sql(self) -> str:
        """What one row adds, as an SQL expression."""
        value = "1" if self.value is None else f"ifNull({self.value.name}, 0)"
        return f"if(ifNull({self.sql_where}, false), toInt64({value}), 0)"

    @property
    def reads(self) -> set[str]:
        """Names of the fields it looks at, its instant included."""
        read = {self.at.name} | (set() if self.value is None else {self.value.name})
        return read.union(*(test.reads for test in self.where))


def count(name: str, row: type[Row], *where: Test, at: Field, grains: Mapping[str, Grain]) -> Measure:
    """How many rows pass every test, at `at`."""
    return Measure(name, row, None, where, at, grains)


def total(name: str, value: Field, *where: Test, at: Field, grains: Mapping[str, Grain]) -> Measure:
    """The sum of `value` over the rows that pass every test, at `at`."""
    return Measure(name, value.row, value, where, at, grains)
