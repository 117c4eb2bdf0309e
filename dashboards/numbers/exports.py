"""Rows as files: CSV that no spreadsheet runs, and workbooks; both are written row by row.

A spreadsheet reads a cell of CSV as a formula when it begins so, and names come from outside: such cells begin with an
apostrophe here. Cells of a workbook have a type, and text is text there.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

ROWS_MAX = 200_000
"""Rows of a file, and of all pages together."""
BOM = "\ufeff"
"""By this a spreadsheet knows that a file is UTF-8."""
RUNS = frozenset("=+-@\t\r\n＝＋－＠")
"""How a cell begins that a spreadsheet would run; the wide ones too, which some take for the narrow ones."""
_SIGNS = re.escape("".join(sorted(RUNS - set("\t\r\n"))))
_BLANK = "[ \u3000\xa0\ufeff\v\f]*"
_BEGINS = re.compile(rf"^(?={_BLANK}[{_SIGNS}\t\r\n])|(?<=[;\r\n])(?={_BLANK}[{_SIGNS}])")
_CELL_MAX = 32_767
_CLOCK = "yyyy-mm-dd hh:mm:ss"


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Write rows as lines of CSV: text in quotes, numbers bare, instants with their offset, nothing for None."""
    lines = io.StringIO()
    csv.writer(lines, quoting=csv.QUOTE_NONNUMERIC).writerows([[_csv_cell(value) for value in row] for row in rows])
    return lines.getvalue()


def _csv_cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    return defused(value) if isinstance(value, str) else value


def defused(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run, also behind spaces.

    Where a comma is the decimal sign, spreadsheets part cells by semicolons, and lines inside of quotes: what follows
    those begins a cell too.
    """
    return _BEGINS.sub("'", text)


class Workbook:
    """A workbook in a file: the rows on its first sheet, what they are on the second. It is there after `close`."""

    def __init__(self, file: Path, titles: tuple[str, str]) -> None:
        plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        import xlsxwriter  # a book is rare

        self._book = xlsxwriter.Workbook(str(file), {**plain, "constant_memory": True, "tmpdir": str(file.parent)})
        self._clock = self._book.add_format({"num_format": _CLOCK})
        self._bold = self._book.add_format({"bold": True})
        self._rows, self._about = (self._book.add_worksheet(title) for title in titles)
        self._next = 0

    def close(self) -> None:
        """Make the file of all that was written."""
        self._book.close()

    def head(self, names: Sequence[str]) -> None:
        """Write the names of the columns, which stay in sight."""
        self._rows.freeze_panes(1, 0)
        self._rows.set_column(0, len(names) - 1, 20)
        for place, name in enumerate(names):
            self._rows.write_string(0, place, name, self._bold)
        self._next = 1

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write rows below those that are there."""
        for row in rows:
            for place, value in enumerate(row):
                self._write(self._rows, place, value)
            self._next += 1

    def about(self, lines: Iterable[tuple[str, Any]]) -> None:
        """Say on the second sheet what the rows are."""
        self._about.set_column(0, 1, 40)
        self._next = 0
        for name, value in lines:
            self._about.write_string(self._next, 0, name, self._bold)
            self._write(self._about, 1, value)
            self._next += 1

    def _write(self, sheet: Any, place: int, value: Any) -> None:
        if isinstance(value, bool):
            sheet.write_boolean(self._next, place, value)
        elif isinstance(value, int | float):
            sheet.write_number(self._next, place, value)
        elif isinstance(value, datetime):
            sheet.write_datetime(self._next, place, value.replace(tzinfo=None), self._clock)
        elif value is not None and value != "":
            sheet.write_string(self._next, place, str(value)[:_CELL_MAX])
