"""`load`: from a file, perhaps with its market in another, to a validated portfolio."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple, TypeVar

from pydantic import ValidationError

from margincalc.errors import Fault, InputError, did_you_mean, input_error, printable, shown
from margincalc.files.explain import explain
from margincalc.files.source import STDIN, Source, read_source
from margincalc.files.tree import Knowing, Locator, Places, Tree
from margincalc.files.yaml_text import read_yaml, yaml_growth
from margincalc.portfolio import MarketSnapshot, Portfolio, Position
from margincalc.times import instant

T = TypeVar("T")
M = TypeVar("M", Portfolio, MarketSnapshot)
_OF_AN_ACCOUNT = ("account", "positions", "orders")
FORMATS = ("deribit", "okx", "bybit", "derive", "ccxt", "ibkr", "csv")
"""What `Export.format` may be; each but the last has its reader in `files.exports`."""


class Export(NamedTuple):
    """How to read what is no native file.

    Attributes
    ----------
    format : one of `FORMATS`; default: what the files look like
    columns : of CSV: `THEIRS=ours`, with commas between
    join : further files of the same account: positions, balances, market
    """

    format: str | None = None
    columns: str | None = None
    join: tuple[str | Path, ...] = ()


NATIVE = Export()


def load(
    source: str | Path,
    *,
    market: str | Path | None = None,
    as_of: str | None = None,
    stdin: IO[bytes] | None = None,
    export: Export = NATIVE,
) -> Portfolio:
    """Read a portfolio file.

    Parameters
    ----------
    source : a path, or `-` for standard input; its format is known by its extension, or else by
        its content
    market : another file, whose market holds over that of `source`; a CSV file needs one
    as_of : the time of the valuation; holds over what the files say
    stdin : what `-` reads, by default the standard input of the process
    export : how to read a venue's or broker's own files

    Raises
    ------
    InputError
        With every fault found in the files and the time.
    """
    faults: list[Fault] = []
    if str(source) == str(market) == STDIN:
        raise input_error("--market", "standard input twice", "a file", "name one of the two")
    own = _tried(faults, lambda: _account(read_source(source, stdin), export, market is None))
    other = None
    if market is not None:
        other = _tried(faults, lambda: _snapshot(read_source(market, stdin)))
    time = None if as_of is None else _tried(faults, lambda: _time(as_of))
    if own is None or faults:
        raise InputError(faults)
    portfolio, own_places = own
    locate: Callable[[str], str] = own_places
    remarks = portfolio.remarks
    if other is not None:
        remarks += other[2]
        locate = _Either(own_places, other[1], len(portfolio.collateral))
        portfolio = portfolio.with_market(other[0])
    if time is not None:
        portfolio = portfolio.model_copy(update={"as_of": time})
    return portfolio.located(locate).remarked(remarks)


def _tried(faults: list[Fault], work: Callable[[], T]) -> T | None:
    """Do a part of the work; note its faults, so that the other parts' are found as well."""
    try:
        return work()
    except InputError as error:
        faults.extend(error.faults)
        return None


def _account(source: Source, export: Export, alone: bool) -> tuple[Portfolio, Locator]:
    """Read an account in its native form, or in the form of an export."""
    if export.format is not None and export.format not in FORMATS:
        near = did_you_mean(export.format, FORMATS)
        wanted = f"one of {', '.join(FORMATS)}"
        raise input_error("--from", shown(export.format), wanted, near)
    tabular = export.format == "csv" or (export.format is None and source.format == "csv")
    if tabular or export.columns:
        _refuse_beside_a_table(export)
        return _positions(source, export, alone=alone)
    if export.format or export.join or source.format == "xml":
        return _exported(source, export)
    if source.format == "json":
        tree, places = _read(source)
        if _foreign(tree):
            return _exported(source, export)
        return _validated(Portfolio, tree, places), places
    tree, places = _read(source)
    return _validated(Portfolio, tree, places), places


def _refuse_beside_a_table(export: Export) -> None:
    """Refuse what a CSV file of positions is not read with."""
    if export.join:
        remedy = "deposits may stand in the file of --market"
        raise input_error("--join", printable(str(export.join[0])), "a CSV file alone", remedy)
    if export.columns and export.format not in (None, "csv"):
        found, wanted = f"columns of CSV beside --from {export.format}", "one of the two"
        raise input_error("--columns", found, wanted, "a table of any broker is --from csv")


def _foreign(tree: Tree) -> bool:
    """Whether a JSON tree is a venue's export; a file of known keys is not looked at further."""
    native = frozenset(Portfolio.model_fields)
    if isinstance(tree, dict) and tree.keys() <= native:
        return False
    from margincalc.files.exports import foreign

    return foreign(tree, native)


def _exported(source: Source, export: Export) -> tuple[Portfolio, Locator]:
    from margincalc.files.exports import gather

    sources = [source, *(read_source(path) for path in export.join)]
    gathered = gather(sources, export.format)
    portfolio = _validated(Portfolio, gathered.tree, gathered.origin)
    return portfolio.remarked(gathered.remarks), gathered.origin


