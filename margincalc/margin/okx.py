"""The `okx` family: OKX portfolio margin, whose terms are called MR1 to MR9.

A risk unit needs ``max(max(MR1, MR2, MR6) + MR3 + MR4 + MR5 + MR9, MR7)``: the worst of the shocks
of index and volatility (MR1), a day's decay of options (MR2) and half the loss of an extreme move
(MR6); vega across expiries (MR3), the basis risk of each leg (MR4), rates (MR5) and what is offset
between monies (MR9); at least what closing would cost (MR7). What a pool owes is margined beside
(MR8). `okx_terms` says what is known of MR3, MR5 and MR9, and who is refused for want of the rest.

The venue computes in USD: so are the details, while components are in the account currency.

Rules: https://www.okx.com/help/v-portfolio-margin-mode-cross-margin-trading-risk-unit-merge
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book, Kind
from margincalc.margin.base import (
    Components,
    Factor,
    MarginResult,
    Parameters,
    Share,
    Worst,
)
from margincalc.margin.deposits import Borrow, collateral_haircut, without_deposits
from margincalc.margin.forms import LinearForm
from margincalc.margin.grids import joined
from margincalc.margin.okx_classes import (
    CONTRACTS,
    AssetClass,
    Scenarios,
    Volatility,
    scenarios,
)
from margincalc.margin.okx_risk import Terms, Units, units_of
from margincalc.margin.okx_terms import Peg, RateMoves, TermStructure, left_out
from margincalc.margin.scope import Scope, base
from margincalc.risk import equity, now
from margincalc.scenarios import ScenarioGrid


class OkxParameters(Parameters):
    """The file's tables.

    Attributes
    ----------
    initial_factor : of the margin of risk units
    extreme_share : of the loss of an extreme move
    classes, others : rates of the underlyings that a class lists, and of all others
    """

    initial_factor: Factor
    extreme_share: Share
    volatility: Volatility
    term_structure: TermStructure  # MR3
    rates: RateMoves  # MR5
    peg: Peg | None = None  # MR9, which rules before 2025 do not have
    borrow: Borrow  # MR8
    classes: dict[str, AssetClass]
    others: AssetClass


class _Class(NamedTuple):
    """An asset class with its scenarios; `key` is where its parameters are."""

    key: str
    rules: AssetClass
    scenarios: Scenarios

    def refuse_unpublished(self, book: Book, rows: IntArray) -> None:
        """Refuse contracts whose rates the venue does not publish."""
        held = np.any(book.instruments.is_kind(*CONTRACTS)[book.instrument[rows]])
        self.rules.refuse_unpublished(self.key, needed=bool(held))


class Okx(NamedTuple):
    """Requirements of risk units and of what is owed, summed by pool."""

    classes: tuple[_Class, ...]
    initial_factor: float
    borrow: Borrow
    terms: Terms

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """The scenarios of each asset class."""
        return tuple(chosen.scenarios.grid for chosen in self.classes)

    def linear(self, book: Book) -> LinearForm:
        """Return no linear form, but what stands in its way."""
        return LinearForm(without=("offsets between risks (MR1 to MR9)",))

    def together(self, book: Book) -> IntArray | None:
        """A risk unit is of one underlying; an account in coin is restated at its spot."""
        return None if book.coin else np.arange(len(book.spot))

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book.

        Raises
        ------
        ModelRefusal
            If the venue does not publish a rate of what a book holds.
        """
        Scope().refuse_beyond(book)
        if book.coin:
            return _in_coin(book, self.margin(_in_money(book)))
        units, worst = self._units(book)
        parts = _components(units, self._alone(book, units), book.pools)
        owed = _owed(book)
        haircuts = [collateral_haircut(book, initial=initial) for initial in (False, True)]
        maintenance = {
            **parts,
            "borrow": self.borrow.maintenance * owed,
            "collateral_haircut": haircuts[0],
        }
        initial = {
            **{name: self.initial_factor * amount for name, amount in parts.items()},
            "borrow": self.borrow.initial * owed,
            "collateral_haircut": haircuts[1],
        }
        result = MarginResult(equity(book, now(book)), maintenance, initial, worst)
        details = _details(book, units, result, self.initial_factor)
        return result._replace(details=details, left_out=left_out(book))

    def _units(self, book: Book) -> tuple[Units, Worst]:
        """Margin the risk units of every class."""
        parts: list[Units] = []
        found: list[tuple[IntArray, Worst]] = []
        for number, rows in self._split(book):
            chosen = self.classes[number]
            chosen.refuse_unpublished(book, rows)
            part = book.restricted(rows)[0]
            units, worst = units_of(part, chosen.rules, chosen.scenarios, self.terms)
            parts.append(units)
            found.append((rows, worst._replace(grid=np.full(len(worst.pool), number))))
        columns = zip(*parts, strict=True)
        return Units(*map(np.concatenate, columns)), joined(found, book)

    def _alone(self, book: Book, units: Units) -> FloatArray:
        """Return what units lose without the deposits that offset their deltas, shape (G,)."""
        bare = without_deposits(book)
        return units.scenario_loss if bare is None else self._units(bare)[0].scenario_loss

    def _split(self, book: Book) -> Iterator[tuple[int, IntArray]]:
        """Yield each class's number with the position rows that it applies to."""
        number = {
            name: index
            for index, chosen in enumerate(self.classes)
            for name in chosen.rules.underlyings
        }
        others = len(self.classes) - 1
        found = [number.get(base(name), others) for name in book.names.underlyings]
        chosen = np.array(found, np.int64)
        rows = np.flatnonzero(book.underlying >= 0)
        classes = chosen[book.underlying[rows]]
        for index in range(len(self.classes)):
            mine = rows[classes == index]
            if len(mine) or index == others:
                yield index, mine


