"""The `scan` family: the worst loss over a grid of scenarios, plus charges.

Each underlying of a pool takes its own worst scenario and the losses add up. A loss counts with
its scenario's weight; tail scenarios are weighted by ``cover / |move|``, the loss that a move as
large as the cover would have made. Initial margin is the same loss under another factor. A value
that the venue does not publish stands in the file as such, and refuses only the books that need it.

Deposits that move with an underlying take part in its scenarios. What they add to the worst loss of
the positions alone is a component of its own, `wrong_way`; it is negative where they offset it.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from pydantic import Field

from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.book import Book, Kind
from margincalc.margin.base import (
    Components,
    Factor,
    MarginResult,
    Parameters,
    Scanned,
    Shape,
    Worst,
    kinks,
    laid_over,
    total,
)
from margincalc.margin.charges import Confidence, Peg, confidence_charge, peg_growth
from margincalc.margin.deposits import Borrow, borrowed, collateral_haircuts, haircut_kinks
from margincalc.margin.forms import LinearForm, Parts, WorstOf
from margincalc.margin.grids import Scenarios, joined
from margincalc.margin.linear import by_row, together
from margincalc.margin.liquidity import Liquidity, Worsts, liquidity_charge
from margincalc.margin.scan_charges import Charges, charge_parts, charged, set_form, worst_losses
from margincalc.margin.scope import NotPublished, Scope, published
from margincalc.risk import equity, least_pnl_beside, now, weighted_risk
from margincalc.scenarios import ScenarioGrid


class Factors(Parameters):
    """What the loss and charges are multiplied by."""

    maintenance: Factor = 1.0
    initial: Factor | NotPublished = 1.0


class ScanSet(Scenarios):
    """The parameters of one underlying."""

    charges: Charges = Charges()
    factors: Factors = Factors()
    liquidity: Liquidity | None = None


class AccountRules(Parameters):
    """What an account needs beside the sum over its underlyings, where the venue says so.

    Attributes
    ----------
    borrow : what is owed
    peg, confidence : a fallen settlement money, and doubtful feeds; in initial margin only
    """

    borrow: Borrow | None = None
    peg: Peg | None = None
    confidence: Confidence | None = None


class ScanParameters(ScanSet, AccountRules):
    """The file's tables: a default set, what differs for some underlyings, and what is common."""

    underlyings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    scope: Scope = Scope()


class _Set(NamedTuple):
    """Parameters of some underlyings, with their scenarios."""

    parameters: ScanSet
    grid: ScenarioGrid


