"""Results as CSV: flat rows, numbers at full precision, nothing for what does not exist.

A spreadsheet computes a text that begins like a formula, and names come from outside: such a text
begins with an apostrophe, by which a spreadsheet knows a text. Lines end in a plain newline.
"""

import csv
import re
from typing import TYPE_CHECKING

from margincalc.answers.results import Json
from margincalc.report.records import records

if TYPE_CHECKING:
    from margincalc.report import Report

_FORMULA = re.compile(
    r"[=@\uff1d\uff0b\uff0d\uff20\t\r\n]"
    r"|[-+](?!\d[\d.,]*(?:e[-+]?\d+)? ?%?(?:(?:;| \w)[\w .,:;%+-]*)?\Z)"
)
"""How a formula begins; `-2.5 BTC-PERPETUAL`, a number and plain words apart from it, is none."""


def csv_text(report: "Report", *, guarded: bool = True) -> str:
    """Return a result as CSV under a line of column names, in the order in which they appear.

    Parameters
    ----------
    guarded : whether it is for a spreadsheet, which would compute texts
    """
    rows = list(records(report))
    columns = list(dict.fromkeys(column for row in rows for column in row))

    def cell(value: Json) -> Json:
        plain = _cell(value)
        formula = guarded and isinstance(plain, str) and _FORMULA.match(plain)
        return f"'{plain}" if formula else plain

    lines = _Lines()
    writer = csv.writer(lines)  # whose own line ends make it quote a carriage return too
    writer.writerow(map(cell, columns))
    writer.writerows([cell(row.get(column)) for column in columns] for row in rows)
    return "".join(line.removesuffix("\r\n") + "\n" for line in lines)


class _Lines(list[str]):
    """Lines as they are written."""

    def write(self, line: str) -> None:
        """Take a line."""
        self.append(line)


def _cell(value: Json) -> Json:
    if isinstance(value, float):
        return value + 0.0  # minus zero and zero are zero
    return str(value).lower() if isinstance(value, bool) else value
