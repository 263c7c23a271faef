"""Portfolio files: read, converted, completed by a chain, and described by a schema."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from margincalc.portfolio import Portfolio

if TYPE_CHECKING:
    from margincalc.answers.chain_results import ChainReport


def load(
    source: str | Path,
    *,
    market: str | Path | None = None,
    as_of: str | None = None,
    format: str | None = None,
    columns: str | None = None,
    join: Sequence[str | Path] = (),
) -> Portfolio:
    """Read a portfolio file, YAML, JSON or CSV, or a venue's export; `-` is standard input.

    Parameters
    ----------
    format : of an export: deribit, okx, bybit, derive, ccxt, ibkr or csv; default: recognised
    columns : of foreign CSV, `Symbol=instrument,Qty=quantity`
    join : further exports of the same account, such as its balances and its market

    Raises
    ------
    InputError
        With every fault of the files.
    """
    from margincalc import files

    export = files.Export(format, columns, tuple(join))
    return files.load(source, market=market, as_of=as_of, export=export)


def convert(
    source: str | Path,
    *join: str | Path,
    market: str | Path | None = None,
    as_of: str | None = None,
    format: str | None = None,
    columns: str | None = None,
    to: str = "yaml",
) -> str:
    """Read an export, in one file or several, and return the portfolio file that says the same.

    Parameters
    ----------
    source, join : the files of one account: positions, balances, market
    to : `yaml` or `json`
    """
    from margincalc import files
    from margincalc.files.writer import without_empty

    portfolio = load(source, market=market, as_of=as_of, format=format, columns=columns, join=join)
    return files.written(without_empty(portfolio)[0], to)


def chain(portfolio: Portfolio) -> ChainReport:
    """Fit an arbitrage-free smile to each quoted expiry, and fill in missing volatilities.

    The report's `portfolio` has the smiles (`svi` of an expiry) and the volatilities.
    """
    from margincalc.answers.chain import chain_report

    return chain_report(portfolio)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a portfolio file."""
    from margincalc.files.schema import portfolio_schema

    return portfolio_schema()
