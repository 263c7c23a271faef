"""The `strategy` family: Regulation T and FINRA 4210(f)(2), as Cboe's margin manual tells them.

Options and shares of one account on one underlying are paired into strategies, and each strategy
has its requirement; `pairing` finds the pairing that needs least. A naked short option needs its
value and ``max(rate * S - out of the money, minimum * S)``, a put at least the minimum of its
strike; short call and put the greater side and the other's value; a spread its largest loss at
expiry. Initial and maintenance differ for shares and for options that cover or protect them.

The rulebooks leave the value of options out of an account's equity; here equity is at market. So

    margin = published requirement + value of long options - value of short ones,

which is what must be deposited to open the position at its marks. `details` carry the three terms
of the initial margin: `strategy_requirement`, `long_option_value` and `short_option_value`; and the
maintenance's published figure, `strategy_maintenance`.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field

from margincalc.arrays import FloatArray, IntArray
from margincalc.book import Book, Kind
from margincalc.margin.base import Components, MarginResult, Parameters, Share
from margincalc.margin.charges import collateral_haircut
from margincalc.margin.forms import LinearForm
from margincalc.margin.pairing import COMPONENTS, Pairing, Prices, Terms, pair
from margincalc.margin.scope import Scope
from margincalc.margin.strategies import Legs
from margincalc.risk import equity, now
from margincalc.scenarios import ScenarioGrid

Amount = Annotated[float, Field(allow_inf_nan=False, ge=0)]


class ShortOption(Parameters):
    """Shares of the underlying's price; both are multiplied by its leverage."""

    equity: Share
    broad_index: Share
    minimum: Share


class House(Parameters):
    """Least requirement of a naked option: in all, and beyond its value; per contract."""

    contract_minimum: Amount
    beyond_value: Amount


class LongOption(Parameters):
    """The share of an option's value that may be borrowed, and from how long a life, in years."""

    loan: Share
    loan_from: Amount


class LongShares(Parameters):
    """Shares of their value."""

    initial: Share
    maintenance: Share


class ShortShares(LongShares):
    """Shares of their value, and a least amount per share, which for low prices is lower."""

    per_share: Amount
    low_price: Amount


class Combination(Parameters):
    """Rates of spreads, and of shares with options, as `pairing.Terms` describes them."""

    spread: Annotated[float, Field(allow_inf_nan=False, ge=1, le=2)]
    box: Share
    strike: Share


class Underlying(Parameters):
    """What sets an underlying apart."""

    broad_index: bool = False
    leverage: Annotated[float, Field(allow_inf_nan=False, gt=0, le=5)] = 1.0


class StrategyParameters(Parameters):
    """The file's tables."""

    whole_contracts: bool
    short_option: ShortOption
    house: House
    long_option: LongOption
    long_shares: LongShares
    short_shares: ShortShares
    combination: Combination
    underlyings: dict[str, Underlying]


class _Rows(NamedTuple):
    """Options and shares of a book, sorted by pool and underlying; shape (L,) each.

    Attributes
    ----------
    rows : of the book's positions
    value : of a long contract, account currency
    alone : published requirement of a leg by itself, per contract
    """

    rows: IntArray
    value: FloatArray
    alone: FloatArray


class _Group(NamedTuple):
    """One pool's legs on one underlying, and the values of its options."""

    pool: int
    underlying: int
    legs: Legs
    value: FloatArray
    alone: FloatArray


