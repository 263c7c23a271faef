"""The `deribit` family: Deribit's portfolio margin of 2024.

Every underlying has a table of price buckets with volatility down, the same and up, and an extended
table of large moves of which a part counts. Gains in one underlying count only in part against
losses in another. The worst row, rounded, and charges for the roll between expiries and for size make
the risk matrix margin: it is the initial margin, and maintenance a share of it.

Facts: reference docs.deribit.com, private/simulate (the response's figures force the inverse
profit, the weight of a large move, the roll's minimum, the rounding and the factor) and the
portfolio margin page of support.deribit.com; what only third parties say is named in the TOML file.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import Field

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Kind
from margincalc.margin.base import Components, MarginResult, Parameters, Share, Worst
from margincalc.margin.charges import collateral_haircut
from margincalc.margin.deribit_shocks import delta_shock, roll_shock
from margincalc.margin.grids import Power, SpotMove
from margincalc.margin.scope import Scope, base
from margincalc.risk import equity, now, risk_array, scenario_pnl
from margincalc.scenarios import ScenarioGrid, VolatilityRule, grid

Amount = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e12)]
Volatility = Annotated[float, Field(allow_inf_nan=False, ge=0, le=10)]
CONTRACTS = (Kind.OPTION, Kind.FUTURE, Kind.PERPETUAL)
EXPOSED = (*CONTRACTS, Kind.SPOT, Kind.COLLATERAL, Kind.SETTLEMENT)
DECIMALS = 9  # to which a worst case is rounded before charges are added


class PriceTable(Parameters):
    """Buckets on each side of the price, evenly spaced over the range."""

    price_range: Annotated[float, Field(allow_inf_nan=False, gt=0, lt=1)]
    buckets_count: Annotated[int, Field(ge=1, le=50)]


class VolatilityTable(Parameters):
    """Relative moves of a 30-day volatility, and how they change with the expiry."""

    range_up: Volatility
    range_down: Share
    short_term_power: Power
    long_term_power: Power
    minimum_for_shock_up: Volatility
    floor_days: Annotated[float, Field(allow_inf_nan=False, gt=0, le=400)]


class ExtendedTable(Parameters):
    """Large moves, volatility up; what counts of them, and the loss that is forgiven."""

    moves: tuple[SpotMove, ...]
    factor: Share
    dampener_usd: Amount


class Offset(Parameters):
    """How much of a gain counts against losses of other underlyings."""

    pnl_offset: Share
    max_offsetable_pnl_usd: Amount


class RollShock(Parameters):
    """Annualised move of a forward against the others, and the least move."""

    annualised_move_risk: Share
    min_annualised_move: Share


class DeltaShock(Parameters):
    """A charge on delta beyond a threshold, growing by `m_inc` per coin."""

    threshold_usd: Amount
    max_delta_shock: Share
    m_inc: Share


class Reserved(Parameters):
    """Amounts that the venue holds beside, account currency; as its account page shows them."""

    open_orders_margin: Amount
    mmp_margin: Amount
    spot_margin: Amount


class DeribitSet(Parameters):
    """The parameters of one underlying."""

    price: PriceTable
    volatility: VolatilityTable
    extended: ExtendedTable
    offset: Offset
    roll_shock: RollShock
    delta_shock: DeltaShock


class DeribitParameters(Parameters):
    """The file's tables.

    Attributes
    ----------
    tables : one over all of an account, or one for each settlement currency
    equity_side_impact : whether coin that is held is part of the table
    """

    tables: Literal["cross", "segregated"]
    equity_side_impact: Literal["both", "none"]
    mm_factor: Share
    reserved: Reserved
    underlyings: dict[str, DeribitSet] = Field(min_length=1)


class Deribit(NamedTuple):
    """Worst row of joint tables, plus charges; a share of it is maintenance."""

    parameters: DeribitParameters
    grids: tuple[ScenarioGrid, ...]  # per underlying: an account in money's, then one in coin's

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book."""
        Scope(underlyings=tuple(self.parameters.underlyings)).refuse_beyond(book)
        value = now(book)
        tables, worst = self._worst(book, value)
        loss = np.round(np.maximum(-tables.pnl, 0.0), DECIMALS)
        charges = self._charges(book)
        matrix = {
            "scenario_loss": group_sum(loss, tables.pool, book.pools),
            **charges,
            "correlation_contingency": np.zeros(book.pools),
        }
        maintenance = {name: self.parameters.mm_factor * part for name, part in matrix.items()}
        reserved = self.parameters.reserved.model_dump()
        held = {name: np.full(book.pools, amount) for name, amount in reserved.items()}
        haircut = {"collateral_haircut": collateral_haircut(book, initial=True)}
        details = {"risk_matrix_margin": sum(matrix.values(), np.zeros(book.pools)), **matrix}
        details["worst_case"] = details.pop("scenario_loss")
        initial: Components = {**matrix, **held, **haircut}
        return MarginResult(equity(book, value), maintenance, initial, worst, details)

    def risk_vectors(self, book: Book) -> "Vectors":
        """Profit per underlying and row of its table, as weighted and as it counts."""
        return self._vectors(book, now(book))

    def _number(self, book: Book) -> IntArray:
        """Return the set of each underlying, shape (U,); the first for what is never margined."""
        number = {name: index for index, name in enumerate(self.parameters.underlyings)}
        names = book.names.underlyings
        return np.array([number.get(base(name), 0) for name in names], np.int64)

    def _rows(self, book: Book) -> IntArray:
        """Return the position rows that enter the tables."""
        both = self.parameters.equity_side_impact == "both"
        rows = book.rows(*(EXPOSED if both else CONTRACTS))
        return rows[book.underlying[rows] >= 0]

    def _settlement(self, book: Book, rows: IntArray) -> IntArray:
        """Return which table position rows belong to: -1 is the account's, or money's."""
        columns = book.instruments.take(book.instrument[rows])
        coin = columns.inverse | (columns.kind >= int(Kind.COLLATERAL))
        if self.parameters.tables == "cross":
            coin = np.zeros(len(rows), bool)
        return np.where(coin, columns.underlying, -1)

    def _vectors(self, book: Book, value: FloatArray) -> "Vectors":
        rows = self._rows(book)
        table = self._settlement(book, rows)
        first, labels = group_rows(book.pool[rows], table, book.underlying[rows])
        chosen = self._number(book)[book.underlying[rows]]
        size = max((each.size for each in self.grids), default=0)
        by_position = np.zeros((len(rows), size))
        for number in range(len(self.parameters.underlyings)):
            mine = np.flatnonzero(chosen == number)
            if len(mine):
                part, held = book.restricted(rows[mine])
                shocks = self.grids[2 * number + book.coin]
                risk = risk_array(part, shocks, value[held]) * shocks.weight
                pnl = part.quantity[:, None] * risk[part.instrument]
                by_position[mine, : shocks.size] = pnl
        own = rows[first]
        weighted = group_sum(by_position, labels, len(first))
        sets = tuple(self.parameters.underlyings.values())
        counted = np.zeros_like(weighted)
        for group, (row, pnl) in enumerate(zip(own, weighted, strict=True)):
            number = int(self._number(book)[book.underlying[row]])
            counted[group] = pnl
        return Vectors(rows, labels, own, table[first], by_position, weighted, counted)