def _in_money(book: Book) -> Book:
    """Return a book kept in coin as one kept in quote currency."""
    columns = book.instruments
    spot = book.spot[columns.underlying]
    offset, cap = columns.offset * spot, columns.cap * spot
    return replace(book, coin=False, instruments=replace(columns, offset=offset, cap=cap))


def _in_coin(book: Book, result: MarginResult) -> MarginResult:
    """Return the amounts of a result in the coin of each pool; details stay in USD."""
    spot = np.ones(book.pools)
    spot[book.pool] = book.spot[book.underlying]
    worst = result.worst
    if worst is not None:
        own = worst.by_position
        by_position = cache(lambda: own() / spot[book.pool])
        every = None if worst.every is None else worst.every / spot[worst.pool, None]
        worst = worst._replace(
            pnl=worst.pnl / spot[worst.pool], by_position=by_position, every=every
        )
    return result._replace(
        equity=equity(book, now(book)),
        components={name: amount / spot for name, amount in result.components.items()},
        initial_components={
            name: amount / spot for name, amount in result.initial_components.items()
        },
        worst=worst,
    )


def _components(units: Units, alone: FloatArray, pools: int) -> Components:
    """Return what risk units need, shape (A,) each; what closing costs tops it up."""
    loss = units.scenario_loss
    added = {
        "term_structure": units.mr3,
        "basis": units.mr4,
        "rates": units.mr5,
        "peg": units.mr9,
    }
    parts = {
        "scenario_loss": alone,
        "wrong_way": loss - alone,
        **added,
        "floor_top_up": units.maintenance - (loss + sum(added.values())),
    }
    return {name: group_sum(amount, units.pool, pools) for name, amount in parts.items()}


def _owed(book: Book) -> FloatArray:
    """What a pool owes, in money and in each coin by itself, account currency, shape (A,).

    Money of all kinds is one balance; in a book that was kept in coin it has an underlying too.
    """
    rows = book.rows(Kind.SPOT, Kind.COLLATERAL, Kind.SETTLEMENT)
    columns = book.instruments.take(book.instrument[rows])
    worth = book.quantity[rows] * columns.multiplier * columns.forward
    asset = np.where(columns.beta == 0.0, -1, columns.underlying)
    first, label = group_rows(book.pool[rows], asset)
    balance = group_sum(worth, label, len(first))
    return group_sum(np.maximum(-balance, 0.0), book.pool[rows][first], book.pools)


def _details(book: Book, units: Units, result: MarginResult, initial_factor: float) -> Components:
    """Return the venue's own figures in USD: of the account, then of each risk unit."""
    haircut, borrow = result.components["collateral_haircut"], result.components["borrow"]
    maintenance = result.maintenance - haircut
    account = {
        "total_equity": result.equity,
        "adjusted_equity": result.equity - haircut,
        "derivatives_mmr": maintenance - borrow,
        "mr8": borrow,
        "borrow_imr": result.initial_components["borrow"],
        "mmr": maintenance,
        "imr": result.initial - result.initial_components["collateral_haircut"],
    }
    number = {name: index for index, name in enumerate(dict.fromkeys(book.names.underlyings))}
    named = np.array([number[name] for name in book.names.underlyings], np.int64)[units.underlying]
    terms = {
        "delta": units.delta,
        **{f"mr{n}": getattr(units, f"mr{n}") for n in (1, 2, 3, 4, 5, 6, 7, 9)},
        "mmr": units.maintenance,
        "imr": initial_factor * units.maintenance,
        "mr9_volume": units.crossed,
    }
    for name, index in number.items():
        rows = np.flatnonzero(named == index)
        if len(rows):
            for term, amount in terms.items():
                own = group_sum(amount[rows], units.pool[rows], book.pools)
                account[f"{name} {term}"] = own
    return {name: amount * book.stable for name, amount in account.items()}


def build(tables: Mapping[str, Any]) -> Okx:
    """Read the tables of OKX's portfolio margin.

    Raises
    ------
    pydantic.ValidationError
        If a parameter is missing, unknown or out of bounds.
    """
    whole = OkxParameters.model_validate(tables)
    classes = {f"classes.{name}": rules for name, rules in whole.classes.items()}
    return Okx(
        tuple(
            _Class(key, rules, scenarios(rules, whole.volatility, whole.extreme_share))
            for key, rules in {**classes, "others": whole.others}.items()
        ),
        whole.initial_factor,
        whole.borrow,
        Terms(whole.term_structure, whole.rates, whole.peg),
    )
