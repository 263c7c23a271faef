"""One pool's problem: what trades and a deposit change, what they cost, and what must hold.

The variables are ``z = (bought, sold, deposit)``: contracts bought and sold of each of C
candidates, then money. The pool's position rows hold ``quantity + change @ z``; a trade also moves
the money that is paid for it, in the currency in which its contract settles, and its cost.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.assembly.holding import money_name
from margincalc.book import Book, Kind
from margincalc.hedge.aims import Aim, Limits, Request
from margincalc.hedge.catalogue import Catalogue
from margincalc.hedge.costs import unit_costs
from margincalc.margin.base import MarginModel
from margincalc.portfolio.contracts import Contract
from margincalc.risk import greeks, now


class Bound(NamedTuple):
    """A limit on a sum of variables: ``low <= coefficient @ z + ticket * trades <= high``.

    Attributes
    ----------
    limit : the field of `Limits` that it comes from
    ticket : what each instrument that is traded adds
    """

    limit: str
    coefficient: FloatArray
    low: float
    high: float
    ticket: float = 0.0


@dataclass(frozen=True, eq=False)
class Problem:
    """What may be done for one pool.

    Attributes
    ----------
    book : the pool with a row for everything that may be traded, its money and the deposit
    contracts : of the candidates, [C]
    row : position row of each candidate, [C]
    price : what one unit of each adds to equity when it is bought at its mark, [C]
    change : what a unit of each variable adds to the position rows, sparse, shape (P, 2 C + 1)
    cost : of a unit of each variable, shape (2 C + 1,)
    upper : of each variable, shape (2 C + 1,)
    lot : size of which each variable is a multiple, 0 for any, shape (2 C + 1,)
    ticket : cost of trading an instrument at all
    toll : what paying one unit of money for a trade of each candidate adds to the position rows,
        sparse, shape (P, C)
    """

    model: MarginModel
    book: Book
    contracts: tuple[Contract, ...]
    row: IntArray
    price: FloatArray
    change: Any
    cost: FloatArray
    upper: FloatArray
    lot: FloatArray
    ticket: float
    toll: Any
    bounds: tuple[Bound, ...]
    aim: Aim
    limits: Limits

    @property
    def candidates(self) -> int:
        """The number of candidates, C."""
        return len(self.contracts)

    @property
    def nothing(self) -> FloatArray:
        """The answer that changes nothing, shape (2 C + 1,)."""
        return np.zeros(2 * self.candidates + 1)

    @property
    def held(self) -> FloatArray:
        """What is held of each candidate, shape (C,)."""
        return self.book.quantity[self.row]

    def traded(self, z: FloatArray) -> FloatArray:
        """Return what is bought less what is sold of each candidate, shape (C,)."""
        count = self.candidates
        net: FloatArray = z[:count] - z[count : 2 * count]
        return net

    def tickets(self, answers: FloatArray) -> FloatArray:
        """Return what tickets answers pay for each candidate, shape (K, 2 C + 1) to (K, C)."""
        count = self.candidates
        net = answers[:, :count] - answers[:, count : 2 * count]
        paid: FloatArray = np.where(net != 0.0, self.ticket, 0.0)
        return paid

    def amounts(self, bound: Bound, answers: FloatArray) -> FloatArray:
        """Return what a limit is on, shape (K, 2 C + 1) to (K,)."""
        amounts: FloatArray = answers @ bound.coefficient
        if not bound.ticket:
            return amounts
        amounts += bound.ticket * np.count_nonzero(self.tickets(answers), axis=1)
        return amounts

    def netted(self, z: FloatArray) -> FloatArray:
        """Return an answer in which each candidate is traded on one side only."""
        count = self.candidates
        both = np.minimum(z[:count], z[count : 2 * count])
        netted: FloatArray = z - np.concatenate([both, both, [0.0]])
        return netted

    def trade_cost(self, z: FloatArray) -> float:
        """Return what the trades cost."""
        tickets = self.ticket * np.count_nonzero(self.traded(z))
        return float(self.cost[:-1] @ z[:-1]) + float(tickets)

    def total(self, z: FloatArray) -> float:
        """Return what trades and deposit cost."""
        return self.trade_cost(z) + float(self.cost[-1] * z[-1])

    def broken(self, z: FloatArray) -> tuple[str, ...]:
        """Return the limits that an answer breaks, by more than rounding."""
        room = 1.0 + 1e-9
        found = ["deposit"] if z[-1] > self.upper[-1] * room else []
        for bound in self.bounds:
            amount = float(self.amounts(bound, z[None, :])[0])
            slack = 1e-9 * max(1.0, abs(amount))
            if not bound.low - slack <= amount <= bound.high + slack:
                found.append(bound.limit)
        return tuple(dict.fromkeys(found))

    def reducing(self) -> "Problem":
        """Return the problem in which positions may only be reduced, and nothing deposited."""
        held = self.held
        upper = np.concatenate([np.maximum(-held, 0.0), np.maximum(held, 0.0), [0.0]])
        return replace(self, upper=np.minimum(self.upper, upper))

    def unlimited(self, limit: str) -> "Problem":
        """Return the problem without one of its limits, a field of `Limits`."""
        limits = self.limits._replace(**{limit: Limits._field_defaults[limit]})
        bounds = tuple(bound for bound in self.bounds if bound.limit != limit)
        upper = _upper(self.book, self.row, limits)
        return replace(self, upper=upper, bounds=bounds, limits=limits)


def problem_of(source: tuple[Book, int, MarginModel], found: Catalogue, asked: Request) -> Problem:
    """Return the problem of one pool.

    Parameters
    ----------
    source : a margined book, one of its pools, and the model
    """
    whole, pool, model = source
    book = _pool_book(whole, pool, found)
    contracts = tuple(_candidates(whole, pool, found))
    row_of = {int(instrument): row for row, instrument in enumerate(book.instrument)}
    number = {name: row for row, name in enumerate(book.names.instruments)}
    row = np.array([row_of[number[each.name]] for each in contracts], np.int64)
    # Trades are paid from the account's own money where it has any: a debt of it is repaid first.
    purse = next((name for name in found.purses if number.get(name) in row_of), found.deposit)
    own = purse != found.deposit
    purses = [purse if own and not each.inverse else money_name(each) for each in contracts]
    money = np.array([row_of[number[name]] for name in purses], np.int64)
    value = (now(book) + book.instruments.offset)[book.instrument]
    buy, sell = unit_costs(found.quotes, book, contracts, row, asked.costs)
    paid = np.concatenate([-(value[row] + buy), value[row] - sell]) / value[np.tile(money, 2)]
    deposit = row_of[number[purse]]
    count = len(contracts)
    change = _sparse(
        (np.concatenate([np.ones(count), -np.ones(count), paid, [1.0 / value[deposit]]])),
        np.concatenate([row, row, money, money, [deposit]]),
        np.concatenate([np.arange(2 * count), np.arange(2 * count), [2 * count]]),
        (len(book.pool), 2 * count + 1),
    )
    made = Problem(
        model,
        book,
        contracts,
        row,
        value[row],
        change,
        np.concatenate([buy, sell, [asked.costs.deposit]]),
        _upper(book, row, asked.limits),
        _lots(contracts, asked.limits),
        asked.costs.ticket,
        _sparse(-1.0 / value[money], money, np.arange(count), (len(book.pool), count)),
        (),
        asked.aim,
        asked.limits,
    )
    return replace(made, bounds=tuple(_bounds(made, asked.limits)))


def _sparse(values: FloatArray, rows: IntArray, columns: IntArray, shape: tuple[int, int]) -> Any:
    from scipy.sparse import csr_array

    return csr_array((values, (rows, columns)), shape=shape)


def _candidates(book: Book, pool: int, found: Catalogue) -> list[Contract]:
    """Return what a pool may trade: an isolated position's nothing but its own instrument."""
    contracts = {contract.name: contract for contract in found.assembly.contracts}
    key = book.names.keys[pool]
    names = found.candidates
    if key.share == "instrument":
        names = (key.name,) if key.name in found.candidates else ()
    return [contracts[name] for name in names]


