"""`simulate collateral`: what an account bears of its deposits' falls, alone and with the spots.

What is owed is no deposit: a debt has its own table, and what endangers it is a rise.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from margincalc.answers.account import Account
from margincalc.answers.study import Fact, Field, Study, Table
from margincalc.arrays import BoolArray, FloatArray
from margincalc.book import Book, Kind
from margincalc.errors import input_error, shown
from margincalc.margin.base import STATUSES, MarginResult, status_of
from margincalc.pricing.roots import find_roots
from margincalc.simulation import deposits

PEGS = (0.97, 0.90, 0.65)
FALLS = (0.0, -0.1, -0.2, -0.3)
BISECTED = 1e-6  # of a price, below which nothing is left of it
DEPOSITS = (
    Field("asset", "deposit", "text"),
    Field("value", "value", "money"),
    Field("haircut", "haircut", "money", 3),
    Field("share", "of deposits", "share", 2),
    Field("fall", "liquidated if it falls", "move"),
    *(Field(f"at_{peg:g}".replace(".", "_"), f"at {peg:g}", "status", 1) for peg in PEGS),
)
DEBTS = (
    Field("asset", "debt", "text"),
    Field("owed", "owed", "money"),
    Field("charge", "interest margin", "money", 1),
    Field("rise", "liquidated if it rises", "move"),
)
HAIRCUT = ("collateral_haircut", "balances")  # what a deposit counts for less, by models' names
HIGHEST = 1e6  # multiple of a price up to which a debt is followed
JOINT = (
    Field("spots", "spots fall", "move"),
    Field("deposits", "deposits at", "factor"),
    Field("equity", "equity", "money"),
    Field("maintenance", "maintenance", "money"),
    Field("status", "status", "status"),
)


class CollateralTerms(NamedTuple):
    """How deposits are valued, and what is owed against them.

    Attributes
    ----------
    queue : discount at which tokens redeem late, by asset
    pools : assets that are shares of a constant-product pool of their underlying and money
    turns, threshold : of a loop of collateral and debt, and the share at which it is liquidated
    """

    queue: tuple[tuple[str, float], ...] = ()
    pools: tuple[str, ...] = ()
    turns: float | None = None
    threshold: float = 0.83


def collateral_study(account: Account, terms: CollateralTerms) -> Study:
    """Find how far each deposit may fall, and each debt rise, and what falls together do.

    Raises
    ------
    InputError
        If a term names no deposit, or is no possible one.
    """
    assets = _assets(account)
    lent = {name: rows for name, rows in assets.items() if _sum(account.book, rows, 1.0)}
    owed = {name: rows for name, rows in assets.items() if _sum(account.book, rows, -1.0)}
    _check(terms, lent)
    book = _redeemed(account.book, assets, terms)
    result = account.model.margin(book)
    rows = [_deposit(account, book, name, rows) for name, rows in lent.items()]
    debts = [_debt(account, book, name, rows) for name, rows in owed.items()]
    facts = [
        Fact("equity", "Equity", float(np.sum(result.equity)), "money"),
        Fact("maintenance", "Maintenance", float(np.sum(result.maintenance)), "money"),
        Fact("status", "Status", _status(result), "status"),
        Fact("wrong_way", "Wrong-way margin", _component(result, "wrong_way"), "money"),
    ]
    if terms.turns is not None:
        loop = deposits.loop(terms.turns, 1.0)
        fall = -deposits.depeg_to_liquidation(loop, terms.threshold)
        facts += [
            Fact("loop_debt", "Loop owes", loop, "share"),
            Fact("loop_fall", "and is liquidated by a de-peg of", fall, "move"),
        ]
    tables = (
        Table("deposits", DEPOSITS, tuple(rows)),
        Table("debts", DEBTS, tuple(debts), hidden=not debts),
        Table("joint", JOINT, tuple(_joint(account, book, assets, terms))),
    )
    portfolio = account.portfolio
    wrong_way = "wrong-way margin: what deposits that move with positions add to the worst loss"
    notes = (wrong_way, *account.notes)
    return Study("collateral", portfolio.account, portfolio.currency, tuple(facts), tables, notes)


def _assets(account: Account) -> dict[str, BoolArray]:
    """Return which instruments are deposits of each asset, shape (I,)."""
    names = account.book.names.instruments
    kind = account.book.instruments.is_kind(Kind.COLLATERAL)
    found: dict[str, BoolArray] = {}
    for deposit in dict.fromkeys(one.asset for one in account.portfolio.collateral):
        own = [name.rpartition(" deposit ")[0] == deposit for name in names]
        found[deposit] = kind & np.array(own, bool)
    return found


def repriced(book: Book, rows: BoolArray, factor: float) -> Book:
    """Return a book in which some deposits are worth so many times as much."""
    variable = np.where(rows, book.instruments.variable * factor, book.instruments.variable)
    return replace(book, instruments=replace(book.instruments, variable=variable))


def _redeemed(book: Book, assets: dict[str, BoolArray], terms: CollateralTerms) -> Book:
    for name, discount in terms.queue:
        book = repriced(book, assets[name], deposits.redeemable(1.0, 1.0, discount))
    return book


def _sum(book: Book, rows: BoolArray, sign: float) -> float:
    """Return the value of what is lent (1) or owed (-1) of an asset, account currency."""
    held = np.flatnonzero(rows[book.instrument])
    price = book.money(book.instruments.forward[book.instrument[held]], held)
    return float(np.sum(np.maximum(sign * book.quantity[held], 0.0) * price))


def _alone(account: Account, book: Book, rows: BoolArray) -> MarginResult:
    """Margin what the account has of an asset as if it had nothing else."""
    return account.model.margin(
        replace(book, quantity=np.where(rows[book.instrument], book.quantity, 0.0))
    )


def _deposit(account: Account, book: Book, name: str, rows: BoolArray) -> tuple[Any, ...]:
    every = book.instruments.is_kind(Kind.COLLATERAL)
    value, whole = (_sum(book, each, 1.0) for each in (rows, every))
    alone = _alone(account, book, rows)
    cut = sum(_component(alone, component) for component in HAIRCUT)
    at = [_status(account.model.margin(repriced(book, rows, peg))) for peg in PEGS]
    share = value / whole if whole else None
    return name, value, cut, share, _move(account, book, rows, BISECTED), *at


def _debt(account: Account, book: Book, name: str, rows: BoolArray) -> tuple[Any, ...]:
    charge = _component(_alone(account, book, rows), "borrow")
    return name, _sum(book, rows, -1.0), charge, _move(account, book, rows, HIGHEST)


def _move(account: Account, book: Book, rows: BoolArray, furthest: float) -> float | None:
    """Return the move of an asset's price at which some pool has no more than maintenance.

    Parameters
    ----------
    furthest : multiple of the price up to which it is followed, below 1 for a fall
    """

    def excess(_: Any, factor: FloatArray) -> FloatArray:
        found = []
        for one in factor.tolist():
            result = account.model.margin(repriced(book, rows, one))
            found.append(float(np.min(result.equity - result.maintenance)))
        return np.array(found)

    ends = np.array([min(furthest, 1.0)]), np.array([max(furthest, 1.0)])
    here, there = excess(None, np.array([1.0, furthest]))
    if here < 0.0 or there >= 0.0:
        return 0.0 if here < 0.0 else None
    return float(find_roots(excess, *ends)[0]) - 1.0


def _joint(
    account: Account, book: Book, assets: dict[str, BoolArray], terms: CollateralTerms
) -> list[tuple[Any, ...]]:
    """Let spots and deposits fall together; pool shares lose more than half of their coin's."""
    rows = []
    columns = book.instruments
    # In an account kept in coin, money too is on the coin's index.
    still = columns.beta == 0.0 if book.coin else columns.underlying < 0
    others = columns.is_kind(Kind.COLLATERAL) & still
    others[book.instrument[book.quantity < 0.0]] = False  # a debt is not lighter for it
    pegs = (1.0, *PEGS) if np.any(others) else (1.0,)
    for fall in FALLS:
        moved = book.shifted(np.full(len(book.spot), 1.0 + fall))
        for name in terms.pools:
            moved = repriced(moved, assets[name], _pool_factor(book, assets[name], fall))
        for peg in pegs:
            result = account.model.margin(repriced(moved, others, peg))
            equity, need = float(np.sum(result.equity)), float(np.sum(result.maintenance))
            rows.append((fall, peg, equity, need, _status(result)))
    return rows