class Strategy(NamedTuple):
    """Requirements of the cheapest pairing, by pool and underlying."""

    parameters: StrategyParameters

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """None: this family has no scenarios."""
        return ()

    def linear(self, book: Book) -> LinearForm:
        """Return no linear form, but what stands in its way."""
        return LinearForm(without=("the pairing of legs into strategies",))

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book.

        Raises
        ------
        ModelRefusal
            If a book holds what these rules do not know.
        """
        _SCOPE.refuse_beyond(book)
        value = now(book)
        sums = {name: np.zeros((len(COMPONENTS), book.pools)) for name in _SUMS}
        long_short = np.zeros((2, book.pools))
        known: dict[tuple[Any, ...], tuple[Pairing, Pairing]] = {}
        for group in self._groups(book, value + book.instruments.offset):
            # Pools that hold the same in the same market, as most of a ladder do, share a pairing.
            key = (group.underlying, group.legs, group.value.tobytes(), group.alone.tobytes())
            if key not in known:
                known[key] = self._pairings(book, group)
            initial, maintenance = known[key]
            pool = group.pool
            sums["initial"][:, pool] += initial.margin
            sums["maintenance"][:, pool] += maintenance.margin
            sums["published"][:, pool] += initial.published
            sums["published_maintenance"][:, pool] += maintenance.published
            worth = np.array(group.legs.quantity) * group.value
            long_short[:, pool] += [np.sum(worth[worth > 0.0]), -np.sum(worth[worth < 0.0])]
        return MarginResult(
            equity(book, value),
            _components(book, sums["maintenance"], initial=False),
            _components(book, sums["initial"], initial=True),
            details={
                "strategy_requirement": sums["published"].sum(axis=0),
                "strategy_maintenance": sums["published_maintenance"].sum(axis=0),
                "long_option_value": long_short[0],
                "short_option_value": long_short[1],
            },
        )

    def _pairings(self, book: Book, group: _Group) -> tuple[Pairing, Pairing]:
        """Return the initial and the maintenance pairing; without shares they are one."""
        spot = float(book.spot[group.underlying])
        rules = self._rules(book.names.underlyings[group.underlying])
        initial, maintenance = self._shares(spot, rules.leverage, group.legs.shares)
        prices = Prices(spot, maintenance, group.value, group.alone)
        kept = pair(group.legs, prices, self._terms(), hedged=group.legs.shares != 0.0)
        if not group.legs.shares:
            return kept, kept
        opened = pair(group.legs, prices._replace(share=initial), self._terms(), hedged=False)
        return opened, kept

    def _rules(self, underlying: str) -> Underlying:
        return self.parameters.underlyings.get(underlying, _PLAIN)

    def _terms(self) -> Terms:
        rates = self.parameters.combination
        whole = self.parameters.whole_contracts
        return Terms(rates.spread, rates.box, rates.strike, whole)

    def _shares(self, spot: float, leverage: float, shares: float) -> tuple[float, float]:
        """Return the initial and maintenance requirement of one share, held or sold."""
        rates: LongShares = self.parameters.long_shares
        least = 0.0
        if shares < 0.0:
            rates = sold = self.parameters.short_shares
            # Below `per_share` the price itself, but no less than `low_price`: no jump between.
            least = min(max(spot, sold.low_price), sold.per_share)
        maintenance = max(min(rates.maintenance * leverage, 1.0) * spot, least)
        return max(rates.initial * spot, maintenance), maintenance

    def _groups(self, book: Book, value: FloatArray) -> Iterator[_Group]:
        """Yield the legs of every pool and underlying, pools in order."""
        held = self._rows(book, value)
        columns = book.instruments.take(book.instrument[held.rows])
        pool, quantity = book.pool[held.rows], book.quantity[held.rows]
        change = (np.diff(pool) != 0) | (np.diff(columns.underlying) != 0)
        for rows in np.split(np.arange(len(pool)), np.flatnonzero(change) + 1):
            if not len(rows):
                continue
            spot = columns.kind[rows] == int(Kind.SPOT)
            mine = rows[~spot]
            legs = Legs(
                tuple(quantity[mine].tolist()),
                tuple(columns.multiplier[mine].tolist()),
                tuple(columns.call[mine].tolist()),
                tuple(columns.strike[mine].tolist()),
                tuple(columns.time[mine].tolist()),
                tuple(columns.american[mine].tolist()),
                float(np.sum(quantity[rows[spot]])),
            )
            first = rows[0]
            values = (held.value[mine], held.alone[mine])
            yield _Group(int(pool[first]), int(columns.underlying[first]), legs, *values)

    def _rows(self, book: Book, value: FloatArray) -> _Rows:
        rows = book.rows(Kind.OPTION, Kind.SPOT)
        rows = rows[(book.quantity[rows] != 0.0)]
        rows = rows[np.lexsort((rows, book.underlying[rows], book.pool[rows]))]
        worth = value[book.instrument[rows]]
        sold = book.quantity[rows] < 0.0
        return _Rows(
            rows,
            worth,
            np.where(sold, self._naked(book, rows, worth), self._bought(book, rows, worth)),
        )

    def _naked(self, book: Book, rows: IntArray, worth: FloatArray) -> FloatArray:
        """Published requirement of a contract sold and covered by nothing, shape of `rows`."""
        rates, house = self.parameters.short_option, self.parameters.house
        columns = book.instruments.take(book.instrument[rows])
        rules = [self._rules(name) for name in book.names.underlyings]
        leverage = np.array([rule.leverage for rule in rules])
        base = np.array([rates.broad_index if rule.broad_index else rates.equity for rule in rules])
        spot, under = book.spot[columns.underlying], columns.underlying
        sign = np.where(columns.call, 1.0, -1.0)
        beyond = np.maximum(sign * (columns.strike - spot), 0.0)
        full = np.minimum(base * leverage, 1.0)[under] * spot - beyond
        least = np.minimum(rates.minimum * leverage, 1.0)[under]
        least = least * np.where(columns.call, spot, columns.strike)
        need: FloatArray = worth + columns.multiplier * np.maximum(full, least)
        need = np.maximum(need, np.maximum(worth + house.beyond_value, house.contract_minimum))
        return need

    def _bought(self, book: Book, rows: IntArray, worth: FloatArray) -> FloatArray:
        """What may be borrowed on a contract bought, as a negative requirement."""
        rule = self.parameters.long_option
        long_lived = book.instruments.time[book.instrument[rows]] > rule.loan_from
        return np.where(long_lived, -rule.loan * worth, 0.0)


_SUMS = ("initial", "maintenance", "published", "published_maintenance")
_PLAIN = Underlying()
_SCOPE = Scope(settlement="linear", coin_accounts=False, american=True, listed_only=True, beside=())


def _components(book: Book, sums: FloatArray, *, initial: bool) -> Components:
    """Name the sums, shape (5, A); what is asked for is never less than nothing."""
    found = dict(zip(COMPONENTS, sums, strict=True))
    found["collateral_haircut"] = collateral_haircut(book, initial=initial)
    whole = np.zeros(book.pools)
    for amount in found.values():
        whole = whole + amount
    return {**found, "floor_top_up": np.maximum(-whole, 0.0)}


def build(tables: Mapping[str, Any]) -> Strategy:
    """Read a strategy model's tables.

    Raises
    ------
    pydantic.ValidationError
        If a parameter is missing, unknown or out of bounds.
    """
    return Strategy(StrategyParameters.model_validate(tables))
