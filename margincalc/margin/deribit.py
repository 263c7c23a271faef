"""The `deribit` family: Deribit's portfolio margin of 2024.

Every underlying has a table of price buckets with volatility down, the same and up, and an
extended table of large moves of which a part counts. Gains in one underlying count only in part
against losses in another. The worst row, rounded, and charges for the roll between expiries and for
size make the risk matrix margin: it is the initial margin, and maintenance a share of it.

Sources: the portfolio margin page of support.deribit.com, and the response printed for
private/simulate in docs.deribit.com, whose figures force the inverse profit, the weight of a large
move, the roll's minimum, the rounding and the factor. What only third parties say is named in the
TOML files.
"""

from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Kind
from margincalc.margin.base import Components, MarginResult, Worst, total
from margincalc.margin.deposits import collateral_haircut, without_deposits
from margincalc.margin.deribit_rules import DeribitParameters, DeribitSet
from margincalc.margin.deribit_shocks import delta_shock, roll_shock
from margincalc.margin.forms import LinearForm
from margincalc.margin.scope import Scope, base
from margincalc.risk import equity, now, scenario_pnl, weighted_risk
from margincalc.scenarios import ScenarioGrid, VolatilityRule, grid

CONTRACTS = (Kind.OPTION, Kind.FUTURE, Kind.PERPETUAL)
DECIMALS = 9  # to which a worst case is rounded before charges are added


class Part(NamedTuple):
    """The profits of one coin's positions, by pool and table (G groups).

    `BTC` and `BTC_USDC` are one coin, on one index; a group is called by the first of its names.

    Attributes
    ----------
    number, grid : of the coin's parameters, and of its scenarios
    rows, labels : position rows, and the group of each, shape (P,)
    pool, table, underlying : shape (G,)
    weighted : as each row counts, shape (G, S): Deribit's pre-aggregated risk vectors
    by_position : the same, shape (P, S)
    """

    number: int
    grid: int
    rows: IntArray
    labels: IntArray
    pool: IntArray
    table: IntArray
    underlying: IntArray
    weighted: FloatArray
    by_position: FloatArray


