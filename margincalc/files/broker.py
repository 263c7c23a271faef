"""Cells of a broker's CSV as plain ones: `$1,234.50`, `(20)`, `-MSFT210607C32.5`.

Only where columns are mapped (`--columns`): a file with columns of our own is written plainly. A
comma groups thousands, as it also separates cells. Brokers write the strike of an OCC symbol
plainly, some of them behind a dash or a dot:
https://www2.advisorchannel.com/ac/channel/jsp/sp3help/content/fwchlpoptionchain2021.htm,
https://help.tradestation.com/10_00/eng/TradeStationHelp/symbology/stock_option_symbology.htm,
looked up 2026-11-26.
"""

import re

_NUMBER = re.compile(
    r"(?P<minus>-)?\$?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)", re.ASCII
)
_SYMBOL = re.compile(
    r"[-.]?(?P<root>[A-Z]{1,5}\d?) ?(?P<day>\d{6})(?P<side>[CP])"
    r"(?P<dollars>\d{1,5})(?:\.(?P<thousandths>\d{1,3}))?",
    re.ASCII,
)


def plain_number(cell: str) -> str:
    """Return a number without sign of money or grouping, negative in parentheses; else the cell."""
    inner = cell[1:-1] if cell.startswith("(") and cell.endswith(")") else cell
    match = _NUMBER.fullmatch(inner)
    if match is None or (inner != cell and match["minus"]):
        return cell
    minus = "-" if match["minus"] or inner != cell else ""
    return minus + match["digits"].replace(",", "")


def plain_symbol(cell: str) -> str:
    """Return an OCC symbol whose strike is written plainly with its eight digits; else the cell."""
    if (match := _SYMBOL.fullmatch(cell)) is None:
        return cell
    strike = f"{match['dollars']:0>5}{match['thousandths'] or '':0<3}"
    return f"{match['root']}{match['day']}{match['side']}{strike}"
