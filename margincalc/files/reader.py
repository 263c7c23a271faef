"""`load`: from a file, perhaps with its market in another, to a validated portfolio."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

from pydantic import ValidationError

from margincalc.errors import Fault, InputError, input_error, printable, shown
from margincalc.files.explain import explain
from margincalc.files.source import STDIN, Source, read_source
from margincalc.files.tree import Locator, Places, Tree
from margincalc.files.yaml_text import read_yaml
from margincalc.portfolio import MarketSnapshot, Portfolio
from margincalc.times import instant

T = TypeVar("T")
M = TypeVar("M", Portfolio, MarketSnapshot)
_OF_AN_ACCOUNT = ("account", "positions", "orders")


def load(
    source: str | Path,
    *,
    market: str | Path | None = None,
    as_of: str | None = None,
    stdin: IO[bytes] | None = None,
) -> Portfolio:
    """Read a portfolio file.

    Parameters
    ----------
    source : a path, or `-` for standard input; its format is known by its extension, or else by
        its content
    market : another file, whose market holds over that of `source`; a CSV file needs one
    as_of : the time of the valuation; holds over what the files say
    stdin : what `-` reads, by default the standard input of the process

    Raises
    ------
    InputError
        With every fault found in the files and the time.
    """
    faults: list[Fault] = []
    if str(source) == str(market) == STDIN:
        raise input_error("--market", "standard input twice", "a file", "name one of the two")
    own = _tried(faults, lambda: _portfolio(read_source(source, stdin), alone=market is None))
    other = None
    if market is not None:
        other = _tried(faults, lambda: _snapshot(read_source(market, stdin)))
    time = None if as_of is None else _tried(faults, lambda: _time(as_of))
    if own is None or faults:
        raise InputError(faults)
    portfolio, own_places = own
    locate: Callable[[str], str] = own_places
    if other is not None:
        locate = _Either(own_places, other[1], len(portfolio.collateral))
        portfolio = portfolio.with_market(other[0])
    if time is not None:
        portfolio = portfolio.model_copy(update={"as_of": time})
    return portfolio.located(locate)


def _tried(faults: list[Fault], work: Callable[[], T]) -> T | None:
    """Do a part of the work; note its faults, so that the other parts' are found as well."""
    try:
        return work()
    except InputError as error:
        faults.extend(error.faults)
        return None


def _portfolio(source: Source, *, alone: bool) -> tuple[Portfolio, Locator]:
    if source.format == "csv":
        return _positions(source, alone=alone)
    tree, places = _read(source)
    return _validated(Portfolio, tree, places), places


def _positions(source: Source, *, alone: bool) -> tuple[Portfolio, Locator]:
    from margincalc.files.csv_text import CsvRows  # the other formats start faster without

    cells = CsvRows(source.text, source.name)
    account = printable(source.stem, 100) or "account"
    tree = {"account": account, "positions": cells.rows}
    faults: list[Fault] = []
    written = _tried(faults, lambda: _validated(Portfolio, tree, cells))
    if alone:
        remedy = "pass --market FILE, a YAML or JSON file with `as_of` and `market`"
        faults.append(Fault(source.name, "positions without a market", "a market file", remedy))
    if written is None or faults:
        raise InputError(faults)
    return written, cells


def _snapshot(source: Source) -> tuple[MarketSnapshot, Places]:
    """Read a market file, or the market of a complete portfolio file."""
    if source.format == "csv":
        wanted = "a market in YAML or JSON"
        raise input_error(source.name, "a CSV file", wanted, "CSV is for positions alone")
    tree, places = _read(source)
    if isinstance(tree, dict) and any(key in tree for key in _OF_AN_ACCOUNT):
        # Its collateral is that account's, and no part of the market.
        dropped = {*Portfolio.model_fields} - {*MarketSnapshot.model_fields} | {"collateral"}
        tree = {key: value for key, value in tree.items() if key not in dropped}
    return _validated(MarketSnapshot, tree, places), places


def _read(source: Source) -> tuple[Tree, Places]:
    if source.format == "json":
        from margincalc.files.json_text import json_lines, read_json

        tree = read_json(source.text, source.name)
        return tree, Places(source.name, source.text, json_lines)
    tree, _ = read_yaml(source.text, source.name)
    return tree, Places(source.name, source.text, read_yaml)


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
    market: Places
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