def _pool_book(book: Book, pool: int, found: Catalogue) -> Book:
    """Return a pool with rows of nothing for all that may be added to it."""
    whole = found.assembly.book
    number = {name: row for row, name in enumerate(whole.names.instruments)}
    rows = np.flatnonzero(book.pool == pool)
    names = [book.names.instruments[row] for row in book.instrument[rows]]
    held = [number[found.renamed.get(name, name)] for name in names]
    contracts = _candidates(book, pool, found)
    more = [name for each in contracts for name in (each.name, money_name(each))]
    extra = {number[name] for name in (*more, found.deposit)} - set(held)
    instrument = np.array([*held, *sorted(extra)], np.int64)
    order = np.argsort(instrument)
    nothing = np.zeros(len(extra))
    chosen = np.flatnonzero(book.orders.pool == pool)
    orders = book.orders.take(chosen)
    ordered = [number[book.names.instruments[row]] for row in orders.instrument]
    wide = replace(
        whole,
        names=whole.names._replace(keys=(book.names.keys[pool],)),
        pool=np.zeros(len(order), np.int64),
        instrument=instrument[order],
        quantity=np.concatenate([book.quantity[rows], nothing])[order],
        entry=np.concatenate([book.entry[rows], np.nan + nothing])[order],
        limited=book.limited[[pool]],
        orders=orders._replace(pool=0 * orders.pool, instrument=np.array(ordered, np.int64)),
    )
    return trimmed(wide)