def _positions(source: Source, export: Export, *, alone: bool) -> tuple[Portfolio, Locator]:
    from margincalc.files.csv_text import CsvRows  # the other formats start faster without

    mapped = None if export.columns is None else _columns(export.columns)
    cells = CsvRows(source.text, source.name, columns=mapped)
    account = printable(source.stem, 100) or "account"
    tree = {"account": account, "positions": cells.rows}
    faults: list[Fault] = []
    written = _tried(faults, lambda: _validated(Portfolio, tree, cells))
    if alone:
        remedy = "pass --market FILE, a YAML or JSON file with `as_of` and `market`"
        faults.append(Fault(source.name, "positions without a market", "a market file", remedy))
    if written is None or faults:
        raise InputError(faults)
    unused = f"{source.name}: columns not used: {', '.join(map(printable, cells.unused))}"
    left_out = (f"left out: {row}" for row in cells.left_out)
    return written.remarked(((unused,) if cells.unused else ()) + (*left_out,)), cells


def _columns(text: str) -> dict[str, str]:
    """Read `Symbol=instrument,Qty=quantity`."""
    known = Position.model_fields
    columns = {}
    for pair in text.split(","):
        theirs, equals, ours = (part.strip() for part in pair.rpartition("="))
        if not equals or not theirs or ours not in known:
            remedy = did_you_mean(ours, known) or f"fields are {', '.join(known)}"
            wanted = "pairs such as Symbol=instrument,Qty=quantity"
            raise input_error("--columns", shown(pair.strip()), wanted, remedy)
        columns[theirs] = ours
    return columns


def _snapshot(source: Source) -> tuple[MarketSnapshot, Knowing, tuple[str, ...]]:
    """Read a market file, the market of a complete portfolio file, or a venue's quotes."""
    if source.format == "csv":
        wanted = "a market in YAML or JSON"
        raise input_error(source.name, "a CSV file", wanted, "CSV is for positions alone")
    remarks: tuple[str, ...] = ()
    places: Knowing
    tree, places = _read(source)
    if source.format == "json" and _foreign(tree):
        from margincalc.files.exports import gather

        gathered = gather([source])
        tree, places, remarks = gathered.tree, gathered.origin, gathered.remarks
    if isinstance(tree, dict) and any(key in tree for key in _OF_AN_ACCOUNT):
        # Its collateral is that account's, and no part of the market.
        dropped = {*Portfolio.model_fields} - {*MarketSnapshot.model_fields} | {"collateral"}
        tree = {key: value for key, value in tree.items() if key not in dropped}
    elif isinstance(tree, dict):  # which model margins what is a rule beside the market
        tree = {key: value for key, value in tree.items() if key != "venues"}
    return _validated(MarketSnapshot, tree, places), places, remarks


def market_of(tree: Tree, place: Locator) -> MarketSnapshot:
    """Return a market whose tree came from elsewhere than a text.

    Raises
    ------
    InputError
        With every fault, each at its `place`.
    """
    return _validated(MarketSnapshot, tree, place)


def _read(source: Source) -> tuple[Tree, Places]:
    if source.format == "json":
        from margincalc.files.json_text import json_growth, read_json

        tree = read_json(source.text, source.name)
        return tree, Places(source.name, source.text, json_growth)
    tree, _ = read_yaml(source.text, source.name)
    return tree, Places(source.name, source.text, yaml_growth)


def _validated(model: type[M], tree: Tree, place: Locator) -> M:
    try:
        written = model.model_validate(tree)
    except ValidationError as error:
        raise InputError(explain(error, tree, model, place)) from None
    for name, underlying in written.market.items():
        if len(underlying.expiries) < len(tree["market"][name].get("expiries", ())):
            path = f"market.{name}.expiries"
            remedy = "keep one of the keys that mean the same time"
            raise input_error(place(path), "one expiry twice", "each expiry once", remedy)
    return written


@dataclass(frozen=True)
class _Either:
    """Where a path stands: in the market file if that has it, else in the account's own.

    The deposits of the market file come after the account's own.
    """

    own: Locator
    market: Knowing
    deposits: int

    def __call__(self, path: str) -> str:
        inside = path
        if path.startswith("collateral["):
            number, _, rest = path.removeprefix("collateral[").partition("]")
            if int(number) < self.deposits:
                return self.own(path)
            inside = f"collateral[{int(number) - self.deposits}]{rest}"
        return self.market(inside) if inside in self.market else self.own(path)


def _time(text: str) -> dt.datetime:
    try:
        return instant(text)
    except ValueError as error:
        raise input_error("--as-of", shown(text), str(error)) from None


def load_market(source: str | Path) -> MarketSnapshot:
    """Read a market file, or the market of a complete portfolio file.

    Raises
    ------
    InputError
        With every fault found in the file.
    """
    return _snapshot(read_source(source))[0]
