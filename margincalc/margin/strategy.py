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

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field

from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.book import Book, Kind
from margincalc.margin.base import Components, MarginResult, Parameters, Share
from margincalc.margin.deposits import collateral_haircut
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


class _Held(NamedTuple):
    """What pools hold, in B blocks: each of one pool, on one underlying.

    Attributes
    ----------
    pool, underlying : of each block, shape (B,)
    legs : options and shares; L options
    value : of a long contract, account currency, shape (L,)
    alone : published requirement of a leg by itself, per contract, shape (L,)
    """

    pool: IntArray
    underlying: IntArray
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
        held = self._held(book, value + book.instruments.offset)
        opened, kept = self._pairings(book, held)
        worth, owner = held.legs.quantity * held.value, held.pool[held.legs.block]

        def summed(amount: FloatArray) -> FloatArray:
            return group_sum(amount.T, held.pool, book.pools).T

        return MarginResult(
            equity(book, value),
            _components(book, summed(kept.margin), initial=False),
            _components(book, summed(opened.margin), initial=True),
            details={
                "strategy_requirement": summed(opened.published).sum(axis=0),
                "strategy_maintenance": summed(kept.published).sum(axis=0),
                "long_option_value": group_sum(np.maximum(worth, 0.0), owner, book.pools),
                "short_option_value": group_sum(np.maximum(-worth, 0.0), owner, book.pools),
            },
        )

    def _pairings(self, book: Book, held: _Held) -> tuple[Pairing, Pairing]:
        """Return the initial and the maintenance pairing; without shares they are one."""
        initial, maintenance = self._shares(book, held)
        prices = Prices(book.spot[held.underlying], maintenance, held.value, held.alone)
        kept = pair(held.legs, prices, self._terms(), hedged=True)
        sharing = held.legs.shares != 0.0
        some, rows = held.legs.of(sharing)
        prices = prices._replace(share=initial).of(sharing, rows)
        opened = Pairing(*(amount.copy() for amount in kept))
        for amount, found in zip(
            opened, pair(some, prices, self._terms(), hedged=False), strict=True
        ):
            amount[:, sharing] = found
        return opened, kept

    def _rules(self, underlying: str) -> Underlying:
        return self.parameters.underlyings.get(underlying, _PLAIN)

    def _terms(self) -> Terms:
        rates = self.parameters.combination
        whole = self.parameters.whole_contracts
        return Terms(rates.spread, rates.box, rates.strike, whole)

    def _shares(self, book: Book, held: _Held) -> tuple[FloatArray, FloatArray]:
        """Return the initial and maintenance requirement of one share, held or sold, by block."""
        bought, sold = self.parameters.long_shares, self.parameters.short_shares
        short, spot = held.legs.shares < 0.0, book.spot[held.underlying]
        leverage = self._leverage(book)[held.underlying]
        # Below `per_share` the price itself, but no less than `low_price`: no jump between.
        least = np.minimum(np.maximum(spot, sold.low_price), sold.per_share)
        rate = np.minimum(np.where(short, sold.maintenance, bought.maintenance) * leverage, 1.0)
        maintenance = np.maximum(rate * spot, np.where(short, least, 0.0))
        initial = np.where(short, sold.initial, bought.initial) * spot
        return np.maximum(initial, maintenance), maintenance

    def _leverage(self, book: Book) -> FloatArray:
        """Return the factor of each underlying's rates, shape (U,)."""
        return np.array([self._rules(name).leverage for name in book.names.underlyings])

    def _held(self, book: Book, value: FloatArray) -> _Held:
        rows = book.rows(Kind.OPTION, Kind.SPOT)
        rows = rows[book.quantity[rows] != 0.0]
        rows = rows[np.lexsort((rows, book.underlying[rows], book.pool[rows]))]
        pool, under = book.pool[rows], book.underlying[rows]
        new = np.flatnonzero((np.diff(pool, prepend=-1) != 0) | (np.diff(under, prepend=-1) != 0))
        block = np.repeat(np.arange(len(new)), np.diff(new, append=len(rows)))
        spot = book.kind[rows] == int(Kind.SPOT)
        options = rows[~spot]
        columns, quantity = book.instruments.take(book.instrument[options]), book.quantity[options]
        legs = Legs(
            block[~spot],
            quantity,
            columns.multiplier,
            columns.call,
            columns.strike,
            columns.time,
            columns.american,
            group_sum(book.quantity[rows[spot]], block[spot], len(new)),
        )
        worth = value[book.instrument[options]]
        bought, sold = self._bought(book, options, worth), self._naked(book, options, worth)
        return _Held(pool[new], under[new], legs, worth, np.where(quantity < 0.0, sold, bought))

    def _naked(self, book: Book, rows: IntArray, worth: FloatArray) -> FloatArray:
        """Published requirement of a contract sold and covered by nothing, shape of `rows`."""
        rates, house = self.parameters.short_option, self.parameters.house
        columns = book.instruments.take(book.instrument[rows])
        rules = [self._rules(name) for name in book.names.underlyings]
        leverage = self._leverage(book)
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