def _pool_factor(book: Book, rows: BoolArray, fall: float) -> float:
    """Return what a share of a pool is worth, of what the move has made of it already."""
    moves = bool(np.any(book.instruments.underlying[rows] >= 0))
    worth = deposits.pool_share((fall, 0.0))
    return worth / (1.0 + fall) if moves else worth


def _status(result: MarginResult) -> str:
    """Return the worst pool's."""
    figures = (result.equity, result.initial, result.maintenance)
    words = [status_of(*each) for each in zip(*(f.tolist() for f in figures), strict=True)]
    return max(words, key=STATUSES.index, default=STATUSES[0])


def _component(result: MarginResult, name: str) -> float:
    return float(np.sum(result.components.get(name, np.zeros(1))))


def _check(terms: CollateralTerms, assets: dict[str, BoolArray]) -> None:
    named = [("--queue", name) for name, _ in terms.queue] + [("--pool", n) for n in terms.pools]
    for option, name in named:
        if name not in assets:
            raise input_error(option, shown(name), f"a deposit: {', '.join(assets) or 'none'}")
    for _, discount in terms.queue:
        if not 0.0 <= discount < 1.0:
            raise input_error("--queue", shown(discount), "a discount from 0 to 1")
    if terms.turns is not None and not 1.0 <= terms.turns <= 100.0:
        raise input_error("--loop", shown(terms.turns), "a leverage from 1 to 100")
    if not 0.0 < terms.threshold <= 1.0:
        raise input_error("--threshold", shown(terms.threshold), "a share from 0 to 1")
