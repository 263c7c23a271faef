"""The `standard` family: each position by its own rule, nothing offset.

A short option needs a share of the price less what it is out of the money, on top of its value,
which equity already carries as a debt. Long options are paid for; where a venue does not let them
carry other positions, they need (a share of) their value. Futures, perpetuals and spot need a share
of their notional, which may grow with their size. Where a venue margins open orders, they need what
the larger side of each position would need if they filled at the mark.

Some venues print margins with the marks of short options in them, beside a margin balance that
leaves options out. The excess is the same; `marks_in_margin` reports their figures as details.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.book import Book, Kind
from margincalc.margin.base import (
    Components,
    MarginResult,
    Marked,
    Shape,
    kinks,
    laid_over,
)
from margincalc.margin.charges import (
    ShortRates,
    margins_with_marks,
    net_option_value,
    short_option,
    short_option_kinks,
)
from margincalc.margin.deposits import Borrow, borrowed, collateral_haircut, haircut_kinks
from margincalc.margin.forms import LinearForm
from margincalc.margin.linear import in_proportion
from margincalc.margin.lots import Lots, held, order_sides
from margincalc.margin.scope import Scope, base, published
from margincalc.margin.standard_rules import (
    AccountRules,
    Notional,
    StandardParameters,
    StandardSet,
)
from margincalc.risk import equity, now
from margincalc.scenarios import ScenarioGrid


class Standard(NamedTuple):
    """Requirements per position, summed by pool."""

    sets: Mapping[str, StandardSet]  # by underlying; "" for all others
    account: AccountRules = AccountRules()
    scope: Scope = Scope()
    borrow: Borrow | None = None

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """None: this family has no scenarios."""
        return ()

    def together(self, book: Book) -> IntArray | None:
        """Every position is margined by itself."""
        return np.arange(len(book.spot))

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book."""
        self.scope.refuse_beyond(book)
        value = now(book)
        worth = equity(book, value)
        mark = value + book.instruments.offset
        maintenance = _Rules(self.sets, book, mark, initial=False).components()
        rules = _Rules(self.sets, book, mark, initial=True)
        initial = rules.components()
        if self.borrow is not None:
            owed = borrowed(book)
            maintenance["borrow"] = self.borrow.maintenance * owed
            initial["borrow"] = self.borrow.initial * owed
        if not self.account.haircut_in_maintenance:
            del maintenance["collateral_haircut"]
        if self.account.open_orders:
            initial["open_orders"] = _open_orders(book, rules.need)
        details: Components = {}
        if self.account.marks_in_margin:
            marks = net_option_value(book, value)
            details = margins_with_marks(worth, marks, maintenance, initial)
        return MarginResult(worth, maintenance, initial, details=details)

    def linear(self, book: Book) -> LinearForm:
        """Return both margins of one pool: an amount per unit long, and one per unit short."""
        return LinearForm(parts=in_proportion(book, self.margin), without=tuple(self._bent(book)))

    def _bent(self, book: Book) -> Iterator[str]:
        """Yield the rules by which a requirement is more, or less, than in proportion."""
        if any(chosen.delta_one.slope or chosen.spot.slope for chosen in self.sets.values()):
            yield "rates that grow with the size of a position"
        if self.account.open_orders and len(book.orders.quantity):
            yield "the margin of open orders"

    def shape(self, book: Book) -> Shape | str:
        """State how the requirement depends on spot."""
        bends = list(haircut_kinks(book))
        for chosen in self.sets.values():
            short, long = chosen.short_option, chosen.long_option
            if short.put_of_mark and short.maintenance_put_cap is not None:
                return "the least share of a put's mark is capped"
            if long.maintenance and long.maintenance_cap is not None:
                return "the share of a bought option's mark is capped"
            bends += short_option_kinks(book, short.rates(initial=False))
        if any(chosen.delta_one.slope for chosen in self.sets.values()):
            contracts = held(book, Kind.FUTURE, Kind.PERPETUAL)
            if np.any(book.instruments.inverse[contracts.instrument]):
                return "a rate grows with the coins that an inverse contract stands for"
        return Shape((), kinks(*bends), (self._marked(book),))

    def _marked(self, book: Book) -> Marked:
        """State which options need shares of their marks."""
        rows = book.rows(Kind.OPTION)
        lots = Lots(book.pool[rows], book.instrument[rows], book.quantity[rows])
        bought, puts = lots.quantity > 0.0, ~book.instruments.call[lots.instrument]
        look = _Rules(self.sets, book, np.zeros(0), initial=False).lookup
        (least,) = look(lambda chosen: (chosen.short_option.put_of_mark,), lots)
        (share,) = look(lambda chosen: (chosen.long_option.maintenance,), lots)
        floor = np.where(puts & ~bought, least, 0.0)
        return Marked(rows, np.where(bought, share, 0.0), floor, self._without_marks)

    def _without_marks(self, book: Book) -> FloatArray:
        """Return what options sold need if their marks were nothing, shape (P,)."""
        lots = Lots(book.pool, book.instrument, book.quantity)
        return _Rules(self.sets, book, np.zeros(len(book.instruments.kind)), initial=False).need(
            lots
        )