def trimmed(book: Book) -> Book:
    """Return a book with the instruments that it holds or orders only, and their names."""
    names = book.names.instruments
    small, kept = book.restricted(np.arange(len(book.pool)), np.arange(len(book.orders.pool)))
    return replace(small, names=small.names._replace(instruments=tuple(names[i] for i in kept)))


def _upper(book: Book, row: IntArray, limits: Limits) -> FloatArray:
    """Bound what is bought, sold and deposited."""
    size = np.full(len(row), limits.size)
    sold = size.copy()
    if not limits.new_shorts:
        option = book.instruments.is_kind(Kind.OPTION)[book.instrument[row]]
        held = np.maximum(book.quantity[row], 0.0)
        sold = np.where(option, np.minimum(sold, held), sold)
    return np.concatenate([size, sold, [limits.deposit]])


def _lots(contracts: tuple[Contract, ...], limits: Limits) -> FloatArray:
    """Return lots: as the file states them, of an exchange's options whole contracts."""
    default = [max(limits.lot, 1.0) if each.listed else limits.lot for each in contracts]
    lots = [
        own if each.lot is None else each.lot for each, own in zip(contracts, default, strict=True)
    ]
    return np.array([*lots, *lots, 0.0])


def _bounds(problem: Problem, limits: Limits) -> list[Bound]:
    """Return the limits on sums of variables."""
    found = []
    count = problem.candidates
    if limits.budget < np.inf:
        price = np.concatenate([problem.price, -problem.price, [1.0]])
        cost = np.concatenate([problem.cost[: 2 * count], [0.0]])
        found.append(Bound("budget", price + cost, -np.inf, limits.budget, problem.ticket))
    of = greeks(problem.book)
    book = problem.book
    for limit, unit in (("delta", of.delta), ("vega", of.vega)):
        most = getattr(limits, limit)
        if most == np.inf:
            continue
        for underlying in np.unique(book.underlying[book.underlying >= 0]):
            mine: BoolArray = book.underlying == underlying
            each = np.where(mine, unit[book.instrument], 0.0)
            start = float(each @ book.quantity)
            found.append(Bound(limit, problem.change.T @ each, -most - start, most - start))
    return found