class Scan(NamedTuple):
    """Worst weighted loss over a grid, plus charges, times a factor."""

    sets: Mapping[str, _Set]  # by underlying; "" for all others
    scope: Scope = Scope()
    account: AccountRules = AccountRules()

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """The scenarios, the default set's first."""
        return tuple(chosen.grid for chosen in self.sets.values())

    def together(self, book: Book) -> IntArray | None:
        """Every underlying is scanned and charged by itself."""
        return np.arange(len(book.spot))

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book."""
        self.scope.refuse_beyond(book)
        value = now(book)
        maintenance: Components = {}
        initial: Components = {}
        found, peg = [], self.account.peg
        for number, rows in self._split(book):
            chosen = list(self.sets.values())[number]
            part, held = book.restricted(rows)
            worst, losses = _losses(part, chosen, value[held])
            found.append((rows, worst._replace(grid=np.full(len(worst.pool), number))))
            factors = chosen.parameters.factors
            factor = published(factors.initial, "factors.initial")
            for name, loss in losses.items():
                _add(maintenance, name, factors.maintenance * loss)
                _add(initial, name, factor * loss)
            if peg is not None:
                growth = peg_growth(book.stable, peg.threshold, peg.factor)
                _add(initial, "peg", growth * total(losses, book.pools))
        for components, balances in zip((maintenance, initial), self._balances(book), strict=True):
            components |= balances
        if self.account.confidence is not None:
            initial["oracle_confidence"] = confidence_charge(book, self.account.confidence)
        return MarginResult(equity(book, value), maintenance, initial, joined(found, book))

    def linear(self, book: Book) -> LinearForm:
        """Return both margins of one pool as a linear form: the whole of them."""
        self.scope.refuse_beyond(book)
        value = now(book)
        worst: list[WorstOf] = []
        parts: list[Parts] = []
        for number, rows in self._split(book):
            chosen = list(self.sets.values())[number]
            own, held = book.restricted(rows)
            chosen.parameters.refuse_unpublished(own)
            scans = list(worst_losses(own, chosen.grid, value[held]))
            found = scans, charge_parts(own, chosen.parameters.charges)
            scans, charges = set_form(book, rows, self._weight(chosen, book), found)
            worst += scans
            parts.append(charges)
        parts.append(by_row(book, self._of_balances))
        sized = any(chosen.parameters.liquidity is not None for chosen in self.sets.values())
        without = ("the liquidity add-on, which grows faster than positions",) if sized else ()
        return LinearForm(tuple(worst), together(parts), without, floor=True)

    def _weight(self, chosen: _Set, book: Book) -> FloatArray:
        """Return what a loss counts with in maintenance and in initial margin, shape (2,)."""
        factors, peg = chosen.parameters.factors, self.account.peg
        initial = published(factors.initial, "factors.initial")
        if peg is not None:
            initial += peg_growth(book.stable, peg.threshold, peg.factor)
        return np.array([factors.maintenance, initial])

    def _of_balances(self, book: Book) -> FloatArray:
        """Return what balances and doubtful feeds need in both margins, shape (2, A)."""
        both = [total(balances, book.pools) for balances in self._balances(book)]
        if self.account.confidence is not None:
            both[1] = both[1] + confidence_charge(book, self.account.confidence)
        return np.stack(both)

    def shape(self, book: Book) -> Shape | str:
        """State how the requirement depends on spot; charges that follow deltas are no lines."""
        scanned = []
        for number, rows in self._split(book):
            chosen = list(self.sets.values())[number]
            if len(rows) and chosen.parameters.charges.roll:
                return "the charge for rolling between expiries follows deltas"
            if len(rows) and chosen.parameters.liquidity is not None:
                return "the liquidity add-on grows faster than positions"
            scanned.append(Scanned(rows, chosen.grid, chosen.parameters.factors.maintenance))
        return Shape(tuple(scanned), kinks(*haircut_kinks(book)))

    def _balances(self, book: Book) -> tuple[Components, Components]:
        """Return what is lost of deposits, and what debts need, in both margins."""
        maintenance, initial = ({"collateral_haircut": lost} for lost in collateral_haircuts(book))
        if (borrow := self.account.borrow) is not None:
            owed = borrowed(book)
            maintenance["borrow"] = borrow.maintenance * owed
            initial["borrow"] = borrow.initial * owed
        return maintenance, initial

    def _split(self, book: Book) -> list[tuple[int, IntArray]]:
        """Return each set's number with the position rows that it applies to."""
        return book.once(("sets", *self.sets), lambda: list(self._rows(book)))

    def _rows(self, book: Book) -> Iterator[tuple[int, IntArray]]:
        own = self._numbers(book)[book.instruments.underlying]
        for index in range(len(self.sets)):
            rows = np.flatnonzero((own == index)[book.instrument])
            if len(rows) or index == 0:
                yield index, rows

    def _numbers(self, book: Book) -> IntArray:
        """Return the number of each underlying's set, and -1 of what has none, shape (U + 1,)."""
        numbers = np.zeros(len(book.spot) + 1, np.int64)
        numbers[-1] = -1
        if len(self.sets) > 1:  # one that moves has a spot, and a name, for each market
            number = {name: index for index, name in enumerate(self.sets)}
            numbers[:-1] = [number.get(name, 0) for name in book.names.underlyings]
        return numbers


def _losses(book: Book, chosen: _Set, value: FloatArray) -> tuple[Worst, Components]:
    """Scan one set's rows and charge them; `value` is their present one, shape (I,)."""
    chosen.parameters.refuse_unpublished(book)
    first, labels = book.groups
    risk = weighted_risk(book, chosen.grid, value)
    deposit = book.moving_instruments(Kind.COLLATERAL)
    scenario, pnl, positions = least_pnl_beside(book, risk, deposit, labels, len(first))
    worst = Worst(
        book.pool[first],
        book.instruments.underlying[book.instrument[first]],
        np.zeros(len(first), np.int64),
        scenario,
        pnl,
        cache(lambda: book.quantity * risk[book.instrument, scenario[labels]]),
    )
    alone = np.maximum(-positions, 0.0)
    beyond = np.maximum(-pnl, 0.0) - alone
    losses = {
        "scenario_loss": group_sum(alone, worst.pool, book.pools),
        "wrong_way": group_sum(beyond, worst.pool, book.pools),
    }
    losses |= charged(book, chosen.parameters.charges)
    if chosen.parameters.liquidity is not None:
        found = Worsts(first, labels, alone + beyond)
        losses["liquidity"] = liquidity_charge(book, chosen.parameters.liquidity, found)
    return worst, losses


def _add(components: Components, name: str, amount: FloatArray) -> None:
    components[name] = components[name] + amount if name in components else amount


def build(tables: Mapping[str, Any]) -> Scan:
    """Read a scan model's tables.

    Raises
    ------
    pydantic.ValidationError
        If a parameter is missing, unknown or out of bounds.
    """
    whole = ScanParameters.model_validate(tables)
    common = {"underlyings", "scope", *AccountRules.model_fields}
    base = whole.model_dump(exclude=common, exclude_unset=True)
    others = whole.underlyings.items()
    sets = {"": base, **{name: laid_over(base, other) for name, other in others}}
    made = {name: ScanSet.model_validate(table) for name, table in sets.items()}
    chosen = {name: _Set(table, table.scenario_grid()) for name, table in made.items()}
    return Scan(chosen, whole.scope, whole)