class _Rules:
    """One of the two margins of whatever a pool of a book may hold.

    Parameters
    ----------
    mark : of one long unit, account currency, shape (I,)
    """

    def __init__(
        self, sets: Mapping[str, StandardSet], book: Book, mark: FloatArray, *, initial: bool
    ) -> None:
        self._sets, self._book, self._mark, self._initial = sets, book, mark, initial
        number = {name: index for index, name in enumerate(sets)}
        names = book.names.underlyings
        chosen = [number.get(name, number.get(base(name), 0)) for name in names]
        self._number = np.array(chosen, np.int64)

    def components(self) -> Components:
        """Return the parts of the requirement of all that is held."""
        book, initial = self._book, self._initial
        parts: dict[str, tuple[Callable[[Lots], FloatArray], tuple[Kind, ...]]] = {
            "short_options": (self._short_options, (Kind.OPTION,)),
            "long_options": (self._long_options, (Kind.OPTION,)),
            "delta_one": (self._delta_one, (Kind.FUTURE, Kind.PERPETUAL)),
            "spot": (self._spot, (Kind.SPOT,)),
        }
        if not any(chosen.long_option.rates(initial=initial)[0] for chosen in self._sets.values()):
            del parts["long_options"]
        found = {}
        for name, (rule, kinds) in parts.items():
            lots = held(book, *kinds)
            found[name] = group_sum(rule(lots), lots.pool, book.pools)
        return {**found, "collateral_haircut": collateral_haircut(book, initial=initial)}

    def need(self, lots: Lots) -> FloatArray:
        """Return what each of some lots of contracts needs, shape of the lots."""
        option = self._book.instruments.kind[lots.instrument] == int(Kind.OPTION)
        amount = np.zeros(len(lots.quantity))
        rows = np.flatnonzero(option)
        amount[rows] = self._short_options(lots.take(rows)) + self._long_options(lots.take(rows))
        rows = np.flatnonzero(~option)
        amount[rows] = self._delta_one(lots.take(rows))
        return amount

    def lookup(self, rates: Callable[[StandardSet], tuple[float, ...]], lots: Lots) -> FloatArray:
        """Look rates up by the underlying of lots, shape (rates, lots)."""
        table = np.array([rates(chosen) for chosen in self._sets.values()], np.float64)
        underlying = self._book.instruments.underlying[lots.instrument]
        number = self._number[underlying] if len(lots.quantity) else underlying
        found: FloatArray = table[number].T
        return found

    def _short_options(self, lots: Lots) -> FloatArray:
        book, initial = self._book, self._initial
        columns = book.instruments.take(lots.instrument)
        spot = book.spot[columns.underlying]
        rates = self.lookup(lambda chosen: chosen.short_option.rates(initial=initial), lots)
        money = spot if book.coin else np.ones(len(spot))
        mark = self._mark[lots.instrument] * money / columns.multiplier
        unit = short_option(columns, spot, mark, ShortRates(*rates)) / money
        charge: FloatArray = np.maximum(-lots.quantity, 0.0) * columns.multiplier * unit
        return charge

    def _long_options(self, lots: Lots) -> FloatArray:
        book, initial = self._book, self._initial
        share, cap = self.lookup(lambda chosen: chosen.long_option.rates(initial=initial), lots)
        columns = book.instruments.take(lots.instrument)
        spot = np.ones(len(cap)) if book.coin else book.spot[columns.underlying]
        unit = np.minimum(share * self._mark[lots.instrument], cap * columns.multiplier * spot)
        charge: FloatArray = np.maximum(lots.quantity, 0.0) * unit
        return charge

    def _delta_one(self, lots: Lots) -> FloatArray:
        return self._notional(lots, "delta_one")

    def _spot(self, lots: Lots) -> FloatArray:
        return self._notional(lots, "spot")

    def _notional(self, lots: Lots, table: str) -> FloatArray:
        which = "initial" if self._initial else "maintenance"

        def rates(chosen: StandardSet) -> tuple[float, ...]:
            own: Notional = getattr(chosen, table)
            rate = published(getattr(own, which), f"{table}.{which}", needed=len(lots.pool) > 0)
            return rate, own.slope, float(own.price == "index")

        rate, slope, at_index = self.lookup(rates, lots)
        units, index = lots.units(self._book), lots.at_index(self._book)
        notional = np.where(at_index > 0.0, index, lots.at_mark(self._book))
        charge: FloatArray = (rate + slope * units) * notional
        return charge


def _open_orders(book: Book, need: Callable[[Lots], FloatArray]) -> FloatArray:
    """What open orders add to the margin of their positions, shape (A,).

    The larger of the two sides that a position would have if all its buys, or all its sells, filled
    (Paradex: buys of 3 and sells of 2 against a short of 1 are open sizes of 2 and 3).
    """
    present, bought, sold = order_sides(book)
    before = need(present)
    more = np.maximum(np.maximum(need(bought), need(sold)) - before, 0.0)
    return group_sum(more, present.pool, book.pools)


def build(tables: Mapping[str, Any]) -> Standard:
    """Read a standard model's tables.

    Raises
    ------
    pydantic.ValidationError
        If a parameter is missing, unknown or out of bounds.
    """
    whole = StandardParameters.model_validate(tables)
    base_set = whole.model_dump(exclude={"underlyings", "borrow", "account", "scope"})
    others = whole.underlyings.items()
    sets = {"": base_set, **{name: laid_over(base_set, own) for name, own in others}}
    made = {name: StandardSet.model_validate(table) for name, table in sets.items()}
    return Standard(made, whole.account, whole.scope, whole.borrow)