class Deribit(NamedTuple):
    """Worst row of joint tables, plus charges; a share of it is maintenance."""

    parameters: DeribitParameters
    grids: tuple[ScenarioGrid, ...]  # per underlying: of an account in money, then of one in coin

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book."""
        Scope(underlyings=tuple(self.parameters.underlyings)).refuse_beyond(book)
        value = now(book)
        parts = list(self.parts(book, value))
        loss, worst = self._worst(book, parts)
        alone = self._alone(book, value, loss)
        split = {"scenario_loss": alone, "wrong_way": loss - alone}
        matrix = {**split, **self._charges(book, parts)}
        maintenance = {name: self.parameters.mm_factor * part for name, part in matrix.items()}
        reserved = self.parameters.reserved.model_dump()
        initial = {
            **matrix,
            **{name: np.full(book.pools, amount) for name, amount in reserved.items()},
            "collateral_haircut": collateral_haircut(book, initial=True),
        }
        details = {
            "worst_case": loss,
            "risk_matrix_margin": total(matrix, book.pools),
            "margin_balance": equity(book, value),
        }
        return MarginResult(equity(book, value), maintenance, initial, worst, details)

    def linear(self, book: Book) -> LinearForm:
        """Return no linear form, but what stands in its way."""
        return LinearForm(without=("gains of one coin that offset losses of another in part",))

    def parts(self, book: Book, value: FloatArray) -> Iterator[Part]:
        """Yield the profits of each coin that has parameters; `value` is `now(book)`."""
        rows = self._exposed(book)
        chosen = self._number(book)[book.underlying[rows]]
        for number in range(len(self.parameters.underlyings)):
            mine = rows[chosen == number]
            if not len(mine):
                continue
            table = self._table(book, mine)
            first, labels = group_rows(book.pool[mine], table)
            part, held = book.restricted(mine)
            shocks = self.grids[2 * number + book.coin]
            risk = weighted_risk(part, shocks, value[held])
            yield Part(
                number,
                2 * number + book.coin,
                mine,
                labels,
                book.pool[mine][first],
                table[first],
                book.underlying[mine][first],
                scenario_pnl(part, risk, labels, len(first)),
                part.quantity[:, None] * risk[part.instrument],
            )

    def counted(self, book: Book, part: Part) -> FloatArray:
        """Profits as they enter the common table, shape (G, S): gains in part, tails dampened."""
        chosen = list(self.parameters.underlyings.values())[part.number]
        index = book.spot[part.underlying][:, None]
        unit = index if book.coin else np.ones_like(index)
        most = chosen.offset.max_offsetable_pnl_usd / unit
        gain = np.minimum(chosen.offset.pnl_offset * part.weighted, most)
        counted = np.where(part.weighted > 0.0, gain, part.weighted)
        move = self.grids[part.grid].spot
        beyond = np.maximum(np.abs(move) / chosen.price_range, 1.0) - 1.0
        there = unit * (1.0 + np.sign(move) * chosen.price_range) if book.coin else unit
        forgiven = np.minimum(beyond * chosen.extended.dampener_usd / there, np.abs(counted))
        result: FloatArray = counted - np.sign(counted) * forgiven
        return result

    def _number(self, book: Book) -> IntArray:
        """Return the parameters of each underlying, shape (U,); -1 where there are none."""
        number = {name: index for index, name in enumerate(self.parameters.underlyings)}
        return np.array([number.get(base(name), -1) for name in book.names.underlyings], np.int64)

    def _exposed(self, book: Book) -> IntArray:
        """Return the position rows that enter the tables."""
        both = self.parameters.equity_side_impact == "both"
        rows = book.rows(*(tuple(Kind) if both else CONTRACTS))
        return rows[book.underlying[rows] >= 0]

    def _table(self, book: Book, rows: IntArray) -> IntArray:
        """Name the table of position rows: the coin that they settle in, or -1."""
        if self.parameters.tables == "cross":
            return np.full(len(rows), -1)
        columns = book.instruments.take(book.instrument[rows])
        coin = columns.inverse | ~columns.is_kind(*CONTRACTS)
        return np.where(coin, columns.underlying, -1)

    def _worst(self, book: Book, parts: list[Part]) -> tuple[FloatArray, Worst | None]:
        """Add up what moves together and take each table's worst row."""
        if not parts:
            return np.zeros(book.pools), None
        pool, table, underlying = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("pool", "table", "underlying")
        )
        counted = np.concatenate([self.counted(book, part) for part in parts])
        first, labels = group_rows(pool, table)
        joint = group_sum(counted, labels, len(first))
        scenario = np.argmin(joint, axis=1)
        lost = np.maximum(-joint[np.arange(len(first)), scenario], 0.0)
        loss = group_sum(np.round(lost, DECIMALS), pool[first], book.pools)
        row = scenario[labels]
        grids = [np.full(len(part.pool), part.grid) for part in parts]
        full = [part.weighted / self.grids[part.grid].weight for part in parts]
        order = np.lexsort((underlying, pool))
        worst = Worst(
            pool=pool[order],
            underlying=underlying[order],
            grid=np.concatenate(grids)[order],
            scenario=row[order],
            pnl=counted[np.arange(len(row)), row][order],
            by_position=cache(partial(_by_position, book, parts, row)),
            every=np.concatenate(full)[order],
        )
        return loss, worst

    def _alone(self, book: Book, value: FloatArray, loss: FloatArray) -> FloatArray:
        """Return the loss of the positions without deposits; `loss` is of all, shape (A,)."""
        bare = without_deposits(book)
        return loss if bare is None else self._worst(bare, list(self.parts(bare, value)))[0]

    def _charges(self, book: Book, parts: list[Part]) -> Components:
        """Return roll and delta shock; no rule is known of the correlation contingency."""
        roll, size = np.zeros(book.pools), np.zeros(book.pools)
        for part in parts:
            chosen = list(self.parameters.underlyings.values())[part.number]
            contracts = book.instruments.is_kind(*CONTRACTS)[book.instrument[part.rows]]
            rows, table = part.rows[contracts], part.table[part.labels[contracts]]
            roll = roll + roll_shock(book, rows, table, chosen.roll_shock)
            size = size + delta_shock(book, rows, table, chosen.delta_shock)
        none = np.zeros(book.pools)
        return {"roll_shock": roll, "delta_shock": size, "correlation_contingency": none}


def _by_position(book: Book, parts: list[Part], row: IntArray) -> FloatArray:
    """Profit of every position in its table's worst row, given by group, shape (P,)."""
    found, start = np.zeros(len(book.quantity)), 0
    for part in parts:
        own = row[start : start + len(part.pool)][part.labels]
        found[part.rows] = part.by_position[np.arange(len(part.rows)), own]
        start += len(part.pool)
    return found


def _scenarios(whole: DeribitParameters, chosen: DeribitSet, *, coin: bool) -> ScenarioGrid:
    """Return main and extended table of one underlying.

    A large move m counts as ``factor * price_range / |m|``. In coin the profit is first restated at
    the price at the edge of the range, so that a future makes there what it makes at the edge.
    """
    edge, volatility = chosen.price_range, chosen.volatility
    count = whole.rows.buckets_count
    buckets = [edge * step / count for step in range(-count, count + 1)]
    shocks = (-volatility.range_down, 0.0, volatility.range_up)
    rows = [(move, shock, 1.0, 0.0) for move in buckets for shock in shocks]
    for move in whole.rows.extended_moves:
        weight = chosen.extended.factor * edge / abs(move)
        if coin:
            weight *= (1.0 + move) / (1.0 + np.sign(move) * edge)
        rows.append((move, volatility.range_up, weight, 0.0))
    rule = VolatilityRule(
        True,
        volatility.short_term_power,
        volatility.long_term_power,
        volatility.floor_days,
        volatility.minimum_for_shock_up,
    )
    return grid(np.array(rows, np.float64), rule)


def build(tables: Mapping[str, Any]) -> Deribit:
    """Read a model's tables.

    Raises
    ------
    pydantic.ValidationError
        If a parameter is missing, unknown or out of bounds.
    """
    whole = DeribitParameters.model_validate(tables)
    grids = tuple(
        _scenarios(whole, chosen, coin=coin)
        for chosen in whole.underlyings.values()
        for coin in (False, True)
    )
    return Deribit(whole, grids)
