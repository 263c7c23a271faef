"""Reports: a frozen result goes in, text comes out.

    render -> as_json | as_csv | tables -> one file per table

Tables are set by `layout` (columns, widths) from cells that `numbers` writes (digits, units,
signs). Nothing here computes a number.
"""

from typing import Any, Literal, Protocol, get_args

from margincalc.report.screen import PLAIN, Screen

Format = Literal["table", "json", "csv"]
FORMATS: tuple[Format, ...] = get_args(Format)


class Report(Protocol):
    """A result of `answers`; `tables` and `as_csv` know them by their names."""

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON."""


def render(report: Report, format: Format, screen: Screen = PLAIN) -> str:
    """Return a result as text that ends with a newline.

    Parameters
    ----------
    format : `json` at full precision, `csv` of one flat row per line, or a `table` to read
    screen : what the table is read on; the other formats are the same everywhere
    """
    if format == "json":  # each format is imported when it is wanted: a script wants json, fast
        from margincalc.report.as_json import json_text

        return json_text(report.to_dict())
    if format == "csv":
        from margincalc.report.as_csv import csv_text

        return csv_text(report)
    from margincalc.report.tables import table_text

    return table_text(report, screen)


__all__ = ["FORMATS", "PLAIN", "Format", "Report", "Screen", "render"]
