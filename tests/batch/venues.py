"""Small venues on disk, and what a single file says of one of their accounts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

import margincalc as mc
from benchmarks.accounts import EXPRESSED, exchange, market
from margincalc.answers.batch_results import BatchReport
from margincalc.answers.results import MarginReport
from margincalc.portfolio import Portfolio

Written = dict[str, Any]
Row = dict[str, Any]


class Venue(NamedTuple):
    """Accounts as rows, and the head of their portfolio files."""

    market: Written
    positions: list[Row]
    balances: list[Row]

    def portfolio(self, account: str | int) -> Portfolio:
        """Return one account as a file of its own would say it."""
        held = [
            {
                name: row[column]
                for name, column in _OF_A_POSITION.items()
                if row.get(column) is not None
            }
            for row in self.positions
            if row["account"] == account
        ]
        terms = {each["asset"]: each for each in self.market.get("collateral", ())}
        owned = [
            terms.get(row["asset"], {})
            | {"asset": row["asset"], "quantity": row["amount"]}
            | ({"venue": row["venue"]} if row.get("venue") else {})
            for row in self.balances
            if row["account"] == account
        ]
        whole = self.market | {"account": str(account), "positions": held, "collateral": owned}
        return Portfolio.model_validate(whole)

    def write(self, folder: Path, group: int = 50) -> tuple[Path, Path]:
        """Write positions and balances, so many rows to a group."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = folder / "positions.parquet", folder / "balances.parquet"
        for path, rows in zip(paths, (self.positions, self.balances), strict=True):
            pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=group)
        return paths


_OF_A_POSITION = {
    "instrument": "instrument",
    "quantity": "quantity",
    "entry_price": "entry_price",
    "venue": "venue",
    "group": "pool",
}


def venue(model: str, accounts: int, legs: Sequence[int] = range(1, 12)) -> Venue:
    """Draw accounts that a model can express."""
    drawn = exchange(model, accounts, legs)
    positions = [
        {
            "account": held["venue"],
            "instrument": held["instrument"],
            "quantity": float(held["quantity"]),
            "entry_price": None,
        }
        for held in drawn["positions"]
    ]
    balances = [
        {"account": own["venue"], "asset": own["asset"], "amount": float(own["quantity"])}
        for own in drawn["collateral"]
    ]
    return Venue(market(model), positions, balances)


def run(made: Venue, folder: Path, model: str | None = None, **wishes: Any) -> BatchReport:
    """Write a venue below a folder, and margin it into `out` there."""
    positions, balances = made.write(folder)
    wishes = {"settings": EXPRESSED[model].settings if model in EXPRESSED else ()} | wishes
    given: dict[str, Any] = {"balances": balances, "output": folder / "out"} | wishes
    whole = Portfolio.model_validate(made.market)
    return mc.batch(positions, market=whole, model=model, **given)


def rows(folder: Path) -> dict[str | int, Row]:
    """Read the results of a run, by account."""
    found: list[Row] = pq.read_table(folder / "accounts").to_pylist()
    return {row["account"]: row for row in found}


def expected(report: MarginReport, underlyings: Sequence[str] = ()) -> Row:
    """Return what the row of an account must say, of what a single file says."""
    worst = report.worst_scenario
    found: Row = {
        name: getattr(report, name)
        for name in (
            "equity",
            "initial_margin",
            "maintenance_margin",
            "available_funds",
            "excess",
            "margin_ratio",
            "status",
        )
    }
    for name in ("index", "spot", "volatility", "pnl"):
        found[f"worst_scenario.{name}"] = None if worst is None else getattr(worst, name)
    found |= {f"component.{name}": part for name, part in report.components.items()}
    found |= {f"initial_component.{name}": part for name, part in report.initial_components.items()}
    for name in underlyings:
        prices: Mapping[str, float | None] = (
            report.liquidation[name]._asdict() if name in report.liquidation else {}
        )
        found |= {f"liquidation.{name}.{side}": prices.get(side) for side in ("below", "above")}
    return found


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with what it holds."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
