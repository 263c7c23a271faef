"""Accounts that hold a contract, one row each: what the loss waterfall reads.

YAML and JSON hold a mapping with `accounts`; CSV and Parquet hold the rows alone, their columns
named like the fields of a row.
"""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from margincalc.errors import InputError, input_error, printable, shown
from margincalc.files.explain import explain
from margincalc.files.parquet import opened, read_whole
from margincalc.files.source import Source, read_source
from margincalc.files.tree import Locator, Places, Tree
from margincalc.files.yaml_text import read_yaml, yaml_growth
from margincalc.portfolio import LEAST, Finite, Positive, Price, Text

MOST_PRICE = 1e15  # as of `Positive`
CELLS = 10_000_000  # of a Parquet file: a million accounts, each an object
_EXAMPLE = "account,quantity,entry_price,balance,maintenance"


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Holder(_Written):
    """One account's position in one contract, linear, in units of what is priced."""

    account: Text
    quantity: Finite = Field(description="negative is short")
    entry_price: Positive
    balance: Finite = Field(description="of the wallet, without the unrealised profit")
    maintenance: Price = Field(0.0, description="maintenance margin")
    instrument: Text = "contract"
    mark: Positive | None = Field(None, description="price now; default: that of the file")
    period: Price = Field(0.0, description="when it is closed, for a fund capped per period")


class FundTerms(_Written):
    """An insurance fund."""

    balance: Price = 0.0
    cap: Price | None = Field(None, description="the most that it pays in one period")


class Holders(_Written):
    """The content of a file of accounts."""

    currency: Text = "USD"
    mark: Positive | None = None
    fund: FundTerms = FundTerms()
    accounts: tuple[Holder, ...]


def load_holders(source: str | Path, *, mark: float | None = None) -> Holders:
    """Read a file of accounts, YAML, JSON, CSV or Parquet; `-` is standard input.

    Parameters
    ----------
    mark : price of rows without one; holds over the file's

    Raises
    ------
    InputError
        With every fault of the file.
    MissingExtraError
        If it is a Parquet file and pyarrow is not installed.
    """
    if mark is not None and not LEAST <= mark <= MOST_PRICE:
        raise input_error("--mark", shown(mark), f"a price greater than 0, up to {MOST_PRICE:g}")
    if str(source).endswith(".parquet"):
        tree, place = _parquet(Path(source))
    else:
        tree, place = _read(read_source(source))
    if mark is not None and isinstance(tree, dict):
        tree = {**tree, "mark": mark}
    try:
        found = Holders.model_validate(tree)
    except ValidationError as error:
        raise InputError(explain(error, tree, Holders, place)) from None
    without = [number for number, row in enumerate(found.accounts) if row.mark is None]
    if found.mark is None and without:
        remedy = "pass --mark PRICE, or add a `mark` to the file or to each account"
        raise input_error(place(f"accounts[{without[0]}]"), "no mark", "a price", remedy)
    return found


def _read(source: Source) -> tuple[Tree, Locator]:
    if source.format == "csv":
        from margincalc.files.csv_text import CsvRows, Sheet

        needed = ("account", "quantity", "entry_price", "balance")
        sheet = Sheet("accounts", Holder, ("account", "instrument"), needed, _EXAMPLE)
        rows = CsvRows(source.text, source.name, sheet)
        return {"accounts": rows.rows}, rows
    if source.format == "json":
        from margincalc.files.json_text import json_growth, read_json

        tree = read_json(source.text, source.name)
        return tree, Places(source.name, source.text, json_growth)
    tree, _ = read_yaml(source.text, source.name)
    return tree, Places(source.name, source.text, yaml_growth)


class _Rows:
    """Says where the values of a Parquet file stand."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, path: str) -> str:
        """Return the file's name and the path."""
        return f"{self._name}, {path}" if path else self._name

    def line(self, path: str) -> int:
        """Return 0: it has no lines."""
        return 0


def _parquet(path: Path) -> tuple[Tree, Locator]:
    with opened(str(path)) as file:
        rows: list[dict[str, Any]] = read_whole(file, str(path), CELLS).to_pylist()
    kept = [{key: _plain(value) for key, value in row.items() if value is not None} for row in rows]
    return {"accounts": kept}, _Rows(printable(str(path)))


def _plain(value: object) -> object:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
