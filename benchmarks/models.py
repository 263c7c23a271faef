"""How long each shipped model takes: one book of 100 legs, and every account of an exchange."""

from dataclasses import replace
from statistics import median
from typing import NamedTuple

import numpy as np

from benchmarks import accounts
from benchmarks.clock import Work, in_process, in_turns, walls
from benchmarks.tables import Table, duration
from margincalc.answers.account import Account
from margincalc.answers.margining import Rules, margined
from margincalc.assembly.assemble import assemble
from margincalc.assembly.pools import labels
from margincalc.book import Book, Kind, Pool
from margincalc.liquidation.nearest import nearest
from margincalc.portfolio import Portfolio

HEADER = (
    "model",
    "family",
    "legs",
    "margin",
    "with liquidation",
    "accounts",
    "all of them",
    "per second",
)
HELD = 10  # contracts of each account of an exchange


class Sizes(NamedTuple):
    """How large the books are, and how often each is margined.

    `searches` is how often liquidation prices are searched and the exchange is margined.
    """

    turns: int = 9
    searches: int = 1
    legs: int = 100
    many: int = 10_000
    models: tuple[str, ...] = tuple(accounts.EXPRESSED)


def tables(sizes: Sizes) -> list[Table]:
    """Time every model."""
    how = (
        f"Wall time in one process, of a book already read: its requirement (median of "
        f"{sizes.turns} turns), and that with the liquidation prices of every underlying (once); "
        f"then all accounts of an exchange margined at once (once), each of {HELD} contracts of "
        "one chain, and money. Each model's book holds what its venue lists, so that times of "
        "different models are of different books; `reg-t` solves a linear programme for each "
        "account and underlying."
    )
    rows = tuple(_row(model, sizes) for model in sizes.models)
    return [Table("Models", how, HEADER, rows)]


def _row(model: str, sizes: Sizes) -> tuple[str, ...]:
    one = single(model, sizes.legs)
    rules, book = one.venue.model, one.book
    whole = exchange(model, sizes.many)
    margin = _median(lambda: rules.margin(book), sizes.turns)
    search = _median(lambda: (rules.margin(book), nearest(book, rules)), sizes.searches)
    every = _median(lambda: rules.margin(whole), sizes.searches)
    return (
        model,
        one.venue.family,
        f"{sizes.legs}",
        duration(margin),
        duration(search),
        f"{sizes.many:,}",
        duration(every),
        f"{float(f'{sizes.many / every:.3g}'):,.0f}",
    )


def _median(work: Work, turns: int) -> float:
    """Return the median time; one turn is not preceded by an unmeasured one."""
    if turns == 1:
        return in_process(work)().wall
    (costs,) = in_turns([in_process(work)], turns)
    return median(walls(costs))


def single(model: str, legs: int) -> Account:
    """Margin one account of so many contracts."""
    return _margined(model, accounts.account(model, legs))


def exchange(model: str, count: int) -> Book:
    """Return a book of many accounts, each of some contracts of one chain, and money."""
    listed = accounts.chain(model)
    held = [{"instrument": leg.instrument, "quantity": leg.unit} for leg in listed]
    money = [{"asset": "USD", "quantity": HELD * accounts.SIZE}]
    one = accounts.market(model) | {"positions": held, "collateral": money}
    return _spread(assemble(Portfolio.model_validate(one), labels("cross", "one")).book, count)


def _spread(book: Book, count: int) -> Book:
    """Give each of `count` pools some of one pool's contracts, drawn, and its money."""
    rng = np.random.default_rng(count)
    contract = book.kind != Kind.COLLATERAL
    draw = np.where(contract, rng.random((count, len(contract))), -1.0)  # money comes first
    kept = HELD + int(np.sum(~contract))
    chosen = np.sort(np.argpartition(draw, kept - 1, axis=1)[:, :kept], axis=1).ravel()
    times = rng.choice(np.array([-3.0, -2.0, -1.0, 1.0, 2.0]), len(chosen))
    return replace(
        book,
        names=book.names._replace(
            keys=tuple(Pool("", "account", f"account {number}") for number in range(count))
        ),
        pool=np.repeat(np.arange(count), kept),
        instrument=book.instrument[chosen],
        quantity=book.quantity[chosen] * np.where(contract[chosen], times, 1.0),
        entry=book.entry[chosen],
        limited=np.zeros(count, bool),
    )


def _margined(model: str, written: accounts.Written) -> Account:
    rules = Rules(model=model, settings=accounts.EXPRESSED[model].settings)
    return margined(Portfolio.model_validate(written), rules)
