"""Shares of a requirement, and the worst scenario by Greek, of the reference's two books."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from margincalc.answers.margining import Rules, margined
from margincalc.arrays import FloatArray, group_sum
from margincalc.attribution.shapley import shapley
from margincalc.attribution.shares import shares
from margincalc.attribution.taylor import taylor
from margincalc.attribution.weighted import alone, legs, pooled
from margincalc.book import Book
from margincalc.margin.base import MarginModel, MarginResult
from margincalc.margin.forms import LinearForm
from margincalc.margin.scan import Scan, build
from margincalc.portfolio import Portfolio
from margincalc.scenarios import ScenarioGrid

Case = Mapping[str, Any]
SPOT = 100_000.0
MOVES = [-0.15, -0.1125, -0.075, -0.0375, 0.0, 0.0375, 0.075, 0.1125, 0.15]
TABLES = {
    "grid": {"spot": MOVES, "volatility": [-0.3, 0.0, 0.5]},
    "volatility": {"rule": "relative"},
}


class WithContingency(NamedTuple):
    """The reference's book: a scan, and an amount per unit of each position, long or short."""

    scan: Scan
    per_unit: Mapping[float, float]  # by strike, 0 for the perpetual

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """The scan's."""
        return self.scan.grids

    def margin(self, book: Book) -> MarginResult:
        """Scan, and charge every position that has a strike or is the perpetual."""
        result = self.scan.margin(book)
        strike = book.instruments.strike[book.instrument]
        held = book.underlying >= 0
        each = np.array([self.per_unit.get(float(key), 0.0) for key in strike]) * held
        charge = group_sum(np.abs(book.quantity) * each, book.pool, book.pools)
        return result._replace(components=result.components | {"contingency": charge})

    def linear(self, book: Book) -> LinearForm:
        """Return the scan's alone: nobody asks for the contingency."""
        return self.scan.linear(book)._replace(without=("contingency",))


def attribution(case: Case) -> dict[str, Any]:
    """Compute both books."""
    four, three = case["book4"], case["book3"]
    each = zip(four["pos"], four["contingency"], strict=True)
    per_unit = {_strike(name): amount / abs(quantity) for (name, quantity), amount in each}
    model = WithContingency(build(TABLES), per_unit)
    found = {f"book4.{key}": value for key, value in _book(four, model).items()}
    found |= {f"book3.{key}": value for key, value in _book(three, model.scan).items()}
    found |= {f"taylor_book4.{key}": value for key, value in _taylor(four, model).items()}
    return found


def _book(written: Case, model: MarginModel) -> dict[str, float]:
    book, order = _assembled(written["pos"])
    whole = pooled(book, model, 0)
    found = alone(whole)
    columns: dict[str, FloatArray] = {
        "euler": shares(whole).amount,
        "shapley": shapley(whole, legs(whole, found), seed=1).amount,
        "leave_one_out": found.leave_one_out,
        "standalone": found.standalone,
    }
    result = model.margin(book)
    figures = {"MM": float(result.maintenance[0])}
    if "worst" in written:
        assert result.worst is not None
        grid, row = model.grids[0], result.worst.scenario[0]
        figures |= {"worst.0": 1.0 + grid.spot[row], "worst.1": grid.volatility[row]}
    for name in columns.keys() & written.keys():
        figures |= {f"{name}.{n}": float(columns[name][row]) for n, row in enumerate(order)}
    return figures


def _taylor(written: Case, model: MarginModel) -> dict[str, float]:
    book, _ = _assembled(written["pos"])
    worst = model.margin(book).worst
    assert worst is not None
    terms = taylor(book, model, worst)
    found = {name: float(np.sum(column)) for name, column in terms._asdict().items()}
    del found["theta"]
    return {"pnl": float(worst.pnl[0]), **found}


def _assembled(positions: list[Any]) -> tuple[Book, list[int]]:
    """Return the book, and its row of each position."""
    names = [_name(name) for name, _ in positions]
    content = {
        "as_of": "2026-11-20T08:00:00Z",
        "market": {"BTC": {"spot": SPOT, "volatility": 0.6}},
        "positions": [
            {"instrument": name, "quantity": float(quantity)}
            for name, (_, quantity) in zip(names, positions, strict=True)
        ],
        "collateral": [{"asset": "USD", "quantity": 1e6}],
    }
    book = margined(Portfolio.model_validate(content), Rules()).book
    rows = {book.names.instruments[held]: row for row, held in enumerate(book.instrument)}
    return book, [rows[name] for name in names]


def _strike(name: str) -> float:
    return 0.0 if name == "perp" else float(name[1:-1]) * 1000.0


def _name(name: str) -> str:
    """Return the contract that the reference calls `P90k` or `perp`, 30 days to expiry."""
    return "BTC-PERPETUAL" if name == "perp" else f"BTC-20DEC26-{_strike(name):.0f}-{name[0]}"


ADAPTERS = {"attribution": attribution}
